"""A half-step solves what it says it solves, whatever the ridge, and the loss is the papers'."""

from itertools import pairwise

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dense
from communities import community_plays
from recommender import least_squares
from recommender.errors import ParameterError
from recommender.halves import HALF_BITS
from recommender.kernels import balanced_blocks
from recommender.least_squares import RidgeParams, gram, half_step, objective
from recommender.matrix import CSR
from recommender.weighting import WeightingParams, confidence, weigh

RIDGES = [
    RidgeParams("plain", 2.0),
    RidgeParams("als-wr", 0.2),
    RidgeParams("ials", 0.05, unobserved_weight=0.1, frequency_exponent=1.0),
    RidgeParams("ials", 0.5, unobserved_weight=0.5, frequency_exponent=0.5),
]
each_ridge = pytest.mark.parametrize("ridge", RIDGES, ids=lambda ridge: f"{ridge.kind}-{ridge.frequency_exponent}")


def planted_confidence(n_listeners: int = 40, *, alpha: float = 5.0) -> CSR:
    return confidence(weigh(community_plays(n_listeners), WeightingParams("log")), alpha=alpha)


def by_artist(confidence: CSR) -> CSR:
    return CSR(confidence.T.tocsr())


def solved_rows(c: CSR, fixed: np.ndarray, ridge: RidgeParams, *, cg_steps: int, storage=np.float32) -> np.ndarray:
    """One half-step from zero."""
    rows = np.zeros((c.shape[0], fixed.shape[1]), dtype=np.float32)
    half_step(c, rows, fixed, ridge=ridge, cg_steps=cg_steps, scratch=np.empty(fixed.shape, dtype=storage))
    return rows


def random_factors(rows: int, n_factors: int, *, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, n_factors)).astype(np.float32) / 3


@each_ridge
@pytest.mark.parametrize("n_factors", [1, 2, 5, 16, 33, 64, 256])
def test_half_step_reaches_the_dense_normal_equations(n_factors, ridge):
    """With enough steps, conjugate gradients are exact: the rows equal the ridge regressions'."""
    c, y = planted_confidence(), random_factors(13, n_factors)
    expected = dense.als_rows(c.toarray(), y, ridge)
    assert np.allclose(solved_rows(c, y, ridge, cg_steps=40), expected, atol=3e-4)


@each_ridge
def test_storing_halves_moves_the_solution_by_their_rounding_only(ridge):
    c, y = planted_confidence(), random_factors(13, 8)
    rows = solved_rows(c, y, ridge, cg_steps=40, storage=HALF_BITS)
    expected = dense.als_rows(c.toarray(), y, ridge)
    assert 0 < np.abs(rows - expected).max() < 2e-3 * np.abs(expected).max()


@pytest.mark.parametrize("size", [1e-12, 1e-3, 1e3, 1e12])
def test_halves_hold_factors_of_any_size(size):
    """Sixteen bits end at 65,504 and begin at a ten-millionth: columns are scaled into the middle."""
    c, y = planted_confidence(), random_factors(13, 4)
    y[:, 0] *= 20  # and of unlike sizes beside each other
    ridge = RidgeParams("plain", 2.0 * size**2)
    rows = solved_rows(c, (y * np.float32(size)), ridge, cg_steps=40, storage=HALF_BITS) * size
    expected = dense.als_rows(c.toarray(), y, RidgeParams("plain", 2.0))
    assert np.abs(rows - expected).max() < 5e-3 * np.abs(expected).max()


@each_ridge
def test_half_step_leaves_no_gradient(ridge):
    """At the solution, moving any row in any direction raises the dense loss."""
    c, y = planted_confidence(), random_factors(13, 4)
    x = solved_rows(c, y, ridge, cg_steps=12).astype(float)
    best = dense.als_loss(c.toarray(), x, y, ridge)
    for direction in np.random.default_rng(0).standard_normal((20, 40, 4)):
        assert dense.als_loss(c.toarray(), x + 1e-2 * direction, y, ridge) > best


@each_ridge
@settings(max_examples=10)
@given(seed=st.integers(0, 10**6), cg_steps=st.integers(1, 3))
def test_no_half_step_raises_the_loss(ridge, seed, cg_steps):
    c, y = planted_confidence(), random_factors(13, 6, seed=seed)
    x, ct = random_factors(40, 6, seed=seed + 1), by_artist(c)
    scratch = np.empty((40, 6), dtype=np.float32)
    before = dense.als_loss(c.toarray(), x, y, ridge)
    for _ in range(4):
        half_step(c, x, y, ridge=ridge, cg_steps=cg_steps, scratch=scratch)
        after_listeners = dense.als_loss(c.toarray(), x, y, ridge)
        half_step(ct, y, x, ridge=ridge, cg_steps=cg_steps, scratch=scratch)
        after_artists = dense.als_loss(c.toarray(), x, y, ridge)
        assert after_artists <= after_listeners * (1 + 1e-6) <= before * (1 + 2e-6)
        before = after_artists


@each_ridge
def test_objective_equals_the_loss_over_all_cells(ridge):
    c, x, y = planted_confidence(), random_factors(40, 6), random_factors(13, 6, seed=2)
    expected = dense.als_loss(c.toarray(), x, y, ridge)
    assert objective(c, by_artist(c), x, y, ridge) == pytest.approx(expected, rel=1e-5)


