"""A fit goes down to where exact alternation goes, stops when it should, and is the same for any number of threads."""

from itertools import pairwise

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dense
from communities import community_plays
from recommender import als
from recommender.als import ALSParams, StoppingParams, fit_als
from recommender.errors import ParameterError
from recommender.least_squares import RidgeParams
from recommender.matrix import CSR
from recommender.weighting import WeightingParams, confidence, weigh

TO_THE_END = StoppingParams(n_listeners=0)
RIDGES = {
    "plain": RidgeParams("plain", 2.0),
    "als-wr": RidgeParams("als-wr", 0.2),
    "ials": RidgeParams("ials", 0.3, unobserved_weight=0.5),
}
each_ridge = pytest.mark.parametrize("ridge", RIDGES.values(), ids=RIDGES)
each_start = pytest.mark.parametrize("start", ["svd", "noise"])


def planted_confidence(n_listeners: int = 40, *, alpha: float = 5.0) -> CSR:
    return confidence(weigh(community_plays(n_listeners), WeightingParams("log")), alpha=alpha)


@each_ridge
@each_start
def test_exact_alternation_gains_nothing_over_a_finished_fit(start, ridge):
    c = planted_confidence()
    params = ALSParams(n_factors=3, ridge=ridge, iterations=100, start=start, stopping=TO_THE_END)
    fit = fit_als(c, params, rng=np.random.default_rng(0))
    exact = dense.als(c.toarray(), fit.artist_factors, ridge, 20)
    assert dense.als_loss(c.toarray(), *exact, ridge) == pytest.approx(fit.objective, rel=2e-4)


def test_a_start_from_the_svd_is_ahead_of_one_from_noise():
    c = planted_confidence(300)
    losses = {
        start: fit_als(
            c,
            ALSParams(n_factors=3, ridge=RIDGES["plain"], iterations=1, start=start, stopping=TO_THE_END),
            rng=np.random.default_rng(0),
        ).objective
        for start in ("svd", "noise")
    }
    assert losses["svd"] < 0.9 * losses["noise"]


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(1, 3), st.sampled_from([0.05, 1.0, 30.0]))
def test_the_loss_never_rises(seed, n_factors, cg_steps, regularization):
    losses = []
    params = ALSParams(
        n_factors=n_factors,
        ridge=RidgeParams("plain", regularization),
        iterations=6,
        cg_steps=cg_steps,
        stopping=TO_THE_END,
    )
    rng = np.random.default_rng(seed)
    fit_als(planted_confidence(), params, rng=rng, progress=lambda reached: losses.append(reached.loss))
    assert len(losses) == 6
    assert all(later <= earlier * (1 + 2e-5) for earlier, later in pairwise(losses))


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
    fit = fit_als(c, ALSParams(n_factors=2, ridge=RidgeParams("plain", 0.1)), rng=np.random.default_rng(0))
    scores = (fit.listener_factors @ fit.artist_factors.T)[0]
    assert scores[0] > scores[1]
    assert scores[2] > scores[1]


