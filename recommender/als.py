r"""Implicit ALS: confidence-weighted matrix factorization by alternating least squares.

The loss, over *all* cells, with p = 1 where a listener played an artist and 0 elsewhere::

    sum_ui c_ui (p_ui - x_u . y_i)^2  +  regularization (sum_u |x_u|^2 + sum_i |y_i|^2)

With the artists held fixed, each listener is a ridge regression of its own,
``(YtY + Yt (C_u - I) Y + regularization I) x_u = Yt C_u p_u``: the first product is shared by all rows, the second
costs a row its nnz (Hu, Koren & Volinsky 2008). The rows are solved by conjugate gradients from the last iteration's
solution (Takács, Pilászy & Tikk 2011), in coordinates in which ``YtY + regularization I`` is the identity, so that a
row with few plays is nearly solved before the first step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numba
import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular

from recommender.errors import ModelError, ParameterError
from recommender.factors import Factors
from recommender.matrix import CSR, FloatMatrix

Progress = Callable[[int, float], None]
"""Called after each iteration with its number (from 1) and the loss."""

GRAM_BLOCK_ROWS = 8192
BLOCK_NNZ = 16_384


@dataclass(frozen=True, slots=True)
class ALSParams:
    """Options of :func:`fit_als`.

    ``n_factors`` 1 to 1024; ``regularization`` > 0 is lambda of the loss, not scaled by the number of plays;
    ``iterations`` >= 1, each solves all listeners and then all artists; ``cg_steps`` >= 1 per row.
    """

    n_factors: int = 64
    regularization: float = 30.0
    iterations: int = 15
    cg_steps: int = 3

    def __post_init__(self) -> None:
        if not 1 <= self.n_factors <= 1024:
            raise ParameterError(f"n_factors is {self.n_factors}; use 1 to 1024")
        if not self.regularization > 0:
            raise ParameterError(f"regularization is {self.regularization}; ALS needs a value above 0")
        if self.iterations < 1 or self.cg_steps < 1:
            raise ParameterError("iterations and cg_steps must be at least 1")


def fit_als(
    confidence: CSR, params: ALSParams, *, rng: np.random.Generator, progress: Progress | None = None
) -> Factors:
    """Factorize a confidence matrix by implicit ALS.

    Parameters
    ----------
    confidence : shape (n_listeners, n_artists), values c >= 1 of the played pairs; an absent pair means c = 1, p = 0.
    params : options.
    rng : draws the starting point; the same state gives the same bits.
    progress : told the loss after each iteration.

    Returns
    -------
    Factors with the loss as ``objective``. A listener or artist without plays has zero factors.

    Raises
    ------
    ModelError : the factors are not finite or collapsed.

    References
    ----------
    Hu, Koren & Volinsky (2008), Collaborative filtering for implicit feedback datasets, ICDM.
    Takács, Pilászy & Tikk (2011), Applications of the conjugate gradient method for implicit feedback CF, RecSys.
    """
    n_listeners, n_artists = confidence.shape
    confidence_by_artist: CSR = confidence.T.tocsr()
    scale = 1 / np.sqrt(params.n_factors)
    listener_factors = np.zeros((n_listeners, params.n_factors), dtype=np.float32)
    artist_factors = (scale * rng.standard_normal((n_artists, params.n_factors))).astype(np.float32)
    loss = np.inf
    for iteration in range(1, params.iterations + 1):
        listener_factors = half_step(confidence, listener_factors, artist_factors, params)
        artist_factors = half_step(confidence_by_artist, artist_factors, listener_factors, params)
        loss = objective(confidence, listener_factors, artist_factors, regularization=params.regularization)
        if not np.isfinite(loss):
            raise ModelError(f"the loss is not finite after iteration {iteration}; train with more regularization")
        if progress:
            progress(iteration, loss)
    return Factors(listener_factors, artist_factors, objective=loss)


def half_step(confidence: CSR, rows: FloatMatrix, fixed: FloatMatrix, params: ALSParams) -> FloatMatrix:
    """Solve all rows with the other side held fixed; the loss does not rise.

    Parameters
    ----------
    confidence : shape (n_rows, n_fixed).
    rows : shape (n_rows, n_factors), where the solver starts.
    fixed : shape (n_fixed, n_factors).

    Returns
    -------
    New rows, shape (n_rows, n_factors), float32, C order.
    """
    ridge = params.regularization * np.eye(params.n_factors)
    # YtY + ridge = L Lt; with y' = L^-1 y and x' = Lt x the shared part of every row's system becomes the identity.
    lower = cholesky(gram(fixed) + ridge, lower=True)
    inverse = solve_triangular(lower, np.eye(params.n_factors), lower=True)
    whitened_fixed = np.ascontiguousarray(fixed @ inverse.T.astype(np.float32))
    whitened_rows = np.ascontiguousarray(rows @ lower.astype(np.float32))
    starts = balanced_blocks(confidence.indptr)
    _solve_rows(
        confidence.indptr, confidence.indices, confidence.data, starts, whitened_fixed, whitened_rows, params.cg_steps
    )
    return np.ascontiguousarray(whitened_rows @ inverse.astype(np.float32))


def gram(matrix: FloatMatrix) -> npt.NDArray[np.float64]:
    """``YtY`` in float64, summed over blocks of rows: no second copy of the matrix, and exact for millions of rows."""
    total = np.zeros((matrix.shape[1], matrix.shape[1]))
    for start in range(0, matrix.shape[0], GRAM_BLOCK_ROWS):
        block = matrix[start : start + GRAM_BLOCK_ROWS].astype(np.float64)
        total += block.T @ block
    return total


def objective(
    confidence: CSR, listener_factors: FloatMatrix, artist_factors: FloatMatrix, *, regularization: float
) -> float:
    """The loss at these factors, in float64, without visiting the absent cells.

    ``sum_all (x.y)^2`` is ``trace(XtX YtY)``; the played cells then correct it.
    """
    gram_x, gram_y = gram(listener_factors), gram(artist_factors)
    everywhere = float(np.sum(gram_x * gram_y))
    played = _played_correction(
        confidence.indptr, confidence.indices, confidence.data, listener_factors, artist_factors
    )
    return everywhere + float(played.sum()) + regularization * float(np.trace(gram_x) + np.trace(gram_y))


def balanced_blocks(indptr: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Row numbers that cut a matrix into blocks of about equal nnz, the work items of a thread: 0 ... n_rows."""
    n_rows = indptr.shape[0] - 1
    # A row weighs its nnz and one for itself, so that empty rows are shared out too.
    weight = indptr.astype(np.int64) + np.arange(n_rows + 1)
    cuts = np.searchsorted(weight, np.arange(BLOCK_NNZ, weight[-1], BLOCK_NNZ), side="left")
    return np.unique(np.concatenate(([0], cuts, [n_rows])))


