"""The compiled inner loops of ALS and of the neighbour table.

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


@kernel(parallel=True)
def transformed(matrix, square, result):  # type: ignore[no-untyped-def]
    """``result = matrix @ square``, block of rows by block of rows."""
    n_rows = matrix.shape[0]
    for block in numba.prange((n_rows + BLOCK_ROWS - 1) // BLOCK_ROWS):
        begin, end = block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, n_rows)
        np.dot(matrix[begin:end], square, result[begin:end])


@kernel(fastmath=FASTMATH)
def _accumulate(indices, values, fixed, x, rated, sign, result):  # type: ignore[no-untyped-def]
    """``result = rated * sum c y + sign * (x + sum (c - 1) (y.x) y)``, over the played cells of one row."""
    n_factors, one = x.shape[0], np.float32(1)
    for f in range(n_factors):
        result[f] = sign * x[f]
    n_eights = indices.shape[0] - indices.shape[0] % 8
    # Eight artists at a time: one load of x and of the result serves all, and eight sums hide each other's latency.
    for k in range(0, n_eights, 8):
        y0, y1, y2, y3 = fixed[indices[k]], fixed[indices[k + 1]], fixed[indices[k + 2]], fixed[indices[k + 3]]
        y4, y5, y6, y7 = fixed[indices[k + 4]], fixed[indices[k + 5]], fixed[indices[k + 6]], fixed[indices[k + 7]]
        d0 = d1 = d2 = d3 = d4 = d5 = d6 = d7 = np.float32(0)
        for f in range(n_factors):
            xf = x[f]
            d0 += y0[f] * xf
            d1 += y1[f] * xf
            d2 += y2[f] * xf
            d3 += y3[f] * xf
            d4 += y4[f] * xf
            d5 += y5[f] * xf
            d6 += y6[f] * xf
            d7 += y7[f] * xf
        w0 = rated * values[k] + sign * (values[k] - one) * d0
        w1 = rated * values[k + 1] + sign * (values[k + 1] - one) * d1
        w2 = rated * values[k + 2] + sign * (values[k + 2] - one) * d2
        w3 = rated * values[k + 3] + sign * (values[k + 3] - one) * d3
        w4 = rated * values[k + 4] + sign * (values[k + 4] - one) * d4
        w5 = rated * values[k + 5] + sign * (values[k + 5] - one) * d5
        w6 = rated * values[k + 6] + sign * (values[k + 6] - one) * d6
        w7 = rated * values[k + 7] + sign * (values[k + 7] - one) * d7
        for f in range(n_factors):
            result[f] += (
                w0 * y0[f] + w1 * y1[f] + w2 * y2[f] + w3 * y3[f] + w4 * y4[f] + w5 * y5[f] + w6 * y6[f] + w7 * y7[f]
            )
    for k in range(n_eights, indices.shape[0]):
        y = fixed[indices[k]]
        d = np.float32(0)
        for f in range(n_factors):
            d += y[f] * x[f]
        w = rated * values[k] + sign * (values[k] - one) * d
        for f in range(n_factors):
            result[f] += w * y[f]


@kernel(fastmath=FASTMATH)
def _solve_row(indices, values, fixed, x, residual, direction, product, cg_steps):  # type: ignore[no-untyped-def]
    """Solve ``(I + sum (c - 1) y yt) x = sum c y`` by conjugate gradients from the given x, in place."""
    n_factors = x.shape[0]
    _accumulate(indices, values, fixed, x, np.float32(1), np.float32(-1), residual)
    squared = np.float32(0)
    for f in range(n_factors):
        direction[f] = residual[f]
        squared += residual[f] * residual[f]
    for _step in range(cg_steps):
        if squared < np.float32(1e-20):  # solved; the next step would divide nothing by nothing
            break
        _accumulate(indices, values, fixed, direction, np.float32(0), np.float32(1), product)
        curvature = np.float32(0)
        for f in range(n_factors):
            curvature += direction[f] * product[f]
        length = squared / curvature
        before, squared = squared, np.float32(0)
        for f in range(n_factors):
            x[f] += length * direction[f]
            residual[f] -= length * product[f]
            squared += residual[f] * residual[f]
        for f in range(n_factors):
            direction[f] = residual[f] + squared / before * direction[f]


@kernel(parallel=True, fastmath=FASTMATH)
def solve_rows(indptr, indices, values, starts, fixed, rows, lower, inverse, cg_steps):  # type: ignore[no-untyped-def]
    """Solve every row in place, starting from what it holds.

    ``fixed`` is whitened already; a block of rows is whitened (``@ lower``) and taken back (``@ inverse``) while it is
    in the cache. Rows without plays become zero.
    """
    n_factors = fixed.shape[1]
    for block in numba.prange(starts.shape[0] - 1):
        first, last = starts[block], starts[block + 1]
        residual = np.empty(n_factors, dtype=np.float32)
        direction = np.empty(n_factors, dtype=np.float32)
        product = np.empty(n_factors, dtype=np.float32)
        whitened = np.dot(rows[first:last], lower)
        for row in range(first, last):
            begin, end = indptr[row], indptr[row + 1]
            x = whitened[row - first]
            if begin == end:
                x[:] = 0
            else:
                _solve_row(indices[begin:end], values[begin:end], fixed, x, residual, direction, product, cg_steps)
        np.dot(whitened, inverse, rows[first:last])


@kernel(parallel=True, fastmath=FASTMATH)
def played_correction(indptr, indices, values, starts, listener_factors, artist_factors):  # type: ignore[no-untyped-def]
    """``sum over the played cells of c (1 - x.y)^2 - (x.y)^2``, float64, one number per block of rows."""
    n_factors = listener_factors.shape[1]
    sums = np.zeros(starts.shape[0] - 1)
    for block in numba.prange(starts.shape[0] - 1):
        total = 0.0
        for row in range(starts[block], starts[block + 1]):
            x = listener_factors[row]
            for position in range(indptr[row], indptr[row + 1]):
                y = artist_factors[indices[position]]
                score = np.float32(0)
                for f in range(n_factors):
                    score += x[f] * y[f]
                total += values[position] * (1.0 - score) ** 2 - np.float64(score) * score
        sums[block] = total
    return sums


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
