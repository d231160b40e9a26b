"""Implicit ALS solves what it says it solves."""

from itertools import pairwise

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dense
from communities import community_plays
from recommender.als import ALSParams, fit_als, gram, half_step, objective
from recommender.errors import ParameterError
from recommender.kernels import balanced_blocks
from recommender.matrix import CSR
from recommender.weighting import WeightingParams, confidence, weigh


def planted_confidence(n_listeners: int = 40, *, alpha: float = 5.0) -> CSR:
    return confidence(weigh(community_plays(n_listeners), WeightingParams("log")), alpha=alpha)


def solved_rows(confidence: CSR, fixed: np.ndarray, params: ALSParams) -> np.ndarray:
    """One half-step from zero."""
    rows = np.zeros((confidence.shape[0], params.n_factors), dtype=np.float32)
    half_step(confidence, rows, fixed, params, scratch=np.empty_like(fixed))
    return rows


def random_factors(rows: int, n_factors: int, *, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, n_factors)).astype(np.float32) / 3


@pytest.mark.parametrize("n_factors", [1, 2, 5, 16, 33])
def test_half_step_reaches_the_dense_normal_equations(n_factors):
    """With as many steps as factors, conjugate gradients are exact: the rows equal the ridge regressions'."""
    c, y = planted_confidence(), random_factors(13, n_factors)
    params = ALSParams(n_factors=n_factors, regularization=2.0, cg_steps=2 * n_factors + 2)
    assert np.allclose(solved_rows(c, y, params), dense.als_rows(c.toarray(), y, 2.0), atol=2e-4)


def test_half_step_leaves_no_gradient():
    """At the solution, moving any row in any direction raises the dense loss."""
    c, y = planted_confidence(), random_factors(13, 4)
    params = ALSParams(n_factors=4, regularization=2.0, cg_steps=12)
    x = solved_rows(c, y, params).astype(float)
    best = dense.als_loss(c.toarray(), x, y, 2.0)
    for direction in np.random.default_rng(0).standard_normal((20, 40, 4)):
        assert dense.als_loss(c.toarray(), x + 1e-2 * direction, y, 2.0) > best


def test_objective_equals_the_loss_over_all_cells():
    c, x, y = planted_confidence(), random_factors(40, 6), random_factors(13, 6, seed=2)
    assert objective(c, x, y, regularization=3.0) == pytest.approx(dense.als_loss(c.toarray(), x, y, 3.0), rel=1e-5)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 3), st.sampled_from([0.05, 1.0, 30.0]))
def test_the_loss_never_rises(seed, n_factors, cg_steps, regularization):
    losses = []
    params = ALSParams(n_factors=n_factors, regularization=regularization, iterations=6, cg_steps=cg_steps)
    fit_als(
        planted_confidence(), params, rng=np.random.default_rng(seed), progress=lambda _i, loss: losses.append(loss)
    )
    assert len(losses) == 6
    assert all(later <= earlier * (1 + 1e-5) for earlier, later in pairwise(losses))


def test_same_seed_gives_the_same_bits_with_any_number_of_threads():
    c, params = planted_confidence(), ALSParams(n_factors=8, iterations=4)
    before = numba.get_num_threads()
    fits = []
    try:
        for threads in (1, before, 1):
            numba.set_num_threads(threads)
            fits.append(fit_als(c, params, rng=np.random.default_rng(7)))
    finally:
        numba.set_num_threads(before)
    for fit in fits[1:]:
        assert np.array_equal(fit.artist_factors, fits[0].artist_factors)
        assert np.array_equal(fit.listener_factors, fits[0].listener_factors)
    other = fit_als(c, params, rng=np.random.default_rng(8))
    assert not np.array_equal(other.artist_factors, fits[0].artist_factors)


def test_listeners_and_artists_without_plays_get_zero_factors():
    c = planted_confidence().toarray()
    c[5] = 0
    c[:, 12] = 0
    fit = fit_als(CSR(c), ALSParams(n_factors=4, iterations=3), rng=np.random.default_rng(0))
    assert not fit.listener_factors[5].any()
    assert not fit.artist_factors[12].any()
    assert fit.listener_factors[6].any()


def test_a_single_listener_works():
    c = CSR(np.array([[2.0, 0.0, 3.0]], dtype=np.float32))
    fit = fit_als(c, ALSParams(n_factors=2, regularization=0.1), rng=np.random.default_rng(0))
    scores = (fit.listener_factors @ fit.artist_factors.T)[0]
    assert scores[0] > scores[1]
    assert scores[2] > scores[1]


def test_artists_of_one_community_end_close_together():
    fit = fit_als(
        confidence(weigh(community_plays(), WeightingParams("binary")), alpha=5),
        ALSParams(n_factors=4, regularization=1.0),
        rng=np.random.default_rng(0),
    )
    for artist in range(12):
        nearest = dense.cosine_ranking(fit.artist_factors, artist, list(range(12)), 3)
        assert {other // 4 for other in nearest} == {artist // 4}


def test_gram_equals_the_product_whatever_is_left_for_the_last_block():
    matrix = random_factors(20_001, 3)
    assert np.allclose(gram(matrix), matrix.astype(float).T @ matrix.astype(float), rtol=1e-5, atol=1e-2)


@given(st.lists(st.integers(0, 50_000), max_size=50))
def test_blocks_cover_every_row_once(nnz_per_row):
    indptr = np.concatenate(([0], np.cumsum(nnz_per_row, dtype=np.int64)))
    starts = balanced_blocks(indptr, 16_384)
    assert starts[0] == 0
    assert starts[-1] == len(nnz_per_row)
    assert (np.diff(starts) > 0).all()


@pytest.mark.parametrize(
    "wrong", [{"n_factors": 0}, {"n_factors": 2000}, {"regularization": 0.0}, {"iterations": 0}, {"cg_steps": 0}]
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError):
        ALSParams(**wrong)
