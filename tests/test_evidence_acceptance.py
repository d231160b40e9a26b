"""The acceptance simulations (a) to (i): planted communities through the real store, judged by the real report.

A few dozen seeded communities per case here; `make soak` runs a thousand of each on in-memory tables.
"""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

import numpy as np
import pytest

from bot.evidence.comparing import compare, credit
from bot.evidence.reporting import report
from bot.evidence.simulation import DraftParams, World, in_memory, sessions
from bot.feedback.experiments import Experiments
from bot.feedback.log import TEAM_CODES, Impressions, Votes
from bot.feedback.reading import read_log
from bot.feedback.store import FeedbackStore
from bot.simulating import fill, simulated_model
from feedback import findings

RUNS = 24


@pytest.fixture
def store(database_url):
    with FeedbackStore(database_url, now=lambda: datetime.now(UTC)) as store:
        for name in ("simulated-a", "simulated-b"):
            store.register_model(simulated_model(name))
        yield store


@pytest.fixture
def through_store(store):
    """Write sessions as the bot does, each community as an experiment of its own, and read them back."""
    numbers = count()

    def make_log(_world, given):
        experiment = Experiments(store).define(f"run {next(numbers)}", model_a="simulated-a", model_b="simulated-b")
        fill(store, given, experiment)
        with store.reading() as connection:
            return read_log(connection, experiment_id=experiment.id)

    return make_log


def test_every_case_holds_through_the_real_store(through_store):
    found = list(findings(RUNS, through_store, requests=60))
    assert {one.case for one in found} == set("abcdefghi")
    assert [one for one in found if not one.holds] == []


def test_the_store_gives_back_what_the_memory_holds(through_store):
    world = World(
        n_shared=3, n_own=30, duplicates=0.3, changes=0.2, retractions=0.2, draft=DraftParams(explore_rate=0.4)
    )
    given = list(sessions(world, 80, rng=np.random.default_rng(3)))
    stored, direct = through_store(world, given), in_memory(world, given)
    for name in ("request", "rank", "page", "team", "rank_in_a", "rank_in_b", "propensity", "bucket"):
        assert np.array_equal(getattr(stored.impressions, name), getattr(direct.impressions, name)), name
    assert np.array_equal(stored.requests.shuffled, direct.requests.shuffled)
    assert report(stored, title="") == report(direct, title="")


def test_a_replayed_history_changes_nothing(store, through_store):
    world = World()
    given = list(sessions(world, 40, rng=np.random.default_rng(4)))
    before = compare(credit(through_store(world, given)))
    experiment = Experiments(store).named("run 0")
    with store.reading() as connection:
        ids = connection.exec_driver_sql("SELECT id FROM impression ORDER BY id").scalars().all()
    starts = np.concatenate(([0], np.cumsum([len(session.page.rows) for session in given])))
    for session, start in zip(given, starts.tolist(), strict=False):
        for click in session.clicks:
            store.record_vote(
                ids[start + click.rank - 1],
                voter=f"simulated:{session.member}",
                value=click.value,
                interaction_id=f"simulated:{experiment.id}:{click.number}",
            ).result()
    with store.reading() as connection:
        assert compare(credit(read_log(connection, experiment_id=experiment.id))) == before


def test_swapping_the_planted_rates_swaps_the_winner():
    world = World(up_rate_a=0.85)
    for which, better in ((world, "a"), (world.swapped(), "b")):
        given = list(sessions(which, 300, rng=np.random.default_rng(5)))
        assert compare(credit(in_memory(which, given))).verdict == better


def test_shuffled_answers_find_the_planted_attention():
    world = World(n_own=60, draft=DraftParams(explore_rate=1.0, shuffle_share=1.0))
    log = in_memory(world, list(sessions(world, 3_000, rng=np.random.default_rng(6))))
    positions = report(log, title="").positions
    planted = np.array(world.examination) / world.examination[0]
    assert [one.rank for one in positions] == list(range(1, 11))
    assert np.abs([one.gamma for one in positions] - planted).max() < 0.04
    assert all(one.low < one.gamma < one.high for one in positions)


def test_off_policy_values_find_the_better_list():
    """Both lists in full support: 20 shared artists in two orders; attention makes A's order worth more."""
    world = World(up_rate_a=0.8, up_rate_b=0.4, n_own=30, draft=DraftParams(explore_rate=0.5))
    log = in_memory(world, list(sessions(world, 2_000, rng=np.random.default_rng(7))))
    of_a, of_b = report(log, title="").off_policy
    assert (of_a.model, of_b.model) == ("a", "b")
    assert of_a.snips > of_b.snips
    assert 0 < of_a.effective_n < 20_000
    assert 0 < of_a.support < 1.2


def test_rows_behind_a_page_turn_are_no_part_of_positions_and_off_policy_values():
    """Pages of four: whoever turns them is no coin of ours, and what follows a shuffled page is not shuffled."""
    world = World(n_own=60, draft=DraftParams(explore_rate=1.0, shuffle_share=1.0, n_rows=4))
    log = in_memory(world, list(sessions(world, 400, rng=np.random.default_rng(9))))
    shown = log.impressions
    # The same answers, each turned once: four rows more, which everybody likes, and A alone lists.
    n, rows = log.requests.id.size, shown.id.size
    more = {
        "id": np.arange(rows + 1, rows + 4 * n + 1),
        "request": np.repeat(np.arange(n), 4),
        "rank": np.tile(np.arange(5, 9, dtype=np.int16), n),
        "page": np.full(4 * n, 2, dtype=np.int16),
        "team": np.full(4 * n, TEAM_CODES["a"], dtype=np.int16),
        "rank_in_a": np.tile(np.arange(5, 9, dtype=np.int16), n),
        "rank_in_b": np.zeros(4 * n, dtype=np.int16),
        "propensity": np.ones(4 * n),
        "bucket": np.full(4 * n, -1, dtype=np.int16),
    }
    joined = Impressions(**{name: np.concatenate((getattr(shown, name), column)) for name, column in more.items()})
    votes = Votes(
        np.concatenate((log.votes.impression, np.arange(rows, rows + 4 * n))),
        np.concatenate((log.votes.voter, np.repeat(log.requests.member, 4))),
        np.concatenate((log.votes.value, np.ones(4 * n, dtype=np.int16))),
    )
    turned = report(replace(log, impressions=joined, votes=votes), title="")
    plain = report(log, title="")
    assert turned.positions == plain.positions
    assert [one.rank for one in turned.positions] == [1, 2, 3, 4]
    assert turned.off_policy == plain.off_policy
    assert turned.comparison.units.wins > plain.comparison.units.wins


def test_off_policy_values_are_exact_where_nothing_is_random():
    """Of identical lists every propensity is 1, so both estimates are the mean of the votes per row."""
    world = World(n_shared=20, n_own=0)
    log = in_memory(world, list(sessions(world, 200, rng=np.random.default_rng(8))))
    of_a, of_b = report(log, title="").off_policy
    mean = log.votes.value.sum() / log.impressions.id.size
    assert of_a.ips == pytest.approx(mean)
    assert of_a.snips == pytest.approx(mean)
    assert replace(of_a, model="b") == of_b
    assert of_a.support == pytest.approx(1)
    assert of_a.effective_n == pytest.approx(2_000)
