"""Weights agree with their formulas, keep the shape of the data, and refuse nonsense."""

import numpy as np
import pytest

import dense
from communities import community_plays
from recommender.errors import DataError, ParameterError
from recommender.matrix import CSR
from recommender.weighting import WeightingParams, confidence, weigh

SCHEMES = ["raw", "binary", "log", "tfidf", "bm25"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_keeps_shape_and_sparsity_in_float32(scheme):
    plays = community_plays()
    weights = weigh(plays, WeightingParams(scheme))
    assert weights.shape == plays.shape == (60, 13)
    assert weights.dtype == np.float32
    assert np.array_equal(weights.indices, plays.indices)
    assert np.array_equal(weights.indptr, plays.indptr)
    assert (weights.data >= 0).all()


@pytest.mark.parametrize(("k1", "b"), [(100.0, 0.8), (1.2, 0.75), (10.0, 0.0), (10.0, 1.0)])
def test_bm25_equals_the_dense_formula(k1, b):
    plays = community_plays(25)
    expected = dense.bm25(plays.toarray().astype(float), k1=k1, b=b)
    assert np.allclose(weigh(plays, WeightingParams("bm25", k1=k1, b=b)).toarray(), expected, rtol=1e-5)


def test_simple_schemes_equal_their_dense_formulas():
    plays = community_plays(25)
    counts = plays.toarray()
    idf = np.log(13) - np.log1p((counts > 0).sum(axis=1, keepdims=True))
    for scheme, expected in [
        ("raw", counts),
        ("binary", counts > 0),
        ("log", np.log1p(counts)),
        ("tfidf", np.sqrt(counts) * idf),
    ]:
        assert np.allclose(weigh(plays, WeightingParams(scheme)).toarray(), expected, rtol=1e-5), scheme


def test_bm25_is_not_symmetric_in_listeners_and_artists():
    """A transposed matrix must give other weights, or the orientation has been lost."""
    plays = community_plays(13)
    transposed: CSR = plays.T.tocsr()
    there = weigh(plays, WeightingParams("bm25")).toarray()
    back = weigh(transposed, WeightingParams("bm25")).toarray().T
    assert not np.allclose(there, back)


def test_confidence_is_one_plus_alpha_times_weight():
    weights = weigh(community_plays(), WeightingParams("log"))
    assert np.allclose(confidence(weights, alpha=5).data, 1 + 5 * weights.data)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_counts_that_are_not_positive_numbers_are_refused(value):
    plays = community_plays()
    plays.data[3] = value
    with pytest.raises(DataError, match="not a positive number"):
        weigh(plays, WeightingParams("log"))


@pytest.mark.parametrize("wrong", [{"scheme": "bm26"}, {"k1": 0.0}, {"b": 1.5}, {"b": -0.1}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError):
        WeightingParams(**wrong)


def test_alpha_must_be_positive():
    with pytest.raises(ParameterError, match="alpha"):
        confidence(community_plays(), alpha=0)
