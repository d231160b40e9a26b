"""How good ranked lists are: what was hidden and found, and what the lists do to the catalogue.

Relevance is binary. The names and definitions are those of trec_eval, so that figures can be compared.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.matrix import CSR

Lists = npt.NDArray[np.intp]
"""Shape (n_listeners, depth): artist numbers, best first; -1 fills a list that is shorter."""
Figures = npt.NDArray[np.float64]


def hits(lists: Lists, hidden: CSR) -> npt.NDArray[np.bool_]:
    """Which places of the lists hold a hidden artist, shape of ``lists``."""
    n_artists = hidden.shape[1]
    rows = np.arange(lists.shape[0])[:, None]
    # Each cell as one number: the hidden ones are few and sorted.
    cells = np.where(lists >= 0, rows * n_artists + lists, -1)
    wanted = np.repeat(np.arange(hidden.shape[0]), np.diff(hidden.indptr)) * np.int64(n_artists) + hidden.indices
    found: npt.NDArray[np.bool_] = np.isin(cells, wanted)
    return found


def recall(lists: Lists, hidden: CSR, k: int) -> Figures:
    """Part of each listener's hidden artists among the first ``k``, shape (n_listeners,)."""
    figures: Figures = hits(lists[:, :k], hidden).sum(axis=1) / _n_hidden(hidden)
    return figures


def ndcg(lists: Lists, hidden: CSR, k: int) -> Figures:
    """Discounted gain of the first ``k`` over that of the best possible list, shape (n_listeners,).

    References
    ----------
    Järvelin & Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques, ACM TOIS 20(4).
    """
    discount = 1 / np.log2(np.arange(2, k + 2))
    found = hits(lists[:, :k], hidden)
    ideal = np.cumsum(discount)[np.minimum(_n_hidden(hidden), k).astype(np.intp) - 1]
    figures: Figures = (found * discount[: found.shape[1]]).sum(axis=1) / ideal
    return figures


def average_precision(lists: Lists, hidden: CSR, k: int) -> Figures:
    """Mean of the precision at each hidden artist of the first ``k``, over all hidden; its mean is MAP."""
    found = hits(lists[:, :k], hidden)
    precision = np.cumsum(found, axis=1) / np.arange(1, found.shape[1] + 1)
    figures: Figures = (precision * found).sum(axis=1) / _n_hidden(hidden)
    return figures


@dataclass(frozen=True, slots=True)
class Spread:
    """What lists do to a catalogue.

    ``coverage`` : part of the artists that are in any list. ``hub_skew`` : skewness of the number of lists an artist is
    in; ``most_lists`` : the largest part of the lists that one artist is in. ``popularity`` : how many listeners a
    recommended artist has, as a multiple of those of the artists that the same listeners heard already; 1 is no bias.
    """

    coverage: float
    hub_skew: float
    most_lists: float
    popularity: float


def spread(lists: Lists, seen: CSR, listeners: npt.NDArray[np.int_], answerable: npt.NDArray[np.bool_]) -> Spread:
    """Measure lists against their catalogue.

    Parameters
    ----------
    lists : of the depth that is looked at.
    seen : shape (n_listeners, n_artists), what these listeners heard already.
    listeners : shape (n_artists,), of each artist in the training data.
    answerable : shape (n_artists,), which artists may be in lists.

    References
    ----------
    Radovanović, Nanopoulos & Ivanović (2010), Hubs in space, JMLR 11: the skewness of N_k.
    Abdollahpouri et al. (2019), The unfairness of popularity bias in recommendation: recommended against heard.
    """
    listed = np.where(lists >= 0, lists, 0)
    n_lists = np.bincount(lists[lists >= 0], minlength=answerable.size)[answerable]
    deviation = n_lists - n_lists.mean()
    scale = float(np.sqrt((deviation**2).mean()))
    heard, recommended = _mean_listeners_of_rows(seen, listeners), np.full(lists.shape[0], np.nan)
    filled = (lists >= 0).sum(axis=1)
    np.divide((listeners[listed] * (lists >= 0)).sum(axis=1), filled, out=recommended, where=filled > 0)
    known = np.isfinite(heard) & np.isfinite(recommended)
    return Spread(
        coverage=float((n_lists > 0).mean()),
        hub_skew=float((deviation**3).mean() / scale**3) if scale > 0 else 0.0,
        most_lists=float(n_lists.max() / lists.shape[0]),
        popularity=float((recommended[known] / heard[known]).mean()) if known.any() else float("nan"),
    )


def overlap(lists: Lists, others: Lists) -> float:
    """How much two models' lists for the same listeners have in common: mean part of one that the other has."""
    shared = [
        np.intersect1d(one[one >= 0], other[other >= 0]).size / max((one >= 0).sum(), 1)
        for one, other in zip(lists, others, strict=True)
    ]
    return float(np.mean(shared))


def _n_hidden(hidden: CSR) -> Figures:
    n_hidden: Figures = np.diff(hidden.indptr).astype(np.float64)
    assert (n_hidden > 0).all(), "who has nothing hidden cannot be judged"
    return n_hidden


def _mean_listeners_of_rows(seen: CSR, listeners: npt.NDArray[np.int_]) -> Figures:
    row = np.repeat(np.arange(seen.shape[0]), np.diff(seen.indptr))
    sums = np.bincount(row, weights=listeners[seen.indices], minlength=seen.shape[0])
    n_seen = np.bincount(row, minlength=seen.shape[0])
    means = np.full(seen.shape[0], np.nan)
    np.divide(sums, n_seen, out=means, where=sums > 0)
    return means
