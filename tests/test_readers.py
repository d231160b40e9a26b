"""Claims about formats: whatever the packing, the layout or the junk, the same plays or a sentence."""

import gzip
import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import DataError
from recommender.plays import Columns, PlayCounts, _load, load_plays
from recommender.reading.readers import clipped
from recommender.reading.sources import line_blocks, read_ahead
from worlds import FEW_ROWS, official_archive, packings, tar_gz, tsv

HEADER = ["listener", "mbid", "artist", "plays"]
WAYS = list(packings(b"x\n"))


ANY_COLUMNS = Columns()


class Pipe(io.RawIOBase):
    """A stream that cannot seek and gives a few bytes at a time, like standard input."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def read(self, size: int = -1) -> bytes:
        part, self._rest = self._rest[: min(size, 5)], self._rest[min(size, 5) :]
        return part


def load_bytes(content: bytes, *, columns: Columns = ANY_COLUMNS, block_bytes: int = 1 << 24) -> PlayCounts:
    return _load(io.BytesIO(content), columns=columns, strict=False, progress=None, block_bytes=block_bytes)


def sentence_of(content: bytes, block_bytes: int = 1 << 24) -> str:
    """Load, and return the sentence of a refusal, or nothing."""
    try:
        load_bytes(content, block_bytes=block_bytes)
    except DataError as err:
        return str(err)
    return ""


def spelt_out(counts: PlayCounts) -> list[tuple[str, str, str, int]]:
    triples = counts.plays.tocoo()
    return [
        (counts.listeners[row], counts.artist_mbids[column], counts.artist_names[column], int(plays))
        for row, column, plays in zip(triples.row, triples.col, triples.data, strict=True)
    ]


EXPECTED = spelt_out(load_bytes(tsv(FEW_ROWS)))


def test_expected_plays_are_the_planted_ones() -> None:
    assert list(FEW_ROWS) == EXPECTED


@pytest.mark.parametrize("way", WAYS)
def test_packing_changes_nothing(way: str, tmp_path: Path) -> None:
    path = tmp_path / "misleading.csv"
    path.write_bytes(packings(tsv(FEW_ROWS))[way])
    assert spelt_out(load_plays(path)) == EXPECTED


@pytest.mark.parametrize("way", WAYS)
def test_standard_input_need_not_seek(way: str) -> None:
    assert spelt_out(load_plays(Pipe(packings(tsv(FEW_ROWS))[way]))) == EXPECTED  # type: ignore[arg-type]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("cut", [0, 1])
def test_line_ends_and_byte_order_marks_change_nothing(newline: str, mark: bytes, cut: int) -> None:
    content = mark + tsv(FEW_ROWS, newline=newline)
    counts = load_bytes(content[: len(content) - cut])
    assert spelt_out(counts) == EXPECTED
    assert counts.report.bad == ()


@pytest.mark.parametrize("block_bytes", [1, 2, 7, 64, 1 << 20])
def test_block_size_changes_nothing(block_bytes: int) -> None:
    broken = tsv(FEW_ROWS) + b"bob\tx\n\nbob\t\t\xff\t1\n" + tsv(FEW_ROWS)
    counts, whole = load_bytes(broken, block_bytes=block_bytes), load_bytes(broken)
    assert spelt_out(counts) == spelt_out(whole)
    assert counts.report == whole.report


def test_byte_order_mark_inside_a_file_is_text() -> None:
    rows = [("\ufeffann", "", "\ufeffBlur", 1), ("\ufeffbob", "", "\ufeffPulp", 2)]
    for block_bytes in (1, 1 << 20):
        counts = load_bytes(tsv(FEW_ROWS) + tsv(rows), block_bytes=block_bytes)
        assert counts.listeners == ["ann", "bob", "\ufeffann", "\ufeffbob"]


@pytest.mark.parametrize("way", ["gzip", "zstandard", "tar.gz"])
def test_packed_file_that_ends_too_early_is_refused(way: str, tmp_path: Path) -> None:
    packed = packings(tsv(FEW_ROWS) * 200)[way]
    path = tmp_path / "plays"
    for end in range(8, len(packed) - 1, 11):
        path.write_bytes(packed[:end])
        with pytest.raises(DataError, match=r"plays (is|does|cannot)"):
            load_plays(path)


def test_plain_tar_that_ends_too_early_is_refused() -> None:
    archive = gzip.decompress(official_archive(tsv(FEW_ROWS) * 200))
    with pytest.raises(DataError, match="damaged tar archive"):
        load_bytes(archive[:3000])


def test_damaged_gzip_is_refused() -> None:
    packed = bytearray(gzip.compress(tsv(FEW_ROWS) * 50))
    packed[-5] ^= 0xFF
    with pytest.raises(DataError, match="standard input is a damaged gzip file"):
        load_bytes(bytes(packed))


def test_archive_without_plays_names_what_it_holds() -> None:
    with pytest.raises(DataError, match=r"-plays\.tsv.*it holds 'profile\.tsv', '\._x-plays\.tsv'"):
        load_bytes(tar_gz({"a/profile.tsv": b"x\n", "a/._x-plays.tsv": b"junk"}))


def test_hash_covers_the_whole_file_as_stored(tmp_path: Path) -> None:
    for way, packed in packings(tsv(FEW_ROWS)).items():
        path = tmp_path / "plays"
        path.write_bytes(packed)
        assert load_plays(path).data_hash == hashlib.sha256(packed).hexdigest(), way


@pytest.mark.parametrize("junk", [b"\x00\x01\x02" * 500, bytes(range(256)) * 20, b"\x89PNG\r\n\x1a\n" + b"\0" * 99])
def test_binary_junk_is_called_that(junk: bytes) -> None:
    with pytest.raises(DataError, match="standard input is not listening data: it is a binary file"):
        load_bytes(junk)


@pytest.mark.parametrize("text", [b"hello world\n", b"<html>\n<body>\n", b"1,2,3\n", b"{}", b"a\tb\tc\n" * 9])
def test_other_text_is_refused(text: bytes) -> None:
    with pytest.raises(DataError, match="standard input is not listening data"):
        load_bytes(text)


@pytest.mark.parametrize(
    "text", [b"", b"\n\n", b"\xef\xbb\xbf", gzip.compress(b""), b"user,artist,plays\n", b"user\tartist\tplays"]
)
def test_empty_file_is_called_empty(text: bytes) -> None:
    with pytest.raises(DataError, match="standard input is empty"):
        load_bytes(text)


@pytest.mark.parametrize(
    ("magic", "sentence"),
    [
        (b"BZh91AY", "bzip2 or xz"),
        (b"\xfd7zXZ\0", "bzip2 or xz"),
        ("ann\t".encode("utf-16"), "UTF-16"),
        (b"PAR1xx", "parquet"),
        (b"PK\x03\x04xx", "cannot be unpacked"),
    ],
)
def test_other_formats_are_named(magic: bytes, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        load_bytes(magic)


def test_missing_file_folder_and_device_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.tsv does not exist"):
        load_plays(tmp_path / "nowhere.tsv")
    with pytest.raises(DataError, match="is a folder; give a file"):
        load_plays(tmp_path)
    with pytest.raises(DataError, match="cannot be opened"):
        load_plays(tmp_path / "nul\0byte")


def test_endless_line_is_refused_before_it_fills_memory() -> None:
    bomb = zstandard.compress(tsv(FEW_ROWS) + b"a" * (64 << 20))
    with pytest.raises(DataError, match="longer than 4 MiB"):
        load_bytes(bomb)


def csv_text(rows: list[list[str]], separator: str) -> bytes:
    return "".join(separator.join(row) + "\n" for row in rows).encode()


@pytest.mark.parametrize("separator", ["\t", ",", ";"])
@pytest.mark.parametrize(
    "names",
    [
        ["listener", "mbid", "artist", "plays"],
        ["User_ID", "artist_mbid", "Artist Name", "playcount"],
        ["userID", "artmbid", "name", "weight"],
        ["user", "MBID", "artname", "Play Count"],
    ],
)
def test_named_columns_are_recognised(separator: str, names: list[str]) -> None:
    rows = [[row[0], row[1], row[2].replace('"', ""), str(row[3]), "x"] for row in FEW_ROWS]
    counts = load_bytes(csv_text([[*names, "extra"], *rows], separator))
    assert spelt_out(counts) == [(a, b, c.replace('"', ""), d) for a, b, c, d in EXPECTED]
    assert counts.report.rows == 5


def test_columns_may_stand_in_any_order_and_lack_ids() -> None:
    counts = load_bytes(b"count,name,user\n3,Blur,ann\n4,Pulp,ann\n")
    assert spelt_out(counts) == [("ann", "", "Blur", 3), ("ann", "", "Pulp", 4)]


def test_header_may_follow_blank_lines() -> None:
    for block_bytes in (1, 1 << 20):
        counts = load_bytes(b"\n\nplays,artist,user\n3,Blur,ann\nx,Pulp,ann\n", block_bytes=block_bytes)
        assert spelt_out(counts) == [("ann", "", "Blur", 3)]
        assert [(bad.first_line, bad.kind) for bad in counts.report.bad] == [(5, "play count is not a whole number")]


def test_quoted_csv_follows_the_standard() -> None:
    text = b'user,artist,plays\nann,Blur,2\nann,"Earth, Wind & Fire",3\nbob,"The ""B"" Band","4"\n"bob",Pulp,5\n'
    for block_bytes in (1, 30, 1 << 20):
        assert spelt_out(load_bytes(text, block_bytes=block_bytes)) == [
            ("ann", "", "Blur", 2),
            ("ann", "", "Earth, Wind & Fire", 3),
            ("bob", "", 'The "B" Band', 4),
            ("bob", "", "Pulp", 5),
        ]


def test_bad_csv_records_are_numbered_by_their_first_line() -> None:
    text = b'user,artist,plays\nann,"two\nlines",3\nann,Blur,2\nann,"x",2,9\n\nann,"\xff",1\nann,Pulp,1\n'
    text += b"ann,Ash,1\nann,Low,1\nann,Can,1\n"
    counts = load_bytes(text)
    assert [(bad.first_line, bad.kind) for bad in counts.report.bad] == [
        (2, "control character in a field"),
        (5, "wrong number of fields"),
        (6, "empty line"),
        (7, "not UTF-8"),
    ]
    assert counts.artist_names == ["Blur", "Pulp", "Ash", "Low", "Can"]


def test_quote_that_never_ends_is_one_bad_row() -> None:
    text = b"user,artist,plays\n" + b"ann,Blur,1\n" * 3 + b'ann,"Pulp,1\n' + b"ann,Blur,1\n" * 20_000
    counts = load_bytes(text)
    assert counts.report.bad[0].kind == "broken quotes"
    assert counts.report.bad[0].first_line == 5


def test_quotes_mean_nothing_in_tab_separated_text() -> None:
    counts = load_bytes(b'user\tartist\tplays\nann\t"Heroes\t2\nann\t"x"\t3\n')
    assert counts.artist_names == ['"Heroes', '"x"']


def test_columns_can_be_named() -> None:
    text = b"who,what,how often,artist\nann,Blur,3,9\n"
    with pytest.raises(
        DataError, match=r"no column for listener and plays among 'who', .*--listener-column, --plays-column"
    ):
        load_bytes(text)
    counts = load_bytes(text, columns=Columns(listener="who", artist="what", plays="How Often"))
    assert spelt_out(counts) == [("ann", "", "Blur", 3)]
    with pytest.raises(DataError, match=r"no column 'whom'; --listener-column must be one of 'who', 'what'"):
        load_bytes(text, columns=Columns(listener="whom"))


def test_ambiguous_columns_are_refused() -> None:
    with pytest.raises(
        DataError, match="several columns for listener: 'user', 'user_id'; choose one with --listener-column"
    ):
        load_bytes(b"user,user_id,artist,plays\na,1,Blur,2\n")


def test_first_row_of_data_is_no_header() -> None:
    counts = load_bytes(b"user\t\tartist\t7\nuser\t\tBlur\t1\n")
    assert counts.artist_names == ["artist", "Blur"]


@pytest.mark.parametrize("first", [b"garbage\n", b"\n", b"a\tb\n", b"#\n"])
def test_broken_first_line_does_not_hide_the_format(first: bytes) -> None:
    counts = load_bytes(first + tsv(FEW_ROWS))
    assert spelt_out(counts) == EXPECTED
    assert counts.report.bad[0].first_line == 1


def parquet(table: dict[str, list]) -> bytes:
    packed = io.BytesIO()
    pl.DataFrame(table, strict=False).write_parquet(packed)
    return packed.getvalue()


def test_parquet_is_read_from_a_path_and_from_a_pipe(tmp_path: Path) -> None:
    columns = [list(column) for column in zip(*FEW_ROWS, strict=True)]
    content = parquet(dict(zip(HEADER, columns, strict=True)))
    path = tmp_path / "plays"
    path.write_bytes(content)
    assert spelt_out(load_plays(path)) == EXPECTED
    assert spelt_out(load_plays(Pipe(content))) == EXPECTED  # type: ignore[arg-type]
    assert load_plays(path).data_hash == load_plays(Pipe(content)).data_hash  # type: ignore[arg-type]


def test_parquet_in_batches_numbers_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommender.reading.tables.PARQUET_BATCH_ROWS", 2)
    content = parquet(
        {
            "user": [1, 2, 3, None, 5, 6, 7, 8, 9],
            "artist": ["Blur", "Pulp", None, "Ash", "Low", "Can", "Can", "Can", "Can"],
            "plays": [1.0, 2.5, 3.0, 4.0, float("nan"), 5.0, 6.0, 7.0, 8.0],
        }
    )
    counts = load_bytes(content)
    expected = [
        ("1", "", "Blur", 1),
        ("6", "", "Can", 5),
        ("7", "", "Can", 6),
        ("8", "", "Can", 7),
        ("9", "", "Can", 8),
    ]
    assert spelt_out(counts) == expected
    assert counts.report.rows == 9
    assert [(bad.kind, bad.count, bad.first_line) for bad in counts.report.bad] == [
        ("play count is not a whole number", 2, 2),
        ("empty artist name", 1, 3),
        ("empty listener", 1, 4),
    ]


@pytest.mark.parametrize("counts", [[2**40, 1, 2], [True, True, False], [[1], [2], [3]], [b"1", b"2", b"3"]])
def test_parquet_of_odd_types_ends_in_plays_or_a_sentence(counts: list) -> None:
    assert sentence_of(parquet({"user": ["a", "b", "c"], "artist": ["x", "y", "z"], "plays": counts})).isprintable()


ARTISTS_DAT = "id\tname\turl\tpictureURL\r\n7\tBlur\thttp://x\thttp://y\r\n9\tBjörk\t\t\r\n10\t \t\t\r\n".encode()
USER_ARTISTS_DAT = (
    b"userID\tartistID\tweight\r\n2\t9\t13\r\n2\t7\t11\r\n3\t7\t5\r\n3\t9\t1\r\n4\t7\t2\r\n4\t8\t2\r\n4\t10\t2\r\n"
)


@pytest.fixture
def hetrec(tmp_path: Path) -> Path:
    (tmp_path / "artists.dat").write_bytes(ARTISTS_DAT)
    (tmp_path / "user_artists.dat").write_bytes(USER_ARTISTS_DAT)
    return tmp_path


def check_hetrec(counts: PlayCounts) -> None:
    assert [row[2:] for row in spelt_out(counts)] == [
        ("Björk", 13),
        ("Blur", 11),
        ("Björk", 1),
        ("Blur", 5),
        ("Blur", 2),
    ]
    assert [(bad.kind, bad.first_line) for bad in counts.report.bad] == [
        ("artist id is not in artists.dat", 7),
        ("empty artist name", 8),
    ]


@pytest.mark.parametrize("name", [".", "artists.dat", "user_artists.dat"])
def test_hetrecs_pair_is_read_by_folder_or_either_file(hetrec: Path, name: str) -> None:
    counts = load_plays(hetrec / name)
    check_hetrec(counts)
    assert counts.listeners == ["2", "3", "4"]
    assert counts.data_hash == hashlib.sha256(ARTISTS_DAT + USER_ARTISTS_DAT).hexdigest()


@pytest.mark.parametrize("folder", ["", "hetrec2011-lastfm-2k/"])
def test_hetrecs_zip_is_read(tmp_path: Path, folder: str) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(folder + "user_artists.dat", USER_ARTISTS_DAT)
        archive.writestr(folder + "readme.txt", "read me")
        archive.writestr(folder + "artists.dat", ARTISTS_DAT)
    check_hetrec(load_plays(path))
    check_hetrec(load_plays(Pipe(path.read_bytes())))  # type: ignore[arg-type]


def test_half_a_pair_is_refused(hetrec: Path) -> None:
    (hetrec / "artists.dat").unlink()
    for name in (".", "user_artists.dat"):
        with pytest.raises(DataError, match=r"artists\.dat is missing: HetRec lastfm-2k is the pair"):
            load_plays(hetrec / name)


def test_something_else_under_hetrecs_names_is_refused(hetrec: Path) -> None:
    (hetrec / "artists.dat").write_bytes(b"hello\n")
    with pytest.raises(DataError, match="does not begin with HetRec's header id TAB name"):
        load_plays(hetrec)


def test_zip_of_other_things_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("plays.tsv", tsv(FEW_ROWS))
    with pytest.raises(DataError, match=r"a zip without artists\.dat and user_artists\.dat"):
        load_plays(path)


@given(st.binary(max_size=300), st.sampled_from(["", *WAYS]), st.integers(1, 50))
@settings(max_examples=300)
def test_any_bytes_end_in_plays_or_a_sentence(content: bytes, way: str, block_bytes: int) -> None:
    packed = packings(content)[way] if way else content
    assert sentence_of(packed, block_bytes).isprintable()


MAGICS = (
    b"",
    b"user,artist,plays\n",
    b"user\tartist\tplays\n",
    b"\x1f\x8b\x08",
    b"\x28\xb5\x2f\xfd",
    b"PAR1",
    b"PK\x03\x04",
    b'u"ser,artist;plays,"\n',
)


@given(
    st.sampled_from(MAGICS),
    st.lists(st.sampled_from(b'ab1"\t,;\n\r\x00\xff\xc3\xa9 '), max_size=80),
    st.integers(1, 30),
)
@settings(max_examples=500)
def test_any_text_like_bytes_end_in_plays_or_a_sentence(magic: bytes, rest: list[int], block_bytes: int) -> None:
    assert sentence_of(magic + bytes(rest), block_bytes).isprintable()


@given(st.lists(st.binary(max_size=9), max_size=12), st.integers(1, 40))
def test_blocks_hold_the_lines_of_the_stream(pieces: list[bytes], block_bytes: int) -> None:
    blocks = list(line_blocks(iter(pieces), "x", block_bytes))
    whole = b"".join(pieces)
    lines = (whole if whole.endswith(b"\n") or not whole else whole + b"\n").replace(b"\r\n", b"\n")
    assert b"".join(block.data for block in blocks) == lines
    first = 1
    for block in blocks:
        assert (block.first_line, block.n_lines) == (first, bytes(block.data).count(b"\n"))
        first += block.n_lines


def test_reading_ahead_keeps_order_and_passes_errors_on() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise DataError("later")

    ahead = read_ahead(items())
    assert [next(ahead) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(DataError, match="later"):
        next(ahead)


def test_example_is_one_printable_line() -> None:
    assert clipped("a\tb\x00\n\u202e") == "a\\tb\\x00\\n\\u202e"
    assert len(clipped("x" * 5000)) == 100
