"""The neighbour table: for each artist the most similar others, exact, in blocks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.errors import ParameterError
from recommender.matrix import CSR, FloatMatrix

BLOCK_CELLS = 1 << 24
NO_NEIGHBOUR = -1


@dataclass(frozen=True, slots=True)
class NeighbourParams:
    """Options of :func:`nearest_artists`.

    ``k`` >= 1 neighbours are kept per artist. Artists with fewer than ``min_listeners`` have none and are none: with
    two or three listeners a similarity is chance. Two artists with fewer than ``min_common_listeners`` in common are no
    neighbours either: nobody's listening speaks for it.
    """

    k: int = 50
    min_listeners: int = 5
    # Measured on HetRec lastfm-2k: 1 costs nothing (tag nDCG@10 .677 for .678); 2 costs .025, most of it in thin data.
    min_common_listeners: int = 1

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ParameterError(f"k is {self.k}; keep at least 1 neighbour")
        if self.min_listeners < 1 or self.min_common_listeners < 0:
            raise ParameterError("min_listeners must be at least 1, and min_common_listeners at least 0")


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Each artist's most similar others, best first.

    ``idx`` : shape (n_artists, k), int32 artist numbers; ``NO_NEIGHBOUR`` fills a row that is shorter.
    ``score`` : same shape, float32 cosine in (0, 1]; 0 where there is no neighbour.
    ``support`` : same shape, int32, listeners that the two have in common.
    """

    idx: npt.NDArray[np.int32]
    score: FloatMatrix
    support: npt.NDArray[np.int32]


def nearest_artists(artist_factors: FloatMatrix, plays: CSR, params: NeighbourParams) -> Neighbours:
    """Find each artist's ``k`` most similar others by the cosine of their factors.

    Parameters
    ----------
    artist_factors : shape (n_artists, n_factors).
    plays : shape (n_listeners, n_artists); says who has enough listeners and counts the common ones.
    params : options.

    Returns
    -------
    Neighbours, only those with a positive cosine; equal scores come in the order of the artists.
    """
    n_artists = artist_factors.shape[0]
    listeners = np.bincount(plays.indices, minlength=n_artists)
    norms = np.linalg.norm(artist_factors, axis=1)
    # An artist whose factors vanished has no direction: its cosine with anything would be noise.
    candidates = np.flatnonzero((listeners >= params.min_listeners) & (norms > 0))
    k = min(params.k, max(candidates.shape[0] - 1, 1))
    idx = np.full((n_artists, k), NO_NEIGHBOUR, dtype=np.int32)
    score = np.zeros((n_artists, k), dtype=np.float32)
    support = np.zeros((n_artists, k), dtype=np.int32)
    if candidates.shape[0] < 2:
        return Neighbours(idx, score, support)
    unit = artist_factors[candidates] / norms[candidates, None]
    heard = CSR((np.ones(plays.nnz, dtype=np.float32), plays.indices, plays.indptr), shape=plays.shape)[:, candidates]
    heard_by_artist = CSR(heard.T)
    n_block = max(BLOCK_CELLS // candidates.shape[0], 1)
    for start in range(0, candidates.shape[0], n_block):
        block = slice(start, min(start + n_block, candidates.shape[0]))
        cosine = unit[block] @ unit.T
        common = (heard_by_artist[block] @ heard).toarray()
        cosine[(common < params.min_common_listeners) | (cosine <= 0)] = -np.inf  # the opposite is not similar
        rows = np.arange(cosine.shape[0])
        cosine[rows, start + rows] = -np.inf
        best = _top_k(cosine, k)
        reached = np.take_along_axis(cosine, best, axis=1)
        is_neighbour = np.isfinite(reached)
        idx[candidates[block]] = np.where(is_neighbour, candidates[best], NO_NEIGHBOUR)
        score[candidates[block]] = np.where(is_neighbour, np.minimum(reached, 1.0), 0)
        support[candidates[block]] = np.where(is_neighbour, np.take_along_axis(common, best, axis=1), 0)
    return Neighbours(idx, score, support)


def _top_k(scores: FloatMatrix, k: int) -> npt.NDArray[np.intp]:
    """The k best columns of each row, best first, ties by column."""
    kth = np.partition(scores, scores.shape[1] - k, axis=1)[:, -k]
    best = np.empty((scores.shape[0], k), dtype=np.intp)
    for row in range(scores.shape[0]):
        # Everything at or above the k-th best, so that ties at the border fall to the lower column and not to chance.
        reached = np.flatnonzero(scores[row] >= kth[row])
        best[row] = reached[np.argsort(-scores[row, reached], kind="stable")[:k]]
    return best
