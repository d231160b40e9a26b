"""Claims about the compiled loops under loading: the same as Python's own, on bytes of every kind."""

import re

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recommender.counting import Triples
from recommender.reading.labels import Labels, Links
from recommender.reading.scanning import find_delimiters, is_utf8, mark_plain, read_digits
from recommender.reading.texts import Numbering, texts_of

CHUNKS = st.sampled_from(
    [
        b"a",
        b"abcdefgh",
        b"\t",
        b"\n",
        b"\x80",
        b"\xc2",
        b"\xc3\xa9",
        b"\xe0\xa0",
        b"\xe0\x9f\xbf",
        b"\xed\xa0\x80",
        b"\xff",
        b"\xc1\x80",
        b"\xf4\x90\x80\x80",
        b"\xf0\x8f\x80\x80",
        "\u3000".encode(),
        "\U0010ffff".encode(),
    ]
)


def raw(content: bytes) -> np.ndarray:
    return np.frombuffer(content, np.uint8)


def is_decodable(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(st.one_of(st.lists(CHUNKS, max_size=12).map(b"".join), st.binary(max_size=12)))
@settings(max_examples=500)
def test_utf8_is_what_python_decodes(content: bytes) -> None:
    assert is_utf8(raw(content)) == is_decodable(content)


def test_every_two_bytes_and_every_lead_are_judged_as_python_does() -> None:
    for first in range(256):
        for second in range(256):
            for rest in (b"", b"\x80", b"\x80\x80"):
                content = b"12345678" + bytes([first, second]) + rest
                assert is_utf8(raw(content)) == is_decodable(content), content


@given(st.lists(CHUNKS, max_size=40).map(b"".join), st.sampled_from([0, 8187, 8190, 20_000]))
def test_delimiters_are_all_found(content: bytes, before: int) -> None:
    content = b"x" * before + content
    expected = [place for place, byte in enumerate(content) if byte in b"\t\n"]
    for room in (len(expected), len(expected) + 3):
        places = np.empty(room + 9, np.int32)
        n, is_ascii = find_delimiters(raw(content), np.uint8(0x09), places)
        assert n == len(expected)
        assert places[: n + 1].tolist() == [-1, *expected]
        assert is_ascii == content.isascii()


def test_more_delimiters_than_room_are_refused_and_not_written_beyond_it() -> None:
    content = b"\t\n" * 10_000
    for room in (0, 1, 7, 8, 9, 100, 19_000):
        places = np.full(room + 9 + 64, -7, np.int32)
        n, _ = find_delimiters(raw(content), np.uint8(0x09), places[: room + 9])
        assert n == -1 or n > room
        assert (places[room + 9 :] == -7).all()


WORDS = st.one_of(
    st.text(max_size=30).filter(lambda text: is_encodable(text)), st.sampled_from(["", "a", "x" * 8, "x" * 9])
)


def is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@given(st.lists(st.lists(WORDS, max_size=20), max_size=5))
@settings(max_examples=200)
def test_numbers_are_those_of_a_dictionary(columns: list[list[str]]) -> None:
    numbering, known = Numbering(), dict[str, int]()
    for column in columns:
        expected = [known.setdefault(text, len(known)) for text in column]
        assert numbering.numbers(texts_of(column)).tolist() == expected
    assert numbering.texts(np.arange(len(numbering))) == list(known)


def test_numbers_survive_growth() -> None:
    texts = [f"{number % 70_001:x}" * (1 + number % 5) for number in range(200_000)]
    known: dict[str, int] = {}
    expected = [known.setdefault(text, len(known)) for text in texts]
    numbering = Numbering()
    found = [numbering.numbers(texts_of(texts[start : start + 30_000])) for start in range(0, len(texts), 30_000)]
    assert np.concatenate(found).tolist() == expected
    assert numbering.texts(np.arange(len(known))[::-1]) == list(known)[::-1]


@given(st.lists(WORDS, max_size=9))
@example(["", "\u00a0x", "x\u3000", "é", "\x85", "x\x1f", " ", "x y", "\u2003", "\u1680a", "ends \u00a0"])
def test_plain_texts_are_surely_their_own_labels(texts: list[str]) -> None:
    numbering = Numbering()
    numbering.numbers(texts_of(texts))
    plain = np.empty(len(numbering), np.bool_)
    mark_plain(numbering.bounds, numbering.blob, 0, plain)
    for text, is_plain in zip(numbering.texts(np.arange(len(numbering))), plain, strict=True):
        is_good = bool(text) and text == text.strip() and not re.search(r"[\x00-\x1f\x7f]", text)
        assert is_good or not is_plain
        assert is_plain or not (is_good and text.isascii())


@given(st.lists(st.text("0123456789+- .x", max_size=12), min_size=1))
def test_digits_are_read_and_nothing_else(texts: list[str]) -> None:
    column, numbers = texts_of(texts), np.empty(len(texts), np.int64)
    read_digits(column.data, column.places, column.first, column.step, numbers)
    assert numbers.tolist() == [int(text) if re.fullmatch("[0-9]{1,10}", text) else -1 for text in texts]


def test_columns_of_polars_and_of_python_are_the_same() -> None:
    texts = ["é", "", "x" * 20, "\u3000"]
    column = texts_of(pl.Series([*texts, None]))
    assert [column[idx] for idx in range(len(column))] == [*texts, ""]
    assert [texts_of(texts)[idx] for idx in range(len(texts))] == texts
    some = column.some(np.array([2, 0]))
    assert [some[0], some[1]] == ["x" * 20, "é"]


MBID = "b10bbbfc-cf9e-42e0-be17-e2c3e1d2600d"
IDS = st.sampled_from(
    ["", MBID, MBID.upper(), MBID.replace("b", "c"), MBID[:-1], MBID + "0", MBID.replace("-", "_"), "g" + MBID[1:]]
)
PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@given(st.lists(st.lists(st.tuples(st.sampled_from("pqrs"), IDS), min_size=1, max_size=12), min_size=1, max_size=4))
@settings(max_examples=200)
def test_links_count_the_rows_of_each_spelling_and_id(batches: list[list[tuple[str, str]]]) -> None:
    labels, links = Labels(lambda text: text), Links()
    for batch in batches:
        codes = labels.codes(labels.numbers(texts_of([spelling for spelling, _ in batch])))
        links.add(codes, texts_of([mbid for _, mbid in batch]))
    rows = [row for batch in batches for row in batch]
    names = labels.in_order()
    assert names == list(dict.fromkeys(spelling for spelling, _ in rows))
    n_rows = np.array([sum(spelling == name for spelling, _ in rows) for name in names])
    expected: dict[tuple[str, str], int] = {}
    for spelling, mbid in rows:
        pair = spelling, mbid.lower() if PATTERN.fullmatch(mbid) else ""
        expected[pair] = expected.get(pair, 0) + 1
    found: dict[tuple[str, str], int] = {}
    *triples, mbids = links.triples(n_rows)
    assert len(set(mbids)) == len(mbids)
    for spelling, mbid, count in zip(*(part.tolist() for part in triples), strict=True):
        pair = names[spelling], mbids[mbid]
        found[pair] = found.get(pair, 0) + count
    assert {pair: count for pair, count in found.items() if count} == expected


TRIPLES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 6), st.sampled_from([1, 2, 2**24 + 1, 2**31 - 1])), min_size=1
)


