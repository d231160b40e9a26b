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

Scheme = Literal["raw", "binary", "log", "rank", "tfidf", "bm25"]

# Of the artist that a listener plays least, against 1 of the one played most. 0.25 and 0.75 make neighbours as good.
LEAST_RANK_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class WeightingParams:
    """How play counts become weights.

    ``rank`` asks only how high an artist stands in its listener's own list: from 1/2 for the one played least to 1 for
    the one played most, so that neither a heavy listener nor one mad week counts more. ``k1`` and ``b`` belong to
    ``bm25`` alone: ``k1`` > 0 is where more plays stop to matter, 0 <= ``b`` <= 1 is how far an artist's summed plays
    discount its single counts. Their defaults are the article's.
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
        case "rank":
            weights = LEAST_RANK_WEIGHT + (1 - LEAST_RANK_WEIGHT) * _ranks(plays)
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


def listener_shares(plays: CSR, *, most_artists: float) -> npt.NDArray[np.float64]:
    """How much each listener counts, so that nobody counts for more than ``most_artists`` artists.

    Who played a tenth of the catalogue speaks for a million pairs of artists, and each of them says little. Cutting one
    listener's contribution to a pair is what ListenBrainz does too.

    Returns
    -------
    ``min(1, most_artists / artists of the listener)``, shape (n_listeners,).
    """
    if not most_artists > 0:
        raise ParameterError(f"most_artists is {most_artists}; a listener must count for more than 0 artists")
    shares: npt.NDArray[np.float64] = np.minimum(1.0, most_artists / np.maximum(np.diff(plays.indptr), 1))
    return shares


def scaled_rows(weights: CSR, scale: npt.NDArray[np.float64]) -> CSR:
    """Multiply each listener's weights by a number; shape and sparsity stay."""
    data = weights.data * np.repeat(scale, np.diff(weights.indptr)).astype(np.float32)
    return CSR((data, weights.indices, weights.indptr), shape=weights.shape)


def _ranks(plays: CSR) -> npt.NDArray[np.float64]:
    """Place of each count among its listener's, 1 / n to 1; equal counts share the mean of their places."""
    n_artists = np.diff(plays.indptr)
    listener = np.repeat(np.arange(plays.shape[0]), n_artists)
    order = np.lexsort((plays.data, listener))
    place = np.arange(plays.nnz) - np.repeat(plays.indptr[:-1], n_artists) + 1.0
    begins = np.ones(plays.nnz, dtype=bool)
    begins[1:] = (np.diff(listener) != 0) | (np.diff(plays.data[order]) != 0)
    group = np.cumsum(begins) - 1
    mean_place = np.bincount(group, weights=place) / np.bincount(group)
    ranks = np.empty(plays.nnz)
    ranks[order] = mean_place[group]
    relative: npt.NDArray[np.float64] = ranks / np.repeat(n_artists, n_artists)
    return relative


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
