"""LSA is the truncated SVD."""

import numpy as np
import pytest

from communities import community_plays
from recommender.errors import DataError, ParameterError
from recommender.lsa import LSAParams, fit_lsa
from recommender.matrix import CSR
from recommender.weighting import WeightingParams, weigh


def test_factors_are_the_dense_svd_strongest_first():
    weights = weigh(community_plays(), WeightingParams("bm25"))
    fit = fit_lsa(weights, LSAParams(n_factors=5), rng=np.random.default_rng(0))
    u, s, vt = np.linalg.svd(weights.toarray().astype(float), full_matrices=False)
    assert fit.artist_factors.shape == (13, 5)
    assert fit.listener_factors.shape == (60, 5)
    assert np.allclose(np.abs(fit.artist_factors), np.abs(vt[:5].T), atol=1e-5)
    assert np.allclose(fit.listener_factors @ fit.artist_factors.T, (u[:, :5] * s[:5]) @ vt[:5], atol=1e-3)


def test_same_seed_gives_the_same_bits_and_signs_do_not_depend_on_it():
    weights = weigh(community_plays(), WeightingParams("log"))
    fits = [fit_lsa(weights, LSAParams(4), rng=np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert np.array_equal(fits[0].artist_factors, fits[1].artist_factors)
    assert np.allclose(fits[0].artist_factors, fits[2].artist_factors, atol=1e-5)


@pytest.mark.parametrize(("popularity", "strength"), [(0, 0), (0, 1), (0.15, 1.4), (1, 2)])
def test_artists_are_the_scaled_rows_of_v_and_products_are_the_weights(popularity, strength):
    weights = weigh(community_plays(), WeightingParams("binary"))
    fit = fit_lsa(weights, LSAParams(13, popularity, strength), rng=np.random.default_rng(0))
    assert np.allclose(fit.listener_factors @ fit.artist_factors.T, weights.toarray(), atol=2e-3)
    listeners = (weights.toarray() > 0).sum(axis=0)
    _, s, vt = np.linalg.svd(weights.toarray().astype(float) / listeners**popularity, full_matrices=False)
    expected = vt.T * s**strength
    assert np.allclose(cosines(fit.artist_factors), cosines(expected), atol=1e-3)


def cosines(rows: np.ndarray) -> np.ndarray:
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit @ unit.T


@pytest.mark.parametrize("shape", [(1, 6), (6, 1), (1, 1)])
def test_a_single_listener_or_artist_has_one_factor(shape):
    weights = CSR(np.arange(1, 1 + max(shape), dtype=np.float32).reshape(shape))
    fit = fit_lsa(weights, LSAParams(1), rng=np.random.default_rng(0))
    assert np.allclose(fit.listener_factors @ fit.artist_factors.T, weights.toarray(), rtol=1e-5)


def test_factors_beyond_the_rank_are_zero():
    weights = CSR(np.outer(np.arange(1, 9), [1, 0, 2, 3]).astype(np.float32))
    fit = fit_lsa(weights, LSAParams(3, 0.15, 1.4), rng=np.random.default_rng(0))
    assert fit.artist_factors[:, 0].any()
    assert not fit.artist_factors[:, 1:].any()
    assert not fit.listener_factors[:, 1:].any()


def test_more_factors_than_the_data_has_are_refused_with_a_way_out():
    weights = weigh(community_plays(), WeightingParams("log"))
    with pytest.raises(ParameterError, match="--factors 13 or fewer"):
        fit_lsa(weights, LSAParams(14), rng=np.random.default_rng(0))
    assert fit_lsa(weights, LSAParams(13), rng=np.random.default_rng(0)).n_factors == 13


def test_weights_that_say_nothing_are_refused():
    with pytest.raises(DataError, match="all weights are zero"):
        fit_lsa(CSR((5, 4), dtype=np.float32), LSAParams(2), rng=np.random.default_rng(0))


@pytest.mark.parametrize("wrong", [{"popularity": -0.1}, {"strength": 5.0}, {"strength": float("nan")}])
def test_powers_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError, match="use 0 to 4"):
        LSAParams(**wrong)


def test_no_factors_are_refused():
    with pytest.raises(ParameterError):
        LSAParams(0)
