"""Words for how sure a neighbour is: by its place among the model's own scores and by who heard both."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.confidence import MIN_STRONG_SUPPORT, StrengthBounds, strength_bounds

ORDER = ("weak", "fair", "strong")
BOUNDS = StrengthBounds(low=0.4, high=0.7)


@given(st.lists(st.floats(0.0078125, 1, width=32), min_size=3, max_size=200))
def test_the_bounds_cut_the_shown_scores_in_thirds(scores):
    score = np.array([scores], dtype=np.float32).reshape(-1, 1)
    bounds = strength_bounds(np.zeros(score.shape, dtype=np.int32), score)
    assert bounds.low <= bounds.high
    assert (score <= bounds.low).sum() >= len(scores) // 3
    assert (score >= bounds.high).sum() >= len(scores) // 3


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 50), st.integers(0, 50))
def test_more_of_either_is_never_a_weaker_word(a, b, few, many):
    low, high, few, many = *sorted((a, b)), *sorted((few, many))
    assert ORDER.index(BOUNDS.strength(low, few)) <= ORDER.index(BOUNDS.strength(high, many))


@pytest.mark.parametrize("support", range(MIN_STRONG_SUPPORT))
def test_what_hardly_anybody_heard_together_is_never_strong(support):
    assert BOUNDS.strength(1.0, support) == "fair"


@pytest.mark.parametrize(
    ("score", "support", "word"),
    [(0.7, 0, "fair"), (0.7, 3, "strong"), (0.4, 0, "weak"), (0.4, 7, "fair"), (0.4, 31, "strong"), (0.12, 31, "fair"),
     (0.12, 10_000, "fair"), (0.05, 3, "weak")],
)  # fmt: skip
def test_each_word_can_be_reached_by_both_roads(score, support, word):
    assert BOUNDS.strength(score, support) == word


def test_only_what_people_see_counts():
    idx = np.array([[*range(1, 11), 11], [-1] * 11], dtype=np.int32)
    score = np.array([[0.9] * 10 + [0.1], [0.0] * 11], dtype=np.float32)
    bounds = strength_bounds(idx, score)
    assert bounds.low == bounds.high == pytest.approx(0.9)
    assert bounds.strength(bounds.high, 8) == "strong"
    assert bounds.strength(0.1, 1) == "weak"
    assert strength_bounds(idx[1:], score[1:]) == StrengthBounds(0.0, 0.0)
