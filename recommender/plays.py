"""Load listening data: rows of (listener, artist, plays) -> :class:`PlayCounts`, checked, merged and summed."""

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.artists import ArtistColumns, merge_artists
from recommender.converted import Conversions, stamp_of
from recommender.counting import HELD_ROWS, Triples
from recommender.errors import DataError
from recommender.matrix import CSR
from recommender.play_counts import LoadReport, PlayCounts
from recommender.reading.formats import open_batches
from recommender.reading.labels import Labels, Links
from recommender.reading.layouts import Columns
from recommender.reading.readers import GOOD, BadRows, Batch, kind_code, tally
from recommender.reading.scanning import read_digits
from recommender.reading.sources import BLOCK_BYTES
from recommender.reading.texts import Texts, texts_of

__all__ = ["CSR", "BadRows", "Columns", "LoadReport", "PlayCounts", "load_plays"]

MAX_PLAYS = 2**31 - 1
_ENOUGH_ROWS = 1_000_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WHOLE_NUMBER = re.compile(r"\s*([+-]?)([0-9]+)(?:\.0*)?\s*", re.ASCII)

Progress: TypeAlias = Callable[[int, int | None], None]


def load_plays(
    source: Path | BinaryIO,
    *,
    columns: Columns = Columns(),  # noqa: B008 - frozen, so one instance may serve all calls
    strict: bool = False,
    progress: Progress | None = None,
    conversions: Conversions | None = None,
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
    conversions : where the result is kept, and found the next time; of a stream nothing is kept. It is the same with
        and without.

    Raises
    ------
    DataError : the file cannot be read, is not listening data, or holds no usable row; with ``strict``, a row is bad.
    """
    if conversions is None or not isinstance(source, Path):
        return _load(source, columns=columns, strict=strict, progress=progress)
    kept = conversions.find(source, columns, progress=progress)
    # With bad rows, a strict reader is refused where the first one stands, as if nothing had been kept.
    if kept is not None and not (strict and kept.report.bad):
        return kept
    stamp = stamp_of(source)
    counts = _load(source, columns=columns, strict=strict, progress=progress)
    conversions.keep(source, columns, counts, stamp=stamp)
    return counts


def _load(
    source: Path | BinaryIO,
    *,
    columns: Columns,
    strict: bool,
    progress: Progress | None,
    block_bytes: int = BLOCK_BYTES,
    held_rows: int = HELD_ROWS,
) -> PlayCounts:
    with open_batches(source, columns, block_bytes) as opened:
        rows = _Rows(opened.meter.label, opened.artist_names, strict=strict, held_rows=held_rows)
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

    def __init__(self, label: str, artist_names: Mapping[str, str] | None, *, strict: bool, held_rows: int) -> None:
        self._label = label
        self._strict = strict
        self._listeners = Labels(_check_listener)
        self._spellings = (
            Labels(_check_artist)
            if artist_names is None
            else Labels(partial(_check_artist_number, artist_names), plain_are_good=False)
        )
        self._links = Links()
        self._triples = Triples(held_rows)
        self._bad: dict[str, BadRows] = {}
        self._n_rows = 0

    def add(self, batch: Batch) -> None:
        """Check a batch, note its bad rows, keep the good ones."""
        listener, spelling = self._listeners.numbers(batch.listener), self._spellings.numbers(batch.artist)
        plays, kinds = counts_of(batch.plays)
        for found in (self._spellings.kinds(spelling), self._listeners.kinds(listener)):
            if found is not None:
                kinds = np.where(found == GOOD, kinds, found)

        def text_of(idx: int) -> str:
            fields = (batch.listener[idx], batch.mbid[idx], batch.artist[idx], batch.plays[idx])
            return "\t".join("" if field is None else str(field) for field in fields)

        self._n_rows += len(kinds) + sum(bad.count for bad in batch.bad)
        self._note([*batch.bad, *tally(kinds, batch.lines, text_of)])
        if self._n_rows > _ENOUGH_ROWS and self._n_bad > 0.9 * self._n_rows:
            self._refuse_other_formats()  # no need to read gigabytes of something else to the end
        mbid = batch.mbid
        if kinds.any():
            good = np.flatnonzero(kinds == GOOD)
            listener, spelling, plays, mbid = listener[good], spelling[good], plays[good], mbid.some(good)
        spelling_code = self._spellings.codes(spelling)
        self._triples.add(self._listeners.codes(listener), spelling_code, plays.astype(np.int32))
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
        n_listeners = len(self._listeners)
        # Compiled code sums the rows while names are merged here.
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="summing") as pool:
            pool.submit(self._triples.gather, n_listeners)
            matrices: list[Future[CSR]] = []
            artists = self._artists(
                lambda columns, n_columns: matrices.append(
                    pool.submit(self._triples.matrix, columns, (n_listeners, n_columns))
                )
            )
            listeners = self._listeners.in_order()
            matrix = matrices[0].result()
        report = LoadReport(
            rows=self._n_rows,
            bad=tuple(sorted(self._bad.values(), key=lambda bad: bad.first_line)),
            duplicates=self._triples.n_rows - int(matrix.nnz),
            merged_names=len(self._spellings) - len(artists.names),
        )
        return PlayCounts(matrix, listeners, artists.names, artists.mbids, report, data_hash)

    def _artists(self, columns_known: Callable[[NDArray[np.int32], int], object]) -> ArtistColumns:
        spellings = self._spellings.in_order()
        n_rows, n_plays = self._triples.of_artists(len(spellings))
        link_spelling, link_mbid, link_rows, mbids = self._links.triples(n_rows)
        return merge_artists(
            spellings,
            n_rows=n_rows,
            n_plays=n_plays.astype(np.float64),
            link_spelling=link_spelling,
            link_mbid=link_mbid,
            link_rows=link_rows,
            mbids=mbids,
            columns_known=columns_known,
        )

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


def counts_of(plays: Texts | pl.Series) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Read play counts, which may be text or numbers.

    Returns
    -------
    The counts, and what is wrong with each: ``GOOD``, or the number of its kind.
    """
    if isinstance(plays, pl.Series) and not plays.dtype.is_numeric():
        plays = texts_of(plays)
    if isinstance(plays, Texts):
        counts = np.empty(len(plays), np.int64)
        read_digits(plays.data, plays.places, plays.first, plays.step, counts)
        is_read = counts >= 0
    else:
        numbers = plays.cast(pl.Int64, strict=False)
        if plays.dtype.is_float():
            numbers = numbers.zip_with(numbers.cast(pl.Float64) == plays, pl.Series([None], dtype=pl.Int64))
        counts, is_read = numbers.fill_null(0).to_numpy().copy(), numbers.is_not_null().to_numpy()
    kinds = np.zeros(len(counts), np.uint8)
    if len(counts) and (counts.min() < 1 or counts.max() > MAX_PLAYS):
        kinds[counts < 1] = kind_code("play count is not positive")
        kinds[counts > MAX_PLAYS] = kind_code("play count is too large")
        # What is not read so ("12.0", " 7") a person still can; this is slow, but few rows are like that.
        for idx in np.flatnonzero(~is_read).tolist():
            counts[idx], kinds[idx] = count_of("" if plays[idx] is None else str(plays[idx]))
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
