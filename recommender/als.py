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

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular

from recommender import kernels
from recommender.errors import ModelError, ParameterError
from recommender.factors import Factors
from recommender.matrix import CSR, FloatMatrix

Progress = Callable[[int, float], None]
"""Called after each iteration with its number (from 1) and the loss."""

BLOCK_WEIGHT = 16_384
# About what a row costs besides its plays, in plays.
ROW_WEIGHT = 6


@dataclass(frozen=True, slots=True)
class ALSParams:
    """Options of :func:`fit_als`.

    ``n_factors`` 1 to 1024; ``regularization`` > 0 is lambda of the loss, not scaled by the number of plays;
    ``iterations`` >= 1, each solves all listeners and then all artists; ``cg_steps`` >= 1 per row.
    """

    n_factors: int = 64
    regularization: float = 30.0
    iterations: int = 15
    cg_steps: int = 2

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
    ModelError : the loss or the factors are not finite.

    References
    ----------
    Hu, Koren & Volinsky (2008), Collaborative filtering for implicit feedback datasets, ICDM.
    Takács, Pilászy & Tikk (2011), Applications of the conjugate gradient method for implicit feedback CF, RecSys.
    Rendle, Krichene, Zhang & Koren (2021), Revisiting the performance of iALS on item recommendation benchmarks.
    """
    n_listeners, n_artists = confidence.shape
    confidence_by_artist: CSR = confidence.T.tocsr()
    # Small, as Rendle et al. (2021) start: on the twin of Last.fm-360K ten times as much costs half a percent of loss.
    scale = 0.1 / np.sqrt(params.n_factors)
    listener_factors = np.zeros((n_listeners, params.n_factors), dtype=np.float32)
    artist_factors = (scale * rng.standard_normal((n_artists, params.n_factors))).astype(np.float32)
    scratch = np.empty((max(n_listeners, n_artists), params.n_factors), dtype=np.float32)
    loss = np.inf
    for iteration in range(1, params.iterations + 1):
        half_step(confidence, listener_factors, artist_factors, params, scratch=scratch)
        half_step(confidence_by_artist, artist_factors, listener_factors, params, scratch=scratch)
        if progress is None and iteration < params.iterations:
            continue  # the loss costs a fifth of an iteration, and nobody asks for it
        loss = objective(confidence, listener_factors, artist_factors, regularization=params.regularization)
        if not np.isfinite(loss):
            raise ModelError(f"the loss is not finite after iteration {iteration}; train with more regularization")
        if progress is not None:
            progress(iteration, loss)
    return Factors(listener_factors, artist_factors, objective=loss)


def half_step(
    confidence: CSR, rows: FloatMatrix, fixed: FloatMatrix, params: ALSParams, *, scratch: FloatMatrix
) -> None:
    """Solve all rows, in place, with the other side held fixed; the loss does not rise.

    Parameters
    ----------
    confidence : shape (n_rows, n_fixed).
    rows : shape (n_rows, n_factors), float32, C order; the solver starts from what it holds.
    fixed : shape (n_fixed, n_factors).
    scratch : at least n_fixed rows of n_factors, overwritten; new memory for each half-step would cost a tenth of it.
    """
    ridge = params.regularization * np.eye(params.n_factors)
    # YtY + ridge = L Lt; with y' = L^-1 y and x' = Lt x the shared part of every row's system becomes the identity.
    lower = cholesky(gram(fixed) + ridge, lower=True)
    inverse = solve_triangular(lower, np.eye(params.n_factors), lower=True).astype(np.float32)
    whitened = scratch[: fixed.shape[0]]
    kernels.transformed(fixed, np.ascontiguousarray(inverse.T), whitened)
    kernels.solve_rows(
        confidence.indptr,
        confidence.indices,
        confidence.data,
        _blocks(confidence),
        whitened,
        rows,
        np.ascontiguousarray(lower.astype(np.float32)),
        np.ascontiguousarray(inverse),
        params.cg_steps,
    )


def gram(matrix: FloatMatrix) -> npt.NDArray[np.float64]:
    """``YtY``, summed over blocks of rows in float64."""
    total: npt.NDArray[np.float64] = kernels.block_grams(matrix).sum(axis=0, dtype=np.float64)
    return total


def objective(
    confidence: CSR, listener_factors: FloatMatrix, artist_factors: FloatMatrix, *, regularization: float
) -> float:
    """The loss at these factors, in float64, without visiting the absent cells.

    ``sum_all (x.y)^2`` is ``trace(XtX YtY)``; the played cells then correct it.
    """
    gram_x, gram_y = gram(listener_factors), gram(artist_factors)
    everywhere = float(np.sum(gram_x * gram_y))
    starts = _blocks(confidence)
    played = kernels.played_correction(
        confidence.indptr, confidence.indices, confidence.data, starts, listener_factors, artist_factors
    )
    return everywhere + float(played.sum()) + regularization * float(np.trace(gram_x) + np.trace(gram_y))


def _blocks(confidence: CSR) -> npt.NDArray[np.int64]:
    n_rows = confidence.shape[0]
    return kernels.balanced_blocks(confidence.indptr + ROW_WEIGHT * np.arange(n_rows + 1), BLOCK_WEIGHT)
