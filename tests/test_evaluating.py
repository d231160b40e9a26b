"""Metrics equal trec_eval's, splits hide what they say, intervals cover, and an evaluation finds the better model."""

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from communities import community_plays, small_recipe
from recommender import metrics
from recommender.errors import DataError, ParameterError
from recommender.evaluating import POPULARITY, EvaluationParams, compare, evaluate, fit_recommender, popular_lists
from recommender.intervals import by_listener, interval, paired
from recommender.matrix import CSR
from recommender.recipes import PRESETS, adjusted
from recommender.splits import SplitParams, split
from recommender.training import train


def random_lists(seed: int, n_listeners: int, n_artists: int, depth: int) -> tuple[np.ndarray, CSR]:
    """Ranked lists, some short, and at least one hidden artist for each listener."""
    rng = np.random.default_rng(seed)
    lists = np.array([rng.permutation(n_artists)[:depth] for _ in range(n_listeners)], dtype=np.intp)
    lists[rng.random(n_listeners) < 0.3, depth // 2 :] = -1
    hidden = rng.random((n_listeners, n_artists)) < 0.2
    hidden[np.arange(n_listeners), rng.integers(0, n_artists, n_listeners)] = True
    return lists, CSR(hidden.astype(np.float32))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(20, 40))
def test_metrics_are_those_of_trec_eval(seed, n_listeners, n_artists):
    lists, hidden = random_lists(seed, n_listeners, n_artists, 20)
    qrels = [ir_measures.Qrel(str(u), str(i), 1) for u, i in zip(*hidden.nonzero(), strict=True)]
    run = [
        ir_measures.ScoredDoc(str(u), str(artist), -place)
        for u, row in enumerate(lists.tolist())
        for place, artist in enumerate(row)
        if artist >= 0
    ]
    ours = {
        "R@20": metrics.recall(lists, hidden, 20),
        "R@5": metrics.recall(lists, hidden, 5),
        "nDCG@10": metrics.ndcg(lists, hidden, 10),
        "AP@20": metrics.average_precision(lists, hidden, 20),
    }
    measures = [ir_measures.parse_measure(name) for name in ours]
    for found in ir_measures.pytrec_eval.iter_calc(measures, qrels, run):
        assert ours[str(found.measure)][int(found.query_id)] == pytest.approx(found.value), found


def test_what_lists_do_to_a_catalogue_by_hand():
    lists = np.array([[0, 1], [0, 2], [0, -1]])
    seen = CSR(np.array([[0, 0, 0, 1], [0, 0, 0, 1], [0, 1, 0, 1]], dtype=np.float32))
    listeners, answerable = np.array([6, 4, 2, 2]), np.array([True, True, True, True])
    found = metrics.spread(lists, seen, listeners, answerable)
    counts = np.array([3, 1, 1, 0])
    deviation = counts - 1.25
    assert found.coverage == 0.75
    assert found.most_lists == 1.0
    assert found.hub_skew == pytest.approx((deviation**3).mean() / (deviation**2).mean() ** 1.5)
    assert found.popularity == pytest.approx(np.mean([5 / 2, 4 / 2, 6 / 3]))
    assert metrics.spread(lists, seen, listeners, np.array([True, True, True, True])) == found


def test_lists_that_are_the_same_overlap_wholly_and_others_not():
    lists = np.array([[0, 1], [2, -1]])
    assert metrics.overlap(lists, lists[:, ::-1]) == 1.0
    assert metrics.overlap(lists, np.array([[0, 9], [8, 9]])) == 0.25


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(["leave-out", "new-listeners"]), st.floats(0.05, 0.9))
def test_a_split_hides_a_share_and_loses_nothing(seed, kind, share):
    plays = community_plays(60, seed=seed % 7)
    params = SplitParams(kind, share=share, new_share=0.2, least_artists=4)
    one = split(plays, params, rng=np.random.default_rng(seed))
    who, dense = one.judged.listeners, plays.toarray()
    seen, hidden = one.judged.seen.toarray(), one.judged.hidden.toarray()
    assert (seen + hidden == dense[who]).all()
    n_artists, n_hidden = (dense[who] > 0).sum(axis=1), (hidden > 0).sum(axis=1)
    assert (n_artists >= 4).all()
    assert (np.abs(n_hidden - share * n_artists) <= 1).all()
    assert ((n_hidden >= 1) & (n_hidden < n_artists)).all()
    if kind == "leave-out":
        assert (one.train.toarray()[who] == seen).all()
        assert one.train.nnz + one.judged.hidden.nnz == plays.nnz
        assert who.tolist() == np.flatnonzero((dense > 0).sum(axis=1) >= 4).tolist()
    else:
        assert (one.train.toarray() == np.delete(dense, who, axis=0)).all()
    again = split(plays, params, rng=np.random.default_rng(seed))
    assert (again.judged.hidden != one.judged.hidden).nnz == 0