@given(st.lists(TRIPLES, min_size=1, max_size=6), st.integers(1, 40))
@settings(max_examples=200)
def test_sums_are_exact_however_often_they_are_made(batches: list, held_rows: int) -> None:
    triples, column_of = Triples(held_rows), np.array([0, 1, 2, 3, 2, 1, 4], np.int32)
    for batch in batches:
        triples.add(*(np.array(part, np.int32) for part in zip(*batch, strict=True)))
    rows = [row for batch in batches for row in batch]
    n_rows, n_plays = triples.of_artists(7)
    assert n_rows.tolist() == [sum(artist == idx for _, artist, _ in rows) for idx in range(7)]
    assert n_plays.tolist() == [sum(plays for _, artist, plays in rows if artist == idx) for idx in range(7)]
    expected: dict[tuple[int, int], int] = {}
    for listener, artist, plays in rows:
        pair = listener, int(column_of[artist])
        expected[pair] = expected.get(pair, 0) + plays
    matrix = triples.matrix(column_of, (5, 5))
    assert triples.n_rows == len(rows)
    assert matrix.dtype == np.float32
    assert matrix.has_canonical_format
    assert matrix.indices.dtype == matrix.indptr.dtype == np.int32
    found = matrix.tocoo()
    assert dict(zip(zip(found.row.tolist(), found.col.tolist(), strict=True), found.data.tolist(), strict=True)) == {
        pair: float(np.float32(total)) for pair, total in expected.items()
    }


def test_memory_is_bounded_by_pairs_and_not_by_rows() -> None:
    triples = Triples(held_rows=1000)
    for _ in range(100):
        triples.add(*np.ones((3, 400), np.int32))
        assert sum(len(part[0]) for part in triples._parts) < 1000 + 400
    assert triples.matrix(np.zeros(2, np.int32), (2, 1)).toarray().tolist() == [[0], [40_000]]


def test_a_listener_of_thousands_of_artists_is_sorted() -> None:
    rng = np.random.default_rng(3)
    artist, plays = rng.integers(0, 3000, 20_000, np.int32), rng.integers(1, 99, 20_000, np.int32)
    triples = Triples()
    triples.add(np.zeros(20_000, np.int32), artist, plays)
    expected = np.bincount(artist, weights=plays, minlength=3000)
    assert (triples.matrix(np.arange(3000, dtype=np.int32), (1, 3000)).toarray() == expected).all()
