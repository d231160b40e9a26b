"""The command line, from plays to answers, and what it says when something is wrong."""

import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from communities import NAMES, community_counts
from recommender.artifact import FILES, LINK_FILES, NAME_FILES
from recommender.artists import artist_id, format_artist_id
from recommender.datasets import DATASETS, local_path
from recommender.store import ModelStore
from worlds import SHARED_DATA

SEGUE = (sys.executable, "-m", "bot")


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """A data folder of its own, and nothing set but that."""
    for name in list(os.environ):
        if name.startswith("SEGUE_MODEL") or name in {"SEGUE_DATABASE_URL", "DISCORD_TOKEN", "SEGUE_PREFIX"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("SEGUE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("SEGUE_DATABASE_URL", f"sqlite:///{tmp_path}/segue.sqlite3")
    monkeypatch.setenv("SEGUE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def segue(environment):  # noqa: ARG001 - runs inside it
    def run(*arguments, stdin=None):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)

    return run


def community_lines() -> list[str]:
    counts = community_counts()
    coo = counts.plays.tocoo()
    return [
        f"{counts.listeners[u]}\t{counts.artist_mbids[i]}\t{counts.artist_names[i]}\t{int(n)}"
        for u, i, n in zip(*coo.coords, coo.data, strict=True)
    ]


@pytest.fixture
def plays_file(tmp_path):
    path = tmp_path / "plays.tsv"
    path.write_text("\n".join(community_lines()) + "\n", encoding="utf-8")
    return path


TRAIN = ("train", "--factors", 3)


def test_plays_become_a_model_that_answers(segue, plays_file, environment):
    trained = segue(*TRAIN, "--plays", plays_file)
    assert trained.exit_code == 0, trained.output
    assert "150 listeners and 13 artists" in trained.output
    assert "synthetic" not in trained.output
    answered = segue("similar", "arcade", "fire")
    assert answered.exit_code == 0
    assert "Wolf Parade" in answered.output
    assert len(ModelStore(environment / "models").ids()) == 1


@pytest.mark.parametrize("name", ["Guns N' Roses", "Sigur Rós", "!!!", "$HOME (Japan)"])
def test_what_to_type_next_is_a_command_that_a_shell_takes(segue, tmp_path, name):
    lines = [f"l{n}\t\t{artist}\t5\n" for n in range(20) for artist in (name, f"b{n % 3}", f"c{n % 4}")]
    (tmp_path / "plays.tsv").write_text("".join(lines), encoding="utf-8")
    said = segue(*TRAIN, "--plays", tmp_path / "plays.tsv", "--preset", "cosine", "--regularization", 0.1).stdout
    typed = said.split("Next: segue similar ")[1]
    heard = subprocess.run(["sh", "-c", f"printf '%s ' {typed}"], capture_output=True, text=True, check=True).stdout
    assert heard.strip() == name


def test_json_is_for_scripts(segue, plays_file):
    trained = json.loads(segue(*TRAIN, "--plays", plays_file, "--json").stdout)
    assert (trained["listeners"], trained["artists"], trained["current"]) == (150, 13, True)
    answer = json.loads(segue("similar", "arcade fire", "--k", 3, "--json").stdout)
    assert answer["outcome"] == "similar"
    assert answer["model"] == trained["model"]
    assert answer["synthetic"] is False
    assert answer["artist"]["id"] == format_artist_id(artist_id("Arcade Fire"))
    assert answer["artist"]["mbid"] == "52074ba6-e495-4ef3-9bb4-0703888a9f68"
    assert answer["match"] == {"kind": "exact", "score": 1.0}
    assert [row["rank"] for row in answer["similar"]] == [1, 2, 3]
    assert {row["name"] for row in answer["similar"]} == set(NAMES[1:4])


@pytest.mark.parametrize(
    ("typed", "outcome"),
    [("arcade fore fire", "not_found"), ("xqzzk", "not_found"), ("unheard of", "too_few_listeners")],
)
def test_no_single_artist_is_exit_status_3(segue, plays_file, typed, outcome):
    segue(*TRAIN, "--plays", plays_file)
    answered = segue("similar", typed)
    assert answered.exit_code == 3
    assert answered.stdout.strip()
    assert json.loads(segue("similar", typed, "--json").stdout)["outcome"] == outcome


@pytest.mark.parametrize("preset", ["best", "als", "article-als", "article-lsa", "shrunk-cosine", "pmi", "ease"])
def test_every_preset_trains_and_answers(segue, plays_file, preset):
    assert segue(*TRAIN, "--plays", plays_file, "--preset", preset, "--model", preset).exit_code == 0
    answer = json.loads(segue("similar", "metallica", "--k", 3, "--json").stdout)
    assert answer["model"] == preset
    assert {row["name"] for row in answer["similar"]} == set(NAMES[5:8])


def test_the_same_training_gives_the_same_model(segue, plays_file, environment):
    for name in ("m1", "m2"):
        assert segue(*TRAIN, "--plays", plays_file, "--model", name, "--seed", 5).exit_code == 0
    files = [sorted((environment / "models" / name).glob("*.npy")) for name in ("m1", "m2")]
    assert len(files[0]) == len(FILES) + len(LINK_FILES) + len(NAME_FILES)
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]


def test_standard_input_and_packed_files_train_the_same(segue, plays_file, tmp_path):
    packed = tmp_path / "plays.tsv.gz"
    packed.write_bytes(gzip.compress(plays_file.read_bytes()))
    assert segue(*TRAIN, "--plays", packed, "--model", "packed").exit_code == 0
    assert segue(*TRAIN, "--plays", "-", "--model", "stdin", stdin=plays_file.read_bytes()).exit_code == 0
    answers = [json.loads(segue("similar", "bjork", "--model", name, "--json").stdout) for name in ("packed", "stdin")]
    assert answers[0]["similar"] == answers[1]["similar"]


def test_a_model_outside_of_the_store_is_named_by_its_path(segue, plays_file, tmp_path, environment):
    segue(*TRAIN, "--plays", plays_file, "--model", "first")
    elsewhere = tmp_path / "elsewhere" / "m"
    assert segue(*TRAIN, "--plays", plays_file, "--model", elsewhere).exit_code == 0
    assert ModelStore(environment / "models").current_id() == "first"
    assert segue("similar", "bjork", "--model", elsewhere).exit_code == 0


def test_what_a_kill_left_beside_a_model_of_its_own_folder_is_swept(segue, plays_file, tmp_path):
    leftover = tmp_path / "elsewhere" / ".building-mine-0123abcd"
    leftover.mkdir(parents=True)
    os.utime(leftover, (0, 0))
    assert segue(*TRAIN, "--plays", plays_file, "--model", tmp_path / "elsewhere" / "mine").exit_code == 0
    assert [path.name for path in leftover.parent.iterdir()] == ["mine"]


def test_the_whole_catalogue_is_exported(segue, plays_file, tmp_path):
    segue(*TRAIN, "--plays", plays_file)
    target = tmp_path / "neighbours.tsv"
    assert segue("export", "neighbours", "--k", 3, "--output", target).exit_code == 0
    header, *rows = [line.split("\t") for line in target.read_text(encoding="utf-8").splitlines()]
    assert header == ["artist", "neighbour", "rank", "score"]
    assert len(rows) == 12 * 3
    assert {row[1] for row in rows if row[0] == "Arcade Fire"} == set(NAMES[1:4])
    assert segue("export", "neighbours", "--k", 3).stdout == target.read_text(encoding="utf-8")


def test_all_artists_are_exported_when_asked_for(segue, plays_file):
    segue(*TRAIN, "--plays", plays_file)
    catalogue = segue("export", "neighbours", "--k", 3).stdout
    everybody = segue("export", "neighbours", "--k", 3, "--all").stdout
    assert everybody.startswith(catalogue)
    rest = [line.split("\t") for line in everybody[len(catalogue) :].splitlines()]
    assert [row[2] for row in rest] == ["1", "2", "3"]
    assert {row[0] for row in rest} == {"Unheard Of"}
    scores = [float(row[3]) for row in rest]
    assert scores == sorted(scores, reverse=True)


def test_broken_rows_are_reported_by_kind_and_the_model_is_trained(segue, tmp_path):
    """Five rows in a hundred are broken in every known way; each kind is counted, with its first line."""
    lines = community_lines()
    dice = random.Random(3)
    broken = ["one field", "u\t\tArtist\tmany", "u\t\t\t7", "u\t\tArtist\t3.5", "\t\tArtist\t3"]
    n_broken = len(lines) // 20
    for number in range(n_broken):
        lines.insert(dice.randrange(len(lines)), broken[number % len(broken)])
    path = tmp_path / "broken.tsv"
    path.write_text("\n".join(lines), encoding="utf-8")
    trained = segue(*TRAIN, "--plays", path)
    assert trained.exit_code == 0
    assert f"{n_broken} of {len(lines):,} rows are broken and were left out" in trained.stderr
    first = lines.index("one field") + 1
    assert f"wrong number of fields, first in line {first:,}: one field" in trained.stderr
    strict = segue(*TRAIN, "--plays", path, "--strict")
    assert strict.exit_code == 1
    first_of_all = min(lines.index(text) for text in broken) + 1
    assert f"broken.tsv:{first_of_all}: " in strict.stderr


def one_sentence(result) -> str:
    """What a failed command said: one line on standard error that says what to do, and no traceback."""
    assert result.exit_code == 1
    assert result.stdout == ""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\n\n\n", "is empty"),
        (os.urandom(5000), "not listening data"),
        (b"\x7fELF" + bytes(3000), "not listening data"),
        (gzip.compress(b"a\t\tb\t1\n" * 1000)[:-20], "ends too early"),
        (b"<html><body>404</body></html>\n" * 10, "not listening data"),
        (b"a\t\tb\tx\n" * 10, "not listening data"),
    ],
    ids=["empty", "blank lines", "random bytes", "binary", "truncated gzip", "a web page", "no counts"],
)
def test_what_is_no_listening_data_is_refused_in_one_sentence(segue, tmp_path, content, says, environment):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert says in one_sentence(segue(*TRAIN, "--plays", path))
    assert ModelStore(environment / "models").ids() == []


