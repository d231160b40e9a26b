"""Neighbours among all artists, whether or not anyone heard both: exact, by blocks of one large product.

The cost is that of all pairs of artists, so this is for methods that compare artists by the company they keep, and for
catalogues of some ten thousand artists; :func:`recommender.neighbours.nearest_artists` visits only pairs with common
listeners.
"""

import numba
import numpy as np
from scipy.sparse import csr_array

from recommender.colistening import CoListening, colistening
from recommender.factors import unit_rows
from recommender.kernels import insert, kernel
from recommender.matrix import CSR, FloatMatrix
from recommender.neighbours import NeighbourParams, Neighbours, empty_table, nearest_artists, table_of
from recommender.weighting import WeightingParams, weigh

BLOCK_ROWS = 512


def nearest_wanted(factors: FloatMatrix, plays: CSR, params: NeighbourParams) -> Neighbours:
    """Find each artist's nearest by the cosine of their factors, through all pairs only if the options need it."""
    # Without a common listener two artists can still keep the same company: then all pairs are compared.
    nearest = nearest_of_all if params.min_common_listeners == 0 else nearest_artists
    return nearest(factors, plays, params)


def nearest_of_all(factors: FloatMatrix, plays: CSR, params: NeighbourParams) -> Neighbours:
    """Find each artist's ``k`` most similar others by the cosine of their factors, common listeners or not.

    Parameters
    ----------
    factors : shape (n_artists, n_factors).
    plays : shape (n_listeners, n_artists); counts common listeners and says which artists have enough.
    params : options; ``min_common_listeners`` 0 admits pairs that nobody heard both of.

    Returns
    -------
    Neighbours, only those with a positive cosine; equal scores come in the order of the artists.
    """
    unit = unit_rows(factors)
    heard = colistening(weigh(plays, WeightingParams("binary")), params)
    return table_of(heard.candidates, plays.shape[1], nearest_candidates(unit[heard.candidates], heard, params))


def nearest_candidates(unit: FloatMatrix, heard: CoListening, params: NeighbourParams) -> Neighbours:
    """Find each candidate's nearest others, by candidate number.

    Parameters
    ----------
    unit : shape (n_candidates, n_factors), rows of length 1 or 0.
    heard : whose entries count, whatever they weigh.
    params : options.
    """
    found = empty_table(heard.candidates.size, params)
    by_artist, by_listener = _ones(heard.by_artist), _ones(heard.by_listener)
    for begin in range(0, unit.shape[0], BLOCK_ROWS):
        rows = slice(begin, begin + BLOCK_ROWS)
        common = csr_array(by_artist[rows] @ by_listener)
        _best_of_rows(
            unit[rows] @ unit.T,
            common.indptr,
            common.indices,
            common.data,
            begin,
            params.min_common_listeners,
            found.idx[rows],
            found.score[rows],
            found.support[rows],
        )
    np.minimum(found.score, 1.0, out=found.score)
    return found


def _ones(matrix: CSR) -> CSR:
    return CSR((np.ones(matrix.nnz, dtype=np.float32), matrix.indices, matrix.indptr), shape=matrix.shape)


@kernel(parallel=True)
def _best_of_rows(cosine, indptr, indices, counts, first, min_common, idx, score, support):  # type: ignore[no-untyped-def]
    """Fill the rows of a table from a block of cosines and the sparse counts of common listeners."""
    n_rows, n_artists = cosine.shape
    k = idx.shape[1]
    for row in numba.prange(n_rows):
        common = np.zeros(n_artists, dtype=np.int32)
        for position in range(indptr[row], indptr[row + 1]):
            common[indices[position]] = np.int32(counts[position])
        n_kept = 0
        for other in range(n_artists):
            similarity = cosine[row, other]
            if similarity <= 0 or other == first + row or common[other] < min_common:
                continue
            if n_kept < k or similarity > score[row, k - 1]:
                n_kept = insert(idx[row], score[row], support[row], n_kept, other, similarity, common[other])
