"""Figures of neighbour tables: what each is like, and how far two agree."""

import numpy as np
import pytest

from recommender.agreement import agreement, estimate, table_figures
from recommender.matrix import NO_NEIGHBOUR

X = NO_NEIGHBOUR


def rng():
    return np.random.default_rng(0)


def test_a_table_agrees_with_itself_wholly_and_with_its_opposite_not():
    ids = np.arange(100, 106)
    table = np.array([[1, 2], [0, 2], [0, 1], [4, 5], [3, 5], [3, 4]])
    assert agreement(ids, table, ids, table, rng=rng()).mean == 1.0
    other = np.array([[3, 4], [3, 5], [4, 5], [0, 1], [0, 2], [1, 2]])
    assert agreement(ids, table, ids, other, rng=rng()).mean == 0.0


def test_artists_are_matched_by_id_whatever_their_rows():
    ids, table = np.array([10, 20, 30]), np.array([[1, 2], [0, 2], [0, 1]])
    turned = np.array([30, 10, 20, 99])
    same = np.array([[1, 2], [2, 0], [1, 0], [X, X]])
    assert agreement(ids, table, turned, same, rng=rng()).mean == 1.0


def test_the_longer_list_counts_and_lists_that_are_missing_do_not():
    ids = np.array([1, 2, 3])
    a = np.array([[1, X], [0, X], [X, X]])
    b = np.array([[1, 2], [2, X], [0, 1]])
    found = agreement(ids, a, ids, b, rng=rng())
    assert (found.mean, found.n) == (pytest.approx((1 / 2 + 0) / 2), 2)


def test_figures_of_a_small_table_are_those_counted_by_hand():
    idx = np.array([[1, 2], [0, X], [1, X], [X, X]])
    support = np.array([[3, 0], [3, 0], [2, 0], [0, 0]])
    listeners = np.array([40, 30, 20, 10])
    found = table_figures(idx, support, listeners, rng=rng())
    assert found.answered == 0.75
    assert found.coverage == 1.0
    assert found.largest_hub == 2
    assert found.shared.mean == pytest.approx((0.5 + 1 + 1) / 3)
    # Shares of artists with fewer listeners, half of the equal ones: .875, .625, .375, .125.
    assert found.familiarity.mean == pytest.approx(((0.625 + 0.375) / 2 + 0.875 + 0.625) / 3)


def test_a_hub_skews():
    ring = np.array([[(row + 1) % 20] for row in range(20)])
    hub = np.array([[0 if row else 1] for row in range(20)])
    ones = np.ones((20, 1), dtype=int)
    flat, skewed = (table_figures(table, ones, np.arange(20), rng=rng()) for table in (ring, hub))
    assert flat.hub_skew == 0.0
    assert skewed.hub_skew > 3
    assert skewed.coverage == pytest.approx(2 / 20)


def test_an_interval_covers_the_true_mean_about_as_often_as_it_says():
    draws = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        found = estimate(draws.integers(0, 11, 150) / 10, rng=draws)
        hits += found.low <= 0.5 <= found.high
    assert 180 <= hits <= 200


def test_nothing_has_no_mean():
    assert estimate(np.array([]), rng=rng()).n == 0


def test_of_many_artists_some_are_drawn_and_the_mean_stays(monkeypatch):
    n = 2_000
    ids, ring = np.arange(n), np.column_stack([(np.arange(n) + step) % n for step in (1, 2)])
    other = np.column_stack([(np.arange(n) + 1) % n, (np.arange(n) + np.where(np.arange(n) % 2, 2, 3)) % n])
    whole = agreement(ids, ring, ids, other, rng=rng())
    monkeypatch.setattr("recommender.agreement.MOST_COMPARED", 500)
    drawn = agreement(ids, ring, ids, other, rng=rng())
    assert (whole.n, drawn.n) == (n, 500)
    assert whole.mean == 0.75
    assert drawn.low <= 0.75 <= drawn.high
