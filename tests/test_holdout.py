"""The validation sample hides what it says, and judges as the definition does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from communities import community_plays
from recommender.holdout import Holdout, hold_out, ndcg
from recommender.matrix import CSR


def test_what_is_left_and_what_is_hidden_make_up_the_matrix():
    plays = community_plays(200)
    left, holdout = hold_out(plays, n_listeners=15, share=0.3, rng=np.random.default_rng(0))
    assert 1 <= len(holdout.listeners) <= 15
    whole = left.toarray()
    assert (whole[holdout.listeners] == holdout.seen.toarray()).all()
    whole[holdout.listeners] += holdout.hidden.toarray()
    assert (whole == plays.toarray()).all()
    assert left.nnz == plays.nnz - holdout.hidden.nnz
    assert (np.diff(holdout.hidden.indptr) > 0).all()
    assert (np.diff(holdout.seen.indptr) > 0).all()
    assert left.has_sorted_indices


def test_at_most_a_tenth_of_the_listeners_is_sampled():
    plays = community_plays(50)
    _, holdout = hold_out(plays, n_listeners=1000, share=0.5, rng=np.random.default_rng(0))
    assert len(holdout.listeners) <= 5


@pytest.mark.parametrize("dense", [np.eye(30), np.ones((5, 4)), np.zeros((3, 3)), np.ones((1, 1))])
def test_data_too_small_for_a_sample_is_left_whole(dense):
    plays = CSR(dense.astype(np.float32))
    left, holdout = hold_out(plays, n_listeners=1000, share=0.2, rng=np.random.default_rng(0))
    assert holdout is None
    assert (left.toarray() == dense).all()


def sample_of(n_listeners: int, n_artists: int, seed: int) -> tuple[Holdout, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    state = rng.choice(3, size=(n_listeners, n_artists), p=[0.6, 0.2, 0.2])
    state[:, 0], state[:, 1] = 1, 2  # something on both sides
    holdout = Holdout(
        np.arange(n_listeners), CSR((state == 1).astype(np.float32)), CSR((state == 2).astype(np.float32))
    )
    x = rng.integers(-2, 3, (n_listeners, 2)).astype(np.float32)  # whole numbers: many scores are equal
    return holdout, x, rng.integers(-2, 3, (n_artists, 2)).astype(np.float32)


def ndcg_by_hand(holdout: Holdout, x: np.ndarray, y: np.ndarray) -> float:
    gained = []
    for row in range(len(x)):
        hidden = set(holdout.hidden.indices[holdout.hidden.indptr[row] : holdout.hidden.indptr[row + 1]].tolist())
        seen = set(holdout.seen.indices[holdout.seen.indptr[row] : holdout.seen.indptr[row + 1]].tolist())
        scores = {artist: float(x[row] @ y[artist]) for artist in range(len(y)) if artist not in seen}
        total = 0.0
        for artist in hidden:  # worst place among equals
            rank = sum(score >= scores[artist] for score in scores.values())
            total += 1 / np.log2(rank + 1) if rank <= 10 else 0
        gained.append(total / sum(1 / np.log2(place + 1) for place in range(1, min(len(hidden), 10) + 1)))
    return float(np.mean(gained))


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(2, 60), st.integers(0, 10**6))
def test_ndcg_is_the_definition(n_listeners, n_artists, seed):
    holdout, x, y = sample_of(n_listeners, n_artists, seed)
    assert ndcg(holdout, x, y) == pytest.approx(ndcg_by_hand(holdout, x, y))


def test_a_perfect_model_scores_one():
    only_first = Holdout(np.arange(1), CSR(np.eye(1, 9, 4, np.float32)), CSR(np.eye(1, 9, 2, dtype=np.float32)))
    x = np.ones((1, 1), dtype=np.float32)
    y = -np.ones((9, 1), dtype=np.float32)
    y[2] = 1
    assert ndcg(only_first, x, y) == 1.0


def test_factors_that_are_not_numbers_score_nothing():
    holdout, x, y = sample_of(3, 30, 0)
    assert ndcg(holdout, x, np.full_like(y, np.nan)) == 0.0
