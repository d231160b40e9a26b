"""One training run: play counts -> weights -> factors -> neighbours -> artifact, by a named preset."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from threadpoolctl import threadpool_limits

from recommender.aliases import shipped_aliases
from recommender.als import ALSParams, Iteration, StoppingParams, fit_als
from recommender.artifact import FACTOR_COSINE, DataCard, Manifest, TableCard, label_arrays, write_artifact
from recommender.confidence import strength_bounds
from recommender.errors import ModelError, ParameterError
from recommender.factors import Factors, refuse_collapsed
from recommender.knn import KNNParams
from recommender.linking import LinkParams, Links, ease_links
from recommender.listening import listening_arrays
from recommender.lsa import LSAParams, fit_lsa
from recommender.matrix import CSR, NO_NEIGHBOUR, FloatMatrix
from recommender.naming.building import build_index
from recommender.neighbours import NeighbourParams, Neighbours
from recommender.plays import PlayCounts
from recommender.ridge import RidgeParams
from recommender.similarity import SimilarityParams, compare_artists, resolved
from recommender.weighting import WeightingParams, confidence, weigh
from recommender.wording import counted

Algorithm: TypeAlias = Literal["als", "lsa"]
Step: TypeAlias = Callable[[str, int, int, str], None]
"""Told the stage, how much of it is done, of how much at most, and what was reached, in words."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a model besides the data and the seed.

    ``algorithm`` makes the factors, which recommend, blend and lead from one artist to another; ``similarity`` makes
    the table of similar artists, from these factors, from others, or from the plays themselves. ``alpha`` is the
    confidence of one unit of weight; only ALS uses it. ``links`` stand beside the factors when recommending.
    """

    algorithm: Algorithm
    weighting: WeightingParams
    als: ALSParams = field(default_factory=ALSParams)
    lsa: LSAParams = field(default_factory=LSAParams)
    alpha: float = 5.0
    similarity: SimilarityParams = field(default_factory=SimilarityParams)
    neighbours: NeighbourParams = field(default_factory=NeighbourParams)
    links: LinkParams = field(default_factory=LinkParams)

    def parameters(self) -> dict[str, object]:
        """Only what this algorithm uses, as plain values for the manifest."""
        used: dict[str, object] = {
            "weighting": asdict(self.weighting),
            "similarity": self.similarity.parameters(),
            "neighbours": asdict(self.neighbours),
            "links": asdict(self.links),
        }
        match self.algorithm:
            case "als":
                return used | {"als": asdict(self.als), "alpha": self.alpha}
            case "lsa":
                return used | {"lsa": asdict(self.lsa)}


def _als(similarity: SimilarityParams, *, min_common_listeners: int = 1) -> Recipe:
    """The ALS factors that measured best on HetRec lastfm-2k, with neighbours by some method."""
    return Recipe(
        "als",
        WeightingParams("binary"),
        als=ALSParams(ridge=RidgeParams("plain", 30.0)),
        similarity=similarity,
        neighbours=NeighbourParams(min_common_listeners=min_common_listeners),
    )


def _knn(params: KNNParams) -> Recipe:
    return _als(SimilarityParams("knn", knn=params))


PRESETS: dict[str, Recipe] = {
    # Best of all that was measured, see docs/models.md; where the data are too large for the fusion it becomes `als`.
    "best": Recipe(
        "als",
        WeightingParams("rank"),
        als=ALSParams(n_factors=128, ridge=RidgeParams("ials", 0.01, unobserved_weight=0.03)),
        alpha=1.0,
        similarity=SimilarityParams("auto"),
        neighbours=NeighbourParams(min_common_listeners=0),
        links=LinkParams(share=0.3, largest=5_000),
    ),
    "als": _als(SimilarityParams("factors")),
    # Best of the measured LSA settings on the same data.
    "lsa": Recipe("lsa", WeightingParams("binary"), lsa=LSAParams(n_factors=130, popularity=0.15, strength=1.4)),
    # The other two ridges, at their best on the same data.
    "als-wr": Recipe("als", WeightingParams("binary"), als=ALSParams(ridge=RidgeParams("als-wr", 1.0))),
    "ials": Recipe("als", WeightingParams("binary"), als=ALSParams(ridge=RidgeParams("ials", 0.01)), alpha=1.0),
    # The settings of "Finding similar music using matrix factorization", for those who come to reproduce it.
    "article-als": Recipe(
        "als",
        WeightingParams("bm25"),
        als=ALSParams(
            n_factors=50,
            ridge=RidgeParams("plain", 0.01),
            cg_steps=3,
            start="noise",
            stopping=StoppingParams(n_listeners=0),
        ),
        alpha=1.0,
    ),
    "article-lsa": Recipe("lsa", WeightingParams("bm25"), lsa=LSAParams(n_factors=50)),
    # The distance measures of the article before it, and what else is known for neighbours.
    "cosine": _knn(KNNParams()),
    "tfidf": _knn(KNNParams(weighting=WeightingParams("tfidf"))),
    "bm25": _knn(KNNParams(weighting=WeightingParams("bm25"))),
    "smoothed-cosine": _knn(KNNParams(smoothing=20.0)),
    "shrunk-cosine": _knn(KNNParams(shrinkage=10.0)),
    "jaccard": _knn(KNNParams("jaccard")),
    "overlap": _knn(KNNParams("overlap")),
    "pmi": _als(SimilarityParams("pmi"), min_common_listeners=0),
    "ease": replace(
        _als(SimilarityParams("ease"), min_common_listeners=0),
        links=LinkParams(share=1.0, factor_share=0.0, k=200),
    ),
}
DEFAULT_PRESET: dict[Algorithm, str] = {"als": "als", "lsa": "lsa"}
BEST_PRESET = "best"


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


def choose_preset(preset: str | None, algorithm: str | None) -> str:
    """Name the preset that a person meant by a preset, an algorithm, both or neither.

    Raises
    ------
    ParameterError : a name is unknown, or the preset is not of that algorithm.
    """
    if algorithm is not None and algorithm not in DEFAULT_PRESET:
        raise ParameterError(f"algorithm {algorithm!r} is unknown; use one of {', '.join(DEFAULT_PRESET)}")
    if preset is None:
        return BEST_PRESET if algorithm is None else DEFAULT_PRESET[algorithm]
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
    iterations: int | None = None,
    early_stopping: bool | None = None,
    k: int | None = None,
    min_listeners: int | None = None,
) -> Recipe:
    """Return the recipe with some numbers replaced; ``None`` keeps the preset's."""
    if n_factors is not None:
        recipe = replace(
            recipe, als=replace(recipe.als, n_factors=n_factors), lsa=replace(recipe.lsa, n_factors=n_factors)
        )
    if regularization is not None:
        ridge = replace(recipe.als.ridge, regularization=regularization)
        recipe = replace(recipe, als=replace(recipe.als, ridge=ridge))
    if iterations is not None:
        recipe = replace(recipe, als=replace(recipe.als, iterations=iterations))
    if early_stopping is not None:
        stopping = StoppingParams() if early_stopping else StoppingParams(n_listeners=0)
        recipe = replace(recipe, als=replace(recipe.als, stopping=stopping))
    neighbours = recipe.neighbours
    if k is not None:
        neighbours = replace(neighbours, k=k)
    if min_listeners is not None:
        neighbours = replace(neighbours, min_listeners=min_listeners)
    return replace(recipe, neighbours=neighbours)


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


