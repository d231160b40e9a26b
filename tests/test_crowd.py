"""`segue export recommendations`: every listener of a file gets the list that folding in gives, whatever the layout."""

import gzip
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from bot.cli import app
from communities import NAMES, community_counts, community_model
from recommender.artifact import open_artifact
from recommender.crowd import read_crowd
from recommender.errors import DataError
from recommender.personal import recommender_of
from recommender.recommending import Taste

INDIE, METAL = set(NAMES[:4]), set(NAMES[4:8])


@pytest.fixture
def segue(monkeypatch, model_folder):
    monkeypatch.setenv("SEGUE_MODEL", str(model_folder))
    monkeypatch.setenv("COLUMNS", "300")
    return lambda *arguments: CliRunner().invoke(app, ["export", "recommendations", *map(str, arguments)])


def written(path, text: str):
    path.write_text(text, encoding="utf-8", newline="")
    return path


def lists_of(output: str) -> dict[str, list[str]]:
    header, *rows = [line.split("\t") for line in output.splitlines()]
    assert header == ["listener", "artist", "rank"]
    lists: dict[str, list[str]] = {}
    for listener, artist, rank in rows:
        lists.setdefault(listener, []).append(artist)
        assert int(rank) == len(lists[listener])
    return lists


LAYOUTS = {
    "two columns": "ann\tArcade Fire\nann\tWolf Parade\nbob\tMetallica\n",
    "two columns with a header": "user_id\tartist\nann\tArcade Fire\nann\tWolf Parade\nbob\tMetallica\n",
    "two columns with a byte order mark": "\ufeffann\tArcade Fire\nann\tWolf Parade\nbob\tMetallica\n",
    "a header with a byte order mark": "\ufeffuser_id\tartist\nann\tArcade Fire\nann\tWolf Parade\nbob\tMetallica\n",
    "two columns, Windows": "ann\tArcade Fire\r\nann\tWolf Parade\r\nbob\tMetallica\r\n",
    "Last.fm-360K": "ann\t\tarcade fire\t9\nann\t\tWOLF PARADE\t1\nbob\t\tMetallica\t3\n",
    "TSV with a header": "listener\tartist\tplays\nann\tArcade Fire\t9\nann\tWolf Parade\t1\nbob\tMetallica\t3\n",
    "CSV": "user,artist,plays\nann,Arcade Fire,9\nann,Wolf Parade,1\nbob,Metallica,3\n",
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_lists(segue, tmp_path, layout):
    result = segue("--listeners", written(tmp_path / "f", LAYOUTS[layout]), "--k", 3)
    assert result.exit_code == 0, result.output
    lists = lists_of(result.stdout)
    assert list(lists) == ["ann", "bob"]
    assert set(lists["ann"][:2]) == INDIE - {"Arcade Fire", "Wolf Parade"}
    assert set(lists["bob"]) == METAL - {"Metallica"}


def test_a_packed_file_is_read_and_a_file_is_written_whole(segue, tmp_path):
    packed = tmp_path / "f.gz"
    packed.write_bytes(gzip.compress(LAYOUTS["Last.fm-360K"].encode()))
    result = segue("--listeners", packed, "-o", tmp_path / "out.tsv", "--k", 2)
    assert "Wrote lists for 2 listeners" in result.stdout
    assert set(lists_of((tmp_path / "out.tsv").read_text("utf-8"))) == {"ann", "bob"}
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


@pytest.mark.parametrize("preset", ["als", "ials", "article-als", "article-lsa"])
def test_a_list_is_what_folding_the_row_in_gives(tmp_path, preset):
    """For every listener of the training data, with the weights that training had where they need nobody else."""
    community_model(tmp_path / "model", preset=preset)
    counts = community_counts()
    lines = [
        f"{counts.listeners[u]}\t\t{NAMES[i]}\t{int(n)}\n"
        for u, i, n in zip(*counts.plays.nonzero(), counts.plays.data, strict=True)
    ]
    path = written(tmp_path / "f", "".join(lines))
    command = ["export", "recommendations", "--model", str(tmp_path / "model"), "--listeners", str(path), "--k", "4"]
    lists = lists_of(CliRunner().invoke(app, command).stdout)
    recommender = recommender_of(open_artifact(tmp_path / "model"))
    for u in (0, 1, 2, 77):
        liked = counts.plays.indices[counts.plays.indptr[u] : counts.plays.indptr[u + 1]].astype(np.intp)
        weights = np.full(liked.size, recommender.objective.typical_weight)
        rows, _ = recommender.best(Taste(liked, weights), 4)
        assert lists[counts.listeners[u]] == [NAMES[row] for row in rows]
        assert not set(lists[counts.listeners[u]]) & {NAMES[row] for row in liked}


def test_names_alone_are_looked_up_in_the_data(segue, tmp_path):
    plays = written(tmp_path / "plays", LAYOUTS["Last.fm-360K"])
    names = written(tmp_path / "names", "listener\nbob\n\nnobody\nann\nbob\n")
    result = segue("--listeners", names, "--plays", plays, "--k", 2)
    assert result.exit_code == 0
    assert list(lists_of(result.stdout)) == ["bob", "ann"]
    assert "1 listener of" in result.stderr
    assert "first in line 4: nobody" in result.stderr
    without = segue("--listeners", names)
    assert without.exit_code == 1
    assert "say with --plays FILE or --data NAME" in without.stderr


def test_artists_and_listeners_that_the_model_does_not_know_are_said(segue, tmp_path):
    path = written(tmp_path / "f", "ann\tArcade Fire\nann\tNo Such Band\nzoe\tNo Such Band\n")
    result = segue("--listeners", path)
    assert list(lists_of(result.stdout)) == ["ann"]
    assert "No list for 1 listener without any artist that the model knows" in result.stderr
    assert "1 artist of" in result.stderr
    assert "left out; first: No Such Band" in result.stderr
    assert "zoe" in result.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n \n\n", "is empty"),
        (b"ann\nbob\n", "holds names and not what they play"),
        (b"ann\t\n\tArcade Fire\n", "rows are unusable"),
        (b"a\tb\tc\td\te\n", "rows are unusable"),
        (b"\x00\x01\x02\t\x03\x04" * 50, ""),
        (b"\xff\xfe\xfa\n", "holds names"),
        (b"\x1f\x8bnot gzip at all", ""),
    ],
)
def test_a_malformed_file_has_a_sentence(segue, tmp_path, content, said):
    (tmp_path / "f").write_bytes(content)
    result = segue("--listeners", tmp_path / "f")
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_hostile_names_are_written_as_they_are(segue, tmp_path):
    path = written(tmp_path / "f", '"; DROP TABLE\tArcade Fire\n[bold]x[/]\tMetallica\n')
    assert list(lists_of(segue("--listeners", path, "--k", 1).stdout)) == ['"; DROP TABLE', "[bold]x[/]"]


