"""Claims about loading: what is counted, merged, summed, left out and refused."""

import gzip
import io
import random
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from recommender.artists import artist_key
from recommender.errors import DataError
from recommender.plays import Columns, LoadReport, PlayCounts, _load, count_of, counts_of, load_plays
from recommender.reading.readers import GOOD, KINDS
from reference import counted_by_hand, pair_counts, pandas_plays
from worlds import FEW_ROWS, MBID_BEATLES, MBID_BJORK, SHARED_DATA, Row, tsv

LASTFM_1K = SHARED_DATA / "lastfm1k" / "lastfm1k-as-lastfm360k.tsv.gz"
HETREC = SHARED_DATA / "hetrec"
BUNDLED = Path(__file__).parents[1] / "recommender" / "demo" / "plays.tsv.gz"


def load_bytes(content: bytes, *, strict: bool = False, **options: int) -> PlayCounts:
    return _load(io.BytesIO(content), columns=Columns(), strict=strict, progress=None, **options)


def pairs_of(counts: PlayCounts) -> Counter[tuple[str, str]]:
    return pair_counts(counts.plays, counts.listeners, counts.artist_names)


def by_key(pairs: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Merge the artists of a table by key."""
    merged: Counter[tuple[str, str]] = Counter()
    for (listener, artist), plays in pairs.items():
        merged[listener, artist_key(artist)] += plays
    return merged


def check_invariants(counts: PlayCounts) -> None:
    plays = counts.plays
    assert isinstance(plays, csr_array)
    assert plays.dtype == np.float32
    assert (
        plays.shape == (len(counts.listeners), len(counts.artist_names)) == (plays.shape[0], len(counts.artist_mbids))
    )
    assert plays.has_canonical_format
    assert plays.data.min() >= 1
    assert (np.diff(plays.indptr) > 0).all()  # nobody without an artist
    assert (np.bincount(plays.indices, minlength=plays.shape[1]) > 0).all()
    assert len(set(counts.listeners)) == len(counts.listeners)
    assert len({artist_key(name) for name in counts.artist_names}) == len(counts.artist_names)


def test_rows_and_columns_stand_in_order_of_first_occurrence() -> None:
    counts = load_bytes(tsv(FEW_ROWS))
    check_invariants(counts)
    assert counts.listeners == ["ann", "bob"]
    assert counts.artist_names == ["The Beatles", "Björk", 'Nick "Peg" Zeppo', "椎名林檎"]
    assert counts.artist_mbids == [MBID_BEATLES, MBID_BJORK, "", ""]
    assert counts.plays.toarray().tolist() == [[30, 12, 0, 0], [7, 0, 3, 1]]
    assert counts.report == LoadReport(rows=5, bad=(), duplicates=0, merged_names=0)
    assert counts.report.bad_count == 0


def test_order_is_that_of_good_rows() -> None:
    """A listener and an artist that first turn up in bad rows stand where their first good row does."""
    rows = tsv([("ann", "", "Blur", -1), ("bob", "", "Pulp", 2), ("ann", "", "Blur", 1), ("bob", "", "Low", 1)])
    for block_bytes in (1, 1 << 20):
        counts = load_bytes(b"zoe\t\tCan\t0\n" + rows + tsv(FEW_ROWS), block_bytes=block_bytes)
        assert counts.listeners == ["bob", "ann"]
        assert counts.artist_names[:3] == ["Pulp", "Blur", "Low"]
        assert "Can" not in counts.artist_names


def test_duplicates_are_summed_exactly() -> None:
    """2**24 + 1 is the first whole number that float32 cannot hold: summing in float32 would lose every single play."""
    rows = (
        [("ann", "", "Blur", 2**24)] + [("ann", "", "Blur", 1)] * 20 + [("ann", "", "Pulp", 3), ("ann", "", "Can", 1)]
    )
    counts = load_bytes(tsv(rows))
    assert counts.plays.toarray().tolist() == [[2**24 + 20, 3, 1]]
    assert counts.report.duplicates == 20


def test_one_artist_under_one_id_and_one_key() -> None:
    rows: list[Row] = [
        ("ann", MBID_BEATLES, "Beatles", 5),
        ("bob", MBID_BEATLES.upper(), "The Beatles", 4),
        ("cid", "", "THE BEATLES", 100),
        ("dan", MBID_BEATLES, "The Beatles", 3),
        ("dan", "", " the  beatles ", 2),
        ("dan", MBID_BJORK, "Björk", 1),
    ]
    counts = load_bytes(tsv(rows))
    check_invariants(counts)
    assert counts.artist_names == ["The Beatles", "Björk"]
    assert counts.artist_mbids == [MBID_BEATLES, MBID_BJORK]
    assert counts.plays.toarray().tolist() == [[5, 0], [4, 0], [100, 0], [5, 1]]
    assert counts.report.merged_names == 3
    assert counts.report.duplicates == 1


def test_most_frequent_id_is_shown_and_malformed_ids_are_unknown() -> None:
    rows: list[Row] = [
        ("ann", MBID_BEATLES, "Air", 1),
        ("bob", MBID_BJORK, "Air", 1),
        ("cid", MBID_BJORK, "Air", 1),
        ("cid", "not-an-id", "Blur", 1),
        ("ann", "not-an-id", "Pulp", 1),
    ]
    counts = load_bytes(tsv(rows))
    assert counts.artist_names == ["Air", "Blur", "Pulp"]
    assert counts.artist_mbids == [MBID_BJORK, "", ""]
    assert counts.report.bad == ()


BROKEN: dict[bytes, str] = {
    b"ann\t\tBlur": "wrong number of fields",
    b"ann\t\tBlur\t1\t2": "wrong number of fields",
    b"": "empty line",
    b"ann\t\tBlur\t": "play count is not a whole number",
    b"ann\t\tBlur\t1.5": "play count is not a whole number",
    b"ann\t\tBlur\tmany": "play count is not a whole number",
    b"ann\t\t\t3": "empty artist name",
    "ann\t\t \u00a0\t3".encode(): "empty artist name",
    b"\t\tBlur\t3": "empty listener",
    b" \t\tBlur\t3": "empty listener",
    b"ann\t\tBlur\t0": "play count is not positive",
    b"ann\t\tBlur\t-4": "play count is not positive",
    b"ann\t\tBlur\t2147483648": "play count is too large",
    b"ann\t\tBlur\t" + b"9" * 5000: "play count is too large",
    b"ann\t\tBl\xfcr\t3": "not UTF-8",
    b"ann\t\tBl\x00ur\t3": "control character in a field",
    b"an\x1bn\t\tBlur\t3": "control character in a field",
    b"ann\t\tBl\rur\t3": "control character in a field",
}


@pytest.mark.parametrize(("line", "kind"), BROKEN.items(), ids=range(len(BROKEN)))
def test_bad_row_is_named_and_strictly_refused(line: bytes, kind: str) -> None:
    content = tsv(FEW_ROWS) + line + b"\n" + tsv(FEW_ROWS)
    counts = load_bytes(content)
    (bad,) = counts.report.bad
    assert (bad.kind, bad.count, bad.first_line) == (kind, 1, 6)
    assert bad.example.isprintable()
    assert pairs_of(counts) == pairs_of(load_bytes(tsv(FEW_ROWS) * 2))
    with pytest.raises(DataError, match=rf"standard input:6: {kind} in .*; fix or drop the row"):
        load_bytes(content, strict=True)


@pytest.mark.parametrize("block_bytes", [100, 1 << 24])
def test_five_percent_of_broken_rows_are_counted_by_kind_and_line(block_bytes: int, tmp_path: Path) -> None:
    rng = random.Random(5)
    lines = [f"listener {i % 57}\t\tartist {i % 211}\t{1 + i % 9}".encode() for i in range(2000)]
    where = rng.sample(range(2000), 100)
    for idx in where:
        lines[idx] = rng.choice(list(BROKEN))
    content = b"\n".join(lines) + b"\n"
    counts = load_bytes(content, block_bytes=block_bytes)
    expected, bad = counted_by_hand(content)
    assert {kind.kind: (kind.count, kind.first_line) for kind in counts.report.bad} == {
        kind: (len(found), found[0]) for kind, found in bad.items()
    }
    assert counts.report.bad_count == 100
    assert counts.report.rows == 2000
    assert [kind.first_line for kind in counts.report.bad] == sorted(kind.first_line for kind in counts.report.bad)
    assert pairs_of(counts) == expected
    path = tmp_path / "plays.tsv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{path}:{min(where) + 1}: "):
        load_plays(path, strict=True)


def test_mostly_bad_rows_mean_another_format() -> None:
    good, bad = tsv(FEW_ROWS), b"a\tb\tc\n"
    assert load_bytes(good + bad * 5).report.bad_count == 5
    sentence = r"not listening data: 6 of 11 rows .* because of 'wrong number of fields', first in line 6: 'a\\tb\\tc'"
    with pytest.raises(DataError, match=sentence):
        load_bytes(good + bad * 6)


def test_gigabytes_of_another_format_are_not_read_to_the_end() -> None:
    seen: list[int] = []

    class Stream(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            seen.append(1)
            return tsv(FEW_ROWS) + b"a\tb\tc\n" * (1 << 16) if len(seen) < 10_000 else b""

    with pytest.raises(DataError, match=r"not listening data: .* because of 'wrong number of fields', first in line 6"):
        load_plays(Stream())
    assert len(seen) < 200


def test_progress_counts_stored_bytes_up_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "plays.tsv.gz"
    path.write_bytes(gzip.compress(tsv(FEW_ROWS) * 1000))
    seen: list[tuple[int, int | None]] = []
    load_plays(path, progress=lambda done, total: seen.append((done, total)))
    size = path.stat().st_size
    assert seen[-1] == (size, size)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    load_plays(io.BytesIO(path.read_bytes()), progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (size, None)


# fmt: off
LISTENERS = st.sampled_from(["ann", "bob", "Ünal", " ", "", "cid\x01"])
NAMES = st.sampled_from(
    ["Blur", "BLUR", " blur", "Björk", "BJO\u0308RK", "ＡＢＢＡ", "abba", "", " ",
                         '"x"', "'", "#1", "\u2028x"]
)
COUNTS = st.sampled_from(
    ["1", "7", "+3", "007", "2.0", " 4", "0", "-1", "1e3", "", "x", "2147483647",
                          "2147483648", "9" * 30, "1_0", "٣"]
)
LINES = st.one_of(
    st.builds(lambda *fields: "\t".join(fields).encode(), LISTENERS, st.sampled_from(["", "junk"]), NAMES, COUNTS),
    st.builds(lambda name, plays: f"ann\t\t{name}\t{plays}".encode(), NAMES, st.integers(1, 50)),
    st.sampled_from(
        [
            b"",
            b"\r",
            b"a\tb",
            b"\xff\t\tx\t1",
            b"ann\t\tx\t1\t",
            b"ann\tx\t1",
            b"\t\t\t",
            b"ann\t\tx\r\t1",
            b"a\x00\t\tx\t1",
        ]
    ),
)
# fmt: on


@given(st.lists(LINES, max_size=30), st.sampled_from([b"\n", b"\r\n"]), st.sampled_from([9, 99, 9999]), st.booleans())
@settings(max_examples=200)
@example([b"", b"a\t\tb\t1\t2", b"a\t\tb"], b"\n", 200, False)
def test_messy_files_load_as_by_hand(lines: list[bytes], newline: bytes, block_bytes: int, ends: bool) -> None:
    lines = [*lines, *tsv(FEW_ROWS).splitlines() * (len(lines) // 2 + 1)]
    content = newline.join(lines) + newline * ends
    expected, bad = counted_by_hand(content)
    counts = load_bytes(content, block_bytes=block_bytes)
    check_invariants(counts)
    assert by_key(pairs_of(counts)) == {pair: np.float32(plays) for pair, plays in by_key(expected).items()}
    assert {kind.kind: (kind.count, kind.first_line) for kind in counts.report.bad} == {
        kind: (len(found), found[0]) for kind, found in bad.items()
    }
    assert counts.report.rows == len(lines)


ROWS = st.tuples(
    st.sampled_from(["ann", "bob", "cid"]),
    st.sampled_from(["", MBID_BEATLES, MBID_BJORK, MBID_BEATLES.replace("b", "c")]),
    st.sampled_from(["Blur", "BLUR", "Pulp", "pulp", "Can", "Low", "Ash"]),
    st.integers(1, 9),
)


@given(st.lists(ROWS, min_size=1, max_size=25), st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_shuffled_rows_change_only_the_order(rows: list[Row], rng: random.Random) -> None:
    shuffled = rng.sample(rows, len(rows))
    counts, other = load_bytes(tsv(rows)), load_bytes(tsv(shuffled), block_bytes=40)
    check_invariants(counts)
    assert pairs_of(counts) == pairs_of(other)
    assert dict(zip(counts.artist_names, counts.artist_mbids, strict=True)) == dict(
        zip(other.artist_names, other.artist_mbids, strict=True)
    )
    assert (counts.report, counts.data_hash != other.data_hash) == (other.report, rows != shuffled)


@given(st.text(alphabet="0123456789+-. \t_e٣\x00", max_size=14))
def test_fast_and_slow_reading_of_counts_agree(text: str) -> None:
    counts, kinds = counts_of(pl.Series([text], dtype=pl.String))
    count, kind = count_of(text)
    assert KINDS[kinds[0]] == KINDS[kind]
    if kind == GOOD:
        assert counts[0] == count == int(float(text))


def same_as_pandas(path: Path) -> PlayCounts:
    counts = load_plays(path)
    check_invariants(counts)
    plays, listeners, artists = pandas_plays(path)
    assert by_key(pairs_of(counts)) == by_key(pair_counts(plays, listeners, artists))
    assert counts.report.bad == ()
    assert sorted(counts.listeners) == listeners
    assert counts.report.merged_names == len({name.strip() for name in artists}) - len(counts.artist_names)
    return counts


def test_bundled_demo_loads_as_with_pandas() -> None:
    counts = same_as_pandas(BUNDLED)
    assert counts.plays.shape == (10_000, 1_650)
    assert counts.plays.nnz == 326_215


@pytest.mark.skipif(not LASTFM_1K.exists(), reason=f"Last.fm-1K is not at {LASTFM_1K}")
def test_lastfm_1k_loads_as_with_pandas() -> None:
    counts = same_as_pandas(LASTFM_1K)
    assert counts.plays.shape == (991, 1_003)
    assert counts.plays.nnz == 209_325


@pytest.mark.skipif(not HETREC.exists(), reason=f"HetRec lastfm-2k is not at {HETREC}")
def test_hetrecs_pair_loads_as_its_one_file_twin_and_as_with_pandas() -> None:
    twin = same_as_pandas(HETREC / "hetrec-as-lastfm360k.tsv.gz")
    pair = load_plays(HETREC)
    assert pair.report.rows == twin.report.rows == 92_834
    assert pair.plays.shape == twin.plays.shape
    assert Counter(pairs_of(pair).values()) == Counter(pairs_of(twin).values())
    assert sorted(pair.artist_names) == sorted(twin.artist_names)
