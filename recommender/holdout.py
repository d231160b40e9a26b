"""A validation sample: some listeners' plays hidden from a fit, and how well its factors find them again."""

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from recommender.kernels import kernel
from recommender.matrix import CSR, FloatMatrix

TOP = 10
# Listeners and artists whose scores a thread holds at once: half a megabyte, which stays in its cache.
BATCH = 64
TILE = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Holdout:
    """Some listeners, what was left of their plays, and what was hidden.

    ``listeners`` : shape (n_sampled,), row numbers, rising.
    ``seen``, ``hidden`` : shape (n_sampled, n_artists); each row of ``hidden`` has at least one entry.
    """

    listeners: npt.NDArray[np.intp]
    seen: CSR
    hidden: CSR


def hold_out(
    confidence: CSR, *, n_listeners: int, share: float, rng: np.random.Generator
) -> tuple[CSR, Holdout | None]:
    """Hide a share of the plays of a sample of listeners.

    Parameters
    ----------
    confidence : shape (n_listeners, n_artists).
    n_listeners : size of the sample; at most a tenth of those who have two plays or more are taken.
    share : chance of each of their plays to be hidden, between 0 and 1.

    Returns
    -------
    The matrix without the hidden plays, and the sample: none where no listener of the sample has plays on both sides.
    """
    plays_each = np.diff(confidence.indptr)
    eligible = np.flatnonzero(plays_each >= 2)
    sampled = np.sort(rng.choice(eligible, size=min(n_listeners, len(eligible) // 10), replace=False))
    positions = np.concatenate(
        [np.arange(confidence.indptr[row], confidence.indptr[row + 1]) for row in sampled] or [np.empty(0, np.intp)]
    )
    owner = np.repeat(np.arange(len(sampled)), plays_each[sampled])
    is_hidden = rng.random(len(positions)) < share
    n_hidden = np.bincount(owner[is_hidden], minlength=len(sampled))
    both_sides = (n_hidden > 0) & (n_hidden < plays_each[sampled])
    is_hidden &= both_sides[owner]
    if not is_hidden.any():
        return confidence, None
    shape = (int(both_sides.sum()), confidence.shape[1])
    renumbered = np.cumsum(both_sides) - 1

    def part(chosen: npt.NDArray[np.bool_]) -> CSR:
        rows, taken = renumbered[owner[chosen]], positions[chosen]
        indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=shape[0])))).astype(np.int32)
        return CSR((confidence.data[taken], confidence.indices[taken], indptr), shape=shape)

    hidden = positions[is_hidden]
    left: CSR = CSR(
        (
            np.delete(confidence.data, hidden).astype(np.float32, copy=False),
            np.delete(confidence.indices, hidden),
            confidence.indptr - np.searchsorted(hidden, confidence.indptr).astype(confidence.indptr.dtype),
        ),
        shape=confidence.shape,
    )
    return left, Holdout(sampled[both_sides], part(both_sides[owner] & ~is_hidden), part(is_hidden))


def ndcg(holdout: Holdout, listener_factors: FloatMatrix, artist_factors: FloatMatrix) -> float:
    """Mean nDCG@10 of the hidden artists among all that the listener had not played.

    Parameters
    ----------
    holdout : the sample.
    listener_factors, artist_factors : of the whole matrix.

    Returns
    -------
    From 0 to 1 (all hidden artists come first). Of equal scores, the hidden artist comes last.

    References
    ----------
    Järvelin & Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques, ACM TOIS 20(4); binary gains.
    """
    n_sampled = len(holdout.listeners)
    ranks = np.zeros(holdout.hidden.nnz, dtype=np.int64)
    x = np.ascontiguousarray(listener_factors[holdout.listeners])
    _ranks_of_hidden(
        x,
        artist_factors,
        holdout.seen.indptr,
        holdout.seen.indices,
        holdout.hidden.indptr,
        holdout.hidden.indices,
        ranks,
    )
    gains = np.where(ranks < TOP, 1 / np.log2(ranks + 2.0), 0.0)
    n_hidden = np.diff(holdout.hidden.indptr)
    gained = np.bincount(np.repeat(np.arange(n_sampled), n_hidden), weights=gains, minlength=n_sampled)
    ideal = np.concatenate(([0], np.cumsum(1 / np.log2(np.arange(2, TOP + 2)))))[np.minimum(n_hidden, TOP)]
    return float(np.mean(gained / ideal))


@kernel(parallel=True)
def _ranks_of_hidden(x, artist_factors, seen_indptr, seen, hidden_indptr, hidden, ranks):  # type: ignore[no-untyped-def]
    """Fill ``ranks`` with how many artists that were not seen score at least as high as each hidden one.

    Counting stops at ``TOP`` or somewhat more: most hidden artists are far below, and the best known come first.
    """
    n_listeners, n_artists = x.shape[0], artist_factors.shape[0]
    for batch in numba.prange((n_listeners + BATCH - 1) // BATCH):
        first, last = batch * BATCH, min((batch + 1) * BATCH, n_listeners)
        n_open = hidden_indptr[last] - hidden_indptr[first]
        for begin in range(0, n_artists, TILE):
            if n_open == 0:
                break
            end = min(begin + TILE, n_artists)
            scores = np.dot(x[first:last], artist_factors[begin:end].T)
            for row in range(first, last):
                scored = scores[row - first]
                for position in range(seen_indptr[row], seen_indptr[row + 1]):
                    if begin <= seen[position] < end:
                        scored[seen[position] - begin] = -np.inf
                for position in range(hidden_indptr[row], hidden_indptr[row + 1]):
                    if ranks[position] >= TOP:
                        continue
                    wanted = np.float32(0)
                    for f in range(x.shape[1]):
                        wanted += x[row, f] * artist_factors[hidden[position], f]
                    above = 0
                    for artist in range(end - begin):
                        # What is not a number counts as above all: a fit that went wrong must not look good.
                        above += not scored[artist] < wanted
                    if begin <= hidden[position] < end:
                        above -= not scored[hidden[position] - begin] < wanted  # itself
                    ranks[position] += above
                    n_open -= ranks[position] >= TOP
