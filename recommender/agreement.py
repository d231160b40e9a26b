"""How two models' tables of similar artists agree, and what each table is like: figures that need no listening data."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import skew

from recommender.matrix import NO_NEIGHBOUR

IntArray = npt.NDArray[np.integer]

DEPTH = 10
"""Rows of a list that the figures look at, as many as an answer on Discord shows."""
N_RESAMPLES = 1000
MOST_COMPARED = 20_000
"""Artists whose lists are compared, drawn at random where there are more: the interval is then narrow enough."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over artists with its 95 % interval, by the percentile bootstrap over artists; ``n`` of them."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class TableFigures:
    """What one table is like, over the first ``DEPTH`` rows of each list.

    ``answered`` : share of artists that have a list.
    ``coverage`` : share of those artists that are in somebody's list.
    ``hub_skew`` : skewness of how many lists each artist is in; 0 where all are in equally many.
    ``largest_hub`` : lists that the most frequent artist is in.
    ``shared`` : share of a list's rows that have a listener in common with its artist.
    ``familiarity`` : listeners of a list's artists, as a share of all artists that have fewer.
    """

    answered: float
    coverage: float
    hub_skew: float
    largest_hub: int
    shared: Estimate
    familiarity: Estimate


def table_figures(idx: IntArray, support: IntArray, listeners: IntArray, *, rng: np.random.Generator) -> TableFigures:
    """Describe a neighbour table.

    Parameters
    ----------
    idx, support : shape (n_artists, k), as in an artifact; ``NO_NEIGHBOUR`` fills short rows.
    listeners : shape (n_artists,).
    rng : source of the resamples.
    """
    top, common = np.asarray(idx[:, :DEPTH]), np.asarray(support[:, :DEPTH])
    there = top != NO_NEIGHBOUR
    answered = there.any(axis=1)
    times = np.bincount(top[there], minlength=idx.shape[0])[answered]
    # Average ranks: artists with equally many listeners count alike, in whatever order they stand.
    order = np.sort(listeners)
    below = (np.searchsorted(order, listeners, "left") + np.searchsorted(order, listeners, "right")) / 2 / order.size
    lengths = np.maximum(there.sum(axis=1), 1)
    shared = ((common > 0) & there).sum(axis=1) / lengths
    familiar = np.where(there, below[np.where(there, top, 0)], 0.0).sum(axis=1) / lengths
    return TableFigures(
        answered=float(answered.mean()),
        coverage=float((times > 0).mean()) if times.size else 0.0,
        hub_skew=float(skew(times)) if times.size and times.std() > 0 else 0.0,
        largest_hub=int(times.max(initial=0)),
        shared=estimate(shared[answered], rng=rng),
        familiarity=estimate(familiar[answered], rng=rng),
    )


def agreement(
    ids_a: npt.NDArray[np.int64],
    idx_a: IntArray,
    ids_b: npt.NDArray[np.int64],
    idx_b: IntArray,
    *,
    rng: np.random.Generator,
) -> Estimate:
    """Measure which share of an artist's first ``DEPTH`` similar artists two models have in common.

    Parameters
    ----------
    ids_a, ids_b : shape (n_artists,) of each model, stable ids.
    idx_a, idx_b : shape (n_artists, k), neighbours as rows of their own model.
    rng : source of the resamples, and of the artists where they are many.

    Returns
    -------
    The mean over artists that have a list in both; of two lists of different length the longer one counts.
    """
    rows_a, rows_b = _shared_rows(ids_a, ids_b)
    if rows_a.size > MOST_COMPARED:
        drawn = np.sort(rng.choice(rows_a.size, MOST_COMPARED, replace=False))
        rows_a, rows_b = rows_a[drawn], rows_b[drawn]
    lists_a, lists_b = (_as_ids(ids_a, idx_a[rows_a, :DEPTH]), _as_ids(ids_b, idx_b[rows_b, :DEPTH]))
    there_a, there_b = idx_a[rows_a, :DEPTH] != NO_NEIGHBOUR, idx_b[rows_b, :DEPTH] != NO_NEIGHBOUR
    same = np.zeros(rows_a.size)
    for column in range(lists_a.shape[1]):
        here = (lists_a[:, column, None] == lists_b) & there_b
        same += here.any(axis=1) & there_a[:, column]
    both = there_a.any(axis=1) & there_b.any(axis=1)
    longest = np.maximum(there_a.sum(axis=1), there_b.sum(axis=1))
    return estimate((same / np.maximum(longest, 1))[both], rng=rng)


def estimate(values: npt.NDArray[np.float64], *, rng: np.random.Generator) -> Estimate:
    """Return the mean with its percentile bootstrap interval; all NaN where there are no values."""
    if values.size == 0:
        return Estimate(np.nan, np.nan, np.nan, 0)
    # Resampling n values with replacement is a draw of how often each distinct value comes; there are few of them.
    distinct, counts = np.unique(values.round(6), return_counts=True)
    draws = rng.multinomial(values.size, counts / values.size, size=N_RESAMPLES)
    low, high = np.percentile(draws @ distinct / values.size, [2.5, 97.5])
    return Estimate(float(values.mean()), float(low), float(high), int(values.size))


def _shared_rows(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> tuple[IntArray, IntArray]:
    _, rows_a, rows_b = np.intersect1d(a, b, assume_unique=True, return_indices=True)
    return rows_a, rows_b


def _as_ids(ids: npt.NDArray[np.int64], idx: IntArray) -> npt.NDArray[np.int64]:
    return ids[np.where(idx == NO_NEIGHBOUR, 0, idx)]
