"""Presets and what they decide."""

import numpy as np
import pytest

from communities import community_plays, small_recipe
from recommender.errors import ParameterError
from recommender.training import PRESETS, adjusted, choose_preset, train


@pytest.mark.parametrize(
    ("preset", "algorithm", "chosen"),
    [
        (None, None, "als"),
        (None, "als", "als"),
        (None, "lsa", "article-lsa"),
        ("article-als", None, "article-als"),
        ("article-als", "als", "article-als"),
    ],
)
def test_preset_and_algorithm_name_one_recipe(preset, algorithm, chosen):
    assert choose_preset(preset, algorithm) == chosen


@pytest.mark.parametrize(
    ("preset", "algorithm", "says"),
    [("x", None, "als, article-als"), (None, "knn", "als, lsa"), ("article-lsa", "als", "leave one of them out")],
)
def test_names_that_do_not_fit_are_refused(preset, algorithm, says):
    with pytest.raises(ParameterError, match=says):
        choose_preset(preset, algorithm)


def test_article_presets_hold_the_article_s_numbers():
    als, lsa = PRESETS["article-als"], PRESETS["article-lsa"]
    for recipe in (als, lsa):
        assert (recipe.weighting.scheme, recipe.weighting.k1, recipe.weighting.b) == ("bm25", 100.0, 0.8)
    assert (als.als.n_factors, als.als.regularization) == (50, 0.01)
    assert lsa.lsa.n_factors == 50


def test_adjusting_replaces_only_what_is_given():
    recipe = adjusted(PRESETS["als"], n_factors=7, min_listeners=2)
    assert (recipe.als.n_factors, recipe.neighbours.min_listeners) == (7, 2)
    assert recipe.neighbours.k == PRESETS["als"].neighbours.k
    assert recipe.als.regularization == PRESETS["als"].als.regularization
    assert adjusted(PRESETS["als"]) == PRESETS["als"]


def test_adjusting_refuses_nonsense():
    with pytest.raises(ParameterError):
        adjusted(PRESETS["als"], n_factors=0)


def test_training_tells_its_steps():
    steps = []
    train(community_plays(), small_recipe(), rng=np.random.default_rng(0), step=lambda *step: steps.append(step))
    assert [step[0] for step in steps if step[1] == 0] == ["weighting", "factorizing", "finding neighbours"]
    losses = [loss for stage, _, _, loss in steps if stage == "factorizing" and loss is not None]
    assert len(losses) == 15
    assert losses[-1] < losses[0]
