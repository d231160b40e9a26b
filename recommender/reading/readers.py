"""Lines of text (TSV, CSV) -> batches of rows, as text columns with their line numbers."""

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.reading.layouts import Layout, Roles
from recommender.reading.scanning import are_lines, find_delimiters, is_utf8
from recommender.reading.sources import Block
from recommender.reading.texts import Texts, empty_texts, texts_of

GOOD = 0
KINDS = (
    "",
    "wrong number of fields",
    "empty line",
    "not UTF-8",
    "control character in a field",
    "broken quotes",
    "empty listener",
    "empty artist name",
    "artist id is not in artists.dat",
    "play count is not a whole number",
    "play count is not positive",
    "play count is too large",
)
CSV_BATCH_ROWS = 100_000
_MAX_EXAMPLE = 100
_CR = 0x0D


def kind_code(kind: str) -> int:
    """Return the number of a kind of bad row, > 0."""
    return KINDS.index(kind)


@dataclass(frozen=True, slots=True)
class BadRows:
    """One kind of malformed row.

    Attributes
    ----------
    kind : what is wrong with them, one of ``KINDS``.
    count : how many there are.
    first_line : line of the first, from 1 (in parquet the row).
    example : text of the first, clipped, control characters escaped.
    """

    kind: str
    count: int
    first_line: int
    example: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that have all their fields, and the bad ones met between them.

    Attributes
    ----------
    lines : shape (n_rows,), int64, line numbers, rising.
    listener, artist, mbid : text columns of n_rows, empty where nothing is given.
    plays : n_rows counts, text or numbers, not yet checked.
    bad : rows that have not all their fields.
    """

    lines: NDArray[np.int64]
    listener: Texts
    artist: Texts
    mbid: Texts
    plays: Texts | pl.Series
    bad: Sequence[BadRows]


def clipped(text: str) -> str:
    """Make a piece of a file fit for a message: one line, no control characters, at most 100 characters."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[:_MAX_EXAMPLE])
    return shown if len(text) <= _MAX_EXAMPLE and len(shown) <= _MAX_EXAMPLE else shown[: _MAX_EXAMPLE - 1] + "…"


def tally(kinds: NDArray[np.uint8], lines: NDArray[np.int64], text_of: Callable[[int], str]) -> list[BadRows]:
    """Count the bad rows of each kind.

    Parameters
    ----------
    kinds : shape (n_rows,), number of the kind, ``GOOD`` for good rows.
    lines : shape (n_rows,), line numbers.
    text_of : the text of row i; called once for each kind.
    """
    found = []
    for code in np.unique(kinds[kinds != GOOD]):
        rows = np.flatnonzero(kinds == code)
        first = int(rows[0])
        found.append(BadRows(KINDS[code], len(rows), int(lines[first]), clipped(text_of(first))))
    return found


def text_batches(blocks: Iterator[Block], layout: Layout, roles: Roles) -> Iterator[Batch]:
    """Read lines of fields; where a quote turns up in CSV, go on with the ``csv`` module.

    Parameters
    ----------
    blocks : whole lines, from the first line of the file.
    layout, roles : how lines are divided and which fields matter.
    """
    for block in blocks:
        skip = layout.header_line - block.first_line + 1
        body = _without_lines(block, skip) if skip > 0 else block
        if layout.quoted and b'"' in bytes(body.data):
            yield from _quoted_batches(body, blocks, layout, roles)
            return
        fields, lines, bad = split_block(body, layout)
        yield _batch(fields, lines, roles, bad)


def _batch(fields: Sequence[Texts], lines: NDArray[np.int64], roles: Roles, bad: Sequence[BadRows]) -> Batch:
    mbid = empty_texts(len(lines)) if roles.mbid is None else fields[roles.mbid]
    return Batch(lines, fields[roles.listener], fields[roles.artist], mbid, fields[roles.plays], bad)


def _without_lines(block: Block, count: int) -> Block:
    data = bytes(block.data)
    for _ in range(min(count, block.n_lines)):
        data = data[data.index(b"\n") + 1 :]
    skipped = min(count, block.n_lines)
    return Block(block.first_line + skipped, block.n_lines - skipped, data, block.has_returns)


def split_block(block: Block, layout: Layout) -> tuple[list[Texts], NDArray[np.int64], list[BadRows]]:
    """Divide the lines of a block into fields.

    Returns
    -------
    The columns of the lines with ``layout.n_fields`` fields; their numbers; the other lines.
    """
    if not block.has_returns:
        fields = _fields(block.data, block.n_lines, layout)
        if fields is not None:
            return fields, np.arange(block.first_line, block.first_line + block.n_lines), []
    return _split_carefully(block, layout)


