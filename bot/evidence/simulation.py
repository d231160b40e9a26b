"""A planted community: known preferences, known attention, and the votes that follow from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import expit, logit

from bot.evidence.drafting import DraftedPage, DraftedRow, DraftParams, draw_page
from bot.feedback.log import (
    MATCH_KINDS,
    OUTCOMES,
    SOURCES,
    TEAM_CODES,
    FeedbackLog,
    Impressions,
    Requests,
    Votes,
)
from recommender.errors import ParameterError

N_SEEDS = 50
EXAMINATION = (0.95, 0.70, 0.50, 0.40, 0.33, 0.27, 0.23, 0.19, 0.16, 0.13)


@dataclass(frozen=True, slots=True)
class World:
    """A community whose truth is known.

    ``up_rate_a``, ``up_rate_b`` : chance that a member of no bias likes an artist that only this model lists.
    ``generosity`` : standard deviation of the members' own bias, in logits. Member i asks in proportion to ``1 / i``.
    ``examination`` : chance that a row at each rank is looked at; whoever looks, votes.
    ``n_shared`` : artists at the head of both lists; ``n_own`` : further ones of each model's own.
    ``duplicates``, ``changes``, ``retractions`` : shares of the clicks that are delivered twice, or thought better of.
    ``a_first`` : no coin, A always on top: what a naive comparison would show.
    ``seed_spread`` : standard deviation of A's advantage by the artist asked about, in logits, 0 on average; then half
    of all ask about the first few of ``N_SEEDS`` artists.
    ``zealot_votes`` : so many votes of one further member, for all rows of A and against all of B.
    """

    n_members: int = 40
    up_rate_a: float = 0.6
    up_rate_b: float = 0.6
    generosity: float = 1.0
    examination: tuple[float, ...] = EXAMINATION
    n_shared: int = 0
    n_own: int = 15
    draft: DraftParams = field(default_factory=DraftParams)
    duplicates: float = 0.0
    changes: float = 0.0
    retractions: float = 0.0
    a_first: bool = False
    seed_spread: float = 0.0
    zealot_votes: int = 0

    def __post_init__(self) -> None:
        for name in ("up_rate_a", "up_rate_b"):
            if not 0 < getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; use a rate between 0 and 1")
        if self.n_members < 1 or self.n_own < 0 or self.n_shared < 0 or self.n_shared + self.n_own < 1:
            raise ParameterError("a community needs at least one member, and its models at least one artist")

    def swapped(self) -> "World":
        """Give each model the other's name."""
        return replace(self, up_rate_a=self.up_rate_b, up_rate_b=self.up_rate_a)


@dataclass(frozen=True, slots=True)
class Click:
    """One press of a button on the row at ``rank``; ``value`` 0 takes a vote back. ``number`` is unique."""

    rank: int
    value: int
    number: int


@dataclass(frozen=True, slots=True)
class Session:
    """One request, the page that was shown, and the clicks on it in order; a repeated click repeats its number."""

    member: int
    seed: int
    page: DraftedPage
    clicks: tuple[Click, ...]


def sessions(world: World, n_requests: int, *, rng: np.random.Generator) -> Iterator[Session]:
    """Let members ask and vote.

    Parameters
    ----------
    world : the planted truth.
    n_requests : requests of ordinary members; the zealot's come between them.
    rng : source of all randomness.
    """
    a, b = _rankings(world)
    activity = 1 / np.arange(1, world.n_members + 1)
    members = rng.choice(world.n_members, size=n_requests, p=activity / activity.sum())
    generosity = rng.normal(0, world.generosity, size=world.n_members)
    zealous = _spread(world.zealot_votes, n_requests)
    number = 0
    seeds, advantages = _seeds(world, n_requests, rng)
    for at, member in enumerate(members.tolist()):
        page = _page(a, b, world, rng)
        advantage = advantages[seeds[at]] if seeds else 0.0
        values = _opinions(page, world, generosity[member], rng, advantage=advantage)
        clicks, number = _clicks(values, world, number, rng)
        yield Session(member, seeds[at] if seeds else int(rng.integers(N_SEEDS)), page, clicks)
        while zealous and zealous[0][0] <= at:
            _, n_votes = zealous.pop(0)
            page = _page(a, b, world, rng)
            fanatical = {rank: 1 if row.team == "a" else -1 for rank, row in enumerate(page.rows, start=1)}
            chosen = dict(list(fanatical.items())[:n_votes])
            clicks, number = _clicks(chosen, World(), number, rng)
            yield Session(world.n_members, int(rng.integers(N_SEEDS)), page, clicks)