_FASTMATH = {"reassoc", "contract", "nsz", "arcp"}  # dot products in vector registers; not-a-numbers stay what they are


def _kernel(**options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile with numba, and keep the compiled code for the next process where there is a place to write it."""

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return cast("Callable[..., Any]", numba.njit(function, cache=True, **options))
        except RuntimeError:  # a service user without a home, on an installation that it cannot write
            return cast("Callable[..., Any]", numba.njit(function, **options))

    return compiled


@_kernel(fastmath=_FASTMATH)
def _accumulate(indices, values, fixed, x, rated, sign, result):  # type: ignore[no-untyped-def]
    """``result = rated * sum c y + sign * (x + sum (c - 1) (y.x) y)``, over the played cells of one row."""
    n_factors = x.shape[0]
    for f in range(n_factors):
        result[f] = sign * x[f]
    for position in range(indices.shape[0]):
        y = fixed[indices[position]]
        c = values[position]
        dot = np.float32(0)
        for f in range(n_factors):
            dot += y[f] * x[f]
        weight = rated * c + sign * (c - np.float32(1)) * dot
        for f in range(n_factors):
            result[f] += weight * y[f]


@_kernel(fastmath=_FASTMATH)
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


@_kernel(parallel=True, fastmath=_FASTMATH, nogil=True)
def _solve_rows(indptr, indices, values, starts, fixed, rows, cg_steps):  # type: ignore[no-untyped-def]
    """Solve every row in place; a row's result depends on nothing but the row, so threads do not change the bits."""
    n_factors = fixed.shape[1]
    for block in numba.prange(starts.shape[0] - 1):
        residual = np.empty(n_factors, dtype=np.float32)
        direction = np.empty(n_factors, dtype=np.float32)
        product = np.empty(n_factors, dtype=np.float32)
        for row in range(starts[block], starts[block + 1]):
            begin, end = indptr[row], indptr[row + 1]
            if begin == end:
                rows[row] = 0
            else:
                _solve_row(
                    indices[begin:end], values[begin:end], fixed, rows[row], residual, direction, product, cg_steps
                )


@_kernel(parallel=True, nogil=True)
def _played_correction(indptr, indices, values, listener_factors, artist_factors):  # type: ignore[no-untyped-def]
    """``sum over a listener's played cells of c (1 - x.y)^2 - (x.y)^2``, float64, one number per listener."""
    n_rows = indptr.shape[0] - 1
    sums = np.zeros(n_rows)
    for row in numba.prange(n_rows):
        total = 0.0
        for position in range(indptr[row], indptr[row + 1]):
            score = 0.0
            for f in range(listener_factors.shape[1]):
                score += np.float64(listener_factors[row, f]) * artist_factors[indices[position], f]
            total += values[position] * (1.0 - score) ** 2 - score * score
        sums[row] = total
    return sums
