"""The 50 nearest artists of every artist: Segue's exact table, faiss' inverted files, and products in numpy.

    python benchmarks/neighbours.py --scale 0.1       # 1.0 is full size

All work on the same ALS factors of the twin of Last.fm-360K and on the same artists, those with five listeners or more.
Segue's table holds only artists with common listeners, and counts these; the others look at vectors alone. Recall is
against the exact nearest by vectors, on a sample. The last table is data made to be hard: few listeners of very many
artists.
"""

import argparse
import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

import serve
import twin
from recommender import neighbours as neighbours_module
from recommender.artifact import open_artifact
from recommender.matrix import CSR, FloatMatrix
from recommender.neighbours import NeighbourParams, nearest_artists

K, N_SAMPLE, BATCH = 50, 2_000, 4_096
CELLS, PROBES = 1024, (8, 16, 32)


def faiss_table(unit: FloatMatrix, probes: int) -> np.ndarray:
    """Train an index, fill it, and search all artists in batches."""
    import faiss

    index = faiss.index_factory(unit.shape[1], f"IVF{CELLS},Flat", faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = 1
    index.cp.min_points_per_centroid = 16  # it warns below 39
    index.train(unit)
    index.add(unit)
    index.nprobe = probes
    found = [index.search(unit[begin : begin + BATCH], K + 1)[1] for begin in range(0, unit.shape[0], BATCH)]
    return np.concatenate(found)


def numpy_rows(unit: FloatMatrix, rows: np.ndarray) -> np.ndarray:
    """The exact nearest of some artists by products with all, 500 at a time; not sorted."""
    found = [
        np.argpartition(-(unit[rows[begin : begin + 500]] @ unit.T), K + 1, axis=1)[:, : K + 1]
        for begin in range(0, rows.size, 500)
    ]
    return np.concatenate(found)


def recall(found: np.ndarray, exact: np.ndarray, rows: np.ndarray) -> float:
    """Mean part of the exact nearest that was found, the artist itself left out."""
    shares = []
    for row, ours, theirs in zip(rows, exact, found, strict=True):
        wanted = set(ours.tolist()) - {int(row)}
        shares.append(len(wanted & set(theirs.tolist())) / len(wanted))
    return float(np.mean(shares))


def side_by_side(console: Console, factors: FloatMatrix, plays: CSR, rounds: int) -> None:
    """Make the whole table in rounds, each system in turn."""
    kept = np.flatnonzero(np.bincount(plays.indices, minlength=plays.shape[1]) >= NeighbourParams().min_listeners)
    norms = np.linalg.norm(factors[kept], axis=1, keepdims=True)
    unit = np.ascontiguousarray(factors[kept] / np.maximum(norms, 1e-30))
    sample = np.sort(np.random.default_rng(0).choice(kept.size, min(N_SAMPLE, kept.size), replace=False))
    systems: dict[str, Callable[[], object]] = {
        "segue, exact": lambda: nearest_artists(factors, plays, NeighbourParams(k=K))
    }
    for probes in PROBES:
        systems[f"faiss IVF{CELLS}, nprobe {probes}"] = lambda probes=probes: faiss_table(unit, probes)
    scaled = f"numpy, exact: {sample.size:,} rows, scaled up"
    systems[scaled] = lambda: numpy_rows(unit, sample)
    nearest_artists(factors, CSR(plays[:1000]), NeighbourParams(k=K))  # compile
    seconds: dict[str, list[float]] = {name: [] for name in systems}
    recalls = {"segue, exact": 1.0, scaled: 1.0}
    exact = numpy_rows(unit, sample)
    for _ in range(rounds):
        for name, make in systems.items():
            started = time.perf_counter()
            found = make()
            taken = time.perf_counter() - started
            seconds[name].append(taken * kept.size / sample.size if name == scaled else taken)
            if name not in recalls:
                recalls[name] = recall(found[sample], exact, sample)
    table = Table(f"the {K} nearest of {kept.size:,} artists", "s", "min - max", "of Segue", f"recall@{K}")
    ours = statistics.median(seconds["segue, exact"])
    for name, times in seconds.items():
        middle = statistics.median(times)
        spread = f"{min(times):.2f} - {max(times):.2f}"
        table.add_row(name, f"{middle:.2f}", spread, f"{middle / ours:.2f} x", f"{recalls[name]:.4f}")
    console.print(table)


def hard(console: Console, scale: float) -> None:
    """Few listeners of very many artists: what it costs, and what it would without products."""
    n_listeners, n_artists, n_each = round(2_000 * scale), round(75_000 * scale), round(50_000 * scale)
    rng = np.random.default_rng(0)
    columns = [np.sort(rng.choice(n_artists, n_each, replace=False)).astype(np.int32) for _ in range(n_listeners)]
    indptr = np.arange(n_listeners + 1, dtype=np.int32) * n_each
    ones = np.ones(indptr[-1], dtype=np.float32)
    plays = CSR((ones, np.concatenate(columns), indptr), shape=(n_listeners, n_artists))
    factors = rng.standard_normal((n_artists, 64)).astype(np.float32)
    started = time.perf_counter()
    nearest_artists(factors, plays, NeighbourParams(k=K))
    taken = time.perf_counter() - started
    table = Table(f"{n_listeners:,} listeners of {n_each:,} artists each, of {n_artists:,}", "s")
    table.add_row("segue, exact", f"{taken:.1f}")
    # Through listeners only, on as many of the artists as take seconds: the work is the same for each.
    few = round(n_artists / n_each * np.sqrt(2e9 / n_listeners))
    neighbours_module.PRODUCT_COST, cost = np.inf, neighbours_module.PRODUCT_COST
    some = CSR(plays[:, :few])
    rate_of = CSR((np.ones(some.nnz, dtype=np.float32), some.indices, some.indptr), shape=some.shape)
    started = time.perf_counter()
    nearest_artists(factors[:few], rate_of, NeighbourParams(k=K, min_listeners=1))
    met = float((np.diff(some.indptr).astype(np.float64) ** 2).sum())
    whole = (time.perf_counter() - started) / met * n_listeners * float(n_each) ** 2
    neighbours_module.PRODUCT_COST = cost
    table.add_row(f"through listeners alone, from {few:,} artists scaled up", f"{whole:,.0f}")
    console.print(table)


def main() -> None:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(".benchmarks"))
    options = parser.parse_args()
    console = Console(width=110)
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("faiss-cpu", "numba", "numpy"))
    console.print(f"Python {platform.python_version()}, {packages}; {os.cpu_count()} cores; {options.rounds} rounds")
    factors = np.array(open_artifact(serve.model(options.scale, options.cache)).artist_factors)
    plays = CSR(twin.cached(options.scale, options.cache))
    side_by_side(console, factors, plays, options.rounds)
    with threadpool_limits(limits=os.cpu_count()):
        hard(console, options.scale)


if __name__ == "__main__":
    main()
