"""Implicit ALS: confidence-weighted matrix factorization by alternating least squares.

Listeners are solved with the artists held fixed, then artists with the listeners held fixed, and so on; the loss and
the half-step are in :mod:`recommender.least_squares`. The fit starts from a rough SVD, and stops by itself when a
sample of hidden plays is no longer found better.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, get_args

import numpy as np

from recommender.errors import ModelError, ParameterError
from recommender.factors import Factors
from recommender.halves import HALF_BITS, halves_are_fast
from recommender.holdout import hold_out, ndcg
from recommender.least_squares import half_step, objective
from recommender.matrix import CSR, FloatMatrix
from recommender.ridge import RidgeParams
from recommender.svd import truncated_svd

# A rough space is enough for a start: more steps cost more than the iterations that they save.
SVD_STEPS = 2
NOISE_ROWS = 4096

Start = Literal["svd", "noise"]


@dataclass(frozen=True, slots=True)
class StoppingParams:
    """When to stop before the last iteration.

    ``n_listeners`` >= 0 are sampled and ``share`` of their plays hidden; 0 never stops early. The fit stops when the
    best nDCG@10 of the sample is ``patience`` >= 1 iterations old; a last iteration then learns from all plays.
    """

    n_listeners: int = 1000
    share: float = 0.2
    patience: int = 2

    def __post_init__(self) -> None:
        if self.n_listeners < 0 or not 0 < self.share < 1:
            raise ParameterError("early stopping needs a number of listeners (0: never) and a share between 0 and 1")
        if self.patience < 1:
            raise ParameterError(f"patience is {self.patience}; wait at least 1 iteration for a better one")


@dataclass(frozen=True, slots=True)
class ALSParams:
    """Options of :func:`fit_als`.

    ``n_factors`` 1 to 1024; ``ridge`` is the loss; ``iterations`` >= 1, at most so many, each solves all listeners and
    then all artists; ``cg_steps`` >= 1 per row, one more in the first iteration, which starts from nothing.
    """

    n_factors: int = 64
    ridge: RidgeParams = field(default_factory=RidgeParams)
    iterations: int = 15
    cg_steps: int = 1
    start: Start = "svd"
    stopping: StoppingParams = field(default_factory=StoppingParams)

    def __post_init__(self) -> None:
        if not 1 <= self.n_factors <= 1024:
            raise ParameterError(f"n_factors is {self.n_factors}; use 1 to 1024")
        if self.iterations < 1 or self.cg_steps < 1:
            raise ParameterError("iterations and cg_steps must be at least 1")
        if self.start not in get_args(Start):
            raise ParameterError(f"start {self.start!r} is unknown; use one of {', '.join(get_args(Start))}")


@dataclass(frozen=True, slots=True)
class Iteration:
    """What one iteration reached: its number from 1, the loss, and nDCG@10 of the sample where there is one."""

    number: int
    loss: float
    ndcg: float | None


Progress = Callable[[Iteration], None]


def fit_als(
    confidence: CSR,
    params: ALSParams,
    *,
    rng: np.random.Generator,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Factors:
    """Factorize a confidence matrix by implicit ALS.

    Parameters
    ----------
    confidence : shape (n_listeners, n_artists), values c >= 1 of the played pairs; an absent pair means c = 1, p = 0.
    params : options.
    rng : draws the start and the sample; the same state gives the same bits.
    progress : told the loss and the sample's nDCG after each iteration; computing the loss costs a fifth of one.
    stop : asked after each iteration; True ends the fit with the factors as they are.

    Returns
    -------
    Factors with the loss as ``objective``. A listener or artist without plays has zero factors.

    Raises
    ------
    ModelError : the loss or the factors are not finite.

    References
    ----------
    Hu, Koren & Volinsky (2008), Collaborative filtering for implicit feedback datasets, ICDM.
    Takács, Pilászy & Tikk (2011), Applications of the conjugate gradient method for implicit feedback CF, RecSys.
    Rendle, Krichene, Zhang & Koren (2021), Revisiting the performance of iALS on item recommendation benchmarks.
    """
    stopping = params.stopping
    left, holdout = hold_out(confidence, n_listeners=stopping.n_listeners, share=stopping.share, rng=rng)
    fit = _Fit(left, params, rng)
    best_ndcg, best_number = -np.inf, 0
    while fit.iterations < params.iterations - (holdout is not None):
        fit.iterate()
        reached = None if holdout is None else ndcg(holdout, fit.listener_factors, fit.artist_factors)
        if progress is not None:
            progress(Iteration(fit.iterations, fit.loss(), reached))
        if stop():
            return fit.factors()
        if reached is not None and reached > best_ndcg:
            best_ndcg, best_number = reached, fit.iterations
        elif reached is not None and fit.iterations - best_number >= stopping.patience:
            break
    if holdout is not None:
        fit.turn_to(confidence)
        fit.iterate()
        if progress is not None:
            progress(Iteration(fit.iterations, fit.loss(), None))
    return fit.factors()


class _Fit:
    """Factors on their way, and the matrix that they learn from."""

    def __init__(self, confidence: CSR, params: ALSParams, rng: np.random.Generator) -> None:
        n_listeners, n_artists = confidence.shape
        self._params = params
        self.turn_to(confidence)
        self.listener_factors: FloatMatrix = np.zeros((n_listeners, params.n_factors), dtype=np.float32)
        self.artist_factors = _start(self._confidence, self._confidence_by_artist, params, rng)
        # One piece of memory for all half-steps: new pages for each would cost a tenth of it.
        storage = HALF_BITS if halves_are_fast() else np.float32
        self._scratch = np.empty((max(n_listeners, n_artists), params.n_factors), dtype=storage)
        self.iterations = 0

    def turn_to(self, confidence: CSR) -> None:
        """Go on learning from another matrix of the same shape."""
        self._confidence, self._confidence_by_artist = confidence, CSR(confidence.T.tocsr())
        self._loss: float | None = None

    def iterate(self) -> None:
        """Solve all listeners, then all artists."""
        listeners, artists = self.listener_factors, self.artist_factors
        solve = partial(
            half_step,
            ridge=self._params.ridge,
            cg_steps=self._params.cg_steps + (self.iterations == 0),
            scratch=self._scratch,
        )
        solve(self._confidence, listeners, artists)
        solve(self._confidence_by_artist, artists, listeners)
        self.iterations += 1
        self._loss = None

    def loss(self) -> float:
        """The loss as it is now; computed once, it costs a fifth of an iteration."""
        if self._loss is not None:
            return self._loss
        sides = self._confidence, self._confidence_by_artist
        loss = objective(*sides, self.listener_factors, self.artist_factors, self._params.ridge)
        if not np.isfinite(loss):
            raise ModelError(
                f"the loss is not finite after iteration {self.iterations}, the numbers grew too large: "
                f"a regularization of {self._params.ridge.regularization:g} is far too large or too small here; "
                "choose another"
            )
        self._loss = loss
        return loss

    def factors(self) -> Factors:
        """What there is now, with its loss."""
        return Factors(self.listener_factors, self.artist_factors, objective=self.loss())


def _start(confidence: CSR, by_artist: CSR, params: ALSParams, rng: np.random.Generator) -> FloatMatrix:
    """The artist factors that the first iteration starts from: those of a rough SVD of who played whom, or noise."""
    n_artists, n_factors = confidence.shape[1], params.n_factors
    noise = _noise(n_artists, n_factors, copy.deepcopy(rng))
    for _ in _noise(n_artists, n_factors, rng):  # drawn again below: beside the SVD there is no room for it
        pass
    found = None
    if params.start == "svd" and confidence.nnz:
        ones = np.ones(confidence.nnz, dtype=np.float32)
        played: CSR = CSR((ones, confidence.indices, confidence.indptr), shape=confidence.shape)
        played_by_artist: CSR = CSR((ones, by_artist.indices, by_artist.indptr), shape=by_artist.shape)
        found = truncated_svd(
            played, min(n_factors, *played.shape), rng=rng, max_steps=SVD_STEPS, transposed=played_by_artist
        )
    # P = U S Vt, split evenly between the two sides; the noise stays in what the matrix has no direction for.
    if found is not None and found.right.shape[1] == n_factors:
        factors = found.right
        factors *= np.sqrt(found.singular_values).astype(np.float32)
    else:
        factors = np.zeros((n_artists, n_factors), dtype=np.float32)
        if found is not None:
            factors[:, : found.right.shape[1]] = found.right * np.sqrt(found.singular_values).astype(np.float32)
    for first, block in noise:
        factors[first : first + len(block)] += block
    return factors


def _noise(n_rows: int, n_factors: int, rng: np.random.Generator) -> Iterator[tuple[int, FloatMatrix]]:
    """Yield noise in blocks of rows, each with its first row.

    Small, as Rendle et al. (2021) start: on the twin of Last.fm-360K ten times as much costs half a percent of loss.
    """
    for first in range(0, n_rows, NOISE_ROWS):
        shape = (min(NOISE_ROWS, n_rows - first), n_factors)
        yield first, (0.1 / np.sqrt(n_factors) * rng.standard_normal(shape)).astype(np.float32)
