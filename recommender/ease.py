"""EASE: the linear model that predicts each artist from all others, in closed form.

``min_B |X - X B|^2 + regularization |B|^2`` with a zero diagonal, X the binary listening matrix, is solved by
``B_ij = -P_ij / P_jj`` with ``P = (XtX + regularization I)^-1``. Column j of B is what predicts artist j, and two
artists are as similar as the cosine of their columns: predicted by the same listening.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from recommender.allpairs import nearest_candidates
from recommender.colistening import CoListening, colistening
from recommender.errors import DataError, ParameterError
from recommender.matrix import CSR
from recommender.neighbours import NeighbourParams, Neighbours, table_of
from recommender.weighting import WeightingParams, listener_shares, scaled_rows, weigh


@dataclass(frozen=True, slots=True)
class EASEParams:
    """Options of :func:`ease_neighbours`.

    ``regularization`` > 0. A listener counts for at most ``most_artists`` artists. ``largest`` : refuse more artists
    than this; 12,000 take about 4 GB and some minutes.
    """

    # For predicting plays 90 is better (Recall@20), for similar artists 300 (tag nDCG@10 .655 for .613 on HetRec).
    regularization: float = 300.0
    most_artists: float = 50.0
    largest: int = 12_000

    def __post_init__(self) -> None:
        if not self.regularization > 0:
            raise ParameterError(f"regularization is {self.regularization}; EASE needs a value above 0")


def ease_neighbours(plays: CSR, params: EASEParams, neighbours: NeighbourParams) -> Neighbours:
    """Find each artist's most similar others, those that the same listening predicts.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists), counts > 0.
    params : options.
    neighbours : how many, and among which artists.

    Returns
    -------
    Neighbours with a positive cosine; equal ones come in the order of the artists.

    Raises
    ------
    ParameterError : there are more artists than the inverse of a dense matrix can be computed for.

    References
    ----------
    Steck (2019), Embarrassingly shallow autoencoders for sparse data, WWW.
    """
    binary = weigh(plays, WeightingParams("binary"))
    share = listener_shares(plays, most_artists=params.most_artists)
    heard = colistening(scaled_rows(binary, np.sqrt(share)), neighbours)
    n_candidates = heard.candidates.size
    if n_candidates > params.largest:
        raise ParameterError(
            f"EASE inverts a dense matrix of all artists, {n_candidates:,} x {n_candidates:,} here; it is made for up "
            f"to {params.largest:,}. Raise --min-listeners, or use another --preset"
        )
    found = nearest_candidates(_columns(heard, params.regularization), heard, neighbours)
    return table_of(heard.candidates, plays.shape[1], found)


def ease_weights(gram: npt.NDArray[np.float64], regularization: float) -> npt.NDArray[np.float64]:
    """Solve for B; shape (n_artists, n_artists), zero diagonal.

    Parameters
    ----------
    gram : ``XtX``, shape (n_artists, n_artists).
    regularization : > 0.
    """
    ridge = gram + regularization * np.eye(gram.shape[0])
    try:
        inverse = cho_solve(cho_factor(ridge, overwrite_a=True), np.eye(gram.shape[0]), overwrite_b=True)
    except LinAlgError as err:
        raise DataError(f"the common listeners of these artists cannot be inverted ({err})") from err
    weights: npt.NDArray[np.float64] = -inverse / inverse.diagonal()[None, :]
    np.fill_diagonal(weights, 0.0)
    return weights


def _columns(heard: CoListening, regularization: float) -> npt.NDArray[np.float32]:
    """Columns of B, as rows of length 1."""
    gram = (heard.by_artist @ heard.by_listener).toarray().astype(np.float64)
    columns = ease_weights(gram, regularization).T
    columns /= np.maximum(np.linalg.norm(columns, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return np.ascontiguousarray(columns, dtype=np.float32)
