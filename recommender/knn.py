"""Item-kNN: two artists are as similar as their columns of the listening matrix.

The distance measures of the article "Distance Metrics for Fun and Profit", on which "Finding similar music using
matrix factorization" builds, and the shrunk cosine, which is the best of them where most artists have few listeners.

===========  ============================================  =========================================================
measure      similarity of artists i and j                 with
===========  ============================================  =========================================================
``cosine``   ``w_i . w_j / (|w_i| |w_j| + shrinkage)``     weights by the scheme: binary, tfidf, bm25, log, rank, raw
``jaccard``  ``c / (n_i + n_j - c)``                       n listeners of one, c of both; ``shrinkage`` is added below
``overlap``  ``c / min(n_i, n_j)``                         the same
===========  ============================================  =========================================================

``smoothing`` s multiplies each by ``c / (c + s)``: the article's smoothed cosine has s = 20.
"""

from dataclasses import dataclass, field
from typing import Literal, get_args

import numba
import numpy as np

from recommender.colistening import colistening, column_norms
from recommender.errors import ParameterError
from recommender.kernels import FASTMATH, insert, kernel
from recommender.matrix import CSR
from recommender.neighbours import NeighbourParams, Neighbours, empty_table, meeting_blocks, table_of
from recommender.weighting import WeightingParams, listener_shares, scaled_rows, weigh

Measure = Literal["cosine", "jaccard", "overlap"]
_COSINE, _JACCARD, _OVERLAP = range(3)


@dataclass(frozen=True, slots=True)
class KNNParams:
    """Options of :func:`knn_neighbours`.

    ``shrinkage`` >= 0 is added to the denominator, ``smoothing`` >= 0 discounts pairs with few common listeners; both
    are in listeners. ``weighting`` belongs to the cosine alone. A listener counts for at most ``most_artists`` artists
    (:func:`recommender.weighting.listener_shares`).
    """

    measure: Measure = "cosine"
    weighting: WeightingParams = field(default_factory=WeightingParams)
    shrinkage: float = 0.0
    smoothing: float = 0.0
    most_artists: float = float("inf")

    def __post_init__(self) -> None:
        if self.measure not in get_args(Measure):
            raise ParameterError(f"measure {self.measure!r} is unknown; use one of {', '.join(get_args(Measure))}")
        if not self.shrinkage >= 0 or not self.smoothing >= 0:
            raise ParameterError("shrinkage and smoothing are numbers of listeners; use 0 or more")


def knn_neighbours(plays: CSR, params: KNNParams, neighbours: NeighbourParams) -> Neighbours:
    """Find each artist's most similar others by what their listeners have in common.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists), counts > 0.
    params : the measure.
    neighbours : how many, and among which artists.

    Returns
    -------
    Neighbours with a positive similarity; equal ones come in the order of the artists. A score is at most 1.

    References
    ----------
    Sarwar, Karypis, Konstan & Riedl (2001), Item-based collaborative filtering recommendation algorithms, WWW.
    """
    weights = weigh(plays, params.weighting if params.measure == "cosine" else WeightingParams("binary"))
    if np.isfinite(params.most_artists):
        weights = scaled_rows(weights, np.sqrt(listener_shares(plays, most_artists=params.most_artists)))
    # A weight of zero says nothing, but it stays an entry: who heard both is counted all the same.
    heard = colistening(weights, neighbours)
    found = empty_table(heard.candidates.size, neighbours)
    if heard.candidates.size > 1:
        _knn_rows(
            heard.by_artist.indptr,
            heard.by_artist.indices,
            heard.by_artist.data,
            heard.by_listener.indptr,
            heard.by_listener.indices,
            heard.by_listener.data,
            meeting_blocks(heard.by_listener, heard.by_artist),
            column_norms(heard),
            get_args(Measure).index(params.measure),
            np.float32(params.shrinkage),
            np.float32(params.smoothing),
            neighbours.min_common_listeners,
            found.idx,
            found.score,
            found.support,
        )
        np.minimum(found.score, 1.0, out=found.score)
    return table_of(heard.candidates, plays.shape[1], found)


@kernel(parallel=True, fastmath=FASTMATH)
def _knn_rows(  # type: ignore[no-untyped-def]
    listeners_indptr,
    listeners,
    listener_weights,
    artists_indptr,
    artists,
    artist_weights,
    starts,
    norms,
    measure,
    shrinkage,
    smoothing,
    min_common,
    idx,
    score,
    support,
):
    """Fill each artist's row with its most similar artists, met on the way over its listeners."""
    n_artists = norms.shape[0]
    for block in numba.prange(starts.shape[0] - 1):
        common = np.zeros(n_artists, dtype=np.int32)
        product = np.zeros(n_artists, dtype=np.float32)
        met = np.empty(n_artists, dtype=np.int32)
        for artist in range(starts[block], starts[block + 1]):
            n_met = 0
            for position in range(listeners_indptr[artist], listeners_indptr[artist + 1]):
                listener, weight = listeners[position], listener_weights[position]
                for other_position in range(artists_indptr[listener], artists_indptr[listener + 1]):
                    other = artists[other_position]
                    if common[other] == 0:
                        met[n_met] = other
                        n_met += 1
                    common[other] += 1
                    product[other] += weight * artist_weights[other_position]
            n_kept = 0
            for other in met[:n_met]:
                together, dot = common[other], product[other]
                common[other], product[other] = 0, np.float32(0)
                if other == artist or together < min_common or dot <= 0:
                    continue
                if measure == _COSINE:
                    against = norms[artist] * norms[other]
                elif measure == _JACCARD:
                    against = norms[artist] ** 2 + norms[other] ** 2 - dot
                else:
                    against = min(norms[artist], norms[other]) ** 2
                similarity = dot / (against + shrinkage) * (together / (together + smoothing))
                n_kept = insert(idx[artist], score[artist], support[artist], n_kept, other, similarity, together)
