"""The truncated SVD is the SVD: densely where a side is short, and by block Krylov where it is not."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import block_diag, random_array
from scipy.sparse.linalg import svds

from recommender import svd_kernels
from recommender.errors import DataError, ParameterError
from recommender.matrix import CSR
from recommender.svd import project, truncated_svd


def tastes(n_listeners: int, n_artists: int, *, seed: int = 0) -> CSR:
    """Forty communities and noise: a spectrum that falls slowly, as that of listening does."""
    rng = np.random.default_rng(seed)
    own = np.arange(n_artists)[None, :] % 40 == rng.integers(0, 40, n_listeners)[:, None]
    return CSR(np.where(rng.random(own.shape) < np.where(own, 0.5, 0.01), 1.0, 0.0).astype(np.float32))


@settings(max_examples=40)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 10**6), st.data())
def test_small_matrices_are_decomposed_exactly(n_rows, n_columns, seed, data):
    matrix = random_array((n_rows, n_columns), density=0.4, rng=np.random.default_rng(seed), dtype=np.float32)
    matrix = CSR(matrix.tocsr())
    if not matrix.nnz:
        return
    n_factors = data.draw(st.integers(1, min(n_rows, n_columns)))
    found = truncated_svd(matrix, n_factors, rng=np.random.default_rng(0))
    expected = np.linalg.svd(matrix.toarray().astype(float), compute_uv=False)[:n_factors]
    assert np.allclose(found.singular_values, expected, atol=2e-3 * expected[0])
    real = found.singular_values > 0
    assert np.allclose(found.right[:, real].T @ found.right[:, real], np.eye(real.sum()), atol=1e-3)
    assert not found.right[:, ~real].any()


@pytest.mark.parametrize("shape", [(1500, 900), (900, 1500)])
def test_large_matrices_keep_the_variance_that_arpack_keeps(shape):
    matrix = tastes(*shape)
    found = truncated_svd(matrix, 50, rng=np.random.default_rng(0))
    arpack = svds(matrix.astype(np.float64), k=50, return_singular_vectors=False, v0=np.ones(min(shape)))
    captured = np.linalg.norm(project(matrix, found.right).astype(float)) ** 2
    assert captured >= 0.999 * (arpack**2).sum()
    assert np.allclose(found.right.T @ found.right, np.eye(50), atol=1e-3)
    assert np.allclose(np.linalg.norm(project(matrix, found.right), axis=0), found.singular_values, rtol=1e-2)
    assert (np.diff(found.singular_values) <= 0).all()
    assert (found.right[np.abs(found.right).argmax(axis=0), np.arange(50)] > 0).all()


def test_many_factors_keep_their_variance_too():
    matrix = tastes(1500, 900)
    found = truncated_svd(matrix, 200, rng=np.random.default_rng(0))
    exact = np.linalg.svd(matrix.toarray().astype(float), compute_uv=False)[:200]
    assert 0.999 * (exact**2).sum() <= (found.singular_values**2).sum() <= 1.0001 * (exact**2).sum()


def test_equal_singular_values_are_all_found():
    """Two worlds that never meet, each the copy of the other: every singular value is there twice."""
    world = tastes(800, 600)
    found = truncated_svd(CSR(block_diag([world, world]).tocsr()), 20, rng=np.random.default_rng(0), tolerance=1e-6)
    exact = np.linalg.svd(world.toarray().astype(float), compute_uv=False)[:10]
    assert np.allclose(found.singular_values, np.repeat(exact, 2), rtol=1e-3)


def test_one_overwhelming_direction_does_not_hide_the_others():
    """As raw counts have it: one listener with most of the plays."""
    heavy = tastes(1500, 900).tolil()
    heavy[0, :5] = 1000.0
    matrix = CSR(heavy.tocsr())
    found = truncated_svd(matrix, 30, rng=np.random.default_rng(0), tolerance=1e-9)
    exact = np.linalg.svd(matrix.toarray().astype(float), compute_uv=False)[:30]
    assert exact[0] > 80 * exact[1]
    assert found.singular_values[0] == pytest.approx(exact[0], rel=1e-5)
    assert np.allclose(found.singular_values, exact, rtol=0.05)
    assert np.allclose(found.right.T @ found.right, np.diag(found.singular_values > 0), atol=1e-3)


@settings(max_examples=30)
@given(st.integers(1, 70), st.integers(1, 70), st.floats(0, 1), st.integers(0, 10**6))
def test_the_product_over_the_rows_is_that_with_the_gram_matrix(n_rows, n_columns, density, seed):
    rng = np.random.default_rng(seed)
    matrix = random_array((n_rows, n_columns), density=density, rng=rng, dtype=np.float32).tocsr()
    source, target = svd_kernels.empty_blocks(2, n_columns, 64)
    source[:] = rng.standard_normal(source.shape)
    target[:] = np.nan
    svd_kernels.gram_product(matrix.indptr, matrix.indices.astype(np.int32), matrix.data, source, target)
    dense = matrix.toarray().astype(float)
    assert np.allclose(target, dense.T @ (dense @ source), rtol=1e-4, atol=1e-3)


def test_two_steps_are_a_rough_start():
    matrix = tastes(1500, 900)
    rough = truncated_svd(matrix, 50, rng=np.random.default_rng(0), max_steps=2)
    exact = np.linalg.svd(matrix.toarray().astype(float), compute_uv=False)[:50]
    captured = np.linalg.norm(project(matrix, rough.right).astype(float)) ** 2
    assert 0.8 * (exact**2).sum() < captured <= 1.0001 * (exact**2).sum()


def test_more_factors_than_directions_leave_zero_columns():
    rng = np.random.default_rng(0)
    low_rank = (rng.random((800, 3)) @ rng.random((3, 700))).astype(np.float32)
    found = truncated_svd(CSR(low_rank), 20, rng=rng)
    assert (found.singular_values[:3] > 0).all()
    assert not found.singular_values[3:].any()
    assert not found.right[:, 3:].any()


def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads():
    matrix, before = tastes(1500, 900), numba.get_num_threads()
    found = []
    try:
        for threads in (1, before):
            numba.set_num_threads(threads)
            found.append(truncated_svd(matrix, 20, rng=np.random.default_rng(3)).right)
    finally:
        numba.set_num_threads(before)
    assert np.array_equal(*found)


@pytest.mark.parametrize("n_factors", [0, 5])
def test_impossible_numbers_of_factors_are_refused(n_factors):
    with pytest.raises(ParameterError, match="4 x 6 has 1 to 4"):
        truncated_svd(CSR(np.ones((4, 6), dtype=np.float32)), n_factors, rng=np.random.default_rng(0))


def test_a_matrix_of_zeros_is_refused():
    with pytest.raises(DataError):
        truncated_svd(CSR((4, 6), dtype=np.float32), 2, rng=np.random.default_rng(0))
