"""The compiled inner loops of ALS: every row's ridge regression, by preconditioned conjugate gradients.

A half-step solves, for each row u with the other side Y fixed,
``(YtY + r_u I + sum (c - 1) y yt) x = sum (c - t) y``; t is 0 in the loss of Hu et al. and 1 in iALS. ``YtY`` is
rotated to its diagonal ``lambda`` first, so that ``lambda + r_u`` is both the shared part of the product and the
preconditioner, whatever the ridge of the row: what is left to solve is the row's own plays.

Where Y is too large for the processor's cache, rows with many plays are solved all together, tile by tile of Y: each of
their passes over Y then finds it in the cache, where row by row each play would wait for the main memory.
"""

import numba
import numpy as np

from recommender.halves import loaded, store
from recommender.kernels import BLOCK_ROWS, FASTMATH, kernel

SOLVED = np.float32(1e-20)


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
def _accumulate(indices, values, fixed, x, rated, sign, absent, result):  # type: ignore[no-untyped-def]
    """``result += rated * sum (c - t) y + sign * sum (c - 1) (y.x) y``, over plays of one row."""
    n_factors, one = x.shape[0], np.float32(1)
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
def _share(x, shared, ridge, scale, sign, result):  # type: ignore[no-untyped-def]
    """``result = sign * diagonal x``: of a row's system what it has in common with all others, and its ridge."""
    for f in range(x.shape[0]):
        result[f] = sign * (shared[f] + ridge) * scale[f] * x[f]


@kernel(fastmath=FASTMATH, error_model="numpy")
def _turn(residual, shared, ridge, scale, before, direction):  # type: ignore[no-untyped-def]
    """Choose the next direction of a row, from the energy ``before`` (0: it is the first); returns the energy now."""
    energy = np.float32(0)
    for f in range(residual.shape[0]):
        energy += residual[f] * residual[f] / ((shared[f] + ridge) * scale[f])
    kept = energy / before if before > 0 else np.float32(0)
    for f in range(residual.shape[0]):
        direction[f] = residual[f] / ((shared[f] + ridge) * scale[f]) + kept * direction[f]
    return energy


@kernel(fastmath=FASTMATH, error_model="numpy")
def _advance(x, residual, direction, product, energy):  # type: ignore[no-untyped-def]
    """Go as far as the loss falls along a direction, of which ``product`` is the row's system times it."""
    if energy < SOLVED:  # the next step would divide nothing by nothing
        return
    curvature = np.float32(0)
    for f in range(x.shape[0]):
        curvature += direction[f] * product[f]
    length = energy / curvature
    for f in range(x.shape[0]):
        x[f] += length * direction[f]
        residual[f] -= length * product[f]


@kernel(parallel=True, fastmath=FASTMATH)
def solve_rows(  # type: ignore[no-untyped-def]
    indptr, indices, values, starts, longest, fixed, rows, shared, scale, ridge, rotation, back, absent, cg_steps
):
    """Solve every row with no more than ``longest`` plays in place, starting from what it holds.

    ``fixed`` is rotated and scaled already; a block of rows is rotated and taken back while it is in the cache. Rows
    without plays become zero; longer rows stay what they are, but for rounding.
    """
    n_factors = rows.shape[1]
    for block in numba.prange(starts.shape[0] - 1):
        first, last = starts[block], starts[block + 1]
        residual = np.empty(n_factors, dtype=np.float32)
        direction = np.zeros(n_factors, dtype=np.float32)
        product = np.empty(n_factors, dtype=np.float32)
        rotated = np.dot(rows[first:last], rotation)
        for row in range(first, last):
            begin, end = indptr[row], indptr[row + 1]
            x = rotated[row - first]
            if begin == end:
                x[:] = 0
                continue
            if end - begin > longest:
                continue
            picked, confidences = indices[begin:end], values[begin:end]
            _share(x, shared, ridge[row], scale, np.float32(-1), residual)
            _accumulate(picked, confidences, fixed, x, np.float32(1), np.float32(-1), absent, residual)
            energy = np.float32(0)
            for _ in range(cg_steps):
                energy = _turn(residual, shared, ridge[row], scale, energy, direction)
                _share(direction, shared, ridge[row], scale, np.float32(1), product)
                _accumulate(picked, confidences, fixed, direction, np.float32(0), np.float32(1), absent, product)
                _advance(x, residual, direction, product, energy)
        np.dot(rotated, back, rows[first:last])


@kernel(parallel=True)
def tile_bounds(indptr, indices, chosen, tile_rows, bounds):  # type: ignore[no-untyped-def]
    """Write where the plays of each tile begin in each chosen row, shape (n_chosen, n_tiles + 1); indices rise."""
    for i in numba.prange(chosen.shape[0]):
        position, end = indptr[chosen[i]], indptr[chosen[i] + 1]
        for tile in range(bounds.shape[1]):
            while position < end and indices[position] < tile * tile_rows:
                position += 1
            bounds[i, tile] = position


