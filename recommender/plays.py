"""Load listening data: rows of (listener, artist, plays) -> :class:`PlayCounts`, checked, merged and summed."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import coo_array

from recommender.artists import merge_artists
from recommender.errors import DataError
from recommender.matrix import CSR
from recommender.reading.formats import open_batches
from recommender.reading.labels import Labels, Links, number_columns
from recommender.reading.layouts import Columns
from recommender.reading.readers import GOOD, BadRows, Batch, kind_code, tally
from recommender.reading.sources import BLOCK_BYTES

__all__ = ["CSR", "BadRows", "Columns", "LoadReport", "PlayCounts", "load_plays"]

MAX_PLAYS = 2**31 - 1
_ENOUGH_ROWS = 1_000_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MBID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WHOLE_NUMBER = re.compile(r"\s*([+-]?)([0-9]+)(?:\.0*)?\s*", re.ASCII)

Progress: TypeAlias = Callable[[int, int | None], None]
Codes: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What was met while loading.

    Attributes
    ----------
    rows : data rows read, good and bad; a header is none.
    bad : the kinds of rows that were left out, by their first line.
    duplicates : rows that were added to another of the same listener and artist.
    merged_names : spellings that became part of another artist.
    """

    rows: int
    bad: tuple[BadRows, ...]
    duplicates: int
    merged_names: int

    @property
    def bad_count(self) -> int:
        """Rows that were left out."""
        return sum(kind.count for kind in self.bad)


@dataclass(frozen=True, slots=True, eq=False)
class PlayCounts:
    """Who played whom how often.

    Attributes
    ----------
    plays : shape (n_listeners, n_artists), counts >= 1, float32, sorted indices, no stored zeros.
    listeners : labels of the rows, in order of first occurrence.
    artist_names : the most-heard spelling of each column's artist, in order of first occurrence.
    artist_mbids : its most frequent MusicBrainz id in lower case, "" where unknown.
    report : what was left out, summed and merged.
    variants : names that were merged into others after loading, each with the other, as a person reviewed them.
    data_hash : SHA-256 (hex) of the file as stored; of HetRec's two files, of artists.dat followed by user_artists.dat.
    """

    plays: CSR
    listeners: list[str]
    artist_names: list[str]
    artist_mbids: list[str]
    report: LoadReport
    data_hash: str
    variants: tuple[tuple[str, str], ...] = ()


def load_plays(
    source: Path | BinaryIO,
    *,
    columns: Columns = Columns(),  # noqa: B008 - frozen, so one instance may serve all calls
    strict: bool = False,
    progress: Progress | None = None,
) -> PlayCounts:
    """Load listening data in any of the formats that are known.

    Lines of listener TAB MusicBrainz id TAB artist TAB plays (Last.fm-360K's layout: no header, no quoting); TSV, CSV
    or parquet with named columns; HetRec lastfm-2k's ``artists.dat`` and ``user_artists.dat`` (their folder, either
    file, or the zip). Text may be packed with gzip, Zstandard or tar. All of it is recognised by content, but for
    HetRec's two file names.

    Parameters
    ----------
    source : a path, or a binary stream such as ``sys.stdin.buffer``, which need not be seekable.
    columns : names of the columns, where the file has a header with uncommon ones.
    strict : refuse the first bad row instead of leaving it out.
    progress : called with bytes done and bytes in all, as stored (None: unknown), in the caller's thread.

    Raises
    ------
    DataError : the file cannot be read, is not listening data, or holds no usable row; with ``strict``, a row is bad.
    """
    return _load(source, columns=columns, strict=strict, progress=progress)


def _load(
    source: Path | BinaryIO,
    *,
    columns: Columns,
    strict: bool,
    progress: Progress | None,
    block_bytes: int = BLOCK_BYTES,
) -> PlayCounts:
    with open_batches(source, columns, block_bytes) as opened:
        rows = _Rows(opened.meter.label, opened.artist_names, strict=strict)
        for batch in opened.batches:
            rows.add(batch)
            if progress is not None:
                progress(opened.meter.done, opened.meter.total)
        data_hash = opened.meter.sha256()
        if progress is not None:
            progress(opened.meter.done, opened.meter.total)
    return rows.play_counts(data_hash)


