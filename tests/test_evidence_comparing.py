"""What is concluded from votes: exact where it can be, fair to both, and never one person's decision."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, permutation_test

from bot.evidence.comparing import (
    Credit,
    always_valid,
    compare,
    credit,
    effective_number,
    flip_voters,
    resample_voters,
    sign_test,
    wins_by_voter,
)
from bot.evidence.rates import wilson
from bot.evidence.simulation import World, in_memory, sessions


def given_credit(d, voter=None, seed=None):
    d = np.asarray(d, dtype=np.int64)
    voters = np.arange(d.size) if voter is None else np.asarray(voter)
    seeds = np.arange(d.size) if seed is None else np.asarray(seed)
    return Credit(np.arange(d.size), voters, d, seeds, n_votes=int(np.abs(d).sum()))


def test_credit_is_ups_less_downs_of_a_less_the_same_of_b():
    """Redone row by row, the slow way."""
    world = World(n_shared=2, duplicates=0.2, changes=0.2, retractions=0.2)
    given = list(sessions(world, 60, rng=np.random.default_rng(1)))
    expected = {}
    for request, session in enumerate(given):
        standing = {}
        for click in session.clicks:
            standing[click.rank] = click.value
        votes = [(session.page.rows[rank - 1].team, value) for rank, value in standing.items() if value]
        drafted = [value if team == "a" else -value for team, value in votes if team in ("a", "b")]
        if drafted:
            expected[request, session.member] = sum(drafted)
    found = credit(in_memory(world, given))
    assert dict(zip(zip(found.request.tolist(), found.voter.tolist(), strict=True), found.d.tolist(), strict=True)) == (
        expected
    )


@given(st.integers(0, 60), st.integers(0, 60))
def test_sign_test_is_the_exact_binomial_and_symmetric(wins, losses):
    assert sign_test(wins, losses) == pytest.approx(sign_test(losses, wins))
    assert 0 < sign_test(wins, losses) <= 1


def test_e_value_is_the_mixture_over_all_coins():
    """Against the integral of the likelihood ratio over the Beta(10, 10) prior, by quadrature."""
    d = np.array([1, 1, -1, 0, 1, 1, 1, 1, -1, 1, 1, 1, 1])
    theta = (np.arange(200_000) + 0.5) / 200_000
    prior = theta**9 * (1 - theta) ** 9
    prior /= prior.sum()
    greatest = 0.0
    wins = losses = 0
    for one in d[d != 0]:
        wins, losses = wins + (one > 0), losses + (one < 0)
        greatest = max(greatest, float((prior * (2 * theta) ** wins * (2 * (1 - theta)) ** losses).sum()))
    assert always_valid(d) == pytest.approx(min(1, 1 / greatest), rel=1e-4)


def test_looking_after_every_request_raises_a_false_alarm_in_at_most_one_of_twenty():
    """Over all 2**12 outcomes of twelve fair coins."""
    values = []
    for outcome in product((1, -1), repeat=12):
        d = np.array(outcome)
        values.append(always_valid(d) <= 0.05)
    assert np.mean(values) <= 0.05


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(-3, 3)), max_size=60), st.integers(0, 5))
def test_swapping_the_models_mirrors_everything_exactly(units, seed):
    voter, d = [unit[0] for unit in units], [unit[1] for unit in units]
    one, other = compare(given_credit(d, voter), seed=seed), compare(given_credit([-x for x in d], voter), seed=seed)
    assert (one.requests.wins, one.requests.losses) == (other.requests.losses, other.requests.wins)
    assert (one.sign_p, one.voter_p, one.seed_p, one.always_valid_p) == pytest.approx(
        (other.sign_p, other.voter_p, other.seed_p, other.always_valid_p), abs=1e-12
    )
    assert one.win_rate == pytest.approx(1 - other.win_rate)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low))
    assert {"a": "b", "b": "a"}.get(one.verdict, one.verdict) == other.verdict


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-2, 2)), max_size=80), st.permutations(range(21)))
def test_how_people_are_numbered_changes_nothing(units, names):
    voter, d = [unit[0] for unit in units], [unit[1] for unit in units]
    renamed = [names[one] for one in voter]
    assert compare(given_credit(d, voter)) == compare(given_credit(d, renamed))


def test_flipping_voters_is_the_exact_permutation_test():
    rng = np.random.default_rng(4)
    units = rng.integers(1, 9, size=9).astype(float)
    wins = rng.binomial(units.astype(int), 0.7).astype(float)
    *_, p = flip_voters(wins, units, rng=rng)
    exact = permutation_test((2 * wins - units,), lambda x, axis: x.sum(axis=axis), permutation_type="samples",
                             n_resamples=np.inf, vectorized=True)  # fmt: skip
    slow = np.mean(
        [abs(np.dot(signs, 2 * wins - units)) >= abs((2 * wins - units).sum()) for signs in product((1, -1), repeat=9)]
    )
    assert p == pytest.approx(slow)
    assert p == pytest.approx(exact.pvalue)


def test_the_interval_holds_just_the_win_rates_that_flipping_does_not_reject():
    rng = np.random.default_rng(5)
    units = rng.integers(1, 9, size=9).astype(float)
    wins = rng.binomial(units.astype(int), 0.6).astype(float)
    low, high, _ = flip_voters(wins, units, rng=rng)
    signs = np.array(list(product((1, -1), repeat=9)))

    def p_of(rate):
        residual = wins - rate * units
        return np.mean(np.abs(signs @ residual) >= abs(residual.sum()) - 1e-9)

    for rate in np.linspace(0.01, 0.99, 99):
        if low + 1e-6 < rate < high - 1e-6:
            assert p_of(rate) >= 0.05
        elif rate < low - 1e-6 or rate > high + 1e-6:
            assert p_of(rate) <= 0.05 + 1e-9


def test_one_persons_500_votes_do_not_decide():
    """The naive count is fooled: one voter wins 500 answers for A, twenty others are of no opinion."""
    rng = np.random.default_rng(6)
    d = np.concatenate((np.ones(500, int), rng.choice([-1, 1], size=100)))
    voter = np.concatenate((np.zeros(500, int), 1 + np.arange(100) % 20))
    found = compare(given_credit(d, voter))
    assert found.sign_p < 1e-12
    assert found.voter_p > 0.05
    assert found.always_valid_p > 0.05
    assert found.verdict == "one_person"
    assert found.top_share == pytest.approx(500 / 600)


def test_clear_preferences_of_many_people_decide_for_either_model():
    d, voter = np.tile([1, 1, 1, -1], 60), np.arange(240) % 30
    assert compare(given_credit(d, np.random.default_rng(0).permutation(voter))).verdict == "a"
    assert compare(given_credit(-d, np.random.default_rng(0).permutation(voter))).verdict == "b"


def test_the_answers_about_a_few_artists_do_not_decide():
    """Sixty people prefer A for one artist that half of them ask about; for forty others nobody prefers anything."""
    rng = np.random.default_rng(9)
    d = np.concatenate((np.ones(200, int), rng.choice([-1, 1], size=200)))
    seed = np.concatenate((np.zeros(200, int), 1 + np.arange(200) % 40))
    found = compare(given_credit(d, np.arange(400) % 60, seed))
    assert found.voter_p < 0.01
    assert found.always_valid_p < 0.01
    assert found.seed_p > 0.05
    assert found.verdict == "few_artists"
    assert compare(given_credit(d, np.arange(400) % 60, rng.permutation(seed))).verdict == "a"


@pytest.mark.parametrize(("d", "voter"), [([], []), ([0, 0], [0, 1]), ([5] * 15, [0] * 15), ([1] * 99, range(99))])
def test_too_little_is_called_too_early(d, voter):
    found = compare(given_credit(d, list(voter)))
    assert found.verdict == "too_early"
    assert found.words.startswith("Too early: ")
    assert 0 <= found.low <= found.win_rate <= found.high <= 1


def test_many_voters_are_resampled_and_a_few_flipped():
    rng = np.random.default_rng(7)
    for n_voters, method in ((12, "voters flipped"), (100, "voters resampled")):
        d = rng.choice([-1, 1, 1], size=400)
        found = compare(given_credit(d, np.arange(400) % n_voters))
        assert found.method == method
        assert found.low < found.win_rate < found.high


def test_flips_of_very_many_voters_agree_with_the_drawn_ones(monkeypatch):
    rng = np.random.default_rng(8)
    units = rng.integers(1, 5, size=400).astype(float)
    wins = rng.binomial(units.astype(int), 0.55).astype(float)
    drawn = flip_voters(wins, units, rng=np.random.default_rng(0))
    monkeypatch.setattr("bot.evidence.comparing.MAX_VOTERS_TO_FLIP", 100)
    assert flip_voters(wins, units, rng=np.random.default_rng(0)) == pytest.approx(drawn, abs=0.02)
    assert resample_voters(wins, units, rng=np.random.default_rng(0)) == pytest.approx(drawn[:2], abs=0.02)


def test_wins_are_counted_per_voter():
    wins, units = wins_by_voter(given_credit([1, -2, 0, 3, 1], [4, 4, 4, 9, 2]))
    assert wins.tolist() == [1, 1, 1]
    assert units.tolist() == [2, 1, 1]
    assert effective_number([1, 1, 1, 1]) == 4
    assert effective_number([1, 0, 0]) == 1
    assert effective_number([]) == 0


@given(st.integers(0, 300), st.integers(0, 300))
def test_wilson_is_scipys(ups, more):
    low, high = wilson(ups, ups + more)
    if ups + more:
        expected = binomtest(ups, ups + more).proportion_ci(method="wilson")
        assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-12)
    else:
        assert (float(low), float(high)) == (0, 1)


def test_leaving_a_person_out_leaves_the_others():
    given = given_credit([1, -1, 1], [0, 1, 0])
    assert given.without(0).d.tolist() == [-1]
    assert replace(given).per_request().tolist() == [1, -1, 1]