def test_missing_files_and_wrong_options_say_what_to_do(segue, tmp_path, plays_file):
    assert "nowhere.tsv" in one_sentence(segue(*TRAIN, "--plays", tmp_path / "nowhere.tsv"))
    assert "either --plays FILE or --data NAME" in one_sentence(segue("train"))
    assert "segue train" in one_sentence(segue("similar", "x"))
    assert "als, lsa" in one_sentence(segue("train", "--plays", plays_file, "--algorithm", "knn"))
    assert "segue data get lastfm-360k" in one_sentence(
        segue("train", "--data", "lastfm-360k", "--folder", tmp_path / "none")
    )
    assert "demo" in one_sentence(segue("train", "--data", "nothing"))
    assert "--factors 13 or fewer" in one_sentence(segue("train", "--plays", plays_file, "--preset", "article-lsa"))
    assert "regularization is 0.0" in one_sentence(segue("train", "--plays", plays_file, "--regularization", 0))
    assert segue("train", "--factors", "many").exit_code == segue("train", "--factors", 0).exit_code == 2
    assert segue("nonsense").exit_code == 2


def test_a_damaged_model_is_refused_and_an_older_one_still_answers(segue, plays_file, environment):
    segue(*TRAIN, "--plays", plays_file, "--model", "old")
    segue(*TRAIN, "--plays", plays_file, "--model", "new")
    factors = environment / "models" / "new" / "artist_factors.npy"
    factors.write_bytes(factors.read_bytes()[:-7])
    assert "damaged" in one_sentence(segue("similar", "bjork"))
    assert segue("similar", "bjork", "--model", "old").exit_code == 0


