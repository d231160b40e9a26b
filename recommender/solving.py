"""The compiled inner loops of ALS: every row's ridge regression, by preconditioned conjugate gradients.

A half-step solves, for each row u with the other side Y fixed,
``(YtY + r_u I + sum (c - 1) y yt) x = sum (c - t) y``; t is 0 in the loss of Hu et al. and 1 in iALS. ``YtY`` is
rotated to its diagonal ``lambda`` first, so that ``lambda + r_u`` is both the shared part of the product and the
preconditioner, whatever the ridge of the row: what is left to solve is the row's own plays.
"""

import numba
import numpy as np

from recommender.halves import loaded, store
from recommender.kernels import BLOCK_ROWS, FASTMATH, kernel


@kernel(parallel=True)
def rotate(matrix, rotation, result):  # type: ignore[no-untyped-def]
    """``result = matrix @ rotation``, block of rows by block of rows; ``result`` is float32 or holds half bits."""
    n_rows, n_factors = matrix.shape
    for block in numba.prange((n_rows + BLOCK_ROWS - 1) // BLOCK_ROWS):
        begin, end = block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, n_rows)
        rotated = np.dot(matrix[begin:end], rotation)
        for row in range(begin, end):
            for f in range(n_factors):
                store(result, row, f, rotated[row - begin, f])


@kernel(fastmath=FASTMATH)
def _accumulate(indices, values, fixed, x, diagonal, rated, sign, absent, result):  # type: ignore[no-untyped-def]
    """``result = rated * sum (c - t) y + sign * (diagonal x + sum (c - 1) (y.x) y)``, over the plays of one row."""
    n_factors, one = x.shape[0], np.float32(1)
    for f in range(n_factors):
        result[f] = sign * diagonal[f] * x[f]
    n_eights = indices.shape[0] - indices.shape[0] % 8
    # Eight artists at a time: one load of x and of the result serves all, and eight sums hide each other's latency.
    for k in range(0, n_eights, 8):
        y0, y1, y2, y3 = fixed[indices[k]], fixed[indices[k + 1]], fixed[indices[k + 2]], fixed[indices[k + 3]]
        y4, y5, y6, y7 = fixed[indices[k + 4]], fixed[indices[k + 5]], fixed[indices[k + 6]], fixed[indices[k + 7]]
        d0 = d1 = d2 = d3 = d4 = d5 = d6 = d7 = np.float32(0)
        for f in range(n_factors):
            xf = x[f]
            d0 += loaded(y0[f]) * xf
            d1 += loaded(y1[f]) * xf
            d2 += loaded(y2[f]) * xf
            d3 += loaded(y3[f]) * xf
            d4 += loaded(y4[f]) * xf
            d5 += loaded(y5[f]) * xf
            d6 += loaded(y6[f]) * xf
            d7 += loaded(y7[f]) * xf
        w0 = rated * (values[k] - absent) + sign * (values[k] - one) * d0
        w1 = rated * (values[k + 1] - absent) + sign * (values[k + 1] - one) * d1
        w2 = rated * (values[k + 2] - absent) + sign * (values[k + 2] - one) * d2
        w3 = rated * (values[k + 3] - absent) + sign * (values[k + 3] - one) * d3
        w4 = rated * (values[k + 4] - absent) + sign * (values[k + 4] - one) * d4
        w5 = rated * (values[k + 5] - absent) + sign * (values[k + 5] - one) * d5
        w6 = rated * (values[k + 6] - absent) + sign * (values[k + 6] - one) * d6
        w7 = rated * (values[k + 7] - absent) + sign * (values[k + 7] - one) * d7
        for f in range(n_factors):
            four = w0 * loaded(y0[f]) + w1 * loaded(y1[f]) + w2 * loaded(y2[f]) + w3 * loaded(y3[f])
            result[f] += four + w4 * loaded(y4[f]) + w5 * loaded(y5[f]) + w6 * loaded(y6[f]) + w7 * loaded(y7[f])
    for k in range(n_eights, indices.shape[0]):
        y = fixed[indices[k]]
        d = np.float32(0)
        for f in range(n_factors):
            d += loaded(y[f]) * x[f]
        w = rated * (values[k] - absent) + sign * (values[k] - one) * d
        for f in range(n_factors):
            result[f] += w * loaded(y[f])


