"""Sum rows of (listener, artist, plays) into a sparse matrix, without a copy of all rows in one piece."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.kernels import balanced_blocks, kernel
from recommender.matrix import CSR

# Rows that are kept before those of the same pair are summed: .3 GB. Last.fm-360K's 17.6 million never are.
HELD_ROWS = 24_000_000
_MAX_INT32 = 2**31 - 1
_BLOCK_PAIRS = 1 << 20

# Listener, artist and plays of each row; and where listeners begin, artist and plays of each row.
Part = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
Gathered = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


class Triples:
    """Rows of (listener, artist, plays) as they come; memory is bounded by the distinct pairs and a constant.

    Attributes
    ----------
    n_rows : rows so far.
    """

    def __init__(self, held_rows: int = HELD_ROWS) -> None:
        """``held_rows``: so many are kept before those of the same pair are summed."""
        self.n_rows = 0
        self._parts: list[Part] = []
        self._gathered: Gathered | None = None
        self._held_rows = held_rows
        self._n_held = 0  # since they were summed
        self._n_summed = 0
        self._rows_of = np.zeros(1024, np.int64)  # by artist
        self._plays_of = np.zeros(1024, np.int64)

    def add(self, listener: NDArray[np.int32], artist: NDArray[np.int32], plays: NDArray[np.int32]) -> None:
        """Take rows; counts are >= 1."""
        if not len(listener):
            return
        n_artists = int(artist.max()) + 1
        if n_artists > len(self._rows_of):
            more = np.zeros(max(len(self._rows_of), n_artists - len(self._rows_of)), np.int64)
            self._rows_of, self._plays_of = (np.concatenate((old, more)) for old in (self._rows_of, self._plays_of))
        _tally(artist, plays, self._rows_of, self._plays_of)
        self._parts.append((listener, artist, plays))
        self.n_rows += len(listener)
        self._n_held += len(listener)
        # Not before there are as many new rows as pairs: so each row is moved twice on average, whatever comes.
        if self._n_held >= max(self._held_rows, self._n_summed):
            self._sum_up()

    def of_artists(self, n_artists: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the rows and the plays of each artist."""
        missing = (0, max(0, n_artists - len(self._rows_of)))
        return np.pad(self._rows_of, missing)[:n_artists], np.pad(self._plays_of, missing)[:n_artists]

    def matrix(self, column_of: NDArray[np.int32], shape: tuple[int, int]) -> CSR:
        """Sum everything into a matrix; the rows are gone afterwards.

        Parameters
        ----------
        column_of : shape (n_artists,), the column of each artist; several may share one.
        shape : listeners, columns.

        Returns
        -------
        float32, rounded once from exact sums; sorted indices, no stored zeros.
        """
        self.gather(shape[0])
        indptr, columns, sums = self._summed(column_of, np.float32)
        # One index type for both, or scipy copies; the smaller one wherever it is enough.
        dtype = np.int32 if len(columns) <= _MAX_INT32 else np.int64
        return cast("CSR", csr_array((sums, columns.astype(dtype, copy=False), indptr.astype(dtype)), shape=shape))

    def gather(self, n_listeners: int) -> None:
        """Gather all rows by listener, which :meth:`matrix` begins with; nothing can be added afterwards."""
        if self._gathered is not None:
            return
        indptr = np.zeros(n_listeners + 1, np.int64)
        for listener, _, _ in self._parts:
            _count(listener, indptr)
        np.cumsum(indptr, out=indptr)
        n_rows, place = int(indptr[-1]), indptr.copy()
        is_small = all(plays.dtype == np.int32 for _, _, plays in self._parts)
        artists, plays_of = np.empty(n_rows, np.int32), np.empty(n_rows, np.int32 if is_small else np.int64)
        self._parts.reverse()
        while self._parts:  # each part's memory is free again before the next one's places are touched
            _scatter(*self._parts.pop(), place, artists, plays_of)
        self._gathered = indptr, artists, plays_of

    def _sum_up(self) -> None:
        n_listeners = 1 + max(int(listener.max()) for listener, _, _ in self._parts)
        self.gather(n_listeners)
        indptr, artist, plays = self._summed(np.arange(len(self._rows_of), dtype=np.int32), np.int64)
        self._parts = [(np.repeat(np.arange(n_listeners, dtype=np.int32), np.diff(indptr)), artist, plays)]
        self._n_held, self._n_summed = 0, len(artist)

    def _summed(
        self, column_of: NDArray[np.int32], dtype: type[np.float32] | type[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[Any]]:
        """Sum the gathered rows of each listener and column: where listeners begin, columns, sums."""
        assert self._gathered is not None
        (indptr, columns, plays_of), self._gathered = self._gathered, None
        sums, sizes = np.empty(len(columns), dtype), np.empty(len(indptr) - 1, np.int64)
        starts = balanced_blocks(indptr, _BLOCK_PAIRS)

        def sum_block(first: int, last: int) -> None:
            _sum_rows(indptr, column_of, columns, plays_of, sums, sizes, first, last)

        with ThreadPoolExecutor(int(numba.get_num_threads())) as pool:
            list(pool.map(sum_block, starts[:-1].tolist(), starts[1:].tolist()))
        n_pairs = int(sizes.sum())
        if n_pairs < len(columns):
            indptr = _close_gaps(indptr, sizes, columns, sums)
            columns, sums = columns[:n_pairs].copy(), sums[:n_pairs].copy()
        return indptr, columns, sums


@kernel()
def _tally(artist, plays, rows_of, plays_of):  # type: ignore[no-untyped-def]
    for row in range(artist.shape[0]):
        rows_of[artist[row]] += 1
        plays_of[artist[row]] += plays[row]


@kernel()
def _count(listener, counts):  # type: ignore[no-untyped-def]
    for row in range(listener.shape[0]):
        counts[listener[row] + 1] += 1


@kernel()
def _scatter(listener, artist, plays, place, artists, all_plays):  # type: ignore[no-untyped-def]
    for row in range(listener.shape[0]):
        where = place[listener[row]]
        artists[where] = artist[row]
        all_plays[where] = plays[row]
        place[listener[row]] = where + 1


@kernel()
def _sort(keys):  # type: ignore[no-untyped-def]
    """Shell's sort: as fast as any for the few artists of a listener, fine for many, and soon compiled."""
    gap = 1
    while gap < keys.shape[0] // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, keys.shape[0]):
            key, j = keys[i], i - gap
            while j >= 0 and keys[j] > key:
                keys[j + gap] = keys[j]
                j -= gap
            keys[j + gap] = key
        gap //= 3


@kernel()
def _sum_rows(indptr, column_of, columns, plays, sums, sizes, first, last):  # type: ignore[no-untyped-def]
    """Sort listeners by column and sum what is in the same one, in place; ``sizes`` becomes the pairs of each."""
    longest = 0
    for listener in range(first, last):
        longest = max(longest, indptr[listener + 1] - indptr[listener])
    keys, values = np.empty(longest, np.int64), np.empty(longest, np.int64)
    for listener in range(first, last):
        begin, n = indptr[listener], indptr[listener + 1] - indptr[listener]
        for i in range(n):
            keys[i] = np.int64(column_of[columns[begin + i]]) << 32 | i
            values[i] = plays[begin + i]
        _sort(keys[:n])
        size, i = 0, 0
        while i < n:
            column, total = keys[i] >> 32, np.int64(0)
            while i < n and keys[i] >> 32 == column:
                total += values[keys[i] & 0xFFFFFFFF]
                i += 1
            columns[begin + size] = column
            sums[begin + size] = total
            size += 1
        sizes[listener] = size


@kernel()
def _close_gaps(indptr, sizes, columns, sums):  # type: ignore[no-untyped-def]
    """Move the pairs of all listeners together; returns where they begin then."""
    moved = np.zeros_like(indptr)
    for listener in range(sizes.shape[0]):
        begin, to = indptr[listener], moved[listener]
        for i in range(sizes[listener]):
            columns[to + i] = columns[begin + i]
            sums[to + i] = sums[begin + i]
        moved[listener + 1] = to + sizes[listener]
    return moved
