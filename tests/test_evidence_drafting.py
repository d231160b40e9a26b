"""Interleaved pages are fair to both models, and the logged chances are the true ones."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.evidence.drafting import DraftParams, chances_of, draw_page
from recommender.errors import ParameterError

PLAIN = DraftParams()
EXPLORING = DraftParams(explore_rate=0.3)


def ranking(size: int = 14) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(1, 20), max_size=size, unique=True)


params = st.builds(
    DraftParams,
    n_rows=st.integers(1, 10),
    explore_rate=st.sampled_from([0.0, 0.1, 1.0]),
    shuffle_share=st.sampled_from([0.0, 0.5, 1.0]),
    explore_from=st.integers(2, 9),
)


def swapped(team: str) -> str:
    return {"a": "b", "b": "a"}.get(team, team)


@settings(max_examples=60, deadline=None)
@given(ranking(), ranking(), params, st.sets(st.integers(1, 20), max_size=6))
def test_at_each_rank_exactly_one_item_stands(a, b, params, shown):
    chances = chances_of(a, b, params, shown=shown)
    at_rank = Counter()
    for (item, rank), chance in chances.items():
        assert item not in shown
        at_rank[rank] += chance
    n_rows = min(params.n_rows, len((set(a) | set(b)) - shown))
    assert sorted(at_rank) == list(range(1, n_rows + 1))
    assert all(total == pytest.approx(1) for total in at_rank.values())


@settings(max_examples=60, deadline=None)
@given(ranking(), ranking(), params, st.sets(st.integers(1, 20), max_size=6), st.integers(0, 2**32))
def test_a_page_shows_each_item_once_with_the_rank_its_model_gave_and_a_chance_above_0(a, b, params, shown, seed):
    page = draw_page(a, b, params, rng=np.random.default_rng(seed), shown=shown)
    items = [row.item for row in page.rows]
    assert len(set(items)) == len(items) == min(params.n_rows, len((set(a) | set(b)) - shown))
    chances = chances_of(a, b, params, shown=shown)
    for rank, row in enumerate(page.rows, start=1):
        assert row.rank_in_a == (a.index(row.item) + 1 if row.item in a else None)
        assert row.rank_in_b == (b.index(row.item) + 1 if row.item in b else None)
        assert 0 < row.propensity <= 1
        assert row.propensity == pytest.approx(chances[row.item, rank])
        if row.team in ("a", "b", "both"):
            assert {"a": [row.rank_in_a], "b": [row.rank_in_b], "both": [row.rank_in_a, row.rank_in_b]}[row.team].count(
                None
            ) == 0


@settings(max_examples=40, deadline=None)
@given(ranking(), ranking(), params)
def test_the_chances_do_not_know_which_model_is_called_a(a, b, params):
    one, other = chances_of(a, b, params), chances_of(b, a, params)
    assert one.keys() == other.keys()
    assert all(other[key] == pytest.approx(chance) for key, chance in one.items())


@pytest.mark.parametrize(
    ("a", "b", "params", "shown"),
    [
        ([1, 2, 3, 4, 5, 6], [4, 1, 7, 8, 9, 2], DraftParams(n_rows=5), frozenset()),
        ([1, 2, 3, 4], [1, 5, 6, 7], DraftParams(n_rows=4), frozenset({5})),
        (list(range(1, 16)), list(range(8, 30)), EXPLORING, frozenset()),
        ([1, 2, 3], [3, 2, 1, 9], DraftParams(n_rows=3, explore_rate=0.5, explore_from=3), frozenset()),
    ],
)
def test_logged_chances_are_the_frequencies_of_many_draws(a, b, params, shown):
    n_draws = 6_000
    rng = np.random.default_rng(5)
    seen = Counter()
    for _ in range(n_draws):
        for rank, row in enumerate(draw_page(a, b, params, rng=rng, shown=shown).rows, start=1):
            seen[row.item, rank] += 1
    chances = chances_of(a, b, params, shown=shown)
    assert set(seen) <= set(chances)
    for key, chance in chances.items():
        error = np.sqrt(chance * (1 - chance) / n_draws)
        assert abs(seen[key] / n_draws - chance) <= 4.5 * error + 1e-9, key


def test_a_round_shows_the_best_row_of_each_and_the_coin_only_orders_them():
    pages = {
        tuple((row.item, row.team) for row in draw_page([1, 2], [3, 4], PLAIN, rng=np.random.default_rng(seed)).rows)
        for seed in range(60)
    }
    assert pages == {
        ((1, "a"), (3, "b"), (2, "a"), (4, "b")),
        ((1, "a"), (3, "b"), (4, "b"), (2, "a")),
        ((3, "b"), (1, "a"), (2, "a"), (4, "b")),
        ((3, "b"), (1, "a"), (4, "b"), (2, "a")),
    }


def test_what_both_would_pick_is_nobodys():
    page = draw_page([1, 2, 3], [1, 3, 2], PLAIN, rng=np.random.default_rng(0))
    assert page.rows[0].team == "both"
    assert {row.team for row in page.rows[1:]} == {"a", "b"}
    assert page.rows[0].propensity == 1.0
    same = draw_page([4, 5, 6], [4, 5, 6], PLAIN, rng=np.random.default_rng(0))
    assert [(row.item, row.team) for row in same.rows] == [(4, "both"), (5, "both"), (6, "both")]


def test_what_one_model_has_left_when_the_other_has_none_is_nobodys():
    page = draw_page([1], [2, 3, 4], PLAIN, rng=np.random.default_rng(0))
    assert Counter(row.team for row in page.rows) == {"a": 1, "b": 1, "none": 2}


def test_every_team_gets_each_position_alike_often():
    rng = np.random.default_rng(2)
    first = Counter(draw_page(range(20), range(20, 40), PLAIN, rng=rng).rows[0].team for _ in range(2_000))
    assert abs(first["a"] - 1_000) < 4 * np.sqrt(500)


def test_exploration_fills_the_last_row_from_deeper_ranks_of_about_as_many_pages_as_asked():
    rng = np.random.default_rng(3)
    params = replace(EXPLORING, shuffle_share=0.0)
    pages = [draw_page(range(60), range(60, 120), params, rng=rng) for _ in range(1_000)]
    exploring = [page for page in pages if page.explored]
    assert abs(len(exploring) - 300) < 4 * np.sqrt(210)
    for page in exploring:
        assert [row.team for row in page.rows].count("explore") == 1
        last = page.rows[-1]
        assert last.team == "explore"
        assert 9 <= min(rank for rank in (last.rank_in_a, last.rank_in_b) if rank) <= 50
    assert all(row.team in "ab" for page in pages if not page.explored for row in page.rows)


@pytest.mark.parametrize("values", [{"n_rows": 0}, {"n_rows": 11}, {"explore_rate": 1.5}, {"shuffle_share": -0.1}])
def test_impossible_pages_are_refused(values):
    with pytest.raises(ParameterError):
        DraftParams(**values)
