"""One training run: play counts -> weights -> factors -> neighbours."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from recommender.als import Iteration, fit_als
from recommender.errors import ModelError
from recommender.factors import Factors, refuse_collapsed
from recommender.linking import Links, ease_links
from recommender.lsa import fit_lsa
from recommender.matrix import CSR, NO_NEIGHBOUR, FloatMatrix
from recommender.neighbours import Neighbours
from recommender.recipes import Recipe, fitted_to
from recommender.similarity import compare_artists
from recommender.weighting import confidence, weigh
from recommender.wording import counted

Step: TypeAlias = Callable[[str, int, int, str], None]
"""Told the stage, how much of it is done, of how much at most, and what was reached, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """What training leaves: the factors and the neighbour table, and the recipe with what the data's size decided.

    ``similarity_factors`` : shape (n_artists, any number), see :class:`recommender.similarity.Compared`.
    ``typical_weight`` is the mean weight of a pair, ``links`` what recommends beside the factors.
    """

    recipe: Recipe
    factors: Factors
    neighbours: Neighbours
    similarity_factors: FloatMatrix | None = None
    typical_weight: float = 1.0
    links: Links | None = None


def train(
    plays: CSR,
    recipe: Recipe,
    *,
    rng: np.random.Generator,
    step: Step = lambda *_: None,
    stop: Callable[[], bool] = lambda: False,
) -> TrainedModel:
    """Train one model.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists), counts > 0.
    recipe : algorithm and parameters.
    rng : source of all randomness.
    step : told what is being done.
    stop : asked after each iteration of a factorization; True goes on with the factors as they are.

    Raises
    ------
    ParameterError : a parameter does not fit this data.
    ModelError : there are fewer than two listeners or artists, the factors are not finite or collapsed, or no artist
        has a neighbour.
    """
    # Each number of BLAS threads sums a large product in another order, and the same seed would give other bits.
    with threadpool_limits(limits=1, user_api="blas"):
        return _train(plays, recipe, rng=rng, step=step, stop=stop)


def _train(
    plays: CSR, recipe: Recipe, *, rng: np.random.Generator, step: Step, stop: Callable[[], bool]
) -> TrainedModel:
    recipe = fitted_to(recipe, plays)
    similarity, params = recipe.similarity, recipe.neighbours
    weights, factors = fit_factors(plays, recipe, rng=rng, step=step, stop=stop)
    step("finding neighbours", 0, 1, "")
    compared = compare_artists(plays, factors, similarity, params, rng=rng)
    step("finding neighbours", 1, 1, "")
    typical = float(weights.data.mean(dtype=np.float64))
    if recipe.links.share > 0:
        step("linking artists", 0, 1, "")
    links = ease_links(plays, recipe.links, min_listeners=params.min_listeners, typical_weight=typical)
    if (compared.neighbours.idx == NO_NEIGHBOUR).all():
        raise ModelError(
            f"no artist could be compared: no two have {recipe.neighbours.min_listeners} listeners and share any; "
            "bring more data, or lower --min-listeners. No model was saved"
        )
    return TrainedModel(recipe, factors, compared.neighbours, compared.own_factors, typical, links)


def _refuse_too_few(plays: CSR) -> None:
    """Refuse what no option can help: artists are alike by the listeners they share."""
    n_listeners, n_artists = plays.shape
    if n_listeners < 2 or n_artists < 2:
        raise ModelError(
            f"nothing can be compared: these data have {counted(n_listeners, 'listener')} and "
            f"{counted(n_artists, 'artist')}, and it takes several of both; "
            "bring more data, or check which column is which. No model was saved"
        )


def fit_factors(
    plays: CSR,
    recipe: Recipe,
    *,
    rng: np.random.Generator,
    step: Step = lambda *_: None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[CSR, Factors]:
    """Weigh and factorize, without neighbours; the same arguments as :func:`train`.

    Returns
    -------
    The weights, shape of ``plays``, and the factors.

    Raises
    ------
    ModelError : there are fewer than two listeners or artists, or the factors are not finite or collapsed.
    """
    _refuse_too_few(plays)
    step("weighting", 0, 1, "")
    weights = weigh(plays, recipe.weighting)
    match recipe.algorithm:
        case "als":
            step("factorizing", 0, recipe.als.iterations, "")
            factors = fit_als(
                confidence(weights, alpha=recipe.alpha),
                recipe.als,
                rng=rng,
                progress=lambda reached: step("factorizing", reached.number, recipe.als.iterations, _in_words(reached)),
                stop=stop,
            )
        case "lsa":
            step("factorizing", 0, 1, "")
            factors = fit_lsa(weights, recipe.lsa, rng=rng)
    refuse_collapsed(factors)
    return weights, factors


def _in_words(reached: Iteration) -> str:
    sample = "" if reached.ndcg is None else f", nDCG@10 of hidden plays {reached.ndcg:.4f}"
    return f"loss {reached.loss:,.0f}{sample}"