def test_names_that_are_nobodys_or_no_text_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"nobody in .* is in the listening data \(first: 'xyz'\)"):
        read_crowd(written(tmp_path / "f", "xyz\n"), data=community_counts)
    (tmp_path / "latin").write_bytes("bj\xf6rk\n".encode("latin-1"))
    with pytest.raises(DataError, match="is not UTF-8"):
        read_crowd(tmp_path / "latin", data=community_counts)
    with pytest.raises(DataError, match="cannot be read"):
        read_crowd(tmp_path / "none", data=community_counts)


def test_a_file_of_many_lines_is_rewritten_as_it_is_read(tmp_path):
    """More than one block, and the same rows as of the layout with plays."""
    rows = [(f"listener {n // 7}", f"artist {n * 31 % 997}") for n in range(40_000)]
    two = read_crowd(written(tmp_path / "two", "".join(f"{u}\t{a}\n" for u, a in rows)), data=None)
    four = read_crowd(written(tmp_path / "four", "".join(f"{u}\t\t{a}\t1\n" for u, a in rows)), data=None)
    assert two.names == four.names
    assert two.artist_names == four.artist_names
    assert (two.plays != four.plays).nnz == 0


def test_a_model_that_does_not_say_how_it_was_trained_is_refused(segue, model_folder, tmp_path):
    from recommender.artifact import FILES, write_artifact

    artifact = open_artifact(model_folder)
    manifest = json.loads((model_folder / "manifest.json").read_text("utf-8"))
    card = {key: manifest[key] for key in manifest if key not in {"files", "sha256", "format", "format_version"}}
    write_artifact(tmp_path / "old", {name: getattr(artifact, name) for name in FILES}, card | {"parameters": {}})
    path = written(tmp_path / "f", LAYOUTS["two columns"])
    result = segue("--listeners", path, "--model", tmp_path / "old")
    assert result.exit_code == 1
    assert "train it again" in result.stderr
