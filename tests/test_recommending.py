"""Folding a listener in solves its row of the model's own loss, and every score is the sum of its reasons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.als import ALSParams, StoppingParams, fit_als
from recommender.errors import ParameterError
from recommender.least_squares import half_step
from recommender.lsa import LSAParams, fit_lsa
from recommender.matrix import CSR
from recommender.recommending import Objective, Recommender, Taste, gram, highest
from recommender.ridge import RidgeParams
from recommender.weighting import WeightingParams, confidence, weigh

RIDGES = [
    RidgeParams("plain", 3.0),
    RidgeParams("als-wr", 0.3),
    RidgeParams("ials", 0.05, unobserved_weight=0.2, frequency_exponent=0.7),
]
N_ARTISTS, N_FACTORS, ALPHA = 40, 6, 2.5


def factors_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((N_ARTISTS, N_FACTORS)).astype(np.float32)


def recommender_of(ridge: RidgeParams | None, seed: int = 0, *, links: CSR | None = None) -> Recommender:
    objective = Objective(ridge, ALPHA, typical_weight=1.3)
    return Recommender(factors_of(seed), objective, answerable=np.ones(N_ARTISTS, dtype=bool), links=links)


def taste_of(seed: int, *, n_liked: int, n_disliked: int = 0) -> Taste:
    rng = np.random.default_rng(seed)
    rows = rng.permutation(N_ARTISTS)
    liked, disliked = rows[:n_liked], rows[n_liked : n_liked + n_disliked]
    return Taste(liked, rng.uniform(0.1, 5.0, n_liked), disliked, disliked_weight=1.5)


def random_links(seed: int) -> CSR:
    rng = np.random.default_rng(seed)
    dense = rng.standard_normal((N_ARTISTS, N_ARTISTS)) * (rng.random((N_ARTISTS, N_ARTISTS)) < 0.2)
    return CSR(dense.astype(np.float32))


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(RIDGES), st.integers(0, 10**6), st.integers(1, 20))
def test_folding_in_is_the_half_step_of_training(ridge, seed, n_liked):
    """The compiled kernel, run to convergence on the same row, finds the same factors."""
    taste = taste_of(seed, n_liked=n_liked)
    order = np.argsort(taste.liked)
    row = CSR((taste.weights[order].astype(np.float32), taste.liked[order], [0, n_liked]), shape=(1, N_ARTISTS))
    trained = np.zeros((1, N_FACTORS), dtype=np.float32)
    fixed = factors_of(seed)
    scratch = np.empty((N_ARTISTS, N_FACTORS), dtype=np.float32)
    half_step(confidence(row, alpha=ALPHA), trained, fixed, ridge=ridge, cg_steps=4 * N_FACTORS, scratch=scratch)
    assert recommender_of(ridge, seed).fold_in(taste) == pytest.approx(trained[0], rel=2e-3, abs=2e-3)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(RIDGES), st.integers(0, 10**6), st.integers(1, 8), st.integers(0, 8))
def test_folding_in_leaves_no_gradient(ridge, seed, n_liked, n_disliked):
    """The gradient of the loss as it is documented, over all cells, dislikes being observed zeros."""
    taste = taste_of(seed, n_liked=n_liked, n_disliked=n_disliked)
    y, x = factors_of(seed).astype(np.float64), recommender_of(ridge, seed).fold_in(taste).astype(np.float64)
    target, extra = np.zeros(N_ARTISTS), np.zeros(N_ARTISTS)
    target[taste.liked], extra[taste.liked] = 1, ALPHA * taste.weights
    extra[taste.disliked] = ALPHA * taste.disliked_weight
    scores = y @ x
    pull = y.T @ (extra * (target - scores))
    if ridge.kind == "ials":
        pull -= ridge.unobserved_weight * (y.T @ scores)
    else:
        pull += y.T @ (target - scores)
    ridge_of_row = float(ridge.of_counts(n_liked + n_disliked, N_ARTISTS))
    assert pull - ridge_of_row * x == pytest.approx(np.zeros(N_FACTORS), abs=2e-4 * (1 + np.abs(extra).sum()))


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([*RIDGES, None]), st.booleans(), st.integers(0, 10**6), st.integers(1, 8), st.integers(0, 8))
def test_the_reasons_sum_to_the_score(ridge, linked, seed, n_liked, n_disliked):
    taste = taste_of(seed, n_liked=n_liked, n_disliked=n_disliked)
    recommender = recommender_of(ridge, seed, links=random_links(seed) if linked else None)
    scores = recommender.scores(taste)
    for found in recommender.recommend(taste, 5):
        parts = [reason.contribution for reason in found.reasons]
        assert {reason.artist_idx for reason in found.reasons} == set(taste.liked.tolist())
        assert parts == sorted(parts, reverse=True)
        assert sum(parts) == pytest.approx(found.score, abs=1e-9)
        assert found.score == pytest.approx(scores[found.artist_idx], rel=1e-3, abs=1e-4)


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from([*RIDGES, None]), st.integers(0, 10**6), st.integers(1, 8), st.integers(0, 8), st.integers(1, 60)
)
def test_nothing_that_is_rated_excluded_or_unanswerable_is_recommended(ridge, seed, n_liked, n_disliked, k):
    taste = taste_of(seed, n_liked=n_liked, n_disliked=n_disliked)
    rng = np.random.default_rng(seed)
    answerable, exclude = rng.random(N_ARTISTS) < 0.8, rng.choice(N_ARTISTS, 5)
    recommender = Recommender(factors_of(seed), Objective(ridge, ALPHA), answerable=answerable)
    rows, scores = recommender.best(taste, k, exclude=exclude)
    left_out = {*taste.liked.tolist(), *taste.disliked.tolist(), *exclude.tolist()}
    assert not left_out & set(rows.tolist())
    assert answerable[rows].all()
    assert len(rows) <= k
    assert (np.diff(scores) <= 0).all()
    every_score = recommender.scores(taste)
    wanted = [idx for idx in range(N_ARTISTS) if answerable[idx] and idx not in left_out and every_score[idx] > 0]
    assert rows.tolist() == sorted(wanted, key=lambda idx: (-every_score[idx], idx))[:k]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 8))
def test_a_dislike_pulls_its_own_score_towards_zero(seed, n_liked):
    ridge = RIDGES[0]
    taste = taste_of(seed, n_liked=n_liked, n_disliked=1)
    recommender = recommender_of(ridge, seed)
    without = recommender.scores(Taste(taste.liked, taste.weights))[taste.disliked[0]]
    with_it = recommender.scores(taste)[taste.disliked[0]]
    assert abs(with_it) <= abs(without) + 1e-6


def test_a_trained_listener_is_found_again():
    """Fold in each listener of a trained matrix: as near to the trained factors as the last half-step left them."""
    rng = np.random.default_rng(1)
    plays = CSR((rng.random((80, N_ARTISTS)) < 0.3).astype(np.float32) * 3)
    c = confidence(weigh(plays, WeightingParams("log")), alpha=ALPHA)
    params = ALSParams(N_FACTORS, RIDGES[0], iterations=60, stopping=StoppingParams(n_listeners=0))
    fit = fit_als(c, params, rng=np.random.default_rng(0))
    recommender = Recommender(
        fit.artist_factors, Objective(RIDGES[0], ALPHA), answerable=np.ones(N_ARTISTS, dtype=bool)
    )
    weights = weigh(plays, WeightingParams("log"))
    for row in (0, 7, 79):
        cells = slice(weights.indptr[row], weights.indptr[row + 1])
        taste = Taste(weights.indices[cells].astype(np.intp), weights.data[cells].astype(np.float64))
        assert recommender.fold_in(taste) == pytest.approx(fit.listener_factors[row], abs=5e-3)


def test_folding_into_lsa_is_its_projection():
    rng = np.random.default_rng(2)
    weights = CSR((rng.random((60, N_ARTISTS)) * (rng.random((60, N_ARTISTS)) < 0.3)).astype(np.float32))
    fit = fit_lsa(weights, LSAParams(N_FACTORS), rng=rng)
    recommender = Recommender(fit.artist_factors, Objective(None), answerable=np.ones(N_ARTISTS, dtype=bool))
    cells = slice(weights.indptr[3], weights.indptr[4])
    taste = Taste(weights.indices[cells].astype(np.intp), weights.data[cells].astype(np.float64))
    assert recommender.fold_in(taste) == pytest.approx(fit.listener_factors[3], abs=1e-4)


def test_links_add_what_each_like_weighs():
    links, taste = random_links(5), taste_of(5, n_liked=4)
    plain, linked = recommender_of(RIDGES[0]).scores(taste), recommender_of(RIDGES[0], links=links).scores(taste)
    assert linked - plain == pytest.approx(links.toarray()[taste.liked].T @ taste.weights, abs=1e-5)


def test_the_gram_of_many_rows_is_summed_in_blocks():
    factors = np.random.default_rng(0).standard_normal((20_001, 3)).astype(np.float32)
    assert gram(factors) == pytest.approx(factors.astype(np.float64).T @ factors.astype(np.float64))


def test_equal_scores_come_in_the_order_of_the_artists():
    rows, values = highest(np.array([0, 2, 1, 2, -1, 1, 1], dtype=np.float32), 4)
    assert (rows.tolist(), values.tolist()) == ([1, 3, 2, 5], [2, 2, 1, 1])
    assert highest(np.array([], dtype=np.float32), 3)[0].size == 0


NONE = np.empty(0, dtype=np.intp)


@pytest.mark.parametrize(
    ("liked", "weights", "disliked", "said"),
    [
        (NONE, [], NONE, "nothing is liked"),
        (NONE, [], np.array([3]), "nothing is liked"),
        (np.array([1, 1]), [1, 1], NONE, "named twice"),
        (np.array([1]), [1], np.array([1]), "both liked and disliked"),
        (np.array([1]), [0], NONE, "weight above 0"),
        (np.array([1]), [np.nan], NONE, "weight above 0"),
        (np.array([1, 2]), [1], NONE, "weight above 0"),
    ],
)
def test_a_taste_that_says_nothing_is_refused(liked, weights, disliked, said):
    with pytest.raises(ParameterError, match=said):
        Taste(liked, np.array(weights, dtype=np.float64), disliked)


def test_fewer_than_one_recommendation_is_refused():
    with pytest.raises(ParameterError, match="at least 1"):
        recommender_of(RIDGES[0]).best(taste_of(0, n_liked=2), 0)