def test_artists_of_one_community_end_close_together():
    fit = fit_als(
        confidence(weigh(community_plays(), WeightingParams("binary")), alpha=5),
        ALSParams(n_factors=4, ridge=RidgeParams("plain", 1.0)),
        rng=np.random.default_rng(0),
    )
    for artist in range(12):
        nearest = dense.cosine_ranking(fit.artist_factors, artist, list(range(12)), 3)
        assert {other // 4 for other in nearest} == {artist // 4}


def planted_taste(n_listeners: int = 400, n_artists: int = 90, *, seed: int = 0) -> CSR:
    """Listeners of nine communities, who heard a third of theirs and some of all: hidden plays can be found."""
    rng = np.random.default_rng(seed)
    own = np.arange(n_artists)[None, :] % 9 == rng.integers(0, 9, n_listeners)[:, None]
    return CSR(np.where(rng.random(own.shape) < np.where(own, 0.4, 0.05), 6.0, 0.0).astype(np.float32))


def test_a_fit_stops_when_hidden_plays_are_no_longer_found_better():
    reached = []
    params = ALSParams(n_factors=12, ridge=RidgeParams("plain", 1.0), iterations=60)
    fit = fit_als(planted_taste(), params, rng=np.random.default_rng(0), progress=reached.append)
    judged, last = [step.ndcg for step in reached[:-1]], reached[-1]
    assert len(reached) < 60
    assert [step.number for step in reached] == list(range(1, len(reached) + 1))
    assert len(judged) - 1 - int(np.argmax(judged)) == params.stopping.patience
    # The last iteration learns from all plays: there is nothing left to judge it by, and it is what is returned.
    assert last.ndcg is None
    assert fit.objective == last.loss


def test_the_last_iteration_learns_from_the_sample_too():
    """What early stopping returns fits the whole matrix as well as a fit that never hid anything."""
    c = planted_taste()
    params = ALSParams(n_factors=9, ridge=RidgeParams("plain", 3.0), iterations=8)
    whole = fit_als(c, ALSParams(n_factors=9, ridge=params.ridge, iterations=8, stopping=TO_THE_END),
                    rng=np.random.default_rng(0))  # fmt: skip
    assert fit_als(c, params, rng=np.random.default_rng(0)).objective == pytest.approx(whole.objective, rel=0.01)


def test_a_fit_that_is_asked_to_stop_keeps_its_last_iteration():
    c, params = planted_taste(), ALSParams(n_factors=4, iterations=9, stopping=TO_THE_END)
    asked = iter([False, False, True])
    stopped = fit_als(c, params, rng=np.random.default_rng(0), stop=lambda: next(asked))
    three = ALSParams(n_factors=4, iterations=3, stopping=TO_THE_END)
    assert np.array_equal(stopped.artist_factors, fit_als(c, three, rng=np.random.default_rng(0)).artist_factors)


@each_start
def test_the_order_of_the_listeners_does_not_matter(start):
    c = planted_taste()
    order = np.random.default_rng(1).permutation(c.shape[0])
    params = ALSParams(n_factors=9, iterations=8, start=start, stopping=TO_THE_END)
    fits = [fit_als(matrix, params, rng=np.random.default_rng(0)) for matrix in (c, CSR(c[order]))]
    assert fits[1].objective == pytest.approx(fits[0].objective, rel=2e-3)
    gram, permuted = (fit.artist_factors @ fit.artist_factors.T for fit in fits)
    assert np.corrcoef(gram.ravel(), permuted.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("n_factors", [1, 2, 7, 64, 100, 256])
def test_any_number_of_factors_works_also_more_than_there_are_artists(n_factors):
    fit = fit_als(planted_confidence(), ALSParams(n_factors=n_factors, iterations=2), rng=np.random.default_rng(0))
    assert fit.artist_factors.shape == (13, n_factors)
    assert fit.artist_factors.any()


def test_without_halves_the_fit_is_the_same_but_for_their_rounding(monkeypatch):
    """A processor that does not convert halves stores float32."""
    c, params = planted_taste(), ALSParams(n_factors=9, iterations=5, stopping=TO_THE_END)
    fits = []
    for fast in (True, False):
        monkeypatch.setattr(als, "halves_are_fast", lambda fast=fast: fast)
        fits.append(fit_als(c, params, rng=np.random.default_rng(0)))
    assert fits[0].objective == pytest.approx(fits[1].objective, rel=1e-4)
    assert not np.array_equal(fits[0].artist_factors, fits[1].artist_factors)


@pytest.mark.parametrize(
    "wrong", [{"n_factors": 0}, {"n_factors": 2000}, {"iterations": 0}, {"cg_steps": 0}, {"start": "zero"}]
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError):
        ALSParams(**wrong)


@pytest.mark.parametrize("wrong", [{"n_listeners": -1}, {"share": 0.0}, {"share": 1.0}, {"patience": 0}])
def test_stopping_out_of_range_is_refused(wrong):
    with pytest.raises(ParameterError):
        StoppingParams(**wrong)
