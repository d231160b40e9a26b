"""Latent semantic analysis: truncated singular value decomposition of the weighted plays.

``W = U S Vt``, kept to the largest ``n_factors`` singular values (Deerwester et al. 1990). An artist is its row of V,
as in the article "Finding similar music using matrix factorization" (whose matrix is the transpose, and calls it U).
"""

from dataclasses import dataclass

import numpy as np

from recommender.errors import DataError, ParameterError
from recommender.factors import Factors
from recommender.matrix import CSR
from recommender.svd import project, truncated_svd


@dataclass(frozen=True, slots=True)
class LSAParams:
    """Options of :func:`fit_lsa`: ``n_factors`` >= 1, the singular values to keep."""

    n_factors: int = 50

    def __post_init__(self) -> None:
        if self.n_factors < 1:
            raise ParameterError(f"n_factors is {self.n_factors}; use at least 1")


def fit_lsa(weights: CSR, params: LSAParams, *, rng: np.random.Generator) -> Factors:
    """Factorize a weight matrix by truncated SVD.

    Parameters
    ----------
    weights : shape (n_listeners, n_artists), values >= 0.
    params : options; ``n_factors`` must be below both sides of the matrix.
    rng : draws the sketch that the decomposition starts from; the same state gives the same bits.

    Returns
    -------
    Factors, strongest first: artist rows of V; listener rows of ``U S``. The sign of each factor is fixed (the largest
    artist entry is positive).

    Raises
    ------
    ParameterError : the matrix is too small for so many factors.
    DataError : all weights are zero.

    References
    ----------
    Deerwester, Dumais, Furnas, Landauer & Harshman (1990), Indexing by latent semantic analysis, JASIS 41(6).
    """
    smaller = min(weights.shape)
    if params.n_factors >= smaller:
        raise ParameterError(
            f"LSA with {params.n_factors} factors needs more listeners and artists than that, the data has "
            f"{weights.shape[0]} x {weights.shape[1]}; "
            + (f"use --factors {smaller - 1} or fewer" if smaller > 1 else "bring more data")
        )
    if not weights.data.any():  # listeners who all heard everything have no idf
        raise DataError(
            "these plays cannot be factorized, all weights are zero; bring more listeners or another --preset"
        )
    found = truncated_svd(weights, params.n_factors, rng=rng)
    return Factors(project(weights, found.right), found.right)
