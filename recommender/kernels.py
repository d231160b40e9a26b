"""What compiled inner loops share: how they are compiled, cut into blocks, and keep the best.

Whatever the number of threads, the bits are the same: work is cut into blocks that depend on the data alone, each block
is computed by one thread, and sums over blocks are taken in their order.
"""

from collections.abc import Callable
from typing import Any, cast

import numba
import numpy as np
import numpy.typing as npt

# Dot products in vector registers; not-a-numbers stay what they are.
FASTMATH = {"reassoc", "contract", "nsz", "arcp"}
BLOCK_ROWS = 1024


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile with numba, and keep the compiled code for the next process where there is a place to write it."""

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return cast("Callable[..., Any]", numba.njit(function, cache=True, nogil=True, **options))
        except RuntimeError:  # a service user without a home, on an installation that it cannot write
            return cast("Callable[..., Any]", numba.njit(function, nogil=True, **options))

    return compiled


def balanced_blocks(work_before: npt.NDArray[Any], block_work: int) -> npt.NDArray[np.int64]:
    """Cut rows into blocks of about equal work, the work items of a thread.

    Parameters
    ----------
    work_before : shape (n_rows + 1,), what the rows before each one cost together, from 0, not falling.
    block_work : what a block shall cost, > 0; one row is never cut.

    Returns
    -------
    Row numbers that begin the blocks, rising, from 0 to n_rows.
    """
    n_rows = work_before.shape[0] - 1
    cuts = np.searchsorted(work_before, np.arange(block_work, work_before[-1], block_work), side="left")
    return np.unique(np.concatenate(([0], cuts, [n_rows]))).astype(np.int64)


@kernel(parallel=True)
def block_grams(matrix):  # type: ignore[no-untyped-def]
    """``YtY`` of each block of rows, shape (n_blocks, n_factors, n_factors), float32: short sums, to be added up."""
    n_rows, n_factors = matrix.shape
    n_blocks = (n_rows + BLOCK_ROWS - 1) // BLOCK_ROWS
    grams = np.empty((n_blocks, n_factors, n_factors), dtype=np.float32)
    for block in numba.prange(n_blocks):
        rows = matrix[block * BLOCK_ROWS : min((block + 1) * BLOCK_ROWS, n_rows)]
        grams[block] = np.dot(rows.T, rows)
    return grams


@kernel()
def insert(idx, score, support, n_kept, other, cosine, together):  # type: ignore[no-untyped-def]
    """Put an artist into a row that is sorted, best first, and drop the worst if it is full; returns how many it holds.

    Of equal scores the lower number comes first, in whatever order they are met.
    """
    k = idx.shape[0]
    place = n_kept
    while place > 0 and (score[place - 1] < cosine or (score[place - 1] == cosine and idx[place - 1] > other)):
        if place < k:
            idx[place], score[place], support[place] = idx[place - 1], score[place - 1], support[place - 1]
        place -= 1
    if place == k:
        return n_kept
    idx[place], score[place], support[place] = other, cosine, together
    return min(n_kept + 1, k)
