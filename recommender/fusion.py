"""Fusion: several similarities in one, each by how far it stands out from its own chance.

The z-score of a cosine is its distance from the mean cosine of all pairs, in standard deviations: a method whose
cosines crowd together counts no less than one whose cosines spread. The sum of z-scores ranks like the sum of
``cosine / deviation``, and that is again a cosine: of the methods' unit rows, each scaled by
``sqrt(weight / deviation)``, laid side by side. So a fusion is one matrix of factors, is searched like one, and mean
and deviation of all pairs follow from the factors' Gram matrix without visiting any pair.

Then each artist moves a little towards its nearest: who has few listeners borrows from those who have more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from recommender.allpairs import nearest_wanted
from recommender.errors import ParameterError
from recommender.factors import unit_rows
from recommender.matrix import CSR, NO_NEIGHBOUR, FloatMatrix
from recommender.neighbours import NeighbourParams, Neighbours


@dataclass(frozen=True, slots=True)
class FusionParams:
    """Options of :func:`fuse`.

    An artist borrows ``borrowed`` >= 0 of each of its ``n_lenders`` >= 0 nearest, times their cosine; 0 of either
    leaves all as they are.
    """

    borrowed: float = 0.02
    n_lenders: int = 10

    def __post_init__(self) -> None:
        if not self.borrowed >= 0 or self.n_lenders < 0:
            raise ParameterError("borrowed and n_lenders must be 0 or more")


def fused_factors(
    parts: Sequence[FloatMatrix], plays: CSR, params: FusionParams, neighbours: NeighbourParams
) -> FloatMatrix:
    """Make one factor matrix of several, whose cosines are the weighted means of theirs.

    Parameters
    ----------
    parts : each of shape (n_artists, any number of factors); a zero row leaves an artist to the other parts.
    plays : shape (n_listeners, n_artists).
    params : options.
    neighbours : among which artists chance is measured, and who may lend to whom.

    Returns
    -------
    shape (n_artists, number of all factors).

    References
    ----------
    Fox & Shaw (1994), Combination of multiple searches, TREC-2: the sum of scores (CombSUM).
    Montague & Aslam (2001), Relevance score normalization for metasearch, CIKM: sums of z-scores.
    """
    fused = fuse(parts, among=_have_listeners(plays, neighbours))
    if params.borrowed > 0 and params.n_lenders > 0:
        lenders = NeighbourParams(params.n_lenders, neighbours.min_listeners, neighbours.min_common_listeners)
        fused = borrow(fused, nearest_wanted(fused, plays, lenders), params.borrowed)
    return fused


def fuse(parts: Sequence[FloatMatrix], *, among: npt.NDArray[np.bool_]) -> FloatMatrix:
    """Lay unit rows side by side so that their cosine is the mean of the parts' cosines, each over its deviation.

    Parameters
    ----------
    parts : each of shape (n_artists, any number of factors).
    among : shape (n_artists,), the artists between whom chance is measured.

    Returns
    -------
    shape (n_artists, number of all factors).
    """
    scaled = []
    for part in parts:
        unit = unit_rows(part)
        deviation = _deviation(unit[among & unit.any(axis=1)])
        scaled.append(unit * np.float32(np.sqrt(1 / deviation)))
    return np.ascontiguousarray(np.hstack(scaled))


def borrow(factors: FloatMatrix, lenders: Neighbours, share: float) -> FloatMatrix:
    """Add to each unit row a share of its nearest, each times its cosine."""
    unit = unit_rows(factors)
    is_there = lenders.idx != NO_NEIGHBOUR
    offsets = np.concatenate(([0], np.cumsum(is_there.sum(axis=1))))
    loans = csr_array((lenders.score[is_there], lenders.idx[is_there], offsets), shape=(len(unit), len(unit)))
    return np.ascontiguousarray(unit + np.float32(share) * (loans @ unit), dtype=np.float32)


def _have_listeners(plays: CSR, neighbours: NeighbourParams) -> npt.NDArray[np.bool_]:
    enough: npt.NDArray[np.bool_] = np.bincount(plays.indices, minlength=plays.shape[1]) >= neighbours.min_listeners
    return enough


def _deviation(unit: FloatMatrix) -> float:
    """Standard deviation of the cosines of all pairs of different rows.

    The sum of all cosines is ``|sum of rows|^2``, that of their squares ``|UtU|^2``; each row with itself counts 1.
    """
    n = unit.shape[0]
    if n < 2:
        return 1.0
    rows = unit.astype(np.float64)
    n_pairs = n * (n - 1)
    mean = (np.square(rows.sum(axis=0)).sum() - n) / n_pairs
    mean_square = (np.square(rows.T @ rows).sum() - n) / n_pairs
    variance = mean_square - mean**2
    # Cosines that are all alike rank nothing: their part must not drown the others.
    return float(np.sqrt(variance)) if variance > 1e-12 else 1.0
