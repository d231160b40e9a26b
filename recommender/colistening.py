"""Which artists were heard by the same listeners, artist by artist: what all neighbourhood methods count."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.matrix import CSR, FloatMatrix
from recommender.neighbours import NeighbourParams


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


def column_norms(heard: CoListening) -> FloatMatrix:
    """Length of each candidate's column of weights, shape (n_candidates,)."""
    squares = np.bincount(
        heard.by_listener.indices,
        weights=heard.by_listener.data.astype(np.float64) ** 2,
        minlength=heard.candidates.size,
    )
    return np.sqrt(squares).astype(np.float32)
