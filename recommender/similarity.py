"""Which artists are similar: one neighbour table by any of the methods, next to whatever factors a model has."""

from dataclasses import asdict, dataclass, field, replace
from typing import Literal, get_args

import numpy as np
from scipy.sparse import diags_array
from scipy.sparse.linalg import ArpackError, svds

from recommender.colistening import pairs_met
from recommender.ease import EASEParams, ease_neighbours
from recommender.errors import DataError, ParameterError
from recommender.factors import Factors
from recommender.fusion import FusionParams, fused_neighbours
from recommender.knn import KNNParams, knn_neighbours
from recommender.matrix import CSR, FloatMatrix
from recommender.neighbours import NeighbourParams, Neighbours, nearest_artists
from recommender.pmi import PMIParams, pmi_factors, pmi_neighbours
from recommender.weighting import WeightingParams, listener_shares, scaled_rows, weigh

Method = Literal["auto", "factors", "knn", "pmi", "ease", "fusion"]


@dataclass(frozen=True, slots=True)
class ScaledLSAParams:
    """LSA made for neighbours: popular artists dampened, strong factors weighted up.

    An artist's column is divided by ``listeners ** popularity`` before the decomposition, and factor f is multiplied by
    ``s_f ** strength`` after it; 0 and 0 is plain LSA. A listener counts for at most ``most_artists`` artists.
    """

    n_factors: int = 130
    weighting: WeightingParams = WeightingParams("rank")  # noqa: RUF009  frozen, so it may be shared
    popularity: float = 0.15
    strength: float = 1.4
    most_artists: float = 50.0


@dataclass(frozen=True, slots=True)
class SimilarityParams:
    """How the neighbour table is made.

    ``factors`` is the cosine of the model's own factors. ``fusion`` adds popularity-scaled LSA and PMI to them.
    ``auto`` is the fusion where listeners bring at most ``most_pairs`` pairs of artists together, and the factors
    beyond.
    """

    method: Method = "factors"
    knn: KNNParams = field(default_factory=KNNParams)
    pmi: PMIParams = field(default_factory=PMIParams)
    ease: EASEParams = field(default_factory=EASEParams)
    lsa: ScaledLSAParams = field(default_factory=ScaledLSAParams)
    fusion: FusionParams = field(default_factory=FusionParams)
    # 89 million (a tenth of Last.fm-360K's size, 25,000 artists) take 55 s and 1.5 GB, ALS and its neighbours 3 s.
    most_pairs: int = 100_000_000

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise ParameterError(f"similarity {self.method!r} is unknown; use one of {', '.join(get_args(Method))}")

    def parameters(self) -> dict[str, object]:
        """Only what this method uses, as plain values for the manifest."""
        used: dict[str, object] = {"method": self.method}
        match self.method:
            case "factors":
                return used
            case "knn" | "pmi" | "ease":
                return used | {self.method: asdict(getattr(self, self.method))}
            case "fusion" | "auto":
                return used | {name: asdict(getattr(self, name)) for name in ("lsa", "pmi", "fusion")}


def resolved(
    params: SimilarityParams, neighbours: NeighbourParams, plays: CSR
) -> tuple[SimilarityParams, NeighbourParams]:
    """Decide ``auto`` by the size of the data; anything else stays as it is.

    Beyond the size also the neighbours need a common listener: only they are found without going through all pairs.
    """
    if params.method != "auto":
        return params, neighbours
    if pairs_met(plays) <= params.most_pairs:
        return replace(params, method="fusion"), neighbours
    at_least_one = max(neighbours.min_common_listeners, 1)
    return replace(params, method="factors"), replace(neighbours, min_common_listeners=at_least_one)


def similar_artists(
    plays: CSR, factors: Factors, params: SimilarityParams, neighbours: NeighbourParams, *, rng: np.random.Generator
) -> Neighbours:
    """Find each artist's most similar others by one method.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists), counts > 0.
    factors : the model's own, used by ``factors`` and ``fusion``.
    params : the method and its options.
    neighbours : how many, and among which artists.
    rng : source of all randomness.

    Returns
    -------
    Neighbours with a positive score and, unless ``neighbours`` says 0, with common listeners.

    Raises
    ------
    ParameterError : the data are too large for the method.
    DataError : the data cannot be decomposed.
    """
    params, neighbours = resolved(params, neighbours, plays)
    match params.method:
        case "knn":
            return knn_neighbours(plays, params.knn, neighbours)
        case "pmi":
            return pmi_neighbours(plays, params.pmi, neighbours, rng=rng)
        case "ease":
            return ease_neighbours(plays, params.ease, neighbours)
        case "fusion":
            parts = (
                scaled_lsa(plays, params.lsa, rng=rng),
                pmi_factors(plays, params.pmi, neighbours, rng=rng),
                factors.artist_factors,
            )
            return fused_neighbours(parts, plays, params.fusion, neighbours)
        case _:
            return nearest_artists(factors.artist_factors, plays, neighbours)


def scaled_lsa(plays: CSR, params: ScaledLSAParams, *, rng: np.random.Generator) -> FloatMatrix:
    """Embed the artists by popularity-scaled LSA, shape (n_artists, n_factors)."""
    share = listener_shares(plays, most_artists=params.most_artists)
    weights = scaled_rows(weigh(plays, params.weighting), np.sqrt(share)).astype(np.float64)
    listeners = np.maximum(np.bincount(plays.indices, minlength=plays.shape[1]), 1)
    weights = weights @ diags_array(listeners ** -float(params.popularity))
    n_factors = min(params.n_factors, min(weights.shape) - 1)
    if n_factors < 1:
        raise DataError("one listener or one artist says nothing about who is similar; bring more data")
    try:
        _, s, vt = svds(weights, k=n_factors, v0=rng.standard_normal(min(weights.shape)))
    except ArpackError as err:
        raise DataError(f"these plays cannot be factorized ({err}); bring more listeners") from err
    return np.ascontiguousarray(vt.T * s**params.strength, dtype=np.float32)