def test_data_that_cannot_be_judged_are_refused():
    lonely = CSR(np.eye(9, dtype=np.float32))
    with pytest.raises(DataError, match="nobody in these data listens to 5 artists"):
        split(lonely, SplitParams(), rng=np.random.default_rng(0))
    one = CSR(np.ones((1, 9), dtype=np.float32))
    with pytest.raises(DataError, match="none is left to learn from"):
        split(one, SplitParams("new-listeners"), rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    "options",
    [{"kind": "x"}, {"share": 0.0}, {"share": 1.0}, {"new_share": 0.0}, {"least_artists": 1}],
)
def test_splits_out_of_range_are_refused(options):
    with pytest.raises(ParameterError):
        SplitParams(**options)


def test_who_is_judged_twice_counts_once():
    figures = by_listener([np.array([3, 1]), np.array([1, 7])], [np.array([0.3, 0.0]), np.array([1.0, 0.7])])
    assert figures.tolist() == [0.5, 0.3, 0.7]


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        found = interval(rng.exponential(1.0, 80), rng=rng)
        covered += found.low <= 1.0 <= found.high
    assert 0.89 <= covered / 200 <= 0.99


def test_a_difference_is_found_where_there_is_one_and_rarely_where_there_is_none():
    rng = np.random.default_rng(1)
    theirs = rng.random(400)
    better = paired(theirs + 0.01 + 0.05 * rng.standard_normal(400), theirs, rng=rng)
    assert better.low < 0.01 < better.high
    assert better.low > 0
    assert better.p < 0.01
    false_alarms = sum(paired(theirs + 0.05 * rng.standard_normal(400), theirs, rng=rng).p < 0.05 for _ in range(100))
    assert false_alarms <= 13


@pytest.fixture(scope="module")
def judged():
    recipes = {"als": small_recipe("als"), "article-lsa": small_recipe("article-lsa")}
    return evaluate(community_plays(240, strays=0.1), recipes, EvaluationParams(n_splits=2, recall_at=3, ndcg_at=2))


def test_a_model_that_knows_communities_beats_popularity(judged):
    assert list(judged) == [POPULARITY, "als", "article-lsa"]
    difference = compare(judged, "als", POPULARITY, seed=0)["nDCG@2"]
    assert difference.low > 0.1
    assert difference.p < 0.01
    assert judged["als"].means["R@3"].low < judged["als"].means["R@3"].mean < judged["als"].means["R@3"].high
    assert judged["als"].stability > 0.8
    assert judged[POPULARITY].stability is None
    assert judged["als"].spread("popularity") < judged[POPULARITY].spread("popularity")
    assert 0 < judged["als"].spread("coverage") <= 1


def test_the_same_evaluation_gives_the_same_figures(judged):
    again = evaluate(
        community_plays(240, strays=0.1),
        {"als": small_recipe("als")},
        EvaluationParams(n_splits=2, recall_at=3, ndcg_at=2),
    )
    for name, figures in again["als"].each.items():
        assert (figures == judged["als"].each[name]).all()
    assert again["als"].spreads == judged["als"].spreads
    assert again["als"].means == judged["als"].means


def test_new_listeners_are_judged_without_being_trained_on():
    params = EvaluationParams(SplitParams("new-listeners", new_share=0.3), n_splits=2, recall_at=3, ndcg_at=2)
    judged = evaluate(community_plays(240, strays=0.1), {"als": small_recipe("als")}, params)
    assert compare(judged, "als", POPULARITY, seed=0)["R@3"].low > 0.1


def test_what_is_judged_is_what_training_makes():
    """The recommender of an evaluation scores as that of a trained model does."""
    plays, recipe = community_plays(), small_recipe("als")
    trained = train(plays, recipe, rng=np.random.default_rng(3))
    recommender = fit_recommender(plays, recipe, rng=np.random.default_rng(3))
    assert (recommender._factors == trained.factors.artist_factors).all()
    assert recommender.objective.typical_weight == trained.typical_weight


def test_popular_lists_leave_out_what_was_heard():
    one = split(community_plays(60, strays=0.2), SplitParams(least_artists=3), rng=np.random.default_rng(0))
    lists = popular_lists(one, 4)
    listeners = np.bincount(one.train.indices, minlength=13)
    for row, seen in zip(lists, one.judged.seen.toarray(), strict=True):
        unseen = [artist for artist in np.argsort(-listeners, kind="stable") if not seen[artist]]
        assert row.tolist() == unseen[:4]


def test_lists_of_who_likes_nothing_are_empty():
    recommender = fit_recommender(community_plays(), small_recipe("als"), rng=np.random.default_rng(0))
    lists = recommender.lists(CSR(np.zeros((2, 13), dtype=np.float32)), 3)
    assert (lists == -1).all()


def test_data_in_which_no_artist_has_enough_listeners_are_refused():
    plays = CSR(np.kron(np.eye(6), np.ones((1, 6))).astype(np.float32))
    with pytest.raises(DataError, match="no artist has 5 listeners"):
        evaluate(plays, {"lsa": small_recipe("lsa")}, EvaluationParams(n_splits=1))


def test_every_preset_recommends():
    plays = community_plays(90)
    for name, preset in PRESETS.items():
        recipe = adjusted(preset, n_factors=3, regularization=0.5)
        lists = fit_recommender(plays, recipe, rng=np.random.default_rng(0)).lists(CSR(plays[:6]), 2)
        assert (lists >= 0).any(), name
