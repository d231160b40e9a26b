"""Team-draft interleaving of two rankings, with the exact chance of every row at its rank.

A round shows the best remaining row of each model; a coin decides whose comes first. Where both models would pick the
same row, it is shown once and is nobody's; so is what one model has left when the other has run out. A page of ten has
at most five coins: all 32 paths are enumerated, and nothing about a propensity is estimated.

References
----------
Radlinski, Kurup & Joachims (2008), How does clickthrough data reflect retrieval quality?, CIKM.
Chapelle, Joachims, Radlinski & Yue (2012), Large-scale validation of interleaved search evaluation, TOIS 30(1).
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from bot.feedback.records import Team
from recommender.errors import ParameterError

MAX_PAGE_ROWS = 10
Pick = tuple[int, Team]
Chances = Mapping[tuple[int, int], float]


@dataclass(frozen=True, slots=True)
class DraftParams:
    """How a page is drawn.

    ``explore_rate`` : share of the pages whose last row is drawn from deeper ranks, from 0 to 1.
    ``shuffle_share`` : share of those whose rows then come in uniformly random order; they show the bias of positions.
    ``explore_from``, ``explore_to`` : the ranks that are drawn from, both included; rank r weighs 1/r (Plackett-Luce).
    """

    n_rows: int = MAX_PAGE_ROWS
    explore_rate: float = 0.0
    shuffle_share: float = 0.5
    explore_from: int = 9
    explore_to: int = 50

    def __post_init__(self) -> None:
        if not 1 <= self.n_rows <= MAX_PAGE_ROWS:
            raise ParameterError(f"a page of {self.n_rows} rows was asked for; a page has 1 to {MAX_PAGE_ROWS}")
        for name in ("explore_rate", "shuffle_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; use a share from 0 to 1")


@dataclass(frozen=True, slots=True)
class DraftedRow:
    """One row of a page; ``propensity`` is the chance of this item at this rank, given the rows shown before."""

    item: int
    team: Team
    rank_in_a: int | None
    rank_in_b: int | None
    propensity: float


@dataclass(frozen=True, slots=True)
class DraftedPage:
    """A drawn page, top row first."""

    rows: tuple[DraftedRow, ...]
    explored: bool
    shuffled: bool


def draw_page(
    a: Sequence[int],
    b: Sequence[int],
    params: DraftParams,
    *,
    rng: np.random.Generator,
    shown: AbstractSet[int] = frozenset(),
) -> DraftedPage:
    """Draw a page of two rankings.

    Parameters
    ----------
    a, b : items of each model, best first, each item once.
    params : size, exploration and shuffling.
    rng : source of the coins.
    shown : items on earlier pages of the same answer.

    Returns
    -------
    At most ``n_rows`` rows; fewer where both models have no more.
    """
    left_a, left_b = (tuple(item for item in items if item not in shown) for items in (a, b))
    ranks = _ranks(a), _ranks(b)
    coins: list[bool] = (rng.random(_n_coins(params)) < 0.5).tolist()
    explores = bool(rng.random() < params.explore_rate)
    pool = _pool(ranks, params, shown)
    picks, explored = _draft(left_a, left_b, params.n_rows, coins), False
    if explores:
        drafted = _draft(left_a, left_b, params.n_rows - 1, coins)
        items, weights = _choices(pool, drafted)
        if items:
            chosen = items[int(rng.choice(len(items), p=weights))]
            picks, explored = [*drafted, (chosen, "explore")], True
    # Pages whose pool is empty are shuffled like the others, or the chances would depend on what was drawn.
    shuffled = explores and bool(rng.random() < params.shuffle_share)
    if shuffled:
        picks = [picks[place] for place in rng.permutation(len(picks))]
    chances = _cached_chances(left_a, left_b, tuple(pool.items()), params)
    rows = tuple(
        DraftedRow(item, team, ranks[0].get(item), ranks[1].get(item), min(chances[item, rank], 1.0))
        for rank, (item, team) in enumerate(picks, start=1)
    )
    return DraftedPage(rows, explored, shuffled)


def chances_of(
    a: Sequence[int], b: Sequence[int], params: DraftParams, *, shown: AbstractSet[int] = frozenset()
) -> Chances:
    """Compute the chance of every item at every rank (from 1) of a page, by all paths of the coins."""
    left_a, left_b = (tuple(item for item in items if item not in shown) for items in (a, b))
    pool = _pool((_ranks(a), _ranks(b)), params, shown)
    return _cached_chances(left_a, left_b, tuple(pool.items()), params)


@lru_cache(maxsize=1024)
def _cached_chances(
    a: tuple[int, ...], b: tuple[int, ...], pool: tuple[tuple[int, float], ...], params: DraftParams
) -> Chances:
    explore, shuffle = params.explore_rate, params.shuffle_share
    chances: dict[tuple[int, int], float] = {}

    def add(item: int, rank: int, chance: float) -> None:
        if chance > 0:
            chances[item, rank] = chances.get((item, rank), 0.0) + chance

    n_coins = _n_coins(params)
    for coins in product((True, False), repeat=n_coins):
        of_path = 0.5**n_coins
        picks = _draft(a, b, params.n_rows, coins)
        for rank, (item, _) in enumerate(picks, start=1):
            add(item, rank, of_path * (1 - explore))
        if not explore:
            continue
        for page, of_page in _explored(a, b, dict(pool), params, coins):
            for rank, (item, _) in enumerate(page, start=1):
                add(item, rank, of_path * explore * of_page * (1 - shuffle))
                for other in range(1, len(page) + 1):
                    add(item, other, of_path * explore * of_page * shuffle / len(page))
    return MappingProxyType(chances)


def _explored(
    a: tuple[int, ...], b: tuple[int, ...], pool: dict[int, float], params: DraftParams, coins: Sequence[bool]
) -> Iterator[tuple[list[Pick], float]]:
    """Yield every exploring page of one path, and its chance."""
    drafted = _draft(a, b, params.n_rows - 1, coins)
    items, weights = _choices(pool, drafted)
    if not items:
        yield _draft(a, b, params.n_rows, coins), 1.0
    for item, weight in zip(items, weights, strict=True):
        yield [*drafted, (item, "explore")], float(weight)


def _draft(a: Sequence[int], b: Sequence[int], n_rows: int, coins: Sequence[bool]) -> list[Pick]:
    """Follow one path of coins; heads lets a draft first."""
    picks: list[Pick] = []
    taken: set[int] = set()
    from_a = from_b = round_ = 0
    while len(picks) < n_rows:
        while from_a < len(a) and a[from_a] in taken:
            from_a += 1
        while from_b < len(b) and b[from_b] in taken:
            from_b += 1
        best: list[Pick] = []
        if from_a < len(a):
            best.append((a[from_a], "a"))
        if from_b < len(b):
            best.append((b[from_b], "b"))
        if not best:
            break
        if len(best) == 1:
            best = [(best[0][0], "none")]
        elif best[0][0] == best[1][0]:
            best = [(best[0][0], "both")]
        else:
            if not coins[round_]:
                best.reverse()
            round_ += 1
        picks += best
        taken.update(item for item, _ in best)
    return picks[:n_rows]


def _n_coins(params: DraftParams) -> int:
    return (params.n_rows + 1) // 2


def _ranks(items: Sequence[int]) -> dict[int, int]:
    ranks = {item: rank for rank, item in enumerate(items, start=1)}
    assert len(ranks) == len(items), "a model ranks every artist once"
    return ranks


def _pool(
    ranks: tuple[dict[int, int], dict[int, int]], params: DraftParams, shown: AbstractSet[int]
) -> dict[int, float]:
    """Weigh the items that exploration may draw, by the better of their two ranks; in an order that never varies."""
    best: dict[int, int] = {}
    for of_model in ranks:
        for item, rank in of_model.items():
            best[item] = min(rank, best.get(item, rank))
    return {
        item: 1.0 / rank
        for item, rank in sorted(best.items())
        if params.explore_from <= rank <= params.explore_to and item not in shown
    }


def _choices(pool: Mapping[int, float], drafted: Sequence[Pick]) -> tuple[list[int], npt.NDArray[np.float64]]:
    taken = {item for item, _ in drafted}
    items = [item for item in pool if item not in taken]
    weights = np.array([pool[item] for item in items])
    return items, weights / weights.sum() if items else weights