def test_a_failed_training_leaves_the_last_good_model(segue, plays_file, tmp_path, environment):
    segue(*TRAIN, "--plays", plays_file, "--model", "good")
    (tmp_path / "bad").write_bytes(b"")
    segue(*TRAIN, "--plays", tmp_path / "bad", "--model", "bad")
    store = ModelStore(environment / "models")
    assert (store.current_id(), store.ids()) == ("good", ["good"])


def test_data_sets_are_listed_and_looked_into(segue, plays_file):
    listed = segue("data", "list")
    assert "lastfm-360k" in listed.stdout
    assert "non-commercial" in listed.stdout
    assert {card["name"] for card in json.loads(segue("data", "list", "--json").stdout)} >= {"demo", "hetrec-lastfm-2k"}
    facts = json.loads(segue("data", "info", plays_file, "--json").stdout)
    assert (facts["listeners"], facts["artists"], facts["broken_rows"]) == (150, 13, 0)
    assert len(facts["most_heard"]) == 10
    assert "Arcade Fire" in segue("data", "info", plays_file).stdout


def test_converted_data_is_kept_counted_and_deleted(segue, plays_file):
    def kept(*options):
        return json.loads(segue("data", "cache", "--json", *options).stdout)["data_sets"]

    assert kept() == 0
    first = segue("data", "info", plays_file).stdout
    assert segue("data", "info", plays_file).stdout == first
    assert kept() == 1
    assert segue("data", "cache").stdout.startswith("1 converted data set in ")
    assert kept("--clear") == 0
    segue("data", "info", plays_file, "--no-cache")
    assert kept() == 0


