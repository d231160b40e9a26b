r"""The loss of implicit ALS, and the half-step that lowers it: one side's rows solved with the other side held fixed.

Over *all* cells, with p = 1 where a listener played an artist and 0 elsewhere, and confidence c >= 1 of the played::

    plain, als-wr   sum_ui c_ui (p_ui - x_u . y_i)^2
    ials            sum_played (c_ui - 1) (1 - x_u . y_i)^2 + a0 sum_ui (x_u . y_i)^2

    and in all      + sum_u r_u |x_u|^2 + sum_i r_i |y_i|^2

=========  =========================================  ==============================================================
ridge      r_u of a listener with n_u artists         source
=========  =========================================  ==============================================================
plain      lambda                                     Hu, Koren & Volinsky (2008)
als-wr     lambda n_u                                 Zhou, Wilkinson, Schreiber & Pan (2008); what Spark's ALS does
ials       lambda (n_u + a0 n_artists) ^ nu           Rendle, Krichene, Zhang & Koren (2021)
=========  =========================================  ==============================================================

and of an artist in the same way.
"""

import numpy as np
import numpy.typing as npt

from recommender import kernels, solving
from recommender.matrix import CSR, FloatMatrix
from recommender.ridge import RidgeParams

BLOCK_WEIGHT = 16_384
# About what a row costs besides its plays, in plays.
ROW_WEIGHT = 6
# Of the fixed side, what is kept in the cache while many rows pass over it: a part of the third level. Up to four such
# tiles are left to the cache; rows with fewer plays in each tile than it takes to begin there are solved one by one.
TILE_BYTES = 4 << 20
FEWEST_TILES = 5
FEWEST_IN_TILE = 32
TILED_BLOCK_WEIGHT = 131_072
# Halves reach 65,504; the rest is room for the rounding of YtY.
LARGEST_HALF = 4096.0


def half_step(
    confidence: CSR,
    rows: FloatMatrix,
    fixed: FloatMatrix,
    *,
    ridge: RidgeParams,
    cg_steps: int,
    scratch: FloatMatrix | npt.NDArray[np.uint16],
) -> None:
    """Solve all rows, in place, with the other side held fixed; the loss does not rise.

    Parameters
    ----------
    confidence : shape (n_rows, n_fixed).
    rows : shape (n_rows, n_factors), float32, C order; the solver starts from what it holds.
    fixed : shape (n_fixed, n_factors).
    ridge : the loss.
    cg_steps : steps of conjugate gradients per row, >= 1; as many as factors solve it exactly.
    scratch : at least n_fixed rows of n_factors, overwritten: float32, or :data:`recommender.halves.HALF_BITS`, which
        halves what is gathered. New memory for each half-step would cost a tenth of it.
    """
    products = gram(fixed)
    if not np.isfinite(products).all():  # nothing can be solved any more, and the loss says why
        rows[:] = np.nan
        return
    eigenvalues, eigenvectors = np.linalg.eigh(products)
    eigenvalues = np.maximum(eigenvalues, max(eigenvalues[-1] * 1e-6, np.finfo(np.float32).tiny))
    # No entry of a rotated column exceeds the root of its eigenvalue: scaled by powers of two, all fit into halves.
    scale = np.exp2(np.floor(np.log2(LARGEST_HALF / np.sqrt(eigenvalues))))
    rotated = scratch[: fixed.shape[0]]
    solving.rotate(fixed, _float32(eigenvectors * scale), rotated)
    tile_rows = max(1, TILE_BYTES // rotated[:1].nbytes)
    n_tiles = -(-len(fixed) // tile_rows)
    is_large = n_tiles >= FEWEST_TILES and bool(confidence.has_sorted_indices)
    longest = FEWEST_IN_TILE * n_tiles if is_large else len(fixed)
    system = (
        rotated,
        rows,
        _float32(ridge.everywhere * eigenvalues),
        _float32(scale**2),
        ridge.of_rows(confidence),
        _float32(eigenvectors / scale),
        _float32((eigenvectors * scale).T),
        ridge.absent,
        cg_steps,
    )
    indptr, indices, values = confidence.indptr, confidence.indices, confidence.data
    n_played = np.diff(indptr)
    is_long = n_played > longest
    starts = _blocks(np.where(is_long, 0, n_played) + ROW_WEIGHT, BLOCK_WEIGHT)
    solving.solve_rows(indptr, indices, values, starts, longest, *system)
    chosen = np.flatnonzero(is_long)
    if len(chosen):
        bounds = np.empty((len(chosen), n_tiles + 1), np.int64)
        solving.tile_bounds(indptr, indices, chosen, tile_rows, bounds)
        solving.solve_tiles(bounds, _blocks(n_played[chosen], TILED_BLOCK_WEIGHT), chosen, indices, values, *system)


def gram(matrix: FloatMatrix) -> npt.NDArray[np.float64]:
    """``YtY``, summed over blocks of rows in float64."""
    total: npt.NDArray[np.float64] = kernels.block_grams(matrix).sum(axis=0, dtype=np.float64)
    return total


def objective(
    confidence: CSR,
    confidence_by_artist: CSR,
    listener_factors: FloatMatrix,
    artist_factors: FloatMatrix,
    ridge: RidgeParams,
) -> float:
    """The loss at these factors, in float64, without visiting the absent cells.

    ``sum_all (x.y)^2`` is ``trace(XtX YtY)``; the played cells then correct it.
    """
    everywhere = float(np.sum(gram(listener_factors) * gram(artist_factors)))
    played = solving.played_correction(
        confidence.indptr,
        confidence.indices,
        confidence.data,
        blocks(confidence),
        ridge.absent,
        listener_factors,
        artist_factors,
    )
    ridges = _ridge_loss(ridge.of_rows(confidence), listener_factors)
    ridges += _ridge_loss(ridge.of_rows(confidence_by_artist), artist_factors)
    return ridge.everywhere * everywhere + float(played.sum()) + ridges


def blocks(confidence: CSR) -> npt.NDArray[np.int64]:
    """Cut the rows of a matrix into the work items of a thread."""
    return _blocks(np.diff(confidence.indptr) + ROW_WEIGHT, BLOCK_WEIGHT)


def _blocks(work: npt.NDArray[np.integer], block_work: int) -> npt.NDArray[np.int64]:
    return kernels.balanced_blocks(np.concatenate(([0], np.cumsum(work, dtype=np.int64))), block_work)


def _ridge_loss(ridge: FloatMatrix, factors: FloatMatrix) -> float:
    return float(ridge.astype(np.float64) @ np.einsum("rf,rf->r", factors, factors).astype(np.float64))


def _float32(matrix: npt.NDArray[np.float64]) -> FloatMatrix:
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and the loss says so
        return np.ascontiguousarray(matrix, dtype=np.float32)
