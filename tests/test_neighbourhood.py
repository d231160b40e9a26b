"""A map keeps near artists near, its middle in the middle, and is the same each time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recommender.neighbourhood import positions


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30)


def test_points_of_a_plane_keep_all_their_distances():
    angles = np.array([0.0, 0.2, 0.5, 1.4, 3.0])
    directions = np.column_stack([np.cos(angles), np.sin(angles)])
    placed = positions(directions)
    distances = np.linalg.norm(directions[:, None] - directions[None], axis=2)
    assert np.allclose(np.linalg.norm(placed[:, None] - placed[None], axis=2), distances)


@given(arrays(np.float64, (6, 4), elements=st.floats(-1, 1)))
def test_the_first_lies_in_the_middle_and_no_distance_grows(rows):
    directions = unit(rows)
    placed = positions(directions)
    assert placed.shape == (6, 2)
    assert np.array_equal(placed[0], [0.0, 0.0])
    far = np.linalg.norm(directions[:, None] - directions[None], axis=2)
    assert (np.linalg.norm(placed[:, None] - placed[None], axis=2) <= far + 1e-9).all()


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_artists_have_a_map_too(n):
    assert np.isfinite(positions(unit(np.ones((n, 3)) + np.eye(3)[:n]))).all()


def test_communities_lie_apart():
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(3), 5, axis=0)
    placed = positions(unit(centres + 0.05 * rng.standard_normal(centres.shape)))
    communities = [placed[5 * c : 5 * c + 5] for c in range(3)]
    middles = [community.mean(axis=0) for community in communities]
    pairs = zip(communities, middles, strict=True)
    within = max(np.linalg.norm(community - middle, axis=1).max() for community, middle in pairs)
    between = min(np.linalg.norm(middles[a] - middles[b]) for a in range(3) for b in range(a))
    assert between > 4 * within
