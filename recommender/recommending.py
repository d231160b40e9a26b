"""Personal recommendation: a listener nobody trained on, folded into a trained model, and why each artist comes.

A new listener u is one more row of the model's loss, and with the artists Y held fixed that row has a closed form::

    (a0 YtY + r_u I + sum_rated (c - 1) y yt) x = sum_liked pull y

in the words of :mod:`recommender.least_squares`: what training would find for the same row, without training. A
disliked artist is an observed zero: it is rated, with the confidence of a like, and pulls towards nothing. LSA is the
same with c = 1 everywhere and the weight itself as pull.

The right-hand side is a sum over the liked artists, so every score is one too (Hu et al., section 5): that sum is the
explanation. A linear model beside the factors (``links``) adds ``sum_liked weight * link`` to it in the same way.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array

from recommender.errors import ParameterError
from recommender.factors import unit_rows
from recommender.matrix import CSR, NO_NEIGHBOUR, FloatMatrix
from recommender.ridge import RidgeParams

GRAM_BLOCK = 8192
RARE_AT_ONCE = 256
Rows = npt.NDArray[np.intp]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Objective:
    """What the loss of a model says about one more row.

    ``ridge`` is that of ALS; None is least squares on the weights, LSA. ``alpha`` is the confidence of one unit of
    weight, and ``typical_weight`` > 0 what a liked artist weighs when nobody counted its plays: the mean weight of the
    pairs that were trained on.
    """

    ridge: RidgeParams | None
    alpha: float = 1.0
    typical_weight: float = 1.0

    def __post_init__(self) -> None:
        if not (self.alpha > 0 and 0 < self.typical_weight < np.inf):
            raise ParameterError("alpha and typical_weight must be numbers above 0")


@dataclass(frozen=True, slots=True, eq=False)
class Taste:
    """What one listener likes, and does not.

    Parameters
    ----------
    liked : shape (n_liked,), rows of different artists, at least one.
    weights : shape (n_liked,), > 0, in the model's own weighting.
    disliked : shape (n_disliked,), rows of other artists.
    disliked_weight : how sure the dislikes are, in the same unit.
    """

    liked: Rows
    weights: Doubles
    disliked: Rows = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    disliked_weight: float = 1.0

    def __post_init__(self) -> None:
        if self.liked.size == 0:
            raise ParameterError("nothing is liked; name at least one artist to recommend from")
        rated = np.concatenate((self.liked, self.disliked))
        if np.unique(rated).size != rated.size:
            raise ParameterError("an artist is named twice, or both liked and disliked; name each once")
        if self.weights.shape != self.liked.shape or not (np.isfinite(self.weights) & (self.weights > 0)).all():
            raise ParameterError("each liked artist needs a weight above 0")


@dataclass(frozen=True, slots=True)
class Reason:
    """A liked artist (its row) and how much of a recommended artist's score is its doing."""

    artist_idx: int
    contribution: float


@dataclass(frozen=True, slots=True)
class Recommended:
    """A recommended artist (its row), its score, and every liked artist's part in it, largest first.

    The contributions sum to the score; those of artists that speak against it are negative.
    """

    artist_idx: int
    score: float
    reasons: tuple[Reason, ...]


