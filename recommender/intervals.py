"""How sure a figure is: intervals and tests over the listeners that it is a mean of.

A listener who is judged in several splits is one listener: its figures are averaged first, or the same person would
count as several and every interval come out too short.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 2000
BLOCK = 200
Figures = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and the 95 % bootstrap interval of it."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference of the same listeners' figures, its 95 % interval, and p of a two-sided sign-flip test."""

    mean: float
    low: float
    high: float
    p: float


def by_listener(listeners: list[npt.NDArray[np.intp]], figures: list[Figures]) -> Figures:
    """Average each listener's figures over splits; sorted by listener, shape (n_different,)."""
    ids = np.concatenate(listeners)
    _, place = np.unique(ids, return_inverse=True)
    means: Figures = np.bincount(place, weights=np.concatenate(figures)) / np.bincount(place)
    return means


def interval(figures: Figures, *, rng: np.random.Generator) -> Interval:
    """Mean of the figures and its percentile bootstrap interval.

    References
    ----------
    Efron & Tibshirani (1993), An introduction to the bootstrap.
    """
    low, high = np.quantile(_resampled_means(figures, rng), (0.025, 0.975))
    return Interval(float(figures.mean()), float(low), float(high))


def paired(ours: Figures, theirs: Figures, *, rng: np.random.Generator) -> Difference:
    """Compare two systems on the same listeners.

    Parameters
    ----------
    ours, theirs : shape (n_listeners,), in the same order.

    References
    ----------
    Smucker, Allan & Carterette (2007), A comparison of statistical significance tests for IR evaluation, CIKM: the
    randomization test.
    """
    difference = ours - theirs
    found = interval(difference, rng=rng)
    extreme = 0
    for begin in range(0, DRAWS, BLOCK):
        signs = rng.integers(0, 2, (min(BLOCK, DRAWS - begin), difference.size), dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ difference / difference.size) >= abs(found.mean) - 1e-15).sum())
    return Difference(found.mean, found.low, found.high, (1 + extreme) / (1 + DRAWS))


def _resampled_means(figures: Figures, rng: np.random.Generator) -> Figures:
    means = [
        figures[rng.integers(0, figures.size, (min(BLOCK, DRAWS - begin), figures.size))].mean(axis=1)
        for begin in range(0, DRAWS, BLOCK)
    ]
    return np.concatenate(means)
