"""One training run: play counts -> weights -> factors -> neighbours -> artifact, by a named preset."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from recommender.als import ALSParams, fit_als
from recommender.artifact import FACTOR_COSINE, DataCard, Manifest, TableCard, label_arrays, write_artifact
from recommender.errors import ModelError, ParameterError
from recommender.factors import Factors, refuse_collapsed
from recommender.listening import listening_arrays
from recommender.lsa import LSAParams, fit_lsa
from recommender.matrix import CSR, NO_NEIGHBOUR
from recommender.neighbours import NeighbourParams, Neighbours, nearest_artists
from recommender.plays import PlayCounts
from recommender.weighting import WeightingParams, confidence, weigh

Algorithm: TypeAlias = Literal["als", "lsa"]
Step: TypeAlias = Callable[[str, int, int, float | None], None]
"""Told the stage, how much of it is done, of how much, and the loss where there is one."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a model besides the data and the seed.

    ``alpha`` is the confidence of one unit of weight; only ALS uses it.
    """

    algorithm: Algorithm
    weighting: WeightingParams
    als: ALSParams = field(default_factory=ALSParams)
    lsa: LSAParams = field(default_factory=LSAParams)
    alpha: float = 5.0
    neighbours: NeighbourParams = field(default_factory=NeighbourParams)

    def parameters(self) -> dict[str, object]:
        """Only what this algorithm uses, as plain values for the manifest."""
        used: dict[str, object] = {"weighting": asdict(self.weighting), "neighbours": asdict(self.neighbours)}
        match self.algorithm:
            case "als":
                return used | {"als": asdict(self.als), "alpha": self.alpha}
            case "lsa":
                return used | {"lsa": asdict(self.lsa)}


PRESETS: dict[str, Recipe] = {
    # Best of the measured ALS settings on HetRec lastfm-2k: every played artist counts the same, strong regularization.
    "als": Recipe("als", WeightingParams("binary"), als=ALSParams(n_factors=64, regularization=30.0), alpha=5.0),
    # The settings of "Finding similar music using matrix factorization", for those who come to reproduce it.
    "article-als": Recipe("als", WeightingParams("bm25"), als=ALSParams(n_factors=50, regularization=0.01), alpha=1.0),
    "article-lsa": Recipe("lsa", WeightingParams("bm25"), lsa=LSAParams(n_factors=50)),
}
DEFAULT_PRESET: dict[Algorithm, str] = {"als": "als", "lsa": "article-lsa"}


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """What training leaves: the factors and the neighbour table."""

    recipe: Recipe
    factors: Factors
    neighbours: Neighbours


def choose_preset(preset: str | None, algorithm: str | None) -> str:
    """Name the preset that a person meant by a preset, an algorithm, both or neither.

    Raises
    ------
    ParameterError : a name is unknown, or the preset is not of that algorithm.
    """
    if algorithm is not None and algorithm not in DEFAULT_PRESET:
        raise ParameterError(f"algorithm {algorithm!r} is unknown; use one of {', '.join(DEFAULT_PRESET)}")
    if preset is None:
        return DEFAULT_PRESET["als" if algorithm is None else algorithm]
    if preset not in PRESETS:
        raise ParameterError(f"preset {preset!r} is unknown; use one of {', '.join(PRESETS)}")
    if algorithm is not None and PRESETS[preset].algorithm != algorithm:
        raise ParameterError(
            f"preset {preset!r} is {PRESETS[preset].algorithm}, not {algorithm}; leave one of them out"
        )
    return preset


def adjusted(
    recipe: Recipe,
    *,
    n_factors: int | None = None,
    regularization: float | None = None,
    k: int | None = None,
    min_listeners: int | None = None,
) -> Recipe:
    """Return the recipe with some numbers replaced; ``None`` keeps the preset's."""
    if n_factors is not None:
        recipe = replace(
            recipe, als=replace(recipe.als, n_factors=n_factors), lsa=replace(recipe.lsa, n_factors=n_factors)
        )
    if regularization is not None:
        recipe = replace(recipe, als=replace(recipe.als, regularization=regularization))
    neighbours = recipe.neighbours
    if k is not None:
        neighbours = replace(neighbours, k=k)
    if min_listeners is not None:
        neighbours = replace(neighbours, min_listeners=min_listeners)
    return replace(recipe, neighbours=neighbours)


