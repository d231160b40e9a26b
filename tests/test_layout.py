"""The map: similar artists close together, the same one for the same seed."""

import numpy as np
import pytest

from recommender.errors import ParameterError
from recommender.layout import LayoutParams, lay_out


@pytest.fixture(scope="module")
def world():
    """Three kinds of artists, 30 of each, and one without factors; listeners fall from the last to the first."""
    rng = np.random.default_rng(0)
    factors = np.repeat(np.eye(3, 6), 30, axis=0) + rng.normal(0, 0.1, (90, 6))
    return np.vstack((factors, np.zeros(6))).astype(np.float32), np.arange(91)


@pytest.fixture(scope="module")
def layout(world):
    return lay_out(*world, LayoutParams(n_artists=80, n_clusters=3, n_neighbours=10), seed=1)


def test_the_most_heard_artists_with_factors_are_drawn(layout):
    assert layout.artist_idx.tolist() == list(range(89, 9, -1))
    assert layout.positions.shape == (80, 2)
    assert np.abs(layout.positions).max() <= 1


def test_artists_of_one_kind_stand_together_and_have_one_colour(layout):
    kind = layout.artist_idx // 30
    distances = np.linalg.norm(layout.positions[:, None] - layout.positions[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1)[:, :5]
    assert (kind[nearest] == kind[:, None]).mean() > 0.95
    assert all(np.unique(layout.cluster[kind == one]).size == 1 for one in range(3))
    sizes = np.bincount(layout.cluster)
    assert (np.diff(sizes) <= 0).all()


def test_the_same_seed_draws_the_same_map(world, layout):
    again = lay_out(*world, LayoutParams(n_artists=80, n_clusters=3, n_neighbours=10), seed=1)
    assert np.array_equal(again.positions, layout.positions)
    assert np.array_equal(again.cluster, layout.cluster)


def test_what_cannot_be_drawn_is_refused_with_a_sentence():
    with pytest.raises(ParameterError, match="4 to 50000"):
        LayoutParams(n_artists=3)
    with pytest.raises(ParameterError, match="at least 4 artists with factors, this model has 0"):
        lay_out(np.zeros((9, 2), np.float32), np.arange(9), LayoutParams(), seed=0)
