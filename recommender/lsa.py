"""Latent semantic analysis: truncated singular value decomposition of the weighted plays.

``W D^-p = U S Vt``, kept to the largest ``n_factors`` singular values; D holds how many listeners each artist has, and
p = 0 is the original (Deerwester et al. 1990). An artist is its row of ``V S^q``; with p = q = 0 that is the article
"Finding similar music using matrix factorization", whose matrix is the transpose and whose U is V here.
"""

from dataclasses import dataclass

import numpy as np

from recommender.errors import DataError, ParameterError
from recommender.factors import Factors
from recommender.matrix import CSR
from recommender.svd import project, truncated_svd


@dataclass(frozen=True, slots=True)
class LSAParams:
    """Options of :func:`fit_lsa`.

    ``n_factors`` >= 1, the singular values to keep; ``popularity`` p and ``strength`` q, both 0 to 4: how much less
    popular artists count in the decomposition, and how much more strong factors count in the similarity of artists.
    """

    n_factors: int = 50
    popularity: float = 0.0
    strength: float = 0.0

    def __post_init__(self) -> None:
        if self.n_factors < 1:
            raise ParameterError(f"n_factors is {self.n_factors}; use at least 1")
        for name, value in (("popularity", self.popularity), ("strength", self.strength)):
            if not 0 <= value <= 4:
                raise ParameterError(f"{name} is {value}; use 0 to 4")


def fit_lsa(weights: CSR, params: LSAParams, *, rng: np.random.Generator) -> Factors:
    """Factorize a weight matrix by truncated SVD.

    Parameters
    ----------
    weights : shape (n_listeners, n_artists), values >= 0.
    params : options; ``n_factors`` at most the shorter side of the matrix.
    rng : draws the sketch that the decomposition starts from; the same state gives the same bits.

    Returns
    -------
    Factors, strongest first: artist rows ``D^p V S^q``, listener rows ``U S^(1-q)``, so that their products approximate
    the weights; ``D^p`` makes artists longer and changes no cosine. The largest entry of each column of V is positive;
    factors beyond the rank of the matrix are zero.

    Raises
    ------
    ParameterError : the matrix is too small for so many factors.
    DataError : all weights are zero.

    References
    ----------
    Deerwester, Dumais, Furnas, Landauer & Harshman (1990), Indexing by latent semantic analysis, JASIS 41(6).
    Caron (2001), Experiments with LSA scoring: optimal rank and basis, the power of the singular values.
    """
    smaller = min(weights.shape)
    if params.n_factors > smaller:
        raise ParameterError(
            f"LSA with {params.n_factors} factors needs as many listeners and artists, the data has "
            f"{weights.shape[0]} x {weights.shape[1]}; "
            + (f"use --factors {smaller} or fewer" if smaller else "bring some data")
        )
    if not weights.data.any():  # listeners who all heard everything have no idf
        raise DataError(
            "these plays cannot be factorized, all weights are zero; bring more listeners or another --preset"
        )
    listeners = np.maximum(np.bincount(weights.indices, minlength=weights.shape[1]), 1)
    popular = (listeners**params.popularity).astype(np.float32)
    scaled = CSR((weights.data / popular[weights.indices], weights.indices, weights.indptr), shape=weights.shape)
    found = truncated_svd(scaled, params.n_factors, rng=rng)
    # Factors that the data does not have are zero on both sides, whatever the power.
    strength = np.where(found.singular_values > 0, found.singular_values, 1.0) ** params.strength
    return Factors(
        (project(scaled, found.right) / strength).astype(np.float32),
        (popular[:, None] * found.right * strength).astype(np.float32),
    )
