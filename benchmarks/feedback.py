"""Do votes allow the conclusions that reports draw? A thousand planted communities per case; and a report of a million.

    python benchmarks/feedback.py --runs 1000        # the acceptance cases (a) to (i), as a table in Markdown
    python benchmarks/feedback.py --size 1000000     # time and memory of a report of so many shown rows

The cases run on in-memory tables through the same report functions that read a database; `make test` runs a few dozen
of each through the real store.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bot.evidence.comparing import ALPHA, Comparison, always_valid, compare, credit
from bot.evidence.simulation import Session, World, in_memory, sessions
from bot.feedback.log import TEAM_CODES, FeedbackLog

MakeLog = Callable[[World, list[Session]], FeedbackLog]


@dataclass(frozen=True)
class Finding:
    """One claim of one case: what was measured, and between which bounds it has to be (3 Monte-Carlo errors wider)."""

    case: str
    claim: str
    measured: float
    low: float
    high: float
    runs: int

    @property
    def holds(self) -> bool:
        """Tell whether the figure is where it has to be."""
        return self.low - self._slack(self.low) <= self.measured <= self.high + self._slack(self.high)

    def _slack(self, bound: float) -> float:
        return 3 * float(np.sqrt(bound * (1 - bound) / self.runs))


def compared(
    world: World, n_requests: int, runs: int, make_log: MakeLog, *, first_seed: int
) -> list[tuple[FeedbackLog, Comparison]]:
    """Compare A with B in so many communities, one seed each."""
    found = []
    for seed in range(first_seed, first_seed + runs):
        log = make_log(world, list(sessions(world, n_requests, rng=np.random.default_rng(seed))))
        found.append((log, compare(credit(log))))
    return found


def share(flags: list[bool]) -> float:
    """Share of the runs of which something is true."""
    return float(np.mean(flags))


def findings(runs: int, make_log: MakeLog = in_memory, *, requests: int = 200) -> Iterator[Finding]:
    """Run the cases (a) to (i)."""
    null = compared(World(), requests, runs, make_log, first_seed=0)
    better = compared(World(up_rate_a=0.8), 200, runs, make_log, first_seed=10_000)
    yield from null_findings(null, runs)
    yield Finding(
        "b",
        "+20 points at 200 requests: sign test finds it",
        share([c.sign_p <= ALPHA for _, c in better]),
        0.95,
        1,
        runs,
    )
    yield Finding("b", "... voters flipped find it", share([c.voter_p <= ALPHA for _, c in better]), 0.9, 1, runs)
    yield Finding(
        "b", "... and the report says A is better", share([c.verdict == "a" for _, c in better]), 0.7, 1, runs
    )
    yield Finding(
        "c", "swapping A and B mirrors every figure", share([mirrors(log, c) for log, c in better]), 1, 1, runs
    )
    yield from naive_findings(runs, make_log, requests)
    yield from interval_findings(null, better, runs)
    yield from zealot_findings(runs, make_log)
    yield Finding(
        "g", "double clicks, changes, retractions: the same log", share(idempotent(runs, make_log)), 1, 1, runs
    )
    same = compared(World(n_shared=25, n_own=0), 20, runs, make_log, first_seed=60_000)
    nothing = [c.units == c.requests and c.units.wins == c.units.losses == 0 and c.always_valid_p == 1 for _, c in same]
    yield Finding("h", "identical lists: no evidence at all", share(nothing), 1, 1, runs)
    yield from seed_findings(runs)


def null_findings(null: list[tuple[FeedbackLog, Comparison]], runs: int) -> Iterator[Finding]:
    """Case (a): no difference."""
    yield Finding(
        "a", "null: sign test rejects at a fixed size", share([c.sign_p <= ALPHA for _, c in null]), 0, ALPHA, runs
    )
    yield Finding("a", "null: voters flipped reject", share([c.voter_p <= ALPHA for _, c in null]), 0, ALPHA, runs)
    ever = [always_valid(credit(log).per_request()) <= ALPHA for log, _ in null]
    yield Finding("a", "null: rejected at any of all looks", share(ever), 0, ALPHA, runs)
    peeked = [naive_peek(credit(log).per_request()) for log, _ in null]
    yield Finding("a", "(control: a z-test at every look rejects)", share(peeked), 0.25, 0.6, runs)
    yield Finding(
        "a", "null: the report names a winner", share([c.verdict in ("a", "b") for _, c in null]), 0, ALPHA, runs
    )


def naive_peek(d: np.ndarray) -> bool:
    """Look with a z-test after every request from the tenth on."""
    decided = np.sign(d[d != 0])
    n = np.arange(1, decided.size + 1)
    return bool((np.abs(np.cumsum(decided)) / np.sqrt(n) > 1.96)[9:].any())


def naive_findings(runs: int, make_log: MakeLog, requests: int) -> Iterator[Finding]:
    """Case (d): the better place is no better model."""
    liked = World(up_rate_a=0.8, up_rate_b=0.8)
    naive = compared(replace(liked, a_first=True), 400, runs, in_memory, first_seed=20_000)
    ours = compared(liked, requests, runs, make_log, first_seed=30_000)
    fooled = [c.sign_p <= ALPHA and c.win_rate > 0.5 for _, c in naive]
    yield Finding("d", "equal, A always first: the naive count is fooled", share(fooled), 0.5, 1, runs)
    yield Finding("d", "equal, drafted: ours is not", share([c.sign_p <= ALPHA for _, c in ours]), 0, ALPHA, runs)


def interval_findings(
    null: list[tuple[FeedbackLog, Comparison]], better: list[tuple[FeedbackLog, Comparison]], runs: int
) -> Iterator[Finding]:
    """Case (e): intervals that cover."""
    for name, found in (("null", null), ("+20 points", better)):
        # The truth of a world without difference is known; of the other it is what all runs together give.
        truth = 0.5 if name == "null" else float(np.mean([c.win_rate for _, c in found]))
        covered = share([c.low <= truth <= c.high for _, c in found])
        yield Finding("e", f"{name}: 95 % intervals cover", covered, 0.93, 0.97, runs)


def zealot_findings(runs: int, make_log: MakeLog) -> Iterator[Finding]:
    """Case (f): one voter with 500 votes."""
    zealot = compared(World(zealot_votes=500), 40, runs, make_log, first_seed=40_000)
    yield Finding(
        "f",
        "one voter's 500 votes: the report names a winner",
        share([c.verdict in ("a", "b") for _, c in zealot]),
        0,
        0.01,
        runs,
    )
    yield Finding(
        "f", "(control: the sign test alone is fooled)", share([c.sign_p <= ALPHA for _, c in zealot]), 0.5, 1, runs
    )


def seed_findings(runs: int) -> Iterator[Finding]:
    """Case (i): each model is better for some artists, neither on average, and many ask about a few of them."""
    found = compared(World(seed_spread=1.5), 400, runs, in_memory, first_seed=80_000)
    named = [c.verdict in ("a", "b") for _, c in found]
    yield Finding(
        "i", "better for some artists, not on average: the report names a winner", share(named), 0, 0.05, runs
    )
    fooled = [c.sign_p <= ALPHA for _, c in found]
    yield Finding("i", "(control: the sign test alone is fooled)", share(fooled), 0.1, 1, runs)


def mirrors(log: FeedbackLog, found: Comparison) -> bool:
    """Compare with the same log in which A and B have changed names."""
    teams = np.arange(len(TEAM_CODES) + 1, dtype=np.int16)
    teams[[TEAM_CODES["a"], TEAM_CODES["b"]]] = TEAM_CODES["b"], TEAM_CODES["a"]
    shown = log.impressions
    other = replace(shown, team=teams[shown.team], rank_in_a=shown.rank_in_b, rank_in_b=shown.rank_in_a)
    swapped = compare(credit(replace(log, impressions=other)))
    exact = (swapped.requests.wins, swapped.requests.losses, swapped.requests.ties) == (
        found.requests.losses, found.requests.wins, found.requests.ties,
    )  # fmt: skip
    same_p = np.allclose(
        [swapped.sign_p, swapped.voter_p, swapped.always_valid_p],
        [found.sign_p, found.voter_p, found.always_valid_p],
        rtol=1e-9,
    )
    mirrored = np.allclose(
        [swapped.win_rate, swapped.low, swapped.high], [1 - found.win_rate, 1 - found.high, 1 - found.low], atol=1e-9
    )
    return exact and bool(same_p) and bool(mirrored)


def idempotent(runs: int, make_log: MakeLog) -> list[bool]:
    """Deliver clicks twice and change minds on the way: what counts is each voter's last word on each row."""
    world = World(duplicates=0.5, changes=0.3, retractions=0.3)
    flags = []
    for seed in range(50_000, 50_000 + runs):
        given = list(sessions(world, 20, rng=np.random.default_rng(seed)))
        log = make_log(world, given)
        last = {
            (request, click.rank, session.member): click.value
            for request, session in enumerate(given)
            for click in session.clicks
        }
        of_vote = log.votes.impression
        people = log.requests.member[log.impressions.request[of_vote]]
        standing = {
            (int(request), int(rank)): int(value)
            for request, rank, value in zip(
                log.impressions.request[of_vote], log.impressions.rank[of_vote], log.votes.value, strict=True
            )
        }
        expected = {(request, rank): value for (request, rank, _), value in last.items() if value}
        flags.append(standing == expected and bool((people == log.votes.voter).all()))
    return flags


