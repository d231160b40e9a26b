"""Spelling variants are listed with their evidence, and merged only where a rule is safe or a person said so."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from bot.cli import app
from recommender.errors import DataError
from recommender.matrix import CSR
from recommender.plays import LoadReport, PlayCounts
from recommender.variants import find_variants, merge_variants, read_decisions, rule_of, variant_lines

NAMES = ["Arcade Fire", "Bush", "The Arcade Fire", "BUSH!", "Sigur Rós", "Sigur Ros", "Muse", "Belle & Sebastian",
         "Belle and Sebastian", "The Goo Goo Dolls", "Goo Goo Dolls"]  # fmt: skip
MBID = "52074ba6-e495-4ef3-9bb4-0703888a9f68"


@pytest.fixture
def segue(tmp_path, monkeypatch):
    """Run the command in a folder of its own."""
    monkeypatch.setenv("SEGUE_MODELS", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, list(arguments), catch_exceptions=False)


@pytest.fixture
def counts():
    """Listeners by artist: how many there are, from which one on."""
    spans = {0: (0, 40), 1: (0, 20), 2: (38, 43), 3: (10, 13), 4: (0, 9), 5: (20, 22), 6: (0, 30), 7: (0, 8),
             8: (8, 9), 9: (0, 20), 10: (20, 45)}  # fmt: skip
    dense = np.zeros((50, len(NAMES)), dtype=np.float32)
    for artist, (begin, end) in spans.items():
        dense[begin:end, artist] = artist + 1
    report = LoadReport(rows=1, bad=(), duplicates=0, merged_names=0)
    mbids = ["", "", MBID, *[""] * (len(NAMES) - 3)]
    return PlayCounts(CSR(dense), [str(row) for row in range(50)], list(NAMES), mbids, report, "0" * 64)


def test_a_reviewed_file_may_come_from_a_spreadsheet(tmp_path):
    path = tmp_path / "variants.tsv"
    rows = ["decision\tvariant\tartist", "merge\tBjork\tBjörk", "keep\tA\u2028B\tA B"]
    path.write_bytes("\r\n".join(rows).encode("utf-8-sig") + b"\r\n")
    assert read_decisions(path) == [("merge", "Bjork", "Björk"), ("keep", "A\u2028B", "A B")]


def test_each_variant_comes_with_who_heard_it_and_what_differs(counts):
    found = {one.variant: one for one in find_variants(counts)}
    arcade = found["The Arcade Fire"]
    assert (arcade.artist, arcade.rule, arcade.decision) == ("Arcade Fire", "the", "merge")
    assert (arcade.variant_listeners, arcade.artist_listeners, arcade.common_listeners) == (5, 40, 2)
    assert {name: (one.rule, one.decision) for name, one in found.items()} == {
        "The Arcade Fire": ("the", "merge"),
        "The Goo Goo Dolls": ("the", "?"),  # both are heard by many
        "BUSH!": ("punctuation", "?"),  # too short to be sure
        "Sigur Ros": ("accents", "merge"),
        "Belle and Sebastian": ("and", "merge"),
    }


@pytest.mark.parametrize(
    ("name", "other", "rule"),
    [
        ("Beatles, The", "the beatles", "the"),
        ("AC-DC", "AC/DC", "punctuation"),
        ("Simon & Garfunkel", "Simon and Garfunkel", "and"),
        ("Beyoncé", "beyonce", "accents"),
        ("The Simon & Garfunkel", "Simon-and Garfunkel", "several"),
    ],
)
def test_the_rule_says_what_alone_differs(name, other, rule):
    assert rule_of(name, other) == rule_of(other, name) == rule


def test_merging_sums_plays_under_the_most_heard_spelling(counts):
    merged = merge_variants(
        counts, [("the arcade fire", "Arcade Fire"), ("Sigur Ros", "Sigur Rós"), ("Nobody", "Muse")]
    )
    assert merged.artist_names == [name for name in NAMES if name not in {"The Arcade Fire", "Sigur Ros"}]
    assert merged.artist_mbids[0] == MBID
    before, after = counts.plays.toarray(), merged.plays.toarray()
    assert (after[:, 0] == before[:, 0] + before[:, 2]).all()
    assert after.sum() == before.sum()
    assert merged.plays.has_sorted_indices
    assert merged.plays.dtype == np.float32
    assert merged.variants == (("The Arcade Fire", "Arcade Fire"), ("Sigur Ros", "Sigur Rós"))


def test_merging_nothing_or_an_artist_with_itself_changes_nothing(counts):
    for pairs in ([], [("Muse", "muse")], [("Nobody", "Somebody")]):
        assert merge_variants(counts, pairs) is counts


def test_variants_of_variants_become_one_artist(counts):
    merged = merge_variants(counts, [("Bush", "BUSH!"), ("BUSH!", "Muse")])
    assert dict(merged.variants) == {"Bush": "Muse", "BUSH!": "Muse"}


def test_a_written_file_reads_back_and_may_be_decided_by_hand(counts, tmp_path):
    found = find_variants(counts)
    path = tmp_path / "variants.tsv"
    decided = [replace(one, decision="keep") if one.variant == "BUSH!" else one for one in found]
    path.write_text("\n".join(variant_lines(decided)) + "\n", encoding="utf-8")
    assert read_decisions(path) == [(one.decision, one.variant, one.artist) for one in decided]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the first columns have to be decision, variant, artist"),
        ("variant\tartist\nx\ty\n", "the first columns have to be"),
        ("decision\tvariant\tartist\nyes\ta\tb\n", ":2: 'yes\\ta\\tb' is not merge, keep or ?"),
        ("decision\tvariant\tartist\nmerge\ta\n", ":2: 'merge\\ta' is not"),
        ("decision\tvariant\tartist\nmerge\ta\tb\nmerge\tA\tc\n", ":3: 'A' leads to two artists"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(tmp_path, text, sentence):
    path = tmp_path / "variants.tsv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_decisions(path)
    assert sentence in str(caught.value)
    with pytest.raises(DataError, match="segue data variants --output"):
        read_decisions(tmp_path / "none.tsv")


def test_commands_list_review_and_train(tmp_path, segue):
    rows = [
        f"{listener}\t\t{artist}\t{1 + listener % 7}"
        for listener in range(60)
        for artist in ("Radiohead", "Muse", "Coldplay", ("Arcade Fire", "The Arcade Fire")[listener % 9 == 0], "Björk")
        if (listener + len(artist)) % 4
    ]
    plays, reviewed = tmp_path / "plays.tsv", tmp_path / "variants.tsv"
    plays.write_text("\n".join(rows) + "\n", encoding="utf-8")
    listed = segue("data", "variants", str(plays), "--output", str(reviewed))
    assert "2 names in 1 group: 1 pair safe to merge" in listed.output
    trained = segue(
        "train", "--plays", str(plays), "--variants", str(reviewed), "--model", str(tmp_path / "m"), "--factors", "2",
        "--regularization", "1", "--preset", "cosine", "--json",
    )  # fmt: skip
    assert "Merged 1 spelling variant." in trained.stderr
    assert json.loads(trained.stdout)["merged_variants"] == 1
    assert json.loads(trained.stdout)["artists"] == 5
    manifest = json.loads((tmp_path / "m" / "manifest.json").read_text())
    assert manifest["data"]["n_variants"] == 1
