"""Presets and what they decide."""

from dataclasses import replace

import numpy as np
import pytest

from communities import community_plays, small_recipe
from recommender.errors import DataError, ModelError, ParameterError
from recommender.matrix import CSR
from recommender.recipes import PRESETS, adjusted, choose_preset, fitted_to
from recommender.training import train
from threads import printed_by_any_number_of_threads


@pytest.mark.parametrize(
    ("preset", "algorithm", "chosen"),
    [
        (None, None, "best"),
        (None, "als", "als"),
        (None, "lsa", "lsa"),
        ("article-als", None, "article-als"),
        ("article-als", "als", "article-als"),
    ],
)
def test_preset_and_algorithm_name_one_recipe(preset, algorithm, chosen):
    assert choose_preset(preset, algorithm) == chosen


@pytest.mark.parametrize(
    ("preset", "algorithm", "says"),
    [
        ("x", None, "als, lsa, als-wr, ials"),
        (None, "knn", "als, lsa"),
        ("article-lsa", "als", "leave one of them out"),
    ],
)
def test_names_that_do_not_fit_are_refused(preset, algorithm, says):
    with pytest.raises(ParameterError, match=says):
        choose_preset(preset, algorithm)


def test_article_presets_hold_the_article_s_numbers():
    als, lsa = PRESETS["article-als"], PRESETS["article-lsa"]
    for recipe in (als, lsa):
        assert (recipe.weighting.scheme, recipe.weighting.k1, recipe.weighting.b) == ("bm25", 100.0, 0.8)
    assert (als.als.n_factors, als.als.ridge.regularization) == (50, 0.01)
    assert (lsa.lsa.n_factors, lsa.lsa.popularity, lsa.lsa.strength) == (50, 0, 0)


def test_adjusting_replaces_only_what_is_given():
    recipe = adjusted(PRESETS["als"], n_factors=7, min_listeners=2)
    assert (recipe.als.n_factors, recipe.neighbours.min_listeners) == (7, 2)
    assert recipe.neighbours.k == PRESETS["als"].neighbours.k
    assert recipe.als.ridge == PRESETS["als"].als.ridge
    assert adjusted(PRESETS["als"]) == PRESETS["als"]


def test_adjusting_refuses_nonsense():
    with pytest.raises(ParameterError):
        adjusted(PRESETS["als"], n_factors=0)


def test_where_the_fusion_is_too_large_best_takes_other_factors_but_not_in_place_of_chosen_ones():
    plays, best = community_plays(), PRESETS["best"]
    large = replace(best, similarity=replace(best.similarity, most_pairs=1))
    fitted = fitted_to(large, plays)
    assert (fitted.similarity.method, fitted.als) == ("factors", PRESETS["als"].als)
    assert fitted_to(fitted, plays) == fitted
    chosen = adjusted(large, n_factors=7)
    assert fitted_to(chosen, plays).als == chosen.als
    assert fitted_to(best, plays).als == best.als


def test_training_tells_its_steps():
    steps = []
    train(community_plays(), small_recipe(), rng=np.random.default_rng(0), step=lambda *step: steps.append(step))
    assert [step[0] for step in steps if step[1] == 0] == ["weighting", "factorizing", "finding neighbours"]
    reached = [words for stage, _, _, words in steps if stage == "factorizing" and words]
    assert 3 <= len(reached) <= 15
    assert all(words.startswith("loss ") for words in reached)
    assert all(", nDCG@10 of hidden plays " in words for words in reached[:-1])


def test_too_much_regularization_for_little_data_is_refused():
    """All artists on one line: every cosine is 1, and the ranking would be noise."""
    plays = CSR((np.random.default_rng(0).random((20, 20)) < 0.3).astype(np.float32))
    with pytest.raises(ModelError, match="smaller --regularization"):
        train(plays, PRESETS["als"], rng=np.random.default_rng(0))
    healthy = adjusted(PRESETS["als"], regularization=0.5)
    assert train(plays, healthy, rng=np.random.default_rng(0)).factors.n_factors == 64


def test_regularization_that_overflows_is_named_without_a_warning():
    """Warnings are errors here: nothing but the sentence may appear."""
    adjusted_too_far = adjusted(PRESETS["als"], regularization=1e12)
    with pytest.raises(ModelError, match=r"a regularization of 1e\+12 is far too large or too small"):
        train(community_plays(), adjusted_too_far, rng=np.random.default_rng(0))


@pytest.mark.parametrize("shape", [(1, 20), (20, 1)])
def test_one_listener_or_one_artist_is_called_too_few_and_not_too_much_regularization(shape):
    with pytest.raises(ModelError, match=r"nothing can be compared: .*bring more data, or check which column"):
        train(CSR(np.ones(shape, dtype=np.float32)), PRESETS["best"], rng=np.random.default_rng(0))


def test_data_in_which_nobody_can_be_compared_is_refused():
    plays = CSR(np.eye(12, dtype=np.float32))
    with pytest.raises(ModelError, match="no artist could be compared"):
        train(plays, adjusted(PRESETS["als"], regularization=0.01), rng=np.random.default_rng(0))


def test_lsa_of_weights_that_say_nothing_is_refused():
    """Who heard everything has no idf: all BM25 weights are zero."""
    plays = CSR(np.ones((10, 8), dtype=np.float32))
    with pytest.raises(DataError, match="cannot be factorized"):
        train(plays, adjusted(PRESETS["article-lsa"], n_factors=4), rng=np.random.default_rng(0))


TRAIN_AND_HASH = """
import hashlib, numpy as np
from recommender.matrix import CSR
from recommender.recipes import PRESETS
from recommender.training import train
rng = np.random.default_rng(0)
plays = CSR((rng.random((4000, 1500)) < 0.02).astype(np.float32) * rng.integers(1, 99, (4000, 1500), dtype=np.int64))
for preset in ("als", "lsa", "article-als", "article-lsa"):
    model = train(plays.astype(np.float32), PRESETS[preset], rng=np.random.default_rng(1))
    bits = model.factors.artist_factors.tobytes() + model.neighbours.idx.tobytes() + model.neighbours.score.tobytes()
    print(preset, hashlib.sha256(bits).hexdigest())
"""


def test_the_bits_do_not_depend_on_the_number_of_threads():
    """Neither on numba's nor on those of BLAS, whose large products are summed in another order by each number."""
    assert len(printed_by_any_number_of_threads(TRAIN_AND_HASH)) == 4