def test_the_database_is_created_by_command(segue, environment):
    assert "it was new" in segue("db", "upgrade").stdout
    assert (environment / "segue.sqlite3").exists()
    assert "it was" not in segue("db", "upgrade").stdout


def test_the_bot_without_a_token_or_a_model_says_what_to_do(segue, monkeypatch):
    assert "DISCORD_TOKEN is not set" in one_sentence(segue("bot", "run"))
    monkeypatch.setenv("DISCORD_TOKEN", "abc")
    assert "segue train" in one_sentence(segue("bot", "run"))


def test_a_conversation_can_be_piped(segue, plays_file):
    segue(*TRAIN, "--plays", plays_file)
    said = segue("chat", stdin="!similar arcade fire\nup 1\n")
    assert said.exit_code == 0
    assert "> !similar arcade fire" in said.stdout
    assert "Saved: 👍" in said.stdout


def test_settings_come_from_a_dotenv_file_in_the_working_folder(environment, plays_file):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SEGUE_")}
    (environment / ".env").write_text(f"SEGUE_MODELS={environment}/from-dotenv\nSEGUE_MODEL=\n", encoding="utf-8")
    command = [*SEGUE, "train", "--plays", str(plays_file), "--factors", "3", "--model", "m"]
    subprocess.run(command, cwd=environment, env=clean, check=True, capture_output=True)
    assert ModelStore(environment / "from-dotenv").current_id() == "m"