class Recommender:
    """A trained model, ready to take listeners it was not trained on; immutable, safe to share between threads.

    Parameters
    ----------
    artist_factors : shape (n_artists, n_factors), float32, may be memory-mapped.
    objective : of the model that they come from.
    answerable : shape (n_artists,), which artists may be recommended.
    links : shape (n_artists, n_artists), what one unit of weight of an artist (row) adds to the score of others
        (columns); none by default.
    factor_share : what the factors' own score counts beside the links; 0 is links alone.
    """

    def __init__(
        self,
        artist_factors: FloatMatrix,
        objective: Objective,
        *,
        answerable: npt.NDArray[np.bool_],
        links: CSR | None = None,
        factor_share: float = 1.0,
    ) -> None:
        self.objective = objective
        self._factors = artist_factors
        self._answerable = answerable
        self._links = links
        self._factor_share = np.float32(factor_share)
        everywhere = 1.0 if objective.ridge is None else objective.ridge.everywhere
        self._gram = everywhere * gram(artist_factors)

    def taste(self, liked: Rows, *, disliked: Rows | None = None) -> Taste:
        """Take likes and dislikes without play counts: each weighs what a pair of the training did on average."""
        likes = np.asarray(liked, dtype=np.intp)
        typical = self.objective.typical_weight
        return Taste(
            likes, np.full(likes.size, typical), np.asarray([] if disliked is None else disliked, np.intp), typical
        )

    def fold_in(self, taste: Taste) -> FloatMatrix:
        """Solve the listener's own row of the loss, exactly, with the artists held fixed; shape (n_factors,)."""
        normal, pulls = self._system(taste)
        factors: FloatMatrix = np.linalg.solve(normal, pulls.sum(axis=1)).astype(np.float32)
        return factors

    def scores(self, taste: Taste) -> FloatMatrix:
        """Score all artists, shape (n_artists,); the higher, the likelier to be liked."""
        scores: FloatMatrix = self._factors @ (self._factor_share * self.fold_in(taste))
        if self._links is not None:
            heard = self._links[taste.liked]
            np.add.at(
                scores, heard.indices, (np.repeat(taste.weights, np.diff(heard.indptr)) * heard.data).astype(np.float32)
            )
        return scores

    def best(self, taste: Taste, k: int, *, exclude: Rows | None = None) -> tuple[Rows, FloatMatrix]:
        """Find the ``k`` artists of the highest score above 0 among those neither rated nor excluded.

        Returns
        -------
        Their rows and scores, best first; equal scores come in the order of the artists.
        """
        if k < 1:
            raise ParameterError(f"{k} recommendations were asked for; ask for at least 1")
        scores = np.where(self._answerable, self.scores(taste), np.float32(-np.inf))
        for left_out in (taste.liked, taste.disliked, exclude):
            if left_out is not None:
                scores[left_out] = -np.inf
        return highest(scores, k)

    def lists(self, weights: CSR, k: int) -> Rows:
        """Recommend to many listeners at once, each a row of likes.

        Parameters
        ----------
        weights : shape (n_listeners, n_artists), values > 0, in the model's own weighting; sorted indices.
        k : rows of each list, >= 1.

        Returns
        -------
        shape (n_listeners, k), best first; -1 fills a list that is shorter, that of who likes nothing wholly.
        """
        found = np.full((weights.shape[0], k), NO_NEIGHBOUR, dtype=np.intp)
        for listener in range(weights.shape[0]):
            cells = slice(weights.indptr[listener], weights.indptr[listener + 1])
            liked = weights.indices[cells].astype(np.intp)
            if liked.size:
                best, _ = self.best(Taste(liked, weights.data[cells].astype(np.float64)), k)
                found[listener, : best.size] = best
        return found

    def recommend(self, taste: Taste, k: int, *, exclude: Rows | None = None) -> list[Recommended]:
        """Find the same as :meth:`best`, and say for each what each liked artist contributed."""
        rows, _ = self.best(taste, k, exclude=exclude)
        parts = self.contributions(taste, rows)
        return [
            Recommended(
                int(row),
                float(of_row.sum()),
                tuple(
                    Reason(int(taste.liked[place]), float(of_row[place]))
                    for place in np.argsort(-of_row, kind="stable")
                ),
            )
            for row, of_row in zip(rows, parts, strict=True)
        ]

    def contributions(self, taste: Taste, rows: Rows) -> Doubles:
        """How much each liked artist adds to the scores of some artists, shape (n_rows, n_liked); sums to the score.

        References
        ----------
        Hu, Koren & Volinsky (2008), Collaborative filtering for implicit feedback datasets, ICDM, section 5.
        """
        normal, pulls = self._system(taste)
        parts: Doubles = self._factors[rows].astype(np.float64) @ np.linalg.solve(normal, pulls)
        parts *= self._factor_share
        if self._links is not None:
            parts += self._links[taste.liked][:, rows].toarray().T * taste.weights
        return parts

    def _system(self, taste: Taste) -> tuple[Doubles, Doubles]:
        """The matrix of the row's equation, and what each liked artist adds to its right side, one column each."""
        liked = self._factors[taste.liked].astype(np.float64)
        ridge, alpha = self.objective.ridge, self.objective.alpha
        if ridge is None:
            # Orthonormal factors, so nothing is near singular; the rest keeps vanished factors solvable.
            tiny = np.finfo(np.float64).eps * max(float(np.trace(self._gram)), 1.0)
            return self._gram + tiny * np.eye(len(self._gram)), liked.T * taste.weights
        disliked = self._factors[taste.disliked].astype(np.float64)
        beyond_one = alpha * np.concatenate((taste.weights, np.full(taste.disliked.size, taste.disliked_weight)))
        rated = np.concatenate((liked, disliked))
        own = float(ridge.of_counts(len(rated), self._factors.shape[0]))
        normal = self._gram + own * np.eye(len(self._gram)) + (rated.T * beyond_one) @ rated
        pull = alpha * taste.weights + (1.0 - float(ridge.absent))
        return normal, liked.T * pull


