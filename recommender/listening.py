"""Who heard which artist: the evidence behind an answer, without names, as it lies in a model's folder."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from recommender.matrix import CSR

PICKING = 4
"""Reading an artist's listeners by their places costs about this many times what reading on costs."""


@dataclass(frozen=True, slots=True, eq=False)
class Listening:
    """The listeners of each artist that has enough of them; nothing of how often they played it, or who they are.

    ``offsets`` : shape (n_artists + 1,), int64, where each artist's listeners begin in ``listeners``.
    ``listeners`` : shape (n_pairs,), int32, row numbers of the training data, rising within each artist.
    ``n_listeners`` : rows of the training data.
    """

    offsets: npt.NDArray[np.int64]
    listeners: npt.NDArray[np.int32]
    n_listeners: int

    def of(self, artist_idx: int) -> npt.NDArray[np.int32]:
        """The listeners of one artist."""
        return self.listeners[self.offsets[artist_idx] : self.offsets[artist_idx + 1]]

    def of_any(self, artists: Iterable[int]) -> npt.NDArray[np.bool_]:
        """Mark everybody who heard at least one of some artists.

        Returns
        -------
        Shape (n_listeners,).
        """
        marked = np.zeros(self.n_listeners, dtype=np.bool_)
        for artist_idx in artists:
            marked[self.of(artist_idx)] = True
        return marked

    def in_common(self, marked: npt.NDArray[np.bool_], artists: npt.NDArray[np.intp]) -> npt.NDArray[np.int32]:
        """Count the marked listeners (see :meth:`of_any`) among those of each artist.

        Returns
        -------
        Shape (n,), in the order of ``artists``.
        """
        begins, ends = self.offsets[artists], self.offsets[artists + 1]
        lengths = ends - begins
        heard = np.flatnonzero(lengths)
        counts = np.zeros(artists.shape[0], dtype=np.int32)
        if heard.size:
            places = np.cumsum(lengths[heard]) - lengths[heard]
            positions = np.arange(lengths.sum()) + np.repeat(begins[heard] - places, lengths[heard])
            counts[heard] = np.add.reduceat(marked[self.listeners[positions]], places, dtype=np.int32)
        return counts

    def in_common_with_each(
        self, marked: npt.NDArray[np.bool_], artists: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.int32]:
        """The same, fast for very many artists: reads everything once where picking them out would take longer."""
        lengths = self.offsets[artists + 1] - self.offsets[artists]
        if int(lengths.sum()) * PICKING < self.listeners.shape[0]:
            return self.in_common(marked, artists)
        heard = np.flatnonzero(np.diff(self.offsets))
        counts = np.zeros(self.offsets.shape[0] - 1, dtype=np.int32)
        if heard.size:
            counts[heard] = np.add.reduceat(marked[self.listeners], self.offsets[heard], dtype=np.int32)
        return counts[artists]


def listening_arrays(plays: CSR, *, min_listeners: int) -> dict[str, npt.NDArray[Any]]:
    """Lay out who heard which artist as the arrays of an artifact.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists).
    min_listeners : an artist with fewer is in no answer, so the model need not tell who its listeners are.
    """
    heard = csr_array((np.ones(plays.nnz, dtype=np.int8), plays.indices, plays.indptr), shape=plays.shape)
    by_artist = heard.T.tocsr()
    n_heard = np.diff(by_artist.indptr)
    is_kept = n_heard >= min_listeners
    offsets = np.zeros(by_artist.shape[0] + 1, dtype=np.int64)
    np.cumsum(np.where(is_kept, n_heard, 0), out=offsets[1:])
    return {"listening_offsets": offsets, "listening": by_artist.indices[np.repeat(is_kept, n_heard)]}
