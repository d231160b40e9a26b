"""Implicit ALS side by side: Segue, implicit and irspack, on one twin of Last.fm-360K, interleaved in one run.

    python benchmarks/train.py --scale 0.1       # minutes; 1.0 is full size

All three minimise the same loss (c = 1 + 5 bm25 / mean, ridge 5, 64 factors) with conjugate gradients, at their own
default number of steps, from their own random start; loss and held-out nDCG of all three are computed by the same code
here. A round fits each system once; the table shows medians over the rounds and the ratio to Segue.
"""

import argparse
import contextlib
import importlib.metadata
import logging
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

import twin
from recommender.als import ALSParams, fit_als, objective
from recommender.matrix import CSR, FloatMatrix
from recommender.weighting import WeightingParams, confidence, weigh

N_FACTORS, REGULARIZATION, ALPHA, SEED = 64, 5.0, 5.0, 1
N_JUDGED, HIDDEN_SHARE, TOP = 5_000, 0.2, 10

Fitted = tuple[FloatMatrix, FloatMatrix]


def segue(c: CSR, iterations: int) -> Fitted:
    """Fit as `segue train` does."""
    params = ALSParams(n_factors=N_FACTORS, regularization=REGULARIZATION, iterations=iterations)
    factors = fit_als(c, params, rng=np.random.default_rng(SEED))
    return factors.listener_factors, factors.artist_factors


def implicit(c: CSR, iterations: int) -> Fitted:
    """Fit with the library `implicit`."""
    from implicit.als import AlternatingLeastSquares

    logging.getLogger("implicit").setLevel(logging.ERROR)
    model = AlternatingLeastSquares(
        factors=N_FACTORS, regularization=REGULARIZATION, alpha=1.0, iterations=iterations, random_state=SEED
    )
    model.fit(sp.csr_matrix(c), show_progress=False)
    return model.user_factors, model.item_factors


def irspack(c: CSR, iterations: int) -> Fitted:
    """Fit with the library `irspack`, whose confidence is alpha0 + x and whose ridge is plain with nu = 0."""
    from irspack.recommenders.ials import IALSRecommender

    plays = sp.csr_matrix((c.data - 1, c.indices, c.indptr), shape=c.shape)
    model = IALSRecommender(
        plays,
        n_components=N_FACTORS,
        alpha0=1.0,
        reg=REGULARIZATION,
        nu=0.0,
        loss_type="ORIGINAL",
        train_epochs=iterations,
        n_threads=2,
        random_seed=SEED,
    )
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):  # its progress bar
        model.learn()
    return model.get_user_embedding(), model.get_item_embedding()


SYSTEMS: dict[str, Callable[[CSR, int], Fitted]] = {"segue": segue, "implicit": implicit, "irspack": irspack}


def split(plays: CSR, rng: np.random.Generator) -> tuple[CSR, np.ndarray, CSR]:
    """Hide a fifth of the pairs of some listeners; returns what is left, who they are, and what was hidden."""
    judged = rng.choice(plays.shape[0], size=min(N_JUDGED, plays.shape[0]), replace=False)
    listener = np.repeat(np.arange(plays.shape[0]), np.diff(plays.indptr))
    is_hidden = np.isin(listener, judged) & (rng.random(plays.nnz) < HIDDEN_SHARE)

    def part(keep: np.ndarray) -> CSR:
        pairs = (listener[keep], plays.indices[keep])
        return CSR(sp.coo_array((plays.data[keep], pairs), shape=plays.shape).tocsr())

    return part(~is_hidden), judged, part(is_hidden)


def ndcg(fitted: Fitted, train: CSR, judged: np.ndarray, hidden: CSR) -> float:
    """Mean nDCG of the first ten artists not played in training, over the judged listeners with something hidden."""
    listener_factors, artist_factors = fitted
    discount = 1 / np.log2(np.arange(2, TOP + 2))
    scores = []
    for start in range(0, len(judged), 500):
        rows = judged[start : start + 500]
        predicted = listener_factors[rows] @ artist_factors.T
        for row, listener in zip(predicted, rows, strict=True):
            wanted = hidden.indices[hidden.indptr[listener] : hidden.indptr[listener + 1]]
            if not len(wanted):
                continue
            row[train.indices[train.indptr[listener] : train.indptr[listener + 1]]] = -np.inf
            best = np.argpartition(-row, TOP)[:TOP]
            best = best[np.argsort(-row[best])]
            scores.append((np.isin(best, wanted) * discount).sum() / discount[: min(TOP, len(wanted))].sum())
    return float(np.mean(scores))


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(".benchmarks"))
    options = parser.parse_args()
    plays, judged, hidden = split(CSR(twin.cached(options.scale, options.cache)), np.random.default_rng(SEED))
    weights = weigh(plays, WeightingParams("bm25"))
    weights.data /= weights.data.mean()
    c = confidence(weights, alpha=ALPHA)
    seconds: dict[str, list[float]] = {name: [] for name in SYSTEMS}
    quality: dict[str, tuple[float, float]] = {}
    with threadpool_limits(limits=1, user_api="blas"):  # as each of the three asks for
        for fit in SYSTEMS.values():
            fit(CSR(c[:2000]), 1)  # compile, load
        for _ in range(options.rounds):
            for name, fit in SYSTEMS.items():
                started = time.perf_counter()
                fitted = fit(c, options.iterations)
                seconds[name].append((time.perf_counter() - started) / options.iterations)
                if name not in quality:
                    x, y = (np.ascontiguousarray(part, dtype=np.float32) for part in fitted)
                    loss = objective(c, x, y, regularization=REGULARIZATION)
                    quality[name] = loss, ndcg((x, y), plays, judged, hidden)
    console = Console(width=110)
    console.print(
        f"{c.shape[0]:,} listeners x {c.shape[1]:,} artists, {c.nnz:,} pairs; {options.iterations} iterations"
    )
    packages = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("implicit", "irspack", "numba", "numpy")
    )
    console.print(f"Python {platform.python_version()}, {packages}; 2 threads; {options.rounds} rounds")
    table = Table("", "s / iteration (all of fit)", "min - max", "of Segue", "loss", f"held-out nDCG@{TOP}")
    ours = statistics.median(seconds["segue"])
    for name, times in seconds.items():
        middle = statistics.median(times)
        loss, gain = quality[name]
        spread = f"{min(times):.3f} - {max(times):.3f}"
        table.add_row(name, f"{middle:.3f}", spread, f"{middle / ours:.2f} x", f"{loss:,.0f}", f"{gain:.4f}")
    console.print(table)


if __name__ == "__main__":
    main()
