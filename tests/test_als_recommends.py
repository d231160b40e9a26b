"""What the fast kernel recommends is as good as what exact alternation does: real listening, three splits."""

import os

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from recommender.als import ALSParams, StoppingParams, fit_als
from recommender.least_squares import RidgeParams
from recommender.matrix import CSR
from recommender.plays import load_plays
from recommender.weighting import WeightingParams, confidence, weigh
from worlds import SHARED_DATA

HETREC = SHARED_DATA / "hetrec"
N_FACTORS, ITERATIONS = 16, 4


def exact_fit(c: CSR, ridge: float, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Alternate exact solutions of the normal equations, row by row, in float64."""
    sides = c.astype(np.float64), c.T.tocsr().astype(np.float64)
    fixed, solved = start.astype(np.float64), np.zeros((c.shape[0], N_FACTORS))
    for half in range(2 * ITERATIONS):
        matrix = sides[half % 2]
        shared = fixed.T @ fixed + ridge * np.eye(N_FACTORS)
        solved = np.zeros((matrix.shape[0], N_FACTORS))
        for row in np.flatnonzero(np.diff(matrix.indptr)):
            played = slice(matrix.indptr[row], matrix.indptr[row + 1])
            y, weights = fixed[matrix.indices[played]], matrix.data[played]
            solved[row] = np.linalg.solve(shared + (y.T * (weights - 1)) @ y, y.T @ weights)
        fixed, solved = solved, fixed
    return solved, fixed


def judged(x: np.ndarray, y: np.ndarray, seen: CSR, hidden: CSR) -> np.ndarray:
    """nDCG@10 and recall@20 of each listener with something hidden, shape (n_judged, 2)."""
    scores = x @ y.T
    scores[seen.nonzero()] = -np.inf
    best = np.argsort(-scores, axis=1)[:, :20]
    rows = np.flatnonzero(np.diff(hidden.indptr))
    discount = 1 / np.log2(np.arange(2, 12))
    figures = []
    for row in rows:
        wanted = hidden.indices[hidden.indptr[row] : hidden.indptr[row + 1]]
        hits = np.isin(best[row], wanted)
        figures.append(
            ((hits[:10] * discount).sum() / discount[: len(wanted)].sum(), hits.sum() / min(len(wanted), 20))
        )
    return np.array(figures)


@pytest.mark.skipif(
    not HETREC.exists() and not os.environ.get("SEGUE_REQUIRE_ALL"),
    reason="HetRec lastfm-2k is not beside the checkout",
)
def test_recommendations_equal_the_reference_within_noise():
    plays = load_plays(HETREC).plays
    c = confidence(weigh(plays, WeightingParams("binary")), alpha=5)
    differences = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        is_hidden = rng.random(c.nnz) < 0.2
        pairs = c.tocoo()
        part = [
            CSR((pairs.data[keep], (pairs.row[keep], pairs.col[keep])), shape=c.shape)
            for keep in (~is_hidden, is_hidden)
        ]
        start = 0.1 / np.sqrt(N_FACTORS) * rng.standard_normal((c.shape[1], N_FACTORS))
        params = ALSParams(
            n_factors=N_FACTORS,
            ridge=RidgeParams("plain", 30.0),
            iterations=ITERATIONS,
            start="noise",
            cg_steps=2,
            stopping=StoppingParams(n_listeners=0),
        )
        fit = fit_als(part[0], params, rng=np.random.default_rng(seed))
        with threadpool_limits(limits=1, user_api="blas"):
            reference = exact_fit(part[0], 30.0, start)
        ours = judged(fit.listener_factors, fit.artist_factors, *part)
        theirs = judged(*reference, *part)
        assert theirs[:, 0].mean() > 0.2  # the reference itself finds what was hidden
        differences.append(ours - theirs)
    pooled = np.concatenate(differences)
    standard_error = pooled.std(axis=0) / np.sqrt(len(pooled))
    assert (pooled.mean(axis=0) > -2 * standard_error - 0.001).all()
