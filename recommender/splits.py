"""Splits for judging recommendations: what a model may learn from, and what it must find again.

*leave-out* hides a part of every listener's artists; the rest is trained on. *new-listeners* keeps a part of the
listeners out of training altogether (strong generalisation); of them, too, a part of the artists is hidden, and the
rest is what they are folded in with.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from recommender.errors import DataError, ParameterError
from recommender.holdout import Holdout
from recommender.matrix import CSR

Kind = Literal["leave-out", "new-listeners"]


@dataclass(frozen=True, slots=True)
class SplitParams:
    """Options of :func:`split`.

    ``share`` of a listener's artists is hidden, rounded, at least one; ``new_share`` of the listeners is kept out of
    training by ``new-listeners``. Only who has ``least_artists`` >= 2 or more is judged, and at most ``most_judged``
    >= 1 of them, drawn by lot.
    """

    kind: Kind = "leave-out"
    share: float = 0.2
    new_share: float = 0.1
    least_artists: int = 5
    most_judged: int = 5000

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ParameterError(f"split {self.kind!r} is unknown; use one of {', '.join(get_args(Kind))}")
        if not (0 < self.share < 1 and 0 < self.new_share < 1):
            raise ParameterError("the shares of a split lie between 0 and 1")
        if self.most_judged < 1:
            raise ParameterError(f"most_judged is {self.most_judged}; judge at least 1 listener")
        if self.least_artists < 2:
            raise ParameterError(f"least_artists is {self.least_artists}; one artist cannot be both hidden and seen")


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """``train`` : shape (n_trained, n_artists), play counts. ``judged`` : who is judged, what is seen and hidden."""

    train: CSR
    judged: Holdout


def split(plays: CSR, params: SplitParams, *, rng: np.random.Generator) -> Split:
    """Split play counts.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists), counts > 0.
    params : options.
    rng : draws listeners and artists; the same state gives the same split.

    Returns
    -------
    Of ``leave-out`` the training data have all listeners, of ``new-listeners`` only those that are not judged.

    Raises
    ------
    DataError : nobody has enough artists to be judged.
    """
    n_artists = np.diff(plays.indptr)
    judged = np.flatnonzero(n_artists >= params.least_artists)
    share = params.new_share if params.kind == "new-listeners" else 1.0
    judged = np.sort(rng.permutation(judged)[: min(max(round(share * judged.size), 1), params.most_judged)])
    if judged.size == 0:
        raise DataError(f"nobody in these data listens to {params.least_artists} artists; bring more data to judge by")
    is_hidden = np.zeros(plays.nnz, dtype=bool)
    for listener in judged:
        n_hidden = min(max(round(params.share * n_artists[listener]), 1), n_artists[listener] - 1)
        is_hidden[plays.indptr[listener] + rng.permutation(n_artists[listener])[:n_hidden]] = True
    left, hidden = _cells(plays, ~is_hidden), _cells(plays, is_hidden)
    holdout = Holdout(judged, CSR(left[judged]), CSR(hidden[judged]))
    if params.kind == "leave-out":
        return Split(left, holdout)
    trained = np.setdiff1d(np.arange(plays.shape[0]), judged)
    if trained.size == 0:
        raise DataError("all listeners are judged and none is left to learn from; bring more data")
    return Split(CSR(plays[trained]), holdout)


def _cells(plays: CSR, chosen: npt.NDArray[np.bool_]) -> CSR:
    before = np.concatenate(([0], np.cumsum(chosen)))
    return CSR((plays.data[chosen], plays.indices[chosen], before[plays.indptr]), shape=plays.shape)
