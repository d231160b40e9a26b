"""Weights: from play counts to how much one pair of listener and artist says.

All schemes keep the orientation (listeners x artists) and the sparsity of the counts. BM25 and TF-IDF follow the
article "Finding similar music using matrix factorization": an artist is a document, its listeners are the terms.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from recommender.errors import DataError, ParameterError
from recommender.matrix import CSR

Scheme = Literal["raw", "binary", "log", "tfidf", "bm25"]


@dataclass(frozen=True, slots=True)
class WeightingParams:
    """How play counts become weights.

    ``k1`` and ``b`` belong to ``bm25`` alone: ``k1`` > 0 is where more plays stop to matter, 0 <= ``b`` <= 1 is how far
    an artist's summed plays discount its single counts. The defaults are the article's.
    """

    scheme: Scheme = "binary"
    k1: float = 100.0
    b: float = 0.8

    def __post_init__(self) -> None:
        if self.scheme not in get_args(Scheme):
            raise ParameterError(f"weighting {self.scheme!r} is unknown; use one of {', '.join(get_args(Scheme))}")
        if not self.k1 > 0:
            raise ParameterError(f"k1 is {self.k1}; BM25 needs a k1 above 0")
        if not 0 <= self.b <= 1:
            raise ParameterError(f"b is {self.b}; BM25 needs a b between 0 and 1")


def weigh(plays: CSR, params: WeightingParams) -> CSR:
    """Turn play counts into weights by one scheme.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists); counts > 0, no stored zeros.
    params : the scheme and its constants.

    Returns
    -------
    Same shape and sparsity, float32, weights >= 0; an absent pair weighs 0.

    Raises
    ------
    DataError : a count is not positive or not finite.
    """
    if plays.nnz and not (np.isfinite(plays.data).all() and plays.data.min() > 0):
        raise DataError("the play counts hold a value that is not a positive number; load them with load_plays")
    counts = plays.data.astype(np.float64)
    match params.scheme:
        case "raw":
            weights = counts
        case "binary":
            weights = np.ones_like(counts)
        case "log":
            weights = np.log1p(counts)
        case "tfidf":
            weights = np.sqrt(counts) * np.repeat(_listener_idf(plays), np.diff(plays.indptr))
        case "bm25":
            weights = _bm25(plays, counts, k1=params.k1, b=params.b)
    return CSR((weights.astype(np.float32), plays.indices, plays.indptr), shape=plays.shape)


def confidence(weights: CSR, *, alpha: float) -> CSR:
    """Turn weights into the confidence of implicit ALS, ``1 + alpha * weight``.

    Parameters
    ----------
    weights : shape (n_listeners, n_artists), values >= 0.
    alpha : confidence per unit of weight, dimensionless, > 0.

    Returns
    -------
    Same shape and sparsity, float32, values c >= 1; an absent pair means c = 1.

    References
    ----------
    Hu, Koren & Volinsky (2008), Collaborative filtering for implicit feedback datasets, ICDM.
    """
    if not alpha > 0:
        raise ParameterError(f"alpha is {alpha}; a played pair must count more than an absent one, so use alpha > 0")
    return CSR((1 + np.float32(alpha) * weights.data, weights.indices, weights.indptr), shape=weights.shape)


def _listener_idf(plays: CSR) -> npt.NDArray[np.float64]:
    """Inverse document frequency of each listener, ``ln(N_artists) - ln(1 + artists of the listener)``, >= 0."""
    n_artists = plays.shape[1]
    # A listener of (nearly) every artist tells nothing; in a tiny catalogue the plain formula would even go negative.
    idf: npt.NDArray[np.float64] = np.maximum(np.log(n_artists) - np.log1p(np.diff(plays.indptr)), 0.0)
    return idf


def _bm25(plays: CSR, counts: npt.NDArray[np.float64], *, k1: float, b: float) -> npt.NDArray[np.float64]:
    """BM25 term weights of the stored pairs, in their order.

    ``w = n (k1 + 1) / (n + k1 (1 - b + b l / mean(l))) idf``, n the plays of the pair, l the artist's summed plays.
    """
    n_artists = plays.shape[1]
    artist_plays = np.bincount(plays.indices, weights=counts, minlength=n_artists)
    length_norm = 1 - b + b * artist_plays / max(artist_plays.mean(), 1.0)
    idf = np.repeat(_listener_idf(plays), np.diff(plays.indptr))
    weights: npt.NDArray[np.float64] = counts * (k1 + 1) / (counts + k1 * length_norm[plays.indices]) * idf
    return weights
