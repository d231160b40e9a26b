"""Listening data that is not one text file -> batches of rows: parquet, and HetRec lastfm-2k's pair of files."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
import polars as pl

from recommender.errors import DataError
from recommender.reading.layouts import Columns, Layout, Roles, roles_of
from recommender.reading.readers import Batch, split_block
from recommender.reading.sources import Block, line_blocks, text_of
from recommender.reading.texts import Texts, empty_texts, texts_of

ARTISTS, USER_ARTISTS = "artists.dat", "user_artists.dat"
PARQUET_BATCH_ROWS = 1_000_000
_MAX_ARTISTS_BYTES = 256 << 20
_ARTISTS_HEADER = ["id", "name", "url", "pictureURL"]
_PLAYS_HEADER = ["userID", "artistID", "weight"]
PLAYS_LAYOUT = Layout("\t", 3, 1, quoted=False)
PLAYS_ROLES = Roles(listener=0, artist=1, plays=2, mbid=None)


def parquet_batches(file: Path | BinaryIO, columns: Columns, label: str) -> Iterator[Batch]:
    """Read a parquet file, some millions of rows at a time; a row's number counts as its line.

    Raises
    ------
    DataError : while it is read: it is damaged, its columns are not recognised or cannot be read as text.
    """
    try:
        table = pl.scan_parquet(file)
        names = table.collect_schema().names()
        roles = roles_of(names, columns, label)
        wanted = [roles.listener, roles.artist, roles.plays] + ([] if roles.mbid is None else [roles.mbid])
        table = table.select(pl.nth(idx) for idx in dict.fromkeys(wanted))
        n_rows = int(table.select(pl.len()).collect().item())
        for start in range(0, n_rows, PARQUET_BATCH_ROWS):
            rows = table.slice(start, PARQUET_BATCH_ROWS).collect()
            mbid = empty_texts(rows.height) if roles.mbid is None else _text(rows[names[roles.mbid]])
            yield Batch(
                np.arange(start + 1, start + 1 + rows.height),
                _text(rows[names[roles.listener]]),
                _text(rows[names[roles.artist]]),
                mbid,
                _numbers_or_text(rows[names[roles.plays]]),
                [],
            )
    except (pl.exceptions.PolarsError, OSError) as err:
        reason = str(err).splitlines()[0] if str(err) else type(err).__name__
        raise DataError(f"{label} cannot be read as parquet: {reason}") from err


def _text(column: pl.Series) -> Texts:
    return texts_of(column.cast(pl.String, strict=False))


def _numbers_or_text(column: pl.Series) -> pl.Series | Texts:
    if column.dtype.is_integer() or column.dtype.is_float():
        return column
    return column.cast(pl.Float64, strict=False) if column.dtype.is_decimal() else _text(column)


def hetrec_folder(source: Path) -> Path | None:
    """Return the folder that holds HetRec's pair, when ``source`` is that folder or one of the two files.

    Raises
    ------
    DataError : one of the two is missing, or a folder holds neither.
    """
    folder = source if source.is_dir() else source.parent
    if not source.is_dir() and source.name.lower() not in (ARTISTS, USER_ARTISTS):
        return None
    missing = [name for name in (ARTISTS, USER_ARTISTS) if not (folder / name).is_file()]
    if source.is_dir() and len(missing) == 2:
        raise DataError(f"{source} is a folder; give a file, or a folder that holds {ARTISTS} and {USER_ARTISTS}")
    if missing:
        raise DataError(f"{folder / missing[0]} is missing: HetRec lastfm-2k is the pair {ARTISTS} and {USER_ARTISTS}")
    return folder


def artist_names_of(pieces: Iterator[bytes], label: str) -> dict[str, str]:
    """Read ``artists.dat``: artist id -> name; rows with a wrong number of fields are passed over.

    Raises
    ------
    DataError : it is something else.
    """
    names: dict[str, str] = {}
    held = 0
    layout = Layout("\t", len(_ARTISTS_HEADER), 1, quoted=False)
    for block in line_blocks(text_of(pieces, label), label):
        if block.first_line == 1:
            require_header(bytes(block.data), _ARTISTS_HEADER, label)
        held += len(block.data)
        if held > _MAX_ARTISTS_BYTES:
            raise DataError(f"{label} is not HetRec's {ARTISTS}: it is larger than 256 MiB")
        (numbers, texts, *_), _, _ = split_block(block, layout)
        names.update((numbers[idx], texts[idx]) for idx in range(len(numbers)))
    return names


def plays_blocks(pieces: Iterator[bytes], label: str, block_bytes: int) -> Iterator[Block]:
    """Cut ``user_artists.dat`` into blocks, checking its header.

    Raises
    ------
    DataError : while it is read: it is something else.
    """
    for block in line_blocks(text_of(pieces, label), label, block_bytes):
        if block.first_line == 1:
            require_header(bytes(block.data), _PLAYS_HEADER, label)
        yield block


def require_header(data: bytes, header: list[str], label: str) -> None:
    """Refuse a file of HetRec's pair that does not begin as it should.

    Raises
    ------
    DataError : the first line is another.
    """
    first = data.split(b"\n", 1)[0].decode("utf-8", "backslashreplace")
    if first.strip().casefold().split("\t") != [name.casefold() for name in header]:
        raise DataError(f"{label} does not begin with HetRec's header {' TAB '.join(header)}, but with {first[:80]!r}")


@contextmanager
def hetrec_zip(file: Path | io.BytesIO, label: str) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open ``artists.dat`` and ``user_artists.dat`` inside GroupLens's zip.

    Raises
    ------
    DataError : it is damaged, locked, or holds other files.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            inside = {PurePosixPath(name).name.lower(): name for name in archive.namelist()}
            if ARTISTS not in inside or USER_ARTISTS not in inside:
                raise DataError(
                    f"{label} is a zip without {ARTISTS} and {USER_ARTISTS}; unpack it and give the file of plays"
                )
            with archive.open(inside[ARTISTS]) as artists, archive.open(inside[USER_ARTISTS]) as user_artists:
                yield _as_binary(artists), _as_binary(user_artists)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as err:
        raise DataError(f"{label} cannot be unpacked: {err}; fetch it again") from err


def _as_binary(member: object) -> BinaryIO:
    assert isinstance(member, io.BufferedIOBase)  # zipfile's members are; typing does not know
    return member  # type: ignore[return-value]