@kernel(parallel=True, fastmath=FASTMATH)
def _accumulate_tiles(bounds, starts, indices, values, fixed, x, rated, sign, absent, result):  # type: ignore[no-untyped-def]
    """As ``_accumulate``, for many rows at once, tile by tile."""
    for tile in range(bounds.shape[1] - 1):
        for block in numba.prange(starts.shape[0] - 1):
            for i in range(starts[block], starts[block + 1]):
                begin, end = bounds[i, tile], bounds[i, tile + 1]
                _accumulate(indices[begin:end], values[begin:end], fixed, x[i], rated, sign, absent, result[i])


@kernel(parallel=True, fastmath=FASTMATH)
def solve_tiles(  # type: ignore[no-untyped-def]
    bounds, starts, chosen, indices, values, fixed, rows, shared, scale, ridge, rotation, back, absent, cg_steps
):
    """Solve the chosen rows in place, as ``solve_rows`` does the others.

    ``bounds`` is what ``tile_bounds`` wrote; ``starts`` cuts the chosen rows into blocks.
    """
    n_chosen, n_factors = chosen.shape[0], rows.shape[1]
    x = np.empty((n_chosen, n_factors), dtype=np.float32)
    residual, product = np.empty_like(x), np.empty_like(x)
    direction, energy = np.zeros_like(x), np.zeros(n_chosen, dtype=np.float32)
    for block in numba.prange(starts.shape[0] - 1):
        first, last = starts[block], starts[block + 1]
        x[first:last] = np.dot(rows[chosen[first:last]], rotation)
        for i in range(first, last):
            _share(x[i], shared, ridge[chosen[i]], scale, np.float32(-1), residual[i])
    _accumulate_tiles(bounds, starts, indices, values, fixed, x, np.float32(1), np.float32(-1), absent, residual)
    for _ in range(cg_steps):
        for block in numba.prange(starts.shape[0] - 1):
            for i in range(starts[block], starts[block + 1]):
                own = ridge[chosen[i]]
                energy[i] = _turn(residual[i], shared, own, scale, energy[i], direction[i])
                _share(direction[i], shared, own, scale, np.float32(1), product[i])
        _accumulate_tiles(
            bounds, starts, indices, values, fixed, direction, np.float32(0), np.float32(1), absent, product
        )
        for block in numba.prange(starts.shape[0] - 1):
            for i in range(starts[block], starts[block + 1]):
                _advance(x[i], residual[i], direction[i], product[i], energy[i])
    for block in numba.prange(starts.shape[0] - 1):
        first, last = starts[block], starts[block + 1]
        solved = np.dot(x[first:last], back)
        for i in range(first, last):
            rows[chosen[i]] = solved[i - first]


@kernel(parallel=True, fastmath=FASTMATH)
def played_correction(indptr, indices, values, starts, absent, listener_factors, artist_factors):  # type: ignore[no-untyped-def]
    """What the played cells add to the loss of an empty matrix, float64, one number per block of rows.

    ``sum (c - 1) (1 - x.y)^2 + (1 - t) ((1 - x.y)^2 - (x.y)^2)``; t as above.
    """
    n_factors = listener_factors.shape[1]
    sums = np.zeros(starts.shape[0] - 1)
    for block in numba.prange(starts.shape[0] - 1):
        total = 0.0
        scores = np.empty(4, dtype=np.float32)
        for row in range(starts[block], starts[block + 1]):
            x = listener_factors[row]
            for first in range(indptr[row], indptr[row + 1], 4):
                n = min(4, indptr[row + 1] - first)
                last = first + n - 1
                # Four artists at a time, as above; where there are fewer, the last one again.
                y0, y1 = artist_factors[indices[first]], artist_factors[indices[min(first + 1, last)]]
                y2, y3 = artist_factors[indices[min(first + 2, last)]], artist_factors[indices[last]]
                d0 = d1 = d2 = d3 = np.float32(0)
                for f in range(n_factors):
                    d0 += x[f] * y0[f]
                    d1 += x[f] * y1[f]
                    d2 += x[f] * y2[f]
                    d3 += x[f] * y3[f]
                scores[0], scores[1], scores[2], scores[3] = d0, d1, d2, d3
                for i in range(n):
                    score = np.float64(scores[i])
                    missed = (1.0 - score) ** 2
                    total += (values[first + i] - 1.0) * missed
                    total += (1.0 - absent) * (missed - score * score)
        sums[block] = total
    return sums
