"""What decides a model besides the data and the seed, and the settings that have names."""

from dataclasses import asdict, dataclass, field, replace
from typing import Literal, TypeAlias

from recommender.als import ALSParams, StoppingParams
from recommender.errors import ParameterError
from recommender.knn import KNNParams
from recommender.linking import LinkParams
from recommender.lsa import LSAParams
from recommender.matrix import CSR
from recommender.neighbours import NeighbourParams
from recommender.ridge import RidgeParams
from recommender.similarity import SimilarityParams, resolved
from recommender.weighting import WeightingParams

Algorithm: TypeAlias = Literal["als", "lsa"]


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
