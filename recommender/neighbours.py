"""The neighbour table: for each artist the most similar others, exact, in blocks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.errors import ParameterError
from recommender.matrix import CSR, FloatMatrix

BLOCK_ARTISTS = 1024
NO_NEIGHBOUR = -1


@dataclass(frozen=True, slots=True)
class NeighbourParams:
    """Options of :func:`nearest_artists`.

    ``k`` >= 1 neighbours are kept per artist. Artists with fewer than ``min_listeners`` have none and are
    none: with two or three listeners a similarity is chance.
    """

    k: int = 50
    min_listeners: int = 5

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ParameterError(f"k is {self.k}; keep at least 1 neighbour")
        if self.min_listeners < 1:
            raise ParameterError(f"min_listeners is {self.min_listeners}; use at least 1")


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Each artist's most similar others, best first.

    ``idx`` : shape (n_artists, k), int32 artist numbers; ``NO_NEIGHBOUR`` fills a row that is shorter.
    ``score`` : same shape, float32 cosine in [-1, 1]; 0 where there is no neighbour.
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
    Neighbours; equal scores come in the order of the artists.
    """
    n_artists = artist_factors.shape[0]
    listeners = np.bincount(plays.indices, minlength=n_artists)
    norms = np.linalg.norm(artist_factors, axis=1)
    # An artist whose factors vanished has no direction: its cosine with anything would be noise.
    candidates = np.flatnonzero((listeners >= params.min_listeners) & (norms > 0))
    k = min(params.k, max(candidates.shape[0] - 1, 1))
    idx = np.full((n_artists, k), NO_NEIGHBOUR, dtype=np.int32)
    score = np.zeros((n_artists, k), dtype=np.float32)
    if candidates.shape[0] > 1:
        unit = artist_factors[candidates] / norms[candidates, None]
        for start in range(0, candidates.shape[0], BLOCK_ARTISTS):
            block = slice(start, start + BLOCK_ARTISTS)
            nearest, cosine = _top_k(unit[block] @ unit.T, k, own=np.arange(start, start + unit[block].shape[0]))
            idx[candidates[block]] = candidates[nearest]
            score[candidates[block]] = cosine
    return Neighbours(idx, score, common_listeners(plays, idx))


def common_listeners(plays: CSR, idx: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Count the listeners that each artist shares with each of its neighbours.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists).
    idx : shape (n_artists, k); ``NO_NEIGHBOUR`` counts 0.

    Returns
    -------
    Same shape as ``idx``, int32.
    """
    heard = CSR((np.ones(plays.nnz, dtype=np.float32), plays.indices, plays.indptr), shape=plays.shape)
    heard_by_artist = CSR(heard.T)
    support = np.zeros(idx.shape, dtype=np.int32)
    for start in range(0, idx.shape[0], BLOCK_ARTISTS):
        block = idx[start : start + BLOCK_ARTISTS]
        together = CSR(heard_by_artist[start : start + BLOCK_ARTISTS] @ heard)
        together.sort_indices()
        for row, wanted in enumerate(block):
            begin, end = together.indptr[row], together.indptr[row + 1]
            columns, counts = together.indices[begin:end], together.data[begin:end]
            if columns.size:
                at = np.minimum(np.searchsorted(columns, wanted), columns.size - 1)
                support[start + row] = np.where(columns[at] == wanted, counts[at], 0)
    return support


def _top_k(scores: FloatMatrix, k: int, *, own: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.intp], FloatMatrix]:
    """The k best columns of each row without the row's own, best first, ties by column."""
    rows = np.arange(scores.shape[0])
    scores[rows, own] = -np.inf
    kth = np.partition(scores, scores.shape[1] - k, axis=1)[:, -k]
    best = np.empty((scores.shape[0], k), dtype=np.intp)
    for row in rows:
        # Everything at or above the k-th best, so that ties at the border fall to the lower column and not to chance.
        reached = np.flatnonzero(scores[row] >= kth[row])
        best[row] = reached[np.argsort(-scores[row, reached], kind="stable")[:k]]
    return best, np.clip(scores[rows[:, None], best], -1.0, 1.0)