class _Rows:
    """The good rows so far, as codes and counts, and a tally of the bad ones."""

    def __init__(self, label: str, artist_names: Mapping[str, str] | None, *, strict: bool) -> None:
        self._label = label
        self._strict = strict
        self._listeners = Labels(_check_listener)
        self._spellings = Labels(_check_artist if artist_names is None else partial(_check_artist_number, artist_names))
        self._links = Links(_normalized_mbid)
        self._triples: list[tuple[Codes, Codes, Codes]] = []  # listener, spelling, plays
        self._bad: dict[str, BadRows] = {}
        self._n_rows = 0

    def add(self, batch: Batch) -> None:
        """Check a batch, note its bad rows, keep the good ones."""
        listener, spelling = number_columns([(self._listeners, batch.listener), (self._spellings, batch.artist)])
        plays, kinds = counts_of(batch.plays)
        for found in (self._spellings.kinds(spelling), self._listeners.kinds(listener)):
            kinds = np.where(found == GOOD, kinds, found)

        def text_of(idx: int) -> str:
            row = (batch.listener[idx], batch.mbid[idx], batch.artist[idx], batch.plays[idx])
            return "\t".join("" if field is None else str(field) for field in row)

        self._n_rows += len(kinds)
        self._note([*batch.bad, *tally(kinds, batch.lines, text_of)])
        self._n_rows += sum(bad.count for bad in batch.bad)
        if self._n_rows > _ENOUGH_ROWS and self._n_bad > 0.9 * self._n_rows:
            self._refuse_other_formats()  # no need to read gigabytes of something else to the end
        good, mbid = kinds == GOOD, batch.mbid
        if not good.all():
            listener, spelling, plays, mbid = listener[good], spelling[good], plays[good], mbid.filter(pl.Series(good))
        spelling_code = self._spellings.codes(spelling)
        self._triples.append((self._listeners.codes(listener), spelling_code, plays.astype(np.int32)))
        self._links.add(spelling_code, mbid)

    def _note(self, bad_rows: Sequence[BadRows]) -> None:
        for bad in sorted(bad_rows, key=lambda bad: bad.first_line):
            if self._strict:
                raise DataError(f"{self._label}:{bad.first_line}: {bad.kind} in '{bad.example}'; fix or drop the row")
            earlier = self._bad.get(bad.kind)
            self._bad[bad.kind] = bad if earlier is None else replace(earlier, count=earlier.count + bad.count)

    def play_counts(self, data_hash: str) -> PlayCounts:
        """Merge spellings into artists, sum duplicates.

        Raises
        ------
        DataError : there is nothing to learn from, or more than half of the rows are bad.
        """
        self._refuse_other_formats()
        listener, spelling, plays = (np.concatenate(parts) for parts in zip(*self._triples, strict=True))
        self._triples.clear()
        n_spellings = len(self._spellings)
        n_rows = np.bincount(spelling, minlength=n_spellings)
        link_spelling, link_mbid, link_rows = self._links.triples(n_rows)
        artists = merge_artists(
            list(self._spellings.codes_by_label),
            n_rows=n_rows,
            n_plays=np.bincount(spelling, weights=plays, minlength=n_spellings).astype(np.float64),
            link_spelling=link_spelling,
            link_mbid=link_mbid,
            link_rows=link_rows,
            mbids=list(self._links.codes_by_mbid),
        )
        matrix = summed(
            listener, artists.column_of_spelling[spelling], plays, (len(self._listeners), len(artists.names))
        )
        report = LoadReport(
            rows=self._n_rows,
            bad=tuple(sorted(self._bad.values(), key=lambda bad: bad.first_line)),
            duplicates=len(plays) - int(matrix.nnz),
            merged_names=n_spellings - len(artists.names),
        )
        return PlayCounts(matrix, list(self._listeners.codes_by_label), artists.names, artists.mbids, report, data_hash)

    @property
    def _n_bad(self) -> int:
        return sum(bad.count for bad in self._bad.values())

    def _refuse_other_formats(self) -> None:
        if self._n_rows == 0:
            raise DataError(f"{self._label} is empty: there are no plays in it")
        if 2 * self._n_bad > self._n_rows:
            worst = max(self._bad.values(), key=lambda bad: bad.count)
            raise DataError(
                f"{self._label} is not listening data: {self._n_bad:,} of {self._n_rows:,} rows are unusable, "
                f"most of them because of {worst.kind!r}, first in line {worst.first_line}: '{worst.example}'"
            )