def test_a_dotenv_file_that_is_no_text_is_one_sentence(environment):
    (environment / ".env").write_bytes(b"SEGUE_PREFIX=\xe9\n")
    failed = subprocess.run([*SEGUE, "similar", "x"], cwd=environment, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: .env cannot be read")
    assert len(failed.stderr.strip().splitlines()) == 1


def test_without_a_place_for_compiled_kernels_training_works_all_the_same(environment, plays_file):
    command = [*SEGUE, *map(str, TRAIN), "--plays", str(plays_file), "--model", "m"]
    nowhere = os.environ | {"NUMBA_CACHE_DIR": "/dev/null/kernels"}
    subprocess.run(command, cwd=environment, env=nowhere, capture_output=True, check=True)
    assert ModelStore(environment / "models").current_id() == "m"


def test_damaged_kernels_are_named_and_can_be_deleted(environment, plays_file):
    kernels = environment / "kernels"
    command = [*SEGUE, *map(str, TRAIN), "--plays", str(plays_file)]
    run = {
        "cwd": environment,
        "env": os.environ | {"NUMBA_CACHE_DIR": str(kernels)},
        "capture_output": True,
        "text": True,
    }
    subprocess.run(command, check=True, **run)
    indices = list(kernels.rglob("*.nbi"))
    assert indices
    for content in (b"", b"0123456789"):
        for index in indices:
            index.write_bytes(content)
        failed = subprocess.run(command, check=False, **run)
        assert failed.returncode == 1
        assert failed.stderr.strip() == f"error: the compiled kernels are damaged; delete {kernels}"


def test_a_conversation_of_junk_ends_well(environment, plays_file, segue):
    segue(*TRAIN, "--plays", plays_file)
    junk = b"\xff\xfe\x00\n" + b"a" * 300_000 + b"\nup " + b"9" * 5000 + b"\narcade fire\n"
    held = subprocess.run([*SEGUE, "chat"], cwd=environment, input=junk, capture_output=True, check=True)
    assert "Similar to Arcade Fire" in held.stdout.decode()
    assert len(held.stdout) < 5000


def test_closed_standard_streams_are_as_good_as_empty(environment):
    def closed(redirection):
        command = f"{' '.join(SEGUE)} chat {redirection}"
        return subprocess.run(["sh", "-c", command], cwd=environment, capture_output=True, text=True, check=False)

    for redirection in ("<&-", ">&-"):
        ended = closed(redirection)
        assert ended.returncode == 1
        assert "Traceback" not in ended.stderr
        assert "segue train" in ended.stderr


def test_names_leave_through_a_pipe_whole_whatever_its_encoding(environment, plays_file, segue):
    segue(*TRAIN, "--plays", plays_file)
    command = [*SEGUE, "export", "neighbours", "--k", "1"]
    exported = subprocess.run(
        command, env=os.environ | {"PYTHONIOENCODING": "cp1252"}, cwd=environment, capture_output=True, check=True
    )
    assert "Motörhead" in exported.stdout.decode("utf-8")


def test_a_table_that_cannot_be_written_whole_is_not_there(segue, plays_file, tmp_path):
    segue(*TRAIN, "--plays", plays_file)
    said = one_sentence(segue("export", "neighbours", "--output", tmp_path / "no folder" / "x.tsv"))
    assert f"{tmp_path / 'no folder' / 'x.tsv'} cannot be written: No such file or directory; name a file" in said
    said = one_sentence(segue("data", "variants", plays_file, "--output", tmp_path))
    assert f"{tmp_path} cannot be written: Is a directory; name a file" in said
    full = one_sentence(segue("export", "neighbours", "--output", "/dev/full"))
    assert "/dev/full cannot be written: No space left on device" in full


def test_a_pipe_is_written_to_and_a_link_is_followed_when_named_as_output(segue, plays_file, tmp_path):
    segue(*TRAIN, "--plays", plays_file)
    table, link, fifo = tmp_path / "table.tsv", tmp_path / "link.tsv", tmp_path / "fifo"
    link.symlink_to(table)
    assert segue("export", "neighbours", "--output", link).exit_code == 0
    assert link.is_symlink()
    os.mkfifo(fifo)
    reader = subprocess.Popen(["cat", str(fifo)], stdout=subprocess.PIPE, text=True)
    assert segue("export", "neighbours", "--output", fifo).exit_code == 0
    read, _ = reader.communicate(timeout=30)
    assert fifo.is_fifo()
    assert read == table.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_help_that_cannot_be_printed_is_one_sentence(environment):  # noqa: ARG001 - runs inside it
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run([*SEGUE, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("error: the output cannot be written: No space left on device")
    assert len(ended.stderr.splitlines()) == 1


def test_an_interruption_while_the_commands_are_imported_is_one_sentence(environment):  # noqa: ARG001
    """Ctrl-C in the first second."""
    interrupted = (
        "import sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'recommender.catalogue':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from bot.__main__ import main\n"
        "main()\n"
    )
    ended = subprocess.run([sys.executable, "-c", interrupted], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "interrupted; nothing was begun\n")


def test_the_demo_data_is_always_called_synthetic(segue):
    """Also when it is named by its path and not as a data set."""
    trained = segue("train", "--plays", local_path(DATASETS["demo"], Path()))
    assert "synthetic" in trained.stdout
    answer = segue("similar", "arcade fire")
    assert "synthetic" in answer.stdout
    indie = {
        "The Decemberists",
        "Sufjan Stevens",
        "Vampire Weekend",
        "Fleet Foxes",
        "Bright Eyes",
        "Beirut",
        "The National",
    }
    found = {row["name"] for row in json.loads(segue("similar", "arcade fire", "--k", 20, "--json").stdout)["similar"]}
    assert len(found & indie) >= 3
    assert "synthetic" in segue("data", "info", "demo").stdout


@pytest.mark.parametrize("source", ["hetrec-as-lastfm360k.tsv.gz", "."])
def test_real_data_answers_with_real_neighbours(segue, source):
    """HetRec lastfm-2k, in Last.fm-360K's layout and as its two original files."""
    folder = SHARED_DATA / "hetrec"
    if not folder.is_dir():
        pytest.skip(f"HetRec lastfm-2k is not in {folder}")
    trained = segue("train", "--plays", folder / source)
    assert trained.exit_code == 0, trained.output
    assert "1,892 listeners" in trained.stdout
    answer = json.loads(segue("similar", "bjork", "--k", 20, "--json").stdout)
    assert answer["artist"]["name"] == "Björk"
    assert answer["artist"]["listeners"] == 172
    names = {row["name"] for row in answer["similar"]}
    assert len(names & {"Portishead", "Goldfrapp", "Bat for Lashes", "CocoRosie", "Fever Ray", "Massive Attack"}) >= 3


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_leaves_nothing_and_says_so(environment, plays_file, signal_number):
    """Stopped in the middle of reading standard input."""
    process = subprocess.Popen(
        [*SEGUE, "train", "--plays", "-", "--model", "m"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    # Far more than a pipe holds: when this returns, the training is reading, and waits for more.
    process.stdin.write(plays_file.read_text(encoding="utf-8") * 200)
    process.stdin.flush()
    process.send_signal(signal_number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.strip() == "interrupted; what was complete before is unchanged"
    assert ModelStore(environment / "models").ids() == []


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of one megabyte."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        if os.environ.get("SEGUE_REQUIRE_ALL"):
            pytest.fail("mounting a tiny file system needs root")
        pytest.skip("mounting a tiny file system needs root")
    folder = tmp_path / "tiny"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_one_sentence_and_keeps_the_last_good_model(segue, plays_file, tiny_disk, monkeypatch):
    monkeypatch.setenv("SEGUE_MODELS", str(tiny_disk / "models"))
    assert segue(*TRAIN, "--plays", plays_file, "--model", "good").exit_code == 0
    filler = tiny_disk / "filler"
    free = shutil.disk_usage(tiny_disk).free
    filler.write_bytes(bytes(free - 8192))
    said = one_sentence(segue(*TRAIN, "--plays", plays_file, "--model", "second"))
    assert "No space left on device" in said
    store = ModelStore(tiny_disk / "models")
    assert (store.current_id(), store.ids()) == ("good", ["good"])
    assert [path.name for path in Path(store.root).glob(".*")] == []
    assert segue("similar", "bjork").exit_code == 0
    filler.unlink()
    assert segue(*TRAIN, "--plays", plays_file, "--model", "second").exit_code == 0
    assert store.current_id() == "second"
