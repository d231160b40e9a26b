"""The neighbour table is the exact top k, block by block."""

import numpy as np
import pytest

import dense
from catalogues import random_plays
from communities import community_plays
from recommender import neighbours as neighbours_module
from recommender.errors import ParameterError
from recommender.matrix import CSR, NO_NEIGHBOUR
from recommender.neighbours import NeighbourParams, nearest_artists


def factors(n_artists: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_artists, 3)).astype(np.float32)


def heard(n_listeners: int, n_artists: int, *, seed: int = 0) -> CSR:
    return CSR((np.random.default_rng(seed).random((n_listeners, n_artists)) < 0.4).astype(np.float32))


WAYS = pytest.mark.parametrize("product_cost", [np.inf, 4.0, 0.0], ids=["listeners", "cheaper", "products"])
"""Every way in which a row can be found: through listeners, whichever costs less, by a product with all artists."""


@WAYS
def test_every_way_finds_the_same(product_cost, monkeypatch):
    """Long rows and short ones, thin artists and popular ones, and copies of one direction that tie."""
    expected = nearest_artists(*tied_world(), NeighbourParams(k=30, min_listeners=2, min_common_listeners=2))
    monkeypatch.setattr(neighbours_module, "PRODUCT_COST", product_cost)
    table = nearest_artists(*tied_world(), NeighbourParams(k=30, min_listeners=2, min_common_listeners=2))
    assert np.array_equal(table.idx, expected.idx)
    assert np.array_equal(table.support, expected.support)
    assert np.allclose(table.score, expected.score, atol=1e-6)
    assert (table.idx == NO_NEIGHBOUR).any()
    assert (table.idx[:, -1] != NO_NEIGHBOUR).any()


def tied_world() -> tuple[np.ndarray, CSR]:
    rows = factors(300)
    rows[100:180] = rows[100]
    return rows, random_plays(80, 300)


@WAYS
@pytest.mark.parametrize("block", [1, 5000, 1 << 24])
def test_rows_equal_a_full_sort_whatever_the_block(block, product_cost, monkeypatch):
    monkeypatch.setattr(neighbours_module, "PRODUCT_COST", product_cost)
    monkeypatch.setattr(neighbours_module, "BLOCK_WORK", block)
    table = nearest_artists(factors(30), heard(50, 30), NeighbourParams(k=6, min_listeners=1))
    for artist in range(30):
        assert table.idx[artist].tolist() == dense.cosine_ranking(factors(30), artist, list(range(30)), 6)
    assert (np.diff(table.score, axis=1) <= 0).all()


@WAYS
def test_equal_scores_come_in_the_order_of_the_artists(product_cost, monkeypatch):
    monkeypatch.setattr(neighbours_module, "PRODUCT_COST", product_cost)
    same = np.ones((6, 2), dtype=np.float32)
    table = nearest_artists(same, heard(20, 6), NeighbourParams(k=3, min_listeners=1))
    assert table.idx.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], [0, 1, 2], [0, 1, 2]]


def test_artists_below_the_cut_neither_have_nor_are_neighbours():
    plays = community_plays()  # the last artist has two listeners
    table = nearest_artists(factors(13), plays, NeighbourParams(k=12, min_listeners=3))
    assert (table.idx[12] == NO_NEIGHBOUR).all()
    assert 12 not in table.idx
    assert table.idx.shape == (13, 11)


def test_support_counts_the_listeners_of_both():
    plays = heard(50, 30)
    table = nearest_artists(factors(30), plays, NeighbourParams(k=5, min_listeners=1))
    together = (plays.toarray() > 0).astype(int).T @ (plays.toarray() > 0).astype(int)
    assert np.array_equal(table.support, np.take_along_axis(together, table.idx.astype(int), axis=1))


@WAYS
@pytest.mark.parametrize("needed", [1, 5])
def test_artists_without_enough_common_listeners_are_no_neighbours(needed, product_cost, monkeypatch):
    """Two halves of the listeners who share no artist, but whose factors are alike."""
    monkeypatch.setattr(neighbours_module, "PRODUCT_COST", product_cost)
    plays = np.zeros((20, 8), dtype=np.float32)
    plays[:10, :4] = plays[10:, 4:] = 1
    plays[6:10, 0] = 0
    params = NeighbourParams(k=7, min_listeners=1, min_common_listeners=needed)
    table = nearest_artists(factors(8), CSR(plays), params)
    together = plays.T @ plays
    for artist in range(8):
        candidates = [other for other in range(8) if together[artist, other] >= needed]
        expected = dense.cosine_ranking(factors(8), artist, candidates, 7)
        assert table.idx[artist].tolist() == expected + [NO_NEIGHBOUR] * (7 - len(expected))
        assert table.support[artist].tolist() == [together[artist, other] for other in expected] + [0] * (
            7 - len(expected)
        )
    assert np.isfinite(table.score).all()


def test_an_artist_whose_factors_vanished_is_no_neighbour():
    rows = factors(8)
    rows[3] = 0
    table = nearest_artists(rows, heard(20, 8), NeighbourParams(k=7, min_listeners=1))
    assert 3 not in table.idx
    assert np.isfinite(table.score).all()


@WAYS
@pytest.mark.parametrize("n_artists", [1, 2])
def test_tiny_catalogues_work(n_artists, product_cost, monkeypatch):
    monkeypatch.setattr(neighbours_module, "PRODUCT_COST", product_cost)
    plays = CSR(np.ones((3, n_artists), dtype=np.float32))
    table = nearest_artists(factors(n_artists), plays, NeighbourParams(min_listeners=1))
    assert table.idx.tolist() == ([[NO_NEIGHBOUR]] if n_artists == 1 else [[1], [0]])


def test_parameters_out_of_range_are_refused():
    with pytest.raises(ParameterError):
        NeighbourParams(k=0)
    with pytest.raises(ParameterError):
        NeighbourParams(min_listeners=0)
    with pytest.raises(ParameterError):
        NeighbourParams(min_common_listeners=-1)