def fitted_to(recipe: Recipe, plays: CSR) -> Recipe:
    """Decide by the size of the data what a recipe leaves open; see :func:`recommender.similarity.resolved`.

    Where the fusion is too large, the factors of the preset ``best`` become those of ``als`` too: their one ridge for
    all rows is measured up to Last.fm-360K, and that of iALS grows with the catalogue until nothing is left
    (docs/models.md). Factors that somebody chose stay.
    """
    similarity, neighbours = resolved(recipe.similarity, recipe.neighbours, plays)
    best, large = PRESETS[BEST_PRESET], PRESETS["als"]
    has_best_factors = (recipe.weighting, recipe.als, recipe.alpha) == (best.weighting, best.als, best.alpha)
    if (recipe.similarity.method, similarity.method) == ("auto", "factors") and has_best_factors:
        recipe = replace(recipe, weighting=large.weighting, als=large.als, alpha=large.alpha, links=large.links)
    return replace(recipe, similarity=similarity, neighbours=neighbours)


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


def _in_what_terms(similarity: SimilarityParams) -> str:
    """Name what the scores of a table are, for its card."""
    match similarity.method:
        case "knn":
            return f"{similarity.knn.measure} of the listeners"
        case "pmi":
            return "company kept (PMI)"
        case "ease":
            return "listening that predicts both (EASE)"
        case "fusion" | "auto":
            return "fusion of LSA, PMI and the factors"
        case "factors":
            return FACTOR_COSINE


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
    listeners = np.bincount(counts.plays.indices, minlength=len(counts.artist_names))
    compared_by = model.similarity_factors
    if compared_by is None:
        compared_by = np.zeros((len(listeners), 0), dtype=np.float32)
    arrays = label_arrays(counts.artist_names, counts.artist_mbids) | {
        "artist_factors": model.factors.artist_factors,
        "listeners": listeners,
        "similarity_factors": compared_by[listeners >= params.min_listeners],
        "neighbour_idx": model.neighbours.idx,
        "neighbour_score": model.neighbours.score,
        "support": model.neighbours.support,
        **listening_arrays(counts.plays, min_listeners=params.min_listeners),
    }
    if model.links is not None:
        arrays |= {"link_idx": model.links.idx, "link_weight": model.links.weight}
    n_listeners, n_artists = counts.plays.shape
    card = {
        "id": folder.name,
        "algorithm": model.recipe.algorithm,
        "preset": preset,
        "parameters": model.recipe.parameters() | {"typical_weight": model.typical_weight},
        "seed": seed,
        "objective": model.factors.objective,
        "data": asdict(
            DataCard(
                data_name,
                counts.data_hash,
                synthetic,
                n_listeners,
                n_artists,
                n_pairs=int(counts.plays.nnz),
                n_variants=len(counts.variants),
            )
        ),
        "created": created.isoformat(),
        "n_factors": model.factors.n_factors,
        "k": model.neighbours.idx.shape[1],
        "min_listeners": params.min_listeners,
        "neighbours": asdict(
            TableCard(
                _in_what_terms(model.recipe.similarity),
                exact=True,
                recall=1.0,
                min_common_listeners=params.min_common_listeners,
                strength=strength_bounds(model.neighbours.idx, model.neighbours.score),
            )
        ),
    }
    # Whoever types a merged name finds the artist, whatever the two have in common.
    name_index = build_index(counts.artist_names, listeners, [*counts.variants, *shipped_aliases()])
    return write_artifact(folder, arrays, card, name_index=name_index)
