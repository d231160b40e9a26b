"""Which of the three losses of implicit ALS, and its constants; the losses stand in :mod:`recommender.least_squares`.

Apart from them, because who answers with a trained model needs these numbers and none of the compiled training.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from recommender.errors import ParameterError
from recommender.matrix import CSR, FloatMatrix

Ridge = Literal["plain", "als-wr", "ials"]


@dataclass(frozen=True, slots=True)
class RidgeParams:
    """Which of the three losses, and its constants.

    ``regularization`` > 0 is lambda, ``kind`` how it grows with a row's plays. Only ``ials`` uses ``unobserved_weight``
    > 0 (a0, the weight of every cell) and ``frequency_exponent`` 0 to 1 (nu; 0 is one ridge for all).
    """

    kind: Ridge = "plain"
    regularization: float = 30.0
    unobserved_weight: float = 0.1
    frequency_exponent: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Ridge):
            raise ParameterError(f"ridge {self.kind!r} is unknown; use one of {', '.join(get_args(Ridge))}")
        if not (self.regularization > 0 and np.isfinite(self.regularization)):
            raise ParameterError(f"regularization is {self.regularization}; ALS needs a value above 0")
        if not (self.unobserved_weight > 0 and np.isfinite(self.unobserved_weight)):
            raise ParameterError(f"unobserved_weight is {self.unobserved_weight}; use a value above 0")
        if not 0 <= self.frequency_exponent <= 1:
            raise ParameterError(f"frequency_exponent is {self.frequency_exponent}; use 0 to 1")

    @property
    def everywhere(self) -> float:
        """Weight of a cell that nobody played."""
        return self.unobserved_weight if self.kind == "ials" else 1.0

    @property
    def absent(self) -> np.float32:
        """What of the confidence c does not pull a played cell towards 1: the pull is c - absent."""
        return np.float32(1 if self.kind == "ials" else 0)

    def of_rows(self, confidence: CSR) -> FloatMatrix:
        """The ridge of each row of a matrix, shape (n_rows,)."""
        return self.of_counts(np.diff(confidence.indptr), confidence.shape[1])

    def of_counts(self, n_played: npt.ArrayLike, n_fixed: int) -> FloatMatrix:
        """The ridge of rows with so many played cells of ``n_fixed``, same shape as ``n_played``."""
        played = np.asarray(n_played, dtype=np.float64)
        match self.kind:
            case "plain":
                growth = np.ones_like(played)
            case "als-wr":
                growth = played
            case "ials":
                growth = (played + self.unobserved_weight * n_fixed) ** self.frequency_exponent
        return (self.regularization * growth).astype(np.float32)
