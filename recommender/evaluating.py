"""Judge recommendations offline: several recipes on the same splits, each figure with how sure it is.

A judged listener is folded in with what is seen of it, as a person is who asks: what is judged is what answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from recommender import metrics
from recommender.errors import DataError, ModelError, ParameterError
from recommender.holdout import Holdout
from recommender.intervals import Difference, Figures, Interval, by_listener, interval, paired
from recommender.linking import ease_links
from recommender.matrix import CSR, NO_NEIGHBOUR
from recommender.metrics import Lists, Spread, spread
from recommender.recipes import Recipe, fitted_to
from recommender.recommending import Objective, Recommender, link_matrix
from recommender.splits import Split, SplitParams, split
from recommender.training import fit_factors
from recommender.weighting import weigh

POPULARITY = "popularity"
Step = Callable[[str, int, int], None]
"""Told what is being judged, how many of all judgements are done, and of how many."""


@dataclass(frozen=True, slots=True)
class EvaluationParams:
    """Options of :func:`evaluate`.

    ``n_splits`` >= 1 splits are drawn by as many seeds from ``seed`` on, and each recipe trained on each. Lists are
    judged at ``recall_at`` and ``ndcg_at`` (also MAP, coverage, hubs, popularity and stability).
    """

    split: SplitParams = field(default_factory=SplitParams)
    n_splits: int = 3
    seed: int = 0
    recall_at: int = 20
    ndcg_at: int = 10

    def __post_init__(self) -> None:
        if self.n_splits < 1 or self.recall_at < 1 or self.ndcg_at < 1:
            raise ParameterError("the number of splits and the depths of lists must be at least 1")

    @property
    def depth(self) -> int:
        """Rows of a list that any figure looks at."""
        return max(self.recall_at, self.ndcg_at)

    @property
    def names(self) -> tuple[str, str, str]:
        """Of the figures that each listener has."""
        return f"R@{self.recall_at}", f"nDCG@{self.ndcg_at}", f"MAP@{self.recall_at}"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One system on all splits.

    ``each`` : figures of each listener, averaged over the splits it is judged in, in the order of the listeners.
    ``means`` : their means with intervals. ``spreads`` : one for each split. ``stability`` : the part of a list of
    ``ndcg_at`` rows that is the same when only the model's seed changes; None where there is no seed.
    """

    each: dict[str, Figures]
    means: dict[str, Interval]
    spreads: tuple[Spread, ...]
    stability: float | None

    def spread(self, name: str) -> float:
        """Mean of one figure of :class:`recommender.metrics.Spread` over the splits."""
        return float(np.mean([getattr(one, name) for one in self.spreads]))


def evaluate(
    plays: CSR,
    recipes: Mapping[str, Recipe],
    params: EvaluationParams,
    *,
    stability: bool = True,
    step: Step = lambda *_: None,
) -> dict[str, Judged]:
    """Train and judge recipes, and popularity beside them.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists), counts > 0.
    recipes : by name; only what decides recommendations is trained.
    params : options.
    stability : train each once more with another seed, to see what stays.
    step : told what is being judged.

    Returns
    -------
    By name, :data:`POPULARITY` first; the same data, recipes and options give the same figures.

    Raises
    ------
    DataError : nobody can be judged, or no artist has enough listeners to be recommended.
    ModelError : a recipe's factors are not finite or collapsed.
    """
    names, total, done = [POPULARITY, *recipes], params.n_splits * (1 + len(recipes)), 0
    lists: dict[str, list[Lists]] = {name: [] for name in names}
    spreads: dict[str, list[Spread]] = {name: [] for name in names}
    holdouts: list[Holdout] = []
    stable: dict[str, float] = {}
    for number in range(params.n_splits):
        # One at a time: each has a copy of the plays.
        one = split(plays, params.split, rng=_rng(params, number))
        holdouts.append(one.judged)
        listeners = np.bincount(one.train.indices, minlength=plays.shape[1])
        for name in names:
            step(f"{name}, split {number + 1} of {params.n_splits}", done, total)
            found = _lists_of(name, recipes, one, params, seed=params.seed + number)
            lists[name].append(found)
            least = recipes[name].neighbours.min_listeners if name in recipes else 1
            seen = one.judged.seen
            spreads[name].append(spread(found[:, : params.ndcg_at], seen, listeners, listeners >= least))
            if stability and number == 0 and name in recipes:
                again = _lists_of(name, recipes, one, params, seed=params.seed + params.n_splits)
                stable[name] = metrics.overlap(found[:, : params.ndcg_at], again[:, : params.ndcg_at])
            done += 1
    step("drawing intervals", total, total)
    return {name: _judged(holdouts, lists[name], spreads[name], stable.get(name), params) for name in names}


