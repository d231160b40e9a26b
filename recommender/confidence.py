"""How sure an answer is, in words that were measured.

Scores of different methods are on different scales, and so are those of one method on different data. So a word is a
place among the scores that the model itself gives: the *strong* are the highest third of all artists' first ten
neighbours, the *weak* the lowest third. Judged by tags that no training saw, on HetRec lastfm-2k, of the strong 92 in a
hundred are among the 5 % of artists nearest to the seed, of the fair 71 and of the weak 48 (preset ``best``; other
presets stand in docs/models.md). Whatever its score, what fewer than three people heard together is never strong: the
evidence that could be shown for it would be none.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from recommender.matrix import NO_NEIGHBOUR, FloatMatrix

Strength: TypeAlias = Literal["strong", "fair", "weak"]

SHARE = 1 / 3
"""The part of neighbours called strong, and the part called weak."""
FIRST = 10
"""How many neighbours of each artist are what people see, and are counted."""
MIN_STRONG_SUPPORT = 3
"""A strong neighbour shares at least so many listeners."""


@dataclass(frozen=True, slots=True)
class StrengthBounds:
    """From which score on a neighbour is strong, and below which it is weak; ``weak_below <= strong_from``."""

    strong_from: float
    weak_below: float

    def strength(self, score: float, support: int) -> Strength:
        """Say how sure a neighbour is.

        Parameters
        ----------
        score : of the method that the bounds were taken from.
        support : listeners in common, >= 0.
        """
        if score >= self.strong_from and support >= MIN_STRONG_SUPPORT:
            return "strong"
        return "weak" if score < self.weak_below else "fair"


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
    weak_below, strong_from = np.quantile(shown, (SHARE, 1 - SHARE)).astype(np.float32).tolist()
    return StrengthBounds(strong_from, weak_below)