def summed(listener: Codes, artist: Codes, plays: Codes, shape: tuple[int, int]) -> CSR:
    """Sum triples into a matrix.

    Parameters
    ----------
    listener, artist, plays : shape (n_rows,); codes below ``shape``, and counts >= 1.

    Returns
    -------
    float32, sorted indices, no stored zeros.
    """
    matrix = coo_array((plays.astype(np.float32), (listener, artist)), shape=shape).tocsr()
    if matrix.nnz < len(plays):
        # Sums of large counts are exact only in float64, which costs memory that clean data need not spend.
        matrix = coo_array((plays.astype(np.float64), (listener, artist)), shape=shape).tocsr().astype(np.float32)
    matrix.sort_indices()
    return matrix


def counts_of(plays: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Read play counts, which may be text or numbers.

    Returns
    -------
    The counts, and what is wrong with each: ``GOOD``, or the number of its kind.
    """
    numbers = plays.cast(pl.Int64, strict=False)
    if plays.dtype.is_float():
        numbers = numbers.zip_with(numbers.cast(pl.Float64) == plays, pl.Series([None], dtype=pl.Int64))
    counts = numbers.fill_null(0).to_numpy().copy()
    kinds = np.zeros(len(counts), np.uint8)
    kinds[counts < 1] = kind_code("play count is not positive")
    kinds[counts > MAX_PLAYS] = kind_code("play count is too large")
    # What polars cannot read ("12.0", " 7") a person still can; this is slow, but few rows are like that.
    unread = np.flatnonzero(numbers.is_null().to_numpy())
    for idx, text in zip(unread.tolist(), plays.gather(unread).cast(pl.String).to_list(), strict=True):
        counts[idx], kinds[idx] = count_of(text or "")
    return counts, kinds


def count_of(text: str) -> tuple[int, int]:
    """Read one play count.

    Returns
    -------
    The count, 0 where it is unusable, and the number of what is wrong with it.
    """
    found = _WHOLE_NUMBER.fullmatch(text)
    if found is None:
        return 0, kind_code("play count is not a whole number")
    sign, digits = found[1], found[2].lstrip("0")
    if sign == "-" or not digits:
        return 0, kind_code("play count is not positive")
    if len(digits) > 10 or int(digits) > MAX_PLAYS:
        return 0, kind_code("play count is too large")
    return int(digits), GOOD


def _check_listener(text: str) -> str | int:
    if _CONTROL.search(text):
        return kind_code("control character in a field")
    return text if text.strip() else kind_code("empty listener")


def _check_artist(text: str) -> str | int:
    if _CONTROL.search(text):
        return kind_code("control character in a field")
    name = text.strip()  # nothing else has an empty key: test_only_white_space_has_an_empty_key
    return name or kind_code("empty artist name")


def _check_artist_number(names: Mapping[str, str], text: str) -> str | int:
    name = names.get(text)
    return kind_code("artist id is not in artists.dat") if name is None else _check_artist(name)


def _normalized_mbid(text: str) -> str:
    return text.lower() if _MBID.fullmatch(text) else ""