def table(found: list[Finding]) -> str:
    """Lay findings out in Markdown."""
    lines = ["| case | claim | measured | required | holds |", "|---|---|---|---|---|"]
    for one in found:
        required = f"{one.low:g}" if one.low == one.high else f"{one.low:g} to {one.high:g}"
        lines.append(
            f"| {one.case} | {one.claim} | {one.measured:.3f} | {required} | {'yes' if one.holds else '**no**'} |"
        )
    return "\n".join(lines)


def plus_ten(runs: int) -> Finding:
    """Case (b) with half the difference and twice the requests."""
    found = compared(World(up_rate_a=0.7), 400, runs, in_memory, first_seed=70_000)
    return Finding(
        "b",
        "+10 points at 400 requests: sign test finds it",
        share([c.sign_p <= ALPHA for _, c in found]),
        0.85,
        1,
        runs,
    )


def fill_large(path: Path, n_rows: int) -> None:
    """Write so many shown rows and a tenth as many votes, without the store: nobody waits for a million commits."""
    import sqlite3

    from bot.evidence.drafting import DraftParams, draw_page
    from bot.feedback.database import upgrade_database

    upgrade_database(f"sqlite:///{path}")
    rng, n = np.random.default_rng(0), n_rows // 10
    now = "2026-01-02 12:00:00.000000"
    keys = [f"{number:032x}" for number in range(2_000)]
    activity = 1 / np.arange(1, len(keys) + 1)
    who = rng.choice(len(keys), n, p=activity / activity.sum()).tolist()
    pages = [draw_page(range(1, 51), range(31, 81), DraftParams(explore_rate=0.1), rng=rng) for _ in range(300)]
    drawn = rng.integers(len(pages), size=n).tolist()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    for model in "ab":
        connection.execute("INSERT INTO model VALUES (?,?,'als','{}','x',NULL,1,?,NULL)", (model, model * 64, now))
    connection.execute(
        "INSERT INTO experiment (id, scope, name, model_a, model_b, explore_rate, salt, created_at, started_at)"
        " VALUES (1,'everywhere','large','a','b',0.1,'s',?,?)",
        (now, now),
    )
    connection.executemany(
        "INSERT INTO request VALUES "
        "(?,?,NULL,?,'slash','similar',10,NULL,'en',?,'exact',1,1,5,?,10,50,'answered',0,0,0)",
        ((i + 1, now, keys[who[i]], i % 500, int(pages[drawn[i]].shuffled)) for i in range(n)),
    )
    connection.executemany(
        "INSERT INTO impression VALUES (?,?,?,1,?,?,0.5,?,?,?,?,12,?)",
        (
            (
                *(i * 10 + rank, i + 1, rank, row.item, "a" if row.rank_in_a else "b", row.team),
                *(row.rank_in_a, row.rank_in_b, row.propensity, row.item % 14),
            )
            for i in range(n)
            for rank, row in enumerate(pages[drawn[i]].rows, start=1)
        ),
    )
    voted = rng.choice(n_rows, n_rows // 10, replace=False).tolist()
    values = rng.choice([1, 1, -1], len(voted)).tolist()
    connection.executemany(
        "INSERT INTO vote VALUES (?,?,?,?,'vote',?,?)",
        ((i + 1, row + 1, keys[who[row // 10]], values[i], now, f"c{i}") for i, row in enumerate(voted)),
    )
    connection.commit()
    connection.close()


def report_large(n_rows: int) -> None:
    """Time a report of a large database."""
    from bot.feedback.experiments import Experiments
    from bot.feedback.store import FeedbackStore
    from bot.reports import report_of

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.sqlite3"
        fill_large(path, n_rows)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        with FeedbackStore(f"sqlite:///{path}", now=lambda: datetime.now(UTC)) as store:
            started, cpu = time.perf_counter(), time.process_time()
            found = report_of(store, Experiments(store).named("large"))
            seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(
            f"{found.coverage.rows:,} shown rows, {found.coverage.votes:,} votes: "
            f"{seconds:.1f} s ({cpu:.1f} s of CPU), peak {peak:.0f} MB (before: {before:.0f} MB)\n"
        )


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=0, help="planted communities per case")
    parser.add_argument("--size", type=int, default=0, help="shown rows of the large report")
    options = parser.parse_args()
    if options.size:
        report_large(options.size)
    if options.runs:
        found = [*findings(options.runs), plus_ten(options.runs)]
        sys.stdout.write(
            f"{options.runs:,} planted communities per case, bounds widened by 3 Monte-Carlo errors:\n\n"
            f"{table(found)}\n"
        )
        sys.exit(0 if all(one.holds for one in found) else 1)


if __name__ == "__main__":
    main()
