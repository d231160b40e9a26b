"""Which artists are similar: one neighbour table by any of the methods, next to whatever factors a model has."""

from dataclasses import asdict, dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from recommender.allpairs import nearest_wanted
from recommender.colistening import pairs_met
from recommender.ease import EASEParams, ease_neighbours
from recommender.errors import ParameterError
from recommender.factors import Factors
from recommender.fusion import FusionParams, fused_factors
from recommender.knn import KNNParams, knn_neighbours
from recommender.lsa import LSAParams, fit_lsa
from recommender.matrix import CSR, FloatMatrix
from recommender.neighbours import NeighbourParams, Neighbours, nearest_artists
from recommender.pmi import PMIParams, pmi_factors
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


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A table of neighbours.

    ``own_factors`` : shape (n_artists, any number), what its scores are the cosines of where that is not the model's
    factors; None where it is, and for methods that have no such factors.
    """

    neighbours: Neighbours
    own_factors: FloatMatrix | None = None


def resolved(
    params: SimilarityParams, neighbours: NeighbourParams, plays: CSR
) -> tuple[SimilarityParams, NeighbourParams]:
    """Decide ``auto`` by the size of the data, and how many common listeners neighbours need at least.

    Methods that go from listener to listener find only artists with a common one, whatever ``neighbours`` says.
    """
    if params.method == "auto":
        params = replace(params, method="fusion" if pairs_met(plays) <= params.most_pairs else "factors")
    if params.method in ("factors", "knn"):
        neighbours = replace(neighbours, min_common_listeners=max(neighbours.min_common_listeners, 1))
    return params, neighbours


def compare_artists(
    plays: CSR, factors: Factors, params: SimilarityParams, neighbours: NeighbourParams, *, rng: np.random.Generator
) -> Compared:
    """Find each artist's most similar others by one method, and what it compares them by.

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
            return Compared(knn_neighbours(plays, params.knn, neighbours))
        case "ease":
            return Compared(ease_neighbours(plays, params.ease, neighbours))
        case "pmi":
            own = pmi_factors(plays, params.pmi, neighbours, rng=rng)
        case "fusion":
            parts = (
                scaled_lsa(plays, params.lsa, rng=rng),
                pmi_factors(plays, params.pmi, neighbours, rng=rng),
                factors.artist_factors,
            )
            own = fused_factors(parts, plays, params.fusion, neighbours)
        case _:
            return Compared(nearest_artists(factors.artist_factors, plays, neighbours))
    return Compared(nearest_wanted(own, plays, neighbours), own)


def scaled_lsa(plays: CSR, params: ScaledLSAParams, *, rng: np.random.Generator) -> FloatMatrix:
    """Embed the artists by popularity-scaled LSA, shape (n_artists, n_factors or, of few data, fewer)."""
    share = listener_shares(plays, most_artists=params.most_artists)
    weights = scaled_rows(weigh(plays, params.weighting), np.sqrt(share))
    n_factors = min(params.n_factors, *weights.shape)
    lsa = LSAParams(n_factors, popularity=params.popularity, strength=params.strength)
    return fit_lsa(weights, lsa, rng=rng).artist_factors
