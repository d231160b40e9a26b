"""How sure a neighbour is, in words that were measured.

Scores of different methods are on different scales, and so are those of one method on different data. So a score counts
by its place among those that the model itself shows, 0 at the end of their lowest third and 1 at the beginning of their
highest, and the listeners in common count beside it, ``WEIGHT`` for each doubling: a cosine of artists that half of the
world hears is lower than one of artists that three people hear, and surer. Both were fitted by logistic regression.

Judged by tags that no training saw, the part of first-ten neighbours that are among the 5 % of artists nearest to the
seed is .93 of the strong, .78 of the fair and .52 of the weak (HetRec lastfm-2k, preset ``best``; docs/models.md tells
it for others).
"""

from dataclasses import dataclass
from math import log2
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from recommender.matrix import NO_NEIGHBOUR, FloatMatrix

Strength: TypeAlias = Literal["strong", "fair", "weak"]

SHARE = 1 / 3
"""The part of the shown scores that is called low, and the part called high."""
FIRST = 10
"""How many neighbours of each artist are what people see, and are counted."""
WEIGHT = 0.3
"""What twice as many listeners in common are worth, in the distance from the low to the high scores."""
MOST_COUNTED = 31
"""More listeners in common make nothing surer."""
STRONG_FROM, WEAK_BELOW = 1.5, 0.5
MIN_STRONG_SUPPORT = 3
"""A strong neighbour shares at least so many listeners, whatever its score: there would be no evidence to show."""


@dataclass(frozen=True, slots=True)
class StrengthBounds:
    """Where a model's low scores end, and where its high ones begin; ``low <= high``."""

    low: float
    high: float

    def strength(self, score: float, support: int) -> Strength:
        """Say how sure a neighbour is.

        Parameters
        ----------
        score : of the method that the bounds were taken from.
        support : listeners in common, >= 0.
        """
        spread = self.high - self.low
        place = (score - self.low) / spread if spread > 0 else float(score >= self.high)
        points = place + WEIGHT * log2(1 + min(support, MOST_COUNTED))
        if points >= STRONG_FROM and support >= MIN_STRONG_SUPPORT:
            return "strong"
        return "weak" if points < WEAK_BELOW else "fair"


def strength_bounds(idx: npt.NDArray[np.int32], score: FloatMatrix) -> StrengthBounds:
    """Take the bounds of the words from a table of neighbours.

    Parameters
    ----------
    idx : shape (n_artists, k), ``NO_NEIGHBOUR`` where there is none.
    score : same shape.
    """
    shown = score[:, :FIRST][idx[:, :FIRST] != NO_NEIGHBOUR]
    if not shown.size:
        return StrengthBounds(0.0, 0.0)
    low, high = np.quantile(shown.astype(np.float64), (SHARE, 1 - SHARE)).tolist()
    return StrengthBounds(low, high)
