"""Recognise a source of listening data by its first bytes, and open it as batches of rows."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from recommender.errors import DataError
from recommender.reading.layouts import Columns, layout_of
from recommender.reading.readers import Batch, text_batches
from recommender.reading.sources import Meter, head_of, line_blocks, open_meter, read_ahead, text_of, whole
from recommender.reading.tables import (
    ARTISTS,
    PLAYS_LAYOUT,
    PLAYS_ROLES,
    USER_ARTISTS,
    artist_names_of,
    hetrec_folder,
    hetrec_zip,
    parquet_batches,
    plays_blocks,
)

_HEAD_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class OpenedBatches:
    """An open source.

    Attributes
    ----------
    meter : counts and hashes the bytes, and knows what to call them.
    batches : the rows, to be read once.
    artist_names : None, or what the numbers in the artist column stand for.
    """

    meter: Meter
    batches: Iterator[Batch]
    artist_names: Mapping[str, str] | None = None


@contextmanager
def open_batches(source: Path | BinaryIO, columns: Columns, block_bytes: int) -> Iterator[OpenedBatches]:
    """Open a file, a folder or a stream in whatever format it is.

    Raises
    ------
    DataError : now or while it is read: it cannot be read, or is not listening data.
    """
    try:
        folder = hetrec_folder(source) if isinstance(source, Path) else None
    except OSError as err:
        raise DataError(f"{source} cannot be opened: {err.strerror}") from err
    if folder is not None:
        with _opened_pair(folder, block_bytes) as opened:
            yield opened
        return
    with open_meter(source) as meter:
        magic, pieces = head_of(meter.pieces(), 4)
        # A pipe has a path too, but cannot be read from its end.
        seekable = source if isinstance(source, Path) and source.is_file() else None
        if magic == b"PAR1":
            yield OpenedBatches(meter, parquet_batches(seekable or whole(pieces, meter.label), columns, meter.label))
        elif magic == b"PK\x03\x04":
            with hetrec_zip(seekable or whole(pieces, meter.label), meter.label) as (artists, user_artists):
                names = artist_names_of(_pieces_of(artists), f"{meter.label}/{ARTISTS}")
                blocks = plays_blocks(_pieces_of(user_artists), f"{meter.label}/{USER_ARTISTS}", block_bytes)
                yield OpenedBatches(meter, text_batches(blocks, PLAYS_LAYOUT, PLAYS_ROLES), names)
        else:
            head, text = head_of(text_of(pieces, meter.label), _HEAD_BYTES)
            layout, roles = layout_of(head, columns, meter.label)
            batches = text_batches(line_blocks(text, meter.label, block_bytes), layout, roles)
            if seekable is None:  # a thread that waits for a terminal could not be stopped with Ctrl-C
                yield OpenedBatches(meter, batches)
                return
            with closing(read_ahead(batches)) as ahead:
                yield OpenedBatches(meter, ahead)


@contextmanager
def _opened_pair(folder: Path, block_bytes: int) -> Iterator[OpenedBatches]:
    with open_meter(folder / ARTISTS) as artists:
        names = artist_names_of(artists.pieces(), artists.label)
        artists.sha256()
    with open_meter(folder / USER_ARTISTS, after=artists) as meter:
        blocks = plays_blocks(meter.pieces(), meter.label, block_bytes)
        yield OpenedBatches(meter, text_batches(blocks, PLAYS_LAYOUT, PLAYS_ROLES), names)


def _pieces_of(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(1 << 20):
        yield piece