def _fields(data: bytes | memoryview, n_lines: int, layout: Layout) -> list[Texts] | None:
    """Return the columns, when every line has all its fields and all is UTF-8."""
    raw = np.frombuffer(data, np.uint8)
    n = n_lines * layout.n_fields
    places = np.empty(n + 9, np.int32)
    n_found, is_ascii = find_delimiters(raw, np.uint8(ord(layout.separator)), places)
    # As many delimiters as there must be, and newlines where they must be: then no other one is a newline.
    if n_found != n or not are_lines(raw, places[: n + 1], layout.n_fields) or not (is_ascii or is_utf8(raw)):
        return None
    return [Texts(raw, places, idx, layout.n_fields, n_lines) for idx in range(layout.n_fields)]


def _split_carefully(block: Block, layout: Layout) -> tuple[list[Texts], NDArray[np.int64], list[BadRows]]:
    raw = np.frombuffer(block.data, np.uint8)
    ends = np.flatnonzero(raw == 0x0A)
    starts = np.concatenate((np.zeros(min(1, len(ends)), np.int64), ends[:-1] + 1))
    separators = np.flatnonzero(raw == ord(layout.separator))
    n_fields = np.searchsorted(separators, ends) - np.searchsorted(separators, starts) + 1
    kinds = np.zeros(block.n_lines, np.uint8)
    kinds[n_fields != layout.n_fields] = kind_code("wrong number of fields")
    kinds[starts == ends] = kind_code("empty line")
    kinds[np.searchsorted(ends, np.flatnonzero(raw == _CR))] = kind_code("control character in a field")
    for idx in np.unique(np.searchsorted(ends, np.flatnonzero(raw >= 0x80))):
        try:
            bytes(block.data[starts[idx] : ends[idx]]).decode("utf-8")
        except UnicodeDecodeError:
            kinds[idx] = kind_code("not UTF-8")
    lines = np.arange(block.first_line, block.first_line + block.n_lines)

    def text_of(idx: int) -> str:
        return bytes(block.data[starts[idx] : min(ends[idx], starts[idx] + 4 * _MAX_EXAMPLE)]).decode(
            "utf-8", "backslashreplace"
        )

    keep = kinds == GOOD
    fields = _fields(raw[np.repeat(keep, ends - starts + 1)].tobytes(), int(keep.sum()), layout)
    assert fields is not None, "the kept lines are whole and readable"
    return fields, lines[keep], tally(kinds, lines, text_of)


def _quoted_batches(first: Block, rest: Iterator[Block], layout: Layout, roles: Roles) -> Iterator[Batch]:
    records = _records(first, rest, layout)
    while some := list(itertools.islice(records, CSV_BATCH_ROWS)):
        lines = np.array([line_no for line_no, _, _ in some], np.int64)
        kinds = np.array([kind for _, kind, _ in some], np.uint8)
        bad = tally(kinds, lines, lambda idx, some=some: layout.separator.join(some[idx][2]))  # type: ignore[misc]
        rows = [fields for _, kind, fields in some if kind == GOOD]
        columns = [texts_of([row[idx] for row in rows]) for idx in range(layout.n_fields)]
        yield _batch(columns, lines[kinds == GOOD], roles, bad)


def _records(first: Block, rest: Iterator[Block], layout: Layout) -> Iterator[tuple[int, int, list[str]]]:
    """Yield each CSV record as the line it starts in, its kind of badness, its fields."""
    reader = csv.reader(_decoded_lines(first, rest), delimiter=layout.separator)
    while True:
        line_no = first.first_line + reader.line_num
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as err:  # the reader starts afresh with the next line
            yield line_no, kind_code("broken quotes"), [str(err)]
            continue
        yield line_no, _record_kind(fields, layout), fields


def _record_kind(fields: list[str], layout: Layout) -> int:
    if not fields:
        return kind_code("empty line")
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return kind_code("not UTF-8")
    return GOOD if len(fields) == layout.n_fields else kind_code("wrong number of fields")


def _decoded_lines(first: Block, rest: Iterator[Block]) -> Iterator[str]:
    for block in itertools.chain([first], rest):
        for line in io.BytesIO(block.data):
            yield line.decode("utf-8", "surrogateescape")