def link_matrix(idx: npt.NDArray[np.int32], weight: FloatMatrix) -> CSR:
    """Turn a table of links, each artist's own in its row, into what each like (row) adds to others (columns)."""
    n_artists = idx.shape[0]
    artist, place = np.nonzero(idx != NO_NEIGHBOUR)
    return CSR(coo_array((weight[artist, place], (idx[artist, place], artist)), shape=(n_artists, n_artists)))


def gram(factors: FloatMatrix) -> Doubles:
    """``YtY`` in float64, block by block, so that mapped factors are read once and never copied whole."""
    total = np.zeros((factors.shape[1],) * 2)
    for begin in range(0, factors.shape[0], GRAM_BLOCK):
        block = factors[begin : begin + GRAM_BLOCK].astype(np.float64)
        total += block.T @ block
    return total


def highest(scores: FloatMatrix, k: int) -> tuple[Rows, FloatMatrix]:
    """Return places and values of the ``k`` highest scores above 0, best first; of equal ones the first places."""
    n = min(k, scores.size)
    if n == 0:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float32)
    least = np.partition(scores, scores.size - n)[scores.size - n]
    found = np.flatnonzero((scores >= least) & (scores > 0))
    found = found[np.argsort(-scores[found], kind="stable")][:n]
    return found, scores[found]


def nearest_of_rare(
    artist_factors: FloatMatrix, answerable: npt.NDArray[np.bool_], k: int
) -> Iterator[tuple[int, Rows, FloatMatrix]]:
    """Find the nearest answerable artists of those who are not answerable themselves, by the cosine of their factors.

    Two or three listeners place an artist badly: this is for who wants the rest of a catalogue nevertheless.

    Parameters
    ----------
    artist_factors : shape (n_artists, n_factors).
    answerable : shape (n_artists,), who may be in a list.
    k : rows of each list, >= 1.

    Yields
    ------
    An artist's row, those of at most ``k`` others with a cosine above 0, best first, and the cosines; not of artists
    whose factors vanished.
    """
    candidates = np.flatnonzero(answerable)
    unit = unit_rows(artist_factors[candidates])
    rare = np.flatnonzero(~answerable)
    for begin in range(0, rare.size, RARE_AT_ONCE):
        some = rare[begin : begin + RARE_AT_ONCE]
        for artist, cosines in zip(some, unit_rows(artist_factors[some]) @ unit.T, strict=True):
            found, scores = highest(cosines, k)
            if found.size:
                yield int(artist), candidates[found], scores
