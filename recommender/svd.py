"""Truncated singular value decomposition of a large sparse matrix, by a randomised block Krylov method.

The right singular vectors of W are the eigenvectors of ``WtW``. A first block of vectors is a random sketch of W's
rows; each step multiplies the last block by ``WtW`` and makes it orthogonal to all before. The best vectors in the
space of all blocks (Rayleigh-Ritz) approach the strongest singular vectors far sooner than powers of one block do
(Musco & Musco 2015). ``WtW`` is applied in one pass over the rows of W, and W is never transposed.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from recommender import svd_kernels
from recommender.errors import DataError, ParameterError
from recommender.kernels import balanced_blocks
from recommender.matrix import CSR, FloatMatrix
from recommender.svd_kernels import PLANE

# Two planes: one for each of two threads, and enough columns that a step adds much to the space.
BLOCK_PLANES = 2
MAX_STEPS = 24
# Below this part of the largest eigenvalue of WtW, float32 holds only noise.
NOISE = 1e-6
# A matrix with a side this small is decomposed densely, in float64.
DENSE_SIDE = 512
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
    matrix: CSR, n_factors: int, *, rng: np.random.Generator, tolerance: float = 3e-4, max_steps: int = MAX_STEPS
) -> TruncatedSVD:
    """Find the strongest singular values and right singular vectors of a sparse matrix.

    Parameters
    ----------
    matrix : shape (n_rows, n_columns), finite values of any sign.
    n_factors : 1 to the shorter side.
    rng : draws the sketch; the same state gives the same bits for any number of threads, of BLAS one thread given.
    tolerance : stop when the captured variance (sum of squared singular values) is estimated to miss no more than this
        part of the best possible; the estimate is cautious.
    max_steps : stop after so many products with ``WtW`` in any case; 2 is a cheap start for other methods.

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
    if smaller <= max(DENSE_SIDE, 4 * n_factors):
        eigenvalues, right = _dense(matrix, n_factors)
    else:
        eigenvalues, right = _block_krylov(matrix, n_factors, rng, tolerance, max_steps)
    real = eigenvalues > NOISE * eigenvalues[0]
    right[:, ~real] = 0
    signs = np.sign(right[np.abs(right).argmax(axis=0), np.arange(n_factors)])
    return TruncatedSVD(np.sqrt(np.where(real, eigenvalues, 0.0)), right * signs)


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
    n_columns = matrix.shape[1]
    n_planes = max(BLOCK_PLANES, -(-n_factors // PLANE)) if max_steps <= 2 else BLOCK_PLANES
    width = n_planes * PLANE
    max_steps = max(min(max_steps, min(matrix.shape) // width), -(-n_factors // width))
    indices = matrix.indices.astype(np.int32, copy=False)
    blocks = [_orthonormal(_sketch(matrix, n_planes, rng), 0.0)]
    projected = np.zeros((0, 0))
    gains: list[float] = []
    captured = 0.0
    while True:
        product = svd_kernels.empty_planes(n_planes, n_columns)
        svd_kernels.gram_product(matrix.indptr, indices, matrix.data, blocks[-1], product)
        projected = _grown(projected, _products(blocks, product))
        values, vectors = eigh(projected)
        before, captured = captured, float(values[-n_factors:].sum())
        gains.append((captured - before) / captured)
        if len(blocks) >= max_steps or (len(blocks) * width >= 2 * n_factors and _missed(gains) <= tolerance):
            break
        block = _orthogonal(product, blocks, float(values[-1]))
        if not block.any():  # the space holds all that the matrix has
            break
        blocks.append(block)
    values, vectors = values[::-1][:n_factors], vectors[:, ::-1][:, :n_factors]
    if len(values) < n_factors:  # fewer directions than factors
        missing = n_factors - len(values)
        values, vectors = np.pad(values, (0, missing)), np.pad(vectors, ((0, 0), (0, missing)))
    right = np.empty((n_columns, n_factors), dtype=np.float32)
    everything = np.ascontiguousarray(vectors.reshape(-1, PLANE, n_factors), dtype=np.float32)
    for number, block in enumerate(blocks):
        part = everything[number * n_planes : (number + 1) * n_planes]
        svd_kernels.combine(block, part, right, number > 0)
    return np.maximum(values, 0.0), right


def _missed(gains: list[float]) -> float:
    """Estimate what part of the variance is still to come, if gains go on to fall as they fell."""
    if len(gains) < 3 or gains[-1] >= gains[-2]:
        return 1.0
    return max(gains[-1], 0.0) ** 2 / (gains[-2] - gains[-1])


def _sketch(matrix: CSR, n_planes: int, rng: np.random.Generator) -> FloatMatrix:
    n_rows, n_columns = matrix.shape
    column = rng.integers(0, n_planes * PLANE, n_rows)
    sign = rng.choice(np.array([-1, 1], dtype=np.float32), n_rows)
    planes = svd_kernels.empty_planes(n_planes, n_columns)
    svd_kernels.sketch(matrix.indptr, matrix.indices, matrix.data, column, sign, planes)
    return planes


def _products(blocks: list[FloatMatrix], right: FloatMatrix) -> Float64:
    """``[blocks]T right``, float64, shape (columns of all blocks, columns of right)."""
    parts = [svd_kernels.block_products(block, right).sum(axis=0, dtype=np.float64) for block in blocks]
    return np.concatenate([part.transpose(0, 2, 1, 3).reshape(-1, right.shape[0] * PLANE) for part in parts])


def _grown(projected: Float64, column: Float64) -> Float64:
    """The projection of ``WtW`` onto the space, with the products of its newest block; symmetric."""
    size, before = column.shape[0], projected.shape[0]
    grown = np.zeros((size, size))
    grown[:before, :before] = projected
    grown[:, before:] = column
    grown[before:, :before] = column[:before].T
    grown[before:, before:] = (column[before:] + column[before:].T) / 2
    return grown


def _orthogonal(block: FloatMatrix, blocks: list[FloatMatrix], largest: float) -> FloatMatrix:
    """Make a block orthogonal to all before it (twice is enough) and orthonormal in itself, in place."""
    for _ in range(2):
        coefficients = _products(blocks, block)
        rows = 0
        for before in blocks:
            n_rows = before.shape[0] * PLANE
            part = coefficients[rows : rows + n_rows].reshape(before.shape[0], PLANE, block.shape[0], PLANE)
            rows += n_rows
            svd_kernels.subtract_product(
                block, before, np.ascontiguousarray(part.transpose(0, 2, 1, 3), dtype=np.float32)
            )
        block = _orthonormal(block, largest)
        largest = 1.0
    return block


def _orthonormal(block: FloatMatrix, scale: float) -> FloatMatrix:
    """Replace a block by an orthonormal basis of its columns; directions that are but rounding errors become zero."""
    values, vectors = eigh(_products([block], block))
    kept = values > max((1e-5 * scale) ** 2, NOISE**2 * values[-1], np.finfo(np.float64).tiny)
    rotation = np.where(kept, vectors / np.sqrt(np.where(kept, values, 1.0)), 0.0)
    n_planes = block.shape[0]
    parts = rotation.reshape(n_planes, PLANE, n_planes, PLANE).transpose(0, 2, 1, 3)
    rotated = svd_kernels.empty_planes(n_planes, block.shape[1])
    rotated[:] = 0
    svd_kernels.subtract_product(rotated, block, np.ascontiguousarray(-parts, dtype=np.float32))
    return rotated
