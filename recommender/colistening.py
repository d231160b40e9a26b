"""Which artists were heard by the same listeners, artist by artist: what all neighbourhood methods count."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender import kernels
from recommender.matrix import CSR, NO_NEIGHBOUR, FloatMatrix
from recommender.neighbours import NeighbourParams, Neighbours


@dataclass(frozen=True, slots=True, eq=False)
class CoListening:
    """The artists with enough listeners, and who heard them.

    ``candidates`` : shape (n_candidates,), their artist numbers, rising.
    ``by_listener`` : shape (n_listeners, n_candidates), weights of the pairs.
    ``by_artist`` : the same, transposed.
    """

    candidates: npt.NDArray[np.intp]
    by_listener: CSR
    by_artist: CSR


def colistening(weights: CSR, params: NeighbourParams) -> CoListening:
    """Keep the artists that have enough listeners.

    Parameters
    ----------
    weights : shape (n_listeners, n_artists), values > 0.
    params : whose ``min_listeners`` decides.
    """
    listeners = np.bincount(weights.indices, minlength=weights.shape[1])
    candidates = np.flatnonzero(listeners >= params.min_listeners)
    by_listener = CSR(weights[:, candidates])
    by_listener.sort_indices()
    return CoListening(candidates, by_listener, CSR(by_listener.T.tocsr()))


def pairs_met(plays: CSR) -> int:
    """How many pairs of artists are met when every listener's artists meet each other: the work of counting them."""
    return int(np.square(np.diff(plays.indptr).astype(np.int64)).sum())


def table_of(candidates: npt.NDArray[np.intp], n_artists: int, found: Neighbours) -> Neighbours:
    """Turn a table over candidates, by candidate number, into one over all artists."""
    k = found.idx.shape[1]
    idx = np.full((n_artists, k), NO_NEIGHBOUR, dtype=np.int32)
    score = np.zeros((n_artists, k), dtype=np.float32)
    support = np.zeros((n_artists, k), dtype=np.int32)
    if candidates.size:
        idx[candidates] = np.where(found.idx == NO_NEIGHBOUR, NO_NEIGHBOUR, candidates[found.idx])
        score[candidates], support[candidates] = found.score, found.support
    return Neighbours(idx, score, support)


def empty_table(n_artists: int, params: NeighbourParams) -> Neighbours:
    """Make a table without neighbours, no wider than there are other artists."""
    shape = n_artists, min(params.k, max(n_artists - 1, 1))
    return Neighbours(
        np.full(shape, NO_NEIGHBOUR, dtype=np.int32),
        np.zeros(shape, dtype=np.float32),
        np.zeros(shape, dtype=np.int32),
    )


def row_blocks(heard: CoListening) -> npt.NDArray[np.int64]:
    """Cut the candidates into blocks that meet about equally many others."""
    n_heard = np.diff(heard.by_listener.indptr).astype(np.int64)
    work_before = np.zeros(heard.by_listener.nnz + 1, dtype=np.int64)
    np.cumsum(n_heard[heard.by_artist.indices], out=work_before[1:])
    return kernels.balanced_blocks(work_before[heard.by_artist.indptr], 1 << 21)


def column_norms(heard: CoListening) -> FloatMatrix:
    """Length of each candidate's column of weights, shape (n_candidates,)."""
    squares = np.bincount(
        heard.by_listener.indices,
        weights=heard.by_listener.data.astype(np.float64) ** 2,
        minlength=heard.candidates.size,
    )
    return np.sqrt(squares).astype(np.float32)