def in_memory(world: World, given: Sequence[Session]) -> FeedbackLog:
    """Lay sessions out as the log that the database would give back."""
    rows = [row for session in given for row in session.page.rows]
    sizes = [len(session.page.rows) for session in given]
    starts = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    n = len(given)
    requests = Requests(
        id=np.arange(1, n + 1),
        member=np.array([session.member for session in given], dtype=np.int64),
        source=np.full(n, SOURCES.index("slash"), dtype=np.int16),
        match_kind=np.full(n, MATCH_KINDS.index("exact"), dtype=np.int16),
        outcome=np.full(n, OUTCOMES.index("answered"), dtype=np.int16),
        seed=np.array([session.seed for session in given], dtype=np.int64),
        shuffled=np.array([session.page.shuffled for session in given], dtype=bool),
    )
    impressions = Impressions(
        id=np.arange(1, len(rows) + 1),
        request=np.repeat(np.arange(n), sizes),
        rank=np.array([rank for size in sizes for rank in range(1, size + 1)], dtype=np.int16),
        page=np.ones(len(rows), dtype=np.int16),
        team=np.array([TEAM_CODES[row.team] for row in rows], dtype=np.int16),
        rank_in_a=np.array([row.rank_in_a or 0 for row in rows], dtype=np.int16),
        rank_in_b=np.array([row.rank_in_b or 0 for row in rows], dtype=np.int16),
        propensity=np.array([row.propensity for row in rows], dtype=np.float64),
        bucket=np.full(len(rows), -1, dtype=np.int16),
    )
    standing: dict[tuple[int, int], int] = {}
    for place, session in enumerate(given):
        for click in session.clicks:
            key = int(starts[place]) + click.rank - 1, session.member
            if standing.get(key) != click.value:  # a changed vote is a new one, and comes later
                standing.pop(key, None)
                standing[key] = click.value
    kept = [(impression, voter, value) for (impression, voter), value in standing.items() if value]
    columns = np.array(kept, dtype=np.int64).reshape(-1, 3)
    votes = Votes(columns[:, 0], columns[:, 1], columns[:, 2].astype(np.int16))
    return FeedbackLog(requests, impressions, votes, n_people=world.n_members + 1)


def _rankings(world: World) -> tuple[list[int], list[int]]:
    shared = list(range(1, world.n_shared + 1))
    first = world.n_shared + 1
    return (
        shared + list(range(first, first + world.n_own)),
        shared + list(range(first + world.n_own, first + 2 * world.n_own)),
    )


def _page(a: list[int], b: list[int], world: World, rng: np.random.Generator) -> DraftedPage:
    page = draw_page(a, b, world.draft, rng=rng)
    if not world.a_first:
        return page
    # A always drafts first: the control that must fool a naive count.
    firsts = sorted(page.rows, key=lambda row: ((row.rank_in_a or row.rank_in_b or 0), row.team == "b"))
    return DraftedPage(tuple(firsts), page.explored, page.shuffled)


def _seeds(world: World, n_requests: int, rng: np.random.Generator) -> tuple[list[int], list[float]]:
    """Draw what is asked about, in proportion to 1 / rank, and A's advantage there; nothing where there is none."""
    if not world.seed_spread:
        return [], []
    popularity = 1 / np.arange(1, N_SEEDS + 1)
    seeds: list[int] = rng.choice(N_SEEDS, size=n_requests, p=popularity / popularity.sum()).tolist()
    advantages: list[float] = rng.normal(0, world.seed_spread, size=N_SEEDS).tolist()
    return seeds, advantages


def _opinions(
    page: DraftedPage, world: World, generosity: float, rng: np.random.Generator, *, advantage: float = 0.0
) -> dict[int, int]:
    """What a member thinks of each row that they look at, by rank."""
    examined, liked = rng.random(len(page.rows)), rng.random(len(page.rows))
    return {
        rank: 1 if liked[rank - 1] < expit(logit(_up_rate(row, world)) + generosity + _of_side(row, advantage)) else -1
        for rank, row in enumerate(page.rows, start=1)
        if examined[rank - 1] < world.examination[rank - 1]
    }


def _of_side(row: DraftedRow, advantage: float) -> float:
    """A's half of its advantage for its own rows, B's loss for B's."""
    return advantage / 2 * ((row.rank_in_a is not None) - (row.rank_in_b is not None))


def _up_rate(row: DraftedRow, world: World) -> float:
    if row.rank_in_a is not None and row.rank_in_b is not None:
        return (world.up_rate_a + world.up_rate_b) / 2
    return world.up_rate_a if row.rank_in_a is not None else world.up_rate_b


def _clicks(
    values: dict[int, int], world: World, number: int, rng: np.random.Generator
) -> tuple[tuple[Click, ...], int]:
    clicks = []
    for rank, value in values.items():
        pressed = [value]
        if rng.random() < world.changes:
            pressed.insert(0, -value)
        if rng.random() < world.retractions:
            pressed.append(0)
        for one in pressed:
            number += 1
            clicks += [Click(rank, one, number)] * (1 + int(rng.random() < world.duplicates))
    return tuple(clicks), number


def _spread(n_votes: int, n_requests: int) -> list[tuple[int, int]]:
    """Spread a zealot's votes over whole answers among the others: pairs of when and how many."""
    each = [10] * (n_votes // 10) + ([n_votes % 10] if n_votes % 10 else [])
    return [(int(at), n) for at, n in zip(np.linspace(0, n_requests - 1, len(each)), each, strict=True)]
