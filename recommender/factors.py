"""What every factorization returns."""

from dataclasses import dataclass

import numpy as np

from recommender.errors import ModelError
from recommender.matrix import FloatMatrix


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
    ModelError : a value is not finite, or all artists have collapsed to zero.
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
            raise ModelError("the factors hold values that are not finite; train with more regularization")
        if self.artist_factors.size and not self.artist_factors.any():
            raise ModelError("all artist factors have collapsed to zero; train with less regularization")

    @property
    def n_factors(self) -> int:
        """Number of factors of each listener and artist."""
        return int(self.artist_factors.shape[1])