def compare(judged: Mapping[str, Judged], ours: str, theirs: str, *, seed: int) -> dict[str, Difference]:
    """Compare two judged systems listener by listener, each figure by name."""
    return {
        name: paired(figures, judged[theirs].each[name], rng=np.random.default_rng(seed))
        for name, figures in judged[ours].each.items()
    }


def fit_recommender(plays: CSR, recipe: Recipe, *, rng: np.random.Generator) -> Recommender:
    """Train what recommends, without the table of similar artists.

    Raises
    ------
    DataError : no artist has enough listeners to be recommended.
    ModelError : the factors are not finite or collapsed.
    """
    recipe = fitted_to(recipe, plays)
    least, listeners = recipe.neighbours.min_listeners, np.bincount(plays.indices, minlength=plays.shape[1])
    if listeners.max(initial=0) < least:
        raise DataError(f"no artist has {least} listeners to learn from, so none can be recommended; bring more data")
    with threadpool_limits(limits=1, user_api="blas"):
        weights, factors = fit_factors(plays, recipe, rng=rng)
        typical = float(weights.data.mean(dtype=np.float64))
        links = ease_links(plays, recipe.links, min_listeners=least, typical_weight=typical)
    ridge = recipe.als.ridge if recipe.algorithm == "als" else None
    return Recommender(
        factors.artist_factors,
        Objective(ridge, recipe.alpha, typical),
        answerable=listeners >= least,
        links=None if links is None else link_matrix(links.idx, links.weight),
        factor_share=1.0 if links is None else recipe.links.factor_share,
    )


def judge_lists(lists: Lists, hidden: CSR, params: EvaluationParams) -> dict[str, Figures]:
    """Figures of each listener, by the names of ``params``."""
    recall_name, ndcg_name, map_name = params.names
    return {
        recall_name: metrics.recall(lists, hidden, params.recall_at),
        ndcg_name: metrics.ndcg(lists, hidden, params.ndcg_at),
        map_name: metrics.average_precision(lists, hidden, params.recall_at),
    }


def _lists_of(name: str, recipes: Mapping[str, Recipe], one: Split, params: EvaluationParams, *, seed: int) -> Lists:
    if name not in recipes:
        return popular_lists(one, params.depth)
    try:
        recommender = fit_recommender(one.train, recipes[name], rng=np.random.default_rng(seed))
    except (ModelError, ParameterError) as err:
        raise type(err)(f"{name}: {err}") from err
    with threadpool_limits(limits=1, user_api="blas"):
        return recommender.lists(seen_weights(one, fitted_to(recipes[name], one.train), params.split), params.depth)


def seen_weights(one: Split, recipe: Recipe, params: SplitParams) -> CSR:
    """What is seen of the judged listeners, weighed beside the training data, shape (n_judged, n_artists)."""
    if params.kind == "leave-out":
        return CSR(weigh(one.train, recipe.weighting)[one.judged.listeners])
    both = CSR(sp.vstack((one.train, one.judged.seen)))
    return CSR(weigh(both, recipe.weighting)[one.train.shape[0] :])


def popular_lists(one: Split, depth: int) -> Lists:
    """Recommend the most heard artists to everybody who did not hear them, shape (n_judged, depth)."""
    listeners = np.bincount(one.train.indices, minlength=one.train.shape[1])
    most = int(np.diff(one.judged.seen.indptr).max()) + depth
    popular = np.argsort(-listeners, kind="stable")[:most]
    lists = np.full((one.judged.seen.shape[0], depth), NO_NEIGHBOUR, dtype=np.intp)
    for row in range(lists.shape[0]):
        seen = one.judged.seen.indices[one.judged.seen.indptr[row] : one.judged.seen.indptr[row + 1]]
        new = popular[~np.isin(popular, seen)][:depth]
        lists[row, : new.size] = new
    return lists


def _judged(
    holdouts: list[Holdout],
    lists: list[Lists],
    spreads: list[Spread],
    stability: float | None,
    params: EvaluationParams,
) -> Judged:
    figures = [judge_lists(found, one.hidden, params) for found, one in zip(lists, holdouts, strict=True)]
    who = [one.listeners for one in holdouts]
    each = {name: by_listener(who, [one[name] for one in figures]) for name in params.names}
    means = {name: interval(values, rng=np.random.default_rng(params.seed)) for name, values in each.items()}
    return Judged(each, means, tuple(spreads), stability)


def _rng(params: EvaluationParams, number: int) -> np.random.Generator:
    return np.random.default_rng((params.seed, number))
