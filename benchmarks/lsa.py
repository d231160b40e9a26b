"""Truncated SVD side by side: Segue, SciPy's ARPACK and scikit-learn's randomised SVD, on one twin of Last.fm-360K.

    python benchmarks/lsa.py --scale 0.1       # a minute; 1.0 is full size, 5 minutes

All decompose the same matrix (BM25 weights) into 50 factors, listener rows included. The captured variance, the sum of
squares of the matrix times the right singular vectors, is computed for all by the same code and shown as a part of
ARPACK's. A round runs each system once; the table shows medians over the rounds and the ratio to Segue.
"""

import argparse
import importlib.metadata
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import scipy.sparse as sp
from rich.console import Console
from rich.table import Table
from scipy.sparse.linalg import svds

import twin
from recommender.lsa import LSAParams, fit_lsa
from recommender.matrix import CSR
from recommender.weighting import WeightingParams, weigh

N_FACTORS, SEED = 50, 1
REFERENCE = "scipy svds (ARPACK)"


def segue(weights: CSR) -> np.ndarray:
    """Fit as `segue train` does; returns the artist rows of V, like the others."""
    return fit_lsa(weights, LSAParams(N_FACTORS), rng=np.random.default_rng(SEED)).artist_factors


def arpack(weights: CSR) -> np.ndarray:
    """Decompose with SciPy at its defaults: in float64, to machine precision."""
    start = np.random.default_rng(SEED).standard_normal(min(weights.shape))
    _, _, right = svds(weights.astype(np.float64), k=N_FACTORS, v0=start)
    return right.T


def sklearn(weights: CSR) -> np.ndarray:
    """Decompose with scikit-learn at its defaults: 4 power iterations (7 for few factors), in the matrix's float32."""
    from sklearn.utils.extmath import randomized_svd

    _, _, right = randomized_svd(sp.csr_matrix(weights), n_components=N_FACTORS, random_state=SEED)
    return right.T


SYSTEMS: dict[str, Callable[[CSR], np.ndarray]] = {
    "segue": segue,
    REFERENCE: arpack,
    "scikit-learn randomized_svd": sklearn,
}


def captured(weights: CSR, right: np.ndarray) -> float:
    """The variance of the matrix that lies in the space of some vectors, which need not be exactly orthonormal."""
    basis, _ = np.linalg.qr(right.astype(np.float64))
    blocks = (weights[first : first + 20_000].astype(np.float64) for first in range(0, weights.shape[0], 20_000))
    return float(sum(np.square(block @ basis).sum() for block in blocks))


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(".benchmarks"))
    options = parser.parse_args()
    weights = weigh(CSR(twin.cached(options.scale, options.cache)), WeightingParams("bm25"))
    seconds: dict[str, list[float]] = {name: [] for name in SYSTEMS}
    variance: dict[str, float] = {}
    segue(CSR(weights[:2000]))  # compile
    for _ in range(options.rounds):
        for name, decompose in SYSTEMS.items():
            started = time.perf_counter()
            right = decompose(weights)
            seconds[name].append(time.perf_counter() - started)
            if name not in variance:
                variance[name] = captured(weights, right)
    console = Console(width=110)
    console.print(
        f"{weights.shape[0]:,} listeners x {weights.shape[1]:,} artists, {weights.nnz:,} pairs; {N_FACTORS} factors"
    )
    packages = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("numba", "numpy", "scipy", "scikit-learn")
    )
    console.print(
        f"Python {platform.python_version()}, {packages}; {numba.get_num_threads()} threads; {options.rounds} rounds"
    )
    table = Table("", "seconds", "min - max", "of Segue", "captured variance, of ARPACK's")
    ours = statistics.median(seconds["segue"])
    for name, times in seconds.items():
        middle = statistics.median(times)
        spread = f"{min(times):.2f} - {max(times):.2f}"
        table.add_row(
            name, f"{middle:.2f}", spread, f"{middle / ours:.2f} x", f"{variance[name] / variance[REFERENCE]:.5f}"
        )
    console.print(table)


if __name__ == "__main__":
    main()
