"""What the fast kernel recommends is as good as what exact alternation does: real listening, three splits."""

import os

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from recommender.als import ALSParams, StoppingParams, fit_als
from recommender.least_squares import RidgeParams
from recommender.matrix import CSR
from recommender.plays import load_plays
from recommender.recipes import PRESETS
from recommender.weighting import WeightingParams, confidence, weigh
from worlds import SHARED_DATA

HETREC = SHARED_DATA / "hetrec"
EXACTLY = StoppingParams(n_listeners=0)
FITS = {
    "from noise": ALSParams(
        n_factors=16, ridge=RidgeParams("plain", 30.0), iterations=4, start="noise", cg_steps=2, stopping=EXACTLY
    ),
    "as trained by default": PRESETS["als"].als,
}
EXACT_ITERATIONS = {"from noise": 4, "as trained by default": 8}


def exact_fit(c: CSR, ridge: float, start: np.ndarray, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    """Alternate exact solutions of the normal equations in float64, rows of equally many plays together."""
    sides = c.astype(np.float64), c.T.tocsr().astype(np.float64)
    fixed, solved = start.astype(np.float64), np.zeros(0)
    for half in range(2 * iterations):
        matrix = sides[half % 2]
        shared = fixed.T @ fixed + ridge * np.eye(start.shape[1])
        solved = np.zeros((matrix.shape[0], start.shape[1]))
        counts = np.diff(matrix.indptr)
        for count in np.unique(counts[counts > 0]):
            rows = np.flatnonzero(counts == count)
            for part in np.array_split(rows, -(-len(rows) // 500)):
                played = matrix.indptr[part][:, None] + np.arange(count)
                y, weights = fixed[matrix.indices[played]], matrix.data[played][:, :, None]
                normal = shared + (y * (weights - 1)).swapaxes(1, 2) @ y
                solved[part] = np.linalg.solve(normal, (y * weights).sum(axis=1)[:, :, None])[:, :, 0]
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
@pytest.mark.parametrize("how", FITS)
def test_recommendations_equal_the_reference_within_noise(how):
    params = FITS[how]
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
        shape = (c.shape[1], params.n_factors)
        start = 0.1 / np.sqrt(params.n_factors) * np.random.default_rng(seed).standard_normal(shape)
        fit = fit_als(part[0], params, rng=np.random.default_rng(seed))
        with threadpool_limits(limits=1, user_api="blas"):
            reference = exact_fit(part[0], 30.0, start, EXACT_ITERATIONS[how])
        ours = judged(fit.listener_factors, fit.artist_factors, *part)
        theirs = judged(*reference, *part)
        assert theirs[:, 0].mean() > 0.2  # the reference itself finds what was hidden
        differences.append(ours - theirs)
    pooled = np.concatenate(differences)
    standard_error = pooled.std(axis=0) / np.sqrt(len(pooled))
    assert (pooled.mean(axis=0) > -2 * standard_error - 0.001).all()
