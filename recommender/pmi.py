"""Second-order pointwise mutual information: artists are similar when they go together with the same others.

``pmi_ij = ln(c_ij N / (n_i n_j))`` tells how much more often two artists meet than chance, c listeners of both, n of
each, N of all. Two listeners in common are no proof, so each entry is weighed by ``c / (c + shrinkage)``; what is below
chance counts as 0. An artist is its row of this matrix, and similarity the cosine of rows: two artists need not have
met, it is enough that they meet the same ones. Rows are compared in the space of the matrix's strongest positive
eigenvectors, which keeps what many artists agree on, and leaves out the noise that makes hubs.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, eigh
from scipy.sparse import csr_array
from scipy.sparse.linalg import ArpackError, eigsh

from recommender.colistening import colistening, pairs_met
from recommender.errors import DataError, ParameterError
from recommender.matrix import CSR, FloatMatrix
from recommender.neighbours import NeighbourParams
from recommender.weighting import WeightingParams, listener_shares, scaled_rows, weigh

# Up to this size a dense solver is the faster one.
DENSE_SIDE = 3000


@dataclass(frozen=True, slots=True)
class PMIParams:
    """Options of :func:`pmi_factors`.

    ``n_factors`` >= 1 eigenvectors are kept. ``shrinkage`` >= 0, in listeners: a pair with so many in common counts
    half. A listener counts for at most ``most_artists`` artists. ``most_pairs`` : refuse data in which listeners bring
    more pairs of artists together than this; 200 million take about 2 GB.
    """

    n_factors: int = 200
    weighting: WeightingParams = WeightingParams("rank")  # noqa: RUF009  frozen, so it may be shared
    shrinkage: float = 10.0
    most_artists: float = 50.0
    most_pairs: int = 200_000_000

    def __post_init__(self) -> None:
        if self.n_factors < 1:
            raise ParameterError(f"n_factors is {self.n_factors}; use at least 1")
        if not self.shrinkage >= 0:
            raise ParameterError(f"shrinkage is {self.shrinkage}; it is a number of listeners, use 0 or more")


def pmi_factors(plays: CSR, params: PMIParams, neighbours: NeighbourParams, *, rng: np.random.Generator) -> FloatMatrix:
    """Embed the artists so that cosines are those of their rows of shrunk PMI.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists), counts > 0.
    params : options; fewer artists than ``n_factors`` give as many factors as artists.
    neighbours : whose ``min_listeners`` says which artists are compared, and are what others are compared by.
    rng : draws the starting vector; the same state gives the same bits.

    Returns
    -------
    shape (n_artists, n_factors); rows of artists with too few listeners, or without company above chance, are zero.

    Raises
    ------
    ParameterError : the data bring too many pairs together for this method.
    DataError : the matrix cannot be decomposed.

    References
    ----------
    Levy & Goldberg (2014), Neural word embedding as implicit matrix factorization, NIPS: shifted PMI and its SVD.
    Pantel & Lin (2002), Discovering word senses from text, KDD: the discount c / (c + 1).
    """
    met = pairs_met(plays)
    if met > params.most_pairs:
        raise ParameterError(
            f"PMI counts every pair of artists that a listener brings together, {met:,} here; it is made for up to "
            f"{params.most_pairs:,}. Use a similarity of factors, for example --preset als"
        )
    matrix, candidates = _shrunk_pmi(plays, params, neighbours)
    factors = np.zeros((plays.shape[1], min(params.n_factors, max(candidates.size, 1))), dtype=np.float32)
    if matrix.nnz:
        values, vectors = _strongest(matrix, factors.shape[1], rng)
        factors[candidates] = vectors * np.maximum(values, 0.0)
    return factors


def _shrunk_pmi(plays: CSR, params: PMIParams, neighbours: NeighbourParams) -> tuple[csr_array, npt.NDArray[np.intp]]:
    """Compute ``max(pmi, 0) * c / (c + shrinkage)`` of all pairs of candidates, symmetric, without a diagonal."""
    weights = weigh(plays, params.weighting)
    # Weights below 1 shrink the count of both less than the product of the counts of each: let their squares average 1.
    weights.data /= np.float32(np.sqrt(np.mean(np.square(weights.data, dtype=np.float64)))) or np.float32(1)
    share = listener_shares(plays, most_artists=params.most_artists)
    heard = colistening(scaled_rows(weights, np.sqrt(share)), neighbours)
    together = csr_array(heard.by_artist @ heard.by_listener).astype(np.float64)
    alone = together.diagonal()
    together.setdiag(0.0)
    together.eliminate_zeros()
    row = np.repeat(np.arange(alone.size), np.diff(together.indptr))
    chance = alone[row] * alone[together.indices] / share[np.diff(plays.indptr) > 0].sum()
    pmi = np.maximum(np.log(together.data / chance), 0.0)
    together.data = pmi * together.data / (together.data + params.shrinkage)
    together.eliminate_zeros()
    return together, heard.candidates


def _strongest(
    matrix: csr_array, n_factors: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """The largest eigenvalues of a symmetric matrix, and their vectors, each with a positive largest entry."""
    size = matrix.shape[0]
    try:
        if size <= max(DENSE_SIDE, n_factors + 1):
            dense = matrix.toarray().astype(np.float32)
            values, vectors = eigh(dense, subset_by_index=(size - n_factors, size - 1), overwrite_a=True)
        else:
            values, vectors = eigsh(matrix, k=n_factors, which="LA", v0=rng.standard_normal(size), tol=1e-4)
    except (ArpackError, LinAlgError) as err:
        raise DataError(f"the common listeners of these artists cannot be decomposed ({err})") from err
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
    return values, vectors * signs
