"""Truncated singular value decomposition of a large sparse matrix, by a randomised block Krylov method.

The right singular vectors of W are the eigenvectors of ``WtW``. A first block of vectors is a random sketch of W's
rows; each step multiplies the last block by ``WtW`` and makes it orthogonal to all before. The best vectors in the
space of all blocks (Rayleigh-Ritz) approach the strongest singular vectors far sooner than powers of one block do
(Musco & Musco 2015). ``WtW`` is applied in one pass over the rows of W, without its transpose.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh
from threadpoolctl import threadpool_limits

from recommender import svd_kernels
from recommender.errors import DataError, ParameterError
from recommender.kernels import balanced_blocks
from recommender.matrix import CSR, FloatMatrix
from recommender.svd_kernels import GROUP

# Directions of a new block of no more than SMALL of its length are rounding; up to AGAIN, rounding has turned them.
SMALL, AGAIN = 1e-5, 1e-3
# The least by which the gain of a step is taken to shrink at the next.
SLOW_FALL = 0.3
# Memory: so many columns of float32 beside the matrix, unless there are many factors; listening data need half of them.
MOST_COLUMNS = 768
# Below this part of the largest eigenvalue of WtW, float32 holds only noise.
NOISE = 1e-6
# A matrix with a side this small is decomposed densely, in float64.
DENSE_SIDE = 512
# With so many fewer rows than columns it pays to transpose the matrix, as the dense work goes by the columns.
TURN = 0.7
BLOCK_WORK = 16_384

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TruncatedSVD:
    """The strongest singular values, falling, and their right singular vectors.

    Parameters
    ----------
    singular_values : shape (n_factors,), float64, >= 0.
    right : shape (n_columns, n_factors), float32; orthonormal columns, the largest entry of each is positive. Beyond
        the rank of the matrix singular value and column are zero.
    """

    singular_values: Float64
    right: FloatMatrix


def truncated_svd(
    matrix: CSR,
    n_factors: int,
    *,
    rng: np.random.Generator,
    tolerance: float = 1e-3,
    max_steps: int = 100,
    transposed: CSR | None = None,
) -> TruncatedSVD:
    """Find the strongest singular values and right singular vectors of a sparse matrix.

    Parameters
    ----------
    matrix : shape (n_rows, n_columns), finite values of any sign.
    n_factors : 1 to the shorter side.
    rng : draws the sketch; the same state gives the same bits for any number of threads.
    tolerance : stop when the captured variance (sum of squared singular values) is estimated to miss no more than this
        part of the best possible; the estimate is cautious.
    max_steps : stop after so many products with ``WtW`` in any case, as also when the space has become large; 2 is a
        cheap start for other methods.
    transposed : the transpose, if there is one already; of much wider than high matrices it is needed.

    Raises
    ------
    ParameterError : more factors than the matrix has rows or columns.
    DataError : nothing to decompose, all values are zero.

    References
    ----------
    Musco & Musco (2015), Randomized block Krylov methods for stronger and faster approximate SVD, NeurIPS.
    Halko, Martinsson & Tropp (2011), Finding structure with randomness, SIAM Review 53(2).
    Clarkson & Woodruff (2013), Low rank approximation in input sparsity time, STOC: the sketch.
    """
    smaller = min(matrix.shape)
    if not 1 <= n_factors <= smaller:
        raise ParameterError(
            f"n_factors is {n_factors}; a matrix of {matrix.shape[0]} x {matrix.shape[1]} has 1 to {smaller}"
        )
    if not matrix.data.any():
        raise DataError("all weights are zero")
    # The blocks of a product are spread over threads already; BLAS threads inside them would only wait for each other,
    # and each number of them sums in another order.
    with threadpool_limits(limits=1, user_api="blas"):
        if smaller <= max(DENSE_SIDE, 4 * n_factors):
            eigenvalues, right = _dense(matrix, n_factors)
        elif matrix.shape[0] < TURN * matrix.shape[1]:
            turned = CSR(matrix.T.tocsr()) if transposed is None else transposed
            eigenvalues, left = _block_krylov(turned, n_factors, rng, tolerance, max_steps)
            right = project(turned, left)
            right /= np.sqrt(np.maximum(eigenvalues, NOISE * eigenvalues[0])).astype(np.float32)
            del left
        else:
            eigenvalues, right = _block_krylov(matrix, n_factors, rng, tolerance, max_steps)
    missing = n_factors - len(eigenvalues)
    if missing:
        eigenvalues, right = np.pad(eigenvalues, (0, missing)), np.pad(right, ((0, 0), (0, missing)))
    real = eigenvalues > NOISE * eigenvalues[0]
    right[:, ~real] = 0
    signs = np.where(right.max(axis=0) >= -right.min(axis=0), np.float32(1), np.float32(-1))
    right *= signs
    return TruncatedSVD(np.sqrt(np.where(real, eigenvalues, 0.0)), right)


def project(matrix: CSR, right: FloatMatrix) -> FloatMatrix:
    """``matrix @ right``, float32: with right singular vectors, the left ones times their singular values."""
    result = np.empty((matrix.shape[0], right.shape[1]), dtype=np.float32)
    starts = balanced_blocks(matrix.indptr + np.arange(matrix.shape[0] + 1), BLOCK_WORK)
    svd_kernels.project_rows(matrix.indptr, matrix.indices, matrix.data, starts, right, result)
    return result


def _dense(matrix: CSR, n_factors: int) -> tuple[Float64, FloatMatrix]:
    """Eigenvectors of the smaller Gram matrix, in float64."""
    exact = matrix.astype(np.float64)
    if matrix.shape[1] <= matrix.shape[0]:
        values, vectors = np.linalg.eigh((exact.T @ exact).toarray())
        values, right = values[::-1][:n_factors], vectors[:, ::-1][:, :n_factors]
    else:
        values, vectors = np.linalg.eigh((exact @ exact.T).toarray())
        values, vectors = values[::-1][:n_factors], vectors[:, ::-1][:, :n_factors]
        right = (exact.T @ vectors) / np.sqrt(np.maximum(values, NOISE * values[0]))
    return np.maximum(values, 0.0), np.ascontiguousarray(right, dtype=np.float32)


def _block_krylov(
    matrix: CSR, n_factors: int, rng: np.random.Generator, tolerance: float, max_steps: int
) -> tuple[Float64, FloatMatrix]:
    """The largest eigenvalues of ``WtW`` and their vectors, as far as the space of all blocks has them."""
    n_columns = matrix.shape[1]
    width = _width(n_factors, max_steps)
    least = -(-n_factors // width)
    max_steps = max(min(max_steps, max(MOST_COLUMNS, 4 * n_factors) // width, min(matrix.shape) // width), least)
    indices = matrix.indices.astype(np.int32, copy=False)
    basis = svd_kernels.empty_blocks(max_steps, n_columns, width)
    block = svd_kernels.empty_blocks(1, n_columns, width)[0]
    _sketch(matrix, rng, block)
    basis[0] = block
    _orthonormalize(basis[0], basis[:0], None)
    projected = np.zeros((0, 0))
    gains: list[float] = []
    captured = 0.0
    for n_blocks in range(1, max_steps + 1):
        svd_kernels.gram_product(matrix.indptr, indices, matrix.data, basis[n_blocks - 1], block)
        coefficients = _products(basis[:n_blocks], block)
        projected = _grown(projected, coefficients)
        size = n_blocks * width
        values = eigh(projected, eigvals_only=True, subset_by_index=(max(size - n_factors, 0), size - 1))
        before, captured = captured, float(values.sum())
        gains.append((captured - before) / captured)
        if n_blocks == max_steps or (n_blocks >= least and _missed(gains) <= tolerance):
            break
        basis[n_blocks] = block
        if not _orthonormalize(basis[n_blocks], basis[:n_blocks], coefficients):
            break  # the space holds all that the matrix has
    del block  # the peak of memory is here
    values, vectors = eigh(projected, subset_by_index=(max(size - n_factors, 0), size - 1))
    right = np.empty((n_columns, len(values)), dtype=np.float32)
    parts = np.ascontiguousarray(vectors[:, ::-1], dtype=np.float32).reshape(n_blocks, width, -1)
    svd_kernels.combine(basis[:n_blocks], parts, right)
    return np.maximum(values[::-1], 0.0), right


def _width(n_factors: int, max_steps: int) -> int:
    """Columns of a block. Narrow ones make the better space, but two steps must bring all factors."""
    return GROUP * max(2, -(-n_factors // (GROUP * (1 if max_steps <= 2 else 6))))


def _missed(gains: list[float]) -> float:
    """Estimate what part of the variance is still to come, if gains fall on as they did at the slower of two steps.

    They fall fast while the strong directions are found, and slowly among the weak ones, which are many and alike.
    """
    if len(gains) < 3:
        return 1.0
    slowest = max(SLOW_FALL, gains[-1] / gains[-2], gains[-2] / gains[-3])
    return max(gains[-1], 0.0) * slowest / (1 - slowest) if slowest < 1 else 1.0


def _sketch(matrix: CSR, rng: np.random.Generator, block: FloatMatrix) -> None:
    """Add each row of the matrix, by a random multiple, to a random column of the block."""
    column = rng.integers(0, block.shape[1], matrix.shape[0])
    scale = rng.standard_normal(matrix.shape[0], dtype=np.float32)
    svd_kernels.sketch(matrix.indptr, matrix.indices, matrix.data, column, scale, block)


def _products(basis: FloatMatrix, block: FloatMatrix) -> Float64:
    """``basis[b]T block`` of each b, summed in float64."""
    total: Float64 = svd_kernels.products(basis, block).sum(axis=0, dtype=np.float64)
    return total


def _grown(projected: Float64, coefficients: Float64) -> Float64:
    """The projection of ``WtW`` onto the space, with the products of its newest block; symmetric."""
    column = coefficients.reshape(-1, coefficients.shape[2])
    size, before = column.shape[0], projected.shape[0]
    grown = np.zeros((size, size))
    grown[:before, :before] = projected
    grown[:, before:] = column
    grown[before:, :before] = column[:before].T
    grown[before:, before:] = (column[before:] + column[before:].T) / 2
    return grown


def _orthonormalize(block: FloatMatrix, basis: FloatMatrix, coefficients: Float64 | None) -> bool:
    """Make a block orthogonal to the basis and orthonormal in itself, in place.

    ``coefficients`` are the products of basis and block, where they are known. Directions that are nothing but rounding
    errors become zero; returns whether anything else was there.
    """
    whole = 0.0
    for _ in range(3):
        if coefficients is None:
            coefficients = _products(basis, block)
        left = svd_kernels.subtract(block, basis, coefficients.astype(np.float32)).sum(axis=0, dtype=np.float64)
        squared, vectors = eigh(left)
        if whole == 0:
            whole = float(np.sqrt(np.square(coefficients).sum(axis=(0, 1)).max() + squared[-1]))
        kept = squared > (SMALL * whole) ** 2
        rotation = np.where(kept, vectors / np.sqrt(np.where(kept, squared, 1.0)), 0.0)
        svd_kernels.combine(block[None], np.ascontiguousarray(rotation[None], dtype=np.float32), block)
        if not kept.any() or squared[kept][0] > (AGAIN * whole) ** 2:
            break
        whole, coefficients = 1.0, None  # once more, from what it is now
    return bool(kept.any())