@kernel(fastmath=FASTMATH)
def _solve_row(indices, values, fixed, x, diagonal, inverse, absent, cg_steps, residual, direction, product):  # type: ignore[no-untyped-def]
    """Solve one row's system by preconditioned conjugate gradients from the given x, in place."""
    n_factors = x.shape[0]
    _accumulate(indices, values, fixed, x, diagonal, np.float32(1), np.float32(-1), absent, residual)
    energy = np.float32(0)
    for f in range(n_factors):
        direction[f] = residual[f] * inverse[f]
        energy += residual[f] * direction[f]
    for step in range(cg_steps):
        if energy < np.float32(1e-20):  # solved; the next step would divide nothing by nothing
            break
        _accumulate(indices, values, fixed, direction, diagonal, np.float32(0), np.float32(1), absent, product)
        curvature = np.float32(0)
        for f in range(n_factors):
            curvature += direction[f] * product[f]
        length = energy / curvature
        for f in range(n_factors):
            x[f] += length * direction[f]
        if step == cg_steps - 1:
            break
        before, energy = energy, np.float32(0)
        for f in range(n_factors):
            residual[f] -= length * product[f]
            energy += residual[f] * residual[f] * inverse[f]
        for f in range(n_factors):
            direction[f] = residual[f] * inverse[f] + energy / before * direction[f]


@kernel(parallel=True, fastmath=FASTMATH)
def solve_rows(  # type: ignore[no-untyped-def]
    indptr, indices, values, starts, fixed, rows, shared, scale, ridge, rotation, back, absent, cg_steps
):
    """Solve every row in place, starting from what it holds.

    ``fixed`` is rotated and scaled already; a block of rows is rotated and taken back while it is in the cache. Rows
    without plays become zero.
    """
    n_factors = rows.shape[1]
    for block in numba.prange(starts.shape[0] - 1):
        first, last = starts[block], starts[block + 1]
        diagonal = np.empty(n_factors, dtype=np.float32)
        inverse = np.empty(n_factors, dtype=np.float32)
        residual = np.empty(n_factors, dtype=np.float32)
        direction = np.empty(n_factors, dtype=np.float32)
        product = np.empty(n_factors, dtype=np.float32)
        rotated = np.dot(rows[first:last], rotation)
        for row in range(first, last):
            begin, end = indptr[row], indptr[row + 1]
            x = rotated[row - first]
            if begin == end:
                x[:] = 0
                continue
            for f in range(n_factors):
                diagonal[f] = (shared[f] + ridge[row]) * scale[f]
                inverse[f] = np.float32(1) / diagonal[f]
            _solve_row(
                indices[begin:end],
                values[begin:end],
                fixed,
                x,
                diagonal,
                inverse,
                absent,
                cg_steps,
                residual,
                direction,
                product,
            )
        np.dot(rotated, back, rows[first:last])


@kernel(parallel=True, fastmath=FASTMATH)
def played_correction(indptr, indices, values, starts, absent, listener_factors, artist_factors):  # type: ignore[no-untyped-def]
    """What the played cells add to the loss of an empty matrix, float64, one number per block of rows.

    ``sum (c - 1) (1 - x.y)^2 + (1 - t) ((1 - x.y)^2 - (x.y)^2)``; t as above.
    """
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
                missed = (1.0 - score) ** 2
                total += (values[position] - 1.0) * missed
                total += (1.0 - absent) * (missed - np.float64(score) * score)
        sums[block] = total
    return sums