@each_ridge
def test_the_order_of_the_listeners_changes_nothing(ridge):
    c, y = planted_confidence(), random_factors(13, 6)
    order = np.random.default_rng(3).permutation(40)
    x = solved_rows(c, y, ridge, cg_steps=2)
    assert np.array_equal(solved_rows(CSR(c[order]), y, ridge, cg_steps=2), x[order])
    artists = solved_rows(by_artist(c), x, ridge, cg_steps=2)
    assert np.allclose(solved_rows(by_artist(CSR(c[order])), x[order], ridge, cg_steps=2), artists, atol=1e-5)


@each_ridge
@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (1, 1)])
def test_one_row_or_one_column_works(shape, ridge):
    c = CSR(np.full(shape, 3.0, dtype=np.float32))
    y = random_factors(shape[1], 3)
    assert np.allclose(solved_rows(c, y, ridge, cg_steps=9), dense.als_rows(c.toarray(), y, ridge), atol=1e-4)


@each_ridge
def test_rows_without_plays_become_zero(ridge):
    plays = planted_confidence().toarray()
    plays[5] = 0
    rows = random_factors(40, 4)
    half_step(
        CSR(plays), rows, random_factors(13, 4), ridge=ridge, cg_steps=2, scratch=np.empty((13, 4), dtype=np.float32)
    )
    assert not rows[5].any()
    assert rows[6].any()


@pytest.fixture(params=[1, 3], ids=["a tile for each artist", "tiles of three artists"])
def tiles_of(request, monkeypatch):
    """Makes the fixed side too large for the cache: rows with more plays than there are tiles are solved in tiles."""

    def tiles(n_factors: int) -> None:
        monkeypatch.setattr(least_squares, "TILE_BYTES", 4 * n_factors * request.param)
        monkeypatch.setattr(least_squares, "FEWEST_TILES", 2)
        monkeypatch.setattr(least_squares, "FEWEST_IN_TILE", 1 if request.param > 1 else 0)

    return tiles


@each_ridge
@pytest.mark.parametrize("n_factors", [1, 5, 64])
def test_tiles_reach_the_dense_normal_equations(tiles_of, n_factors, ridge):
    c, y = planted_confidence(), random_factors(13, n_factors)
    tiles_of(n_factors)
    assert np.allclose(solved_rows(c, y, ridge, cg_steps=40), dense.als_rows(c.toarray(), y, ridge), atol=3e-4)


@each_ridge
@pytest.mark.parametrize("cg_steps", [1, 2, 3])
def test_tiles_go_the_steps_that_rows_go_alone(tiles_of, cg_steps, ridge):
    c, y = planted_confidence(), random_factors(13, 6)
    alone = solved_rows(c, y, ridge, cg_steps=cg_steps)
    tiles_of(6)
    assert np.allclose(solved_rows(c, y, ridge, cg_steps=cg_steps), alone, atol=1e-5)


def test_tiles_are_left_alone_where_plays_are_not_in_order(tiles_of):
    c, y = planted_confidence(), random_factors(13, 6)
    rng = np.random.default_rng(0)
    order = np.concatenate([begin + rng.permutation(end - begin) for begin, end in pairwise(c.indptr)])
    unordered = CSR((c.data[order], c.indices[order], c.indptr), shape=c.shape)
    tiles_of(6)
    rows = solved_rows(unordered, y, RIDGES[0], cg_steps=40)
    assert np.allclose(rows, dense.als_rows(c.toarray(), y, RIDGES[0]), atol=3e-4)


def test_tiles_give_the_same_bits_with_any_number_of_threads(tiles_of, monkeypatch):
    c, y = planted_confidence(200), random_factors(13, 8)
    tiles_of(8)
    monkeypatch.setattr(least_squares, "TILED_BLOCK_WEIGHT", 50)
    before = numba.get_num_threads()
    try:
        found = []
        for threads in (1, before):
            numba.set_num_threads(threads)
            found.append(solved_rows(c, y, RIDGES[0], cg_steps=2))
    finally:
        numba.set_num_threads(before)
    assert np.array_equal(*found)


def test_gram_equals_the_product_whatever_is_left_for_the_last_block():
    matrix = random_factors(20_001, 3)
    assert np.allclose(gram(matrix), matrix.astype(float).T @ matrix.astype(float), rtol=1e-5, atol=1e-2)


@given(st.lists(st.integers(0, 50_000), max_size=50))
def test_blocks_cover_every_row_once(nnz_per_row):
    indptr = np.concatenate(([0], np.cumsum(nnz_per_row, dtype=np.int64)))
    starts = balanced_blocks(indptr, 16_384)
    assert starts[0] == 0
    assert starts[-1] == len(nnz_per_row)
    assert (np.diff(starts) > 0).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "spark"},
        {"regularization": 0.0},
        {"regularization": float("nan")},
        {"unobserved_weight": 0.0},
        {"unobserved_weight": float("inf")},
        {"frequency_exponent": 1.5},
    ],
)
def test_ridges_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError):
        RidgeParams(**wrong)
