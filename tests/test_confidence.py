"""Words for how sure a neighbour is: places among the model's own scores, and never strong on next to nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.confidence import StrengthBounds, strength_bounds

ORDER = ("weak", "fair", "strong")


@given(st.lists(st.floats(0.0078125, 1, width=32), min_size=3, max_size=200))
def test_a_third_is_strong_and_a_third_is_weak(scores):
    score = np.array([scores], dtype=np.float32).reshape(-1, 1)
    bounds = strength_bounds(np.zeros(score.shape, dtype=np.int32), score)
    words = [bounds.strength(float(value), 10) for value in score[:, 0]]
    n, distinct = len(words), len(set(score[:, 0].tolist()))
    assert words.count("strong") >= n // 3
    if distinct == n:
        assert abs(words.count("strong") - n / 3) <= 1
        assert abs(words.count("weak") - n / 3) <= 1


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 50), st.integers(0, 50))
def test_more_of_either_is_never_a_weaker_word(low, high, few, many):
    bounds = StrengthBounds(strong_from=0.7, weak_below=0.4)
    low, high, few, many = *sorted((low, high)), *sorted((few, many))
    assert ORDER.index(bounds.strength(low, few)) <= ORDER.index(bounds.strength(high, many))


@pytest.mark.parametrize("support", [0, 1, 2])
def test_what_hardly_anybody_heard_together_is_never_strong(support):
    assert StrengthBounds(0.5, 0.2).strength(1.0, support) == "fair"


def test_only_what_people_see_counts():
    idx = np.array([[*range(1, 11), 11], [-1] * 11], dtype=np.int32)
    score = np.array([[0.9] * 10 + [0.1], [0.0] * 11], dtype=np.float32)
    bounds = strength_bounds(idx, score)
    assert bounds.weak_below == bounds.strong_from == pytest.approx(0.9)
    assert strength_bounds(idx[1:], score[1:]) == StrengthBounds(0.0, 0.0)
