"""What every factorization returns."""

from dataclasses import dataclass

import numpy as np

from recommender.errors import ModelError
from recommender.matrix import FloatMatrix

# Nothing can be ranked along one single direction. Healthy models use many: 11 to 50 on the data at hand.
LEAST_RANK = 1.05


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """Low-rank factors of a listeners x artists matrix: float32, C order, every value finite.

    Parameters
    ----------
    listener_factors : shape (n_listeners, n_factors).
    artist_factors : shape (n_artists, n_factors).
    objective : value of the loss at these factors, where the algorithm has one.

    Raises
    ------
    ModelError : a value is not finite.
    """

    listener_factors: FloatMatrix
    artist_factors: FloatMatrix
    objective: float | None = None

    def __post_init__(self) -> None:
        for matrix in (self.listener_factors, self.artist_factors):
            assert matrix.dtype == np.float32, "factors are float32"
            assert matrix.flags.c_contiguous, "factors are in C order"
        assert self.listener_factors.shape[1] == self.artist_factors.shape[1], "one number of factors"
        if not (np.isfinite(self.listener_factors).all() and np.isfinite(self.artist_factors).all()):
            raise ModelError("the factors hold values that are not finite; choose another --regularization")

    @property
    def n_factors(self) -> int:
        """Number of factors of each listener and artist."""
        return int(self.artist_factors.shape[1])


def refuse_collapsed(factors: Factors) -> None:
    """Refuse factors that tell no artist from another: too much regularization for so little data.

    Raises
    ------
    ModelError : the artists have collapsed to zero or into one direction.
    """
    least = LEAST_RANK if factors.n_factors > 1 else 0.5
    if effective_rank(factors.artist_factors) < least:
        raise ModelError(
            "the factors have collapsed, all artists look alike: this is too much regularization for so little data; "
            "train with a smaller --regularization, or on more data"
        )


def unit_rows(factors: FloatMatrix) -> FloatMatrix:
    """Scale each row to length 1; a row of zeros has no direction and stays."""
    norms = np.linalg.norm(factors, axis=1, keepdims=True)
    unit: FloatMatrix = np.divide(factors, norms, out=np.zeros_like(factors), where=norms > 0)
    return unit


def effective_rank(factors: FloatMatrix) -> float:
    """Count the directions that factors make use of: ``(sum s^2)^2 / sum s^4`` over their singular values s.

    Returns
    -------
    From 1 (all rows on one line) to the number of factors (used alike); 0 when all are zero.
    """
    squared = np.linalg.eigvalsh(factors.astype(np.float64).T @ factors.astype(np.float64))
    total = float((squared**2).sum())
    return float(squared.sum() ** 2 / total) if total > 0 else 0.0
