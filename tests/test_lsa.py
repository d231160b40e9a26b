"""LSA is the truncated SVD."""

import numpy as np
import pytest

from communities import community_plays
from recommender.errors import ParameterError
from recommender.lsa import LSAParams, fit_lsa
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


def test_more_factors_than_the_data_has_are_refused_with_a_way_out():
    with pytest.raises(ParameterError, match="--factors 12 or fewer"):
        fit_lsa(weigh(community_plays(), WeightingParams("log")), LSAParams(13), rng=np.random.default_rng(0))


def test_no_factors_are_refused():
    with pytest.raises(ParameterError):
        LSAParams(0)
