"""The neighbour table: for each artist the most similar others, exact, among those with common listeners."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from recommender import kernels, neighbour_kernels
from recommender.errors import ParameterError
from recommender.matrix import CSR, NO_NEIGHBOUR, FloatMatrix

BLOCK_WORK = 1 << 21
# What it costs to look at an artist by a matrix product, in artists met through a listener.
PRODUCT_COST = 4.0


@dataclass(frozen=True, slots=True)
class NeighbourParams:
    """Options of :func:`nearest_artists`.

    ``k`` >= 1 neighbours are kept per artist. Artists with fewer than ``min_listeners`` have none and are none: with
    two or three listeners a similarity is chance. Two artists with fewer than ``min_common_listeners`` >= 0 in common
    are no neighbours either: nobody's listening speaks for it. Only methods that go through all pairs of artists find
    neighbours with none in common.
    """

    k: int = 50
    min_listeners: int = 5
    # Measured on HetRec lastfm-2k: 1 costs nothing (tag nDCG@10 .677 for .678); 2 costs .025, most of it in thin data.
    min_common_listeners: int = 1

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ParameterError(f"k is {self.k}; keep at least 1 neighbour")
        if self.min_listeners < 1 or self.min_common_listeners < 0:
            raise ParameterError("min_listeners must be at least 1 and min_common_listeners at least 0")


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

    Exact, at the cost of the listening (summed over listeners, their artists squared), and at most of all pairs.

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
    found = empty_table(candidates.size, params)
    if candidates.size > 1:
        unit = np.ascontiguousarray(artist_factors[candidates] / norms[candidates, None])
        heard = csr_array((np.ones(plays.nnz, dtype=np.int8), plays.indices, plays.indptr), shape=plays.shape)
        with threadpool_limits(limits=1, user_api="blas"):  # the kernels have threads of their own
            _fill(found, heard[:, candidates], unit, params.min_common_listeners)
        np.minimum(found.score, 1.0, out=found.score)
    return table_of(candidates, n_artists, found)


def meeting_blocks(by_listener: CSR, by_artist: CSR) -> npt.NDArray[np.int64]:
    """Cut the artists into blocks that meet about equally many others; an artist costs all that its listeners heard."""
    n_heard = np.diff(by_listener.indptr).astype(np.int64)
    work_before = np.zeros(by_listener.nnz + 1, dtype=np.int64)
    np.cumsum(n_heard[by_artist.indices], out=work_before[1:])
    return kernels.balanced_blocks(work_before[by_artist.indptr], BLOCK_WORK)


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


def _fill(rows: Neighbours, by_listener: csr_array, unit: FloatMatrix, min_common: int) -> None:
    """Find the rows of all artists of a matrix, each in the way that costs it less."""
    by_artist = by_listener.T.tocsr()
    n_artists = by_artist.shape[0]
    # What an artist costs through its listeners: all that these heard.
    work = np.zeros(n_artists, dtype=np.int64)
    n_heard = np.diff(by_listener.indptr).astype(np.int64)
    neighbour_kernels.summed_rows(by_artist.indptr, by_artist.indices, n_heard, work)
    through_listeners = work <= PRODUCT_COST * n_artists
    work_before = np.zeros(n_artists + 1, dtype=np.int64)
    np.cumsum(np.where(through_listeners, work, 0), out=work_before[1:])
    neighbour_kernels.rows_through_listeners(
        by_artist.indptr,
        by_artist.indices,
        by_listener.indptr,
        by_listener.indices,
        kernels.balanced_blocks(work_before, BLOCK_WORK),
        through_listeners,
        unit,
        min_common,
        rows.idx,
        rows.score,
        rows.support,
    )
    neighbour_kernels.rows_through_products(
        np.flatnonzero(~through_listeners),
        by_artist.indptr,
        by_artist.indices,
        by_listener.shape[0],
        unit,
        min_common,
        rows.idx,
        rows.score,
        rows.support,
    )