def train(plays: CSR, recipe: Recipe, *, rng: np.random.Generator, step: Step = lambda *_: None) -> TrainedModel:
    """Train one model.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists), counts > 0.
    recipe : algorithm and parameters.
    rng : source of all randomness.
    step : told what is being done.

    Raises
    ------
    ParameterError : a parameter does not fit this data.
    ModelError : the factors are not finite or collapsed, or no artist has a neighbour.
    """
    # Each number of BLAS threads sums a large product in another order, and the same seed would give other bits.
    with threadpool_limits(limits=1, user_api="blas"):
        return _train(plays, recipe, rng=rng, step=step)


def _train(plays: CSR, recipe: Recipe, *, rng: np.random.Generator, step: Step) -> TrainedModel:
    step("weighting", 0, 1, None)
    weights = weigh(plays, recipe.weighting)
    match recipe.algorithm:
        case "als":
            total = recipe.als.iterations
            step("factorizing", 0, total, None)
            factors = fit_als(
                confidence(weights, alpha=recipe.alpha),
                recipe.als,
                rng=rng,
                progress=lambda iteration, loss: step("factorizing", iteration, total, loss),
            )
        case "lsa":
            step("factorizing", 0, 1, None)
            factors = fit_lsa(weights, recipe.lsa, rng=rng)
    refuse_collapsed(factors)
    step("finding neighbours", 0, 1, None)
    neighbours = nearest_artists(factors.artist_factors, plays, recipe.neighbours)
    step("finding neighbours", 1, 1, None)
    if (neighbours.idx == NO_NEIGHBOUR).all():
        raise ModelError(
            f"no artist could be compared: no two have {recipe.neighbours.min_listeners} listeners and share any; "
            "bring more data, or lower --min-listeners. No model was saved"
        )
    return TrainedModel(recipe, factors, neighbours)


def save_model(
    folder: Path,
    model: TrainedModel,
    counts: PlayCounts,
    *,
    preset: str,
    seed: int,
    data_name: str,
    synthetic: bool,
    created: datetime,
) -> Manifest:
    """Write a trained model into a new folder, so that it is there whole or not at all.

    Parameters
    ----------
    folder : must not exist; its name becomes the model's id.
    model, counts : what was trained, and on what.
    preset, seed, data_name, synthetic, created : the rest of its card; ``created`` is aware.

    Raises
    ------
    ModelError : the folder exists or cannot be written.
    """
    params = model.recipe.neighbours
    arrays = label_arrays(counts.artist_names, counts.artist_mbids) | {
        "artist_factors": model.factors.artist_factors,
        "listeners": np.bincount(counts.plays.indices, minlength=len(counts.artist_names)),
        "neighbour_idx": model.neighbours.idx,
        "neighbour_score": model.neighbours.score,
        "support": model.neighbours.support,
        **listening_arrays(counts.plays, min_listeners=params.min_listeners),
    }
    n_listeners, n_artists = counts.plays.shape
    card = {
        "id": folder.name,
        "algorithm": model.recipe.algorithm,
        "preset": preset,
        "parameters": model.recipe.parameters(),
        "seed": seed,
        "objective": model.factors.objective,
        "data": asdict(
            DataCard(data_name, counts.data_hash, synthetic, n_listeners, n_artists, n_pairs=int(counts.plays.nnz))
        ),
        "created": created.isoformat(),
        "n_factors": model.factors.n_factors,
        "k": model.neighbours.idx.shape[1],
        "min_listeners": params.min_listeners,
        "neighbours": asdict(
            TableCard(FACTOR_COSINE, exact=True, recall=1.0, min_common_listeners=params.min_common_listeners)
        ),
    }
    return write_artifact(folder, arrays, card)
