"""Quality side by side: Segue's default, tuned implicit and tuned irspack, on HetRec lastfm-2k, in one run.

    python benchmarks/quality.py                     # a minute; --presets all adds every preset

The judge is `evaluate_similar.py` with its truth, which take no play count: community tags, Last.fm's own similar
artists, Spotify triplets. Neither it nor the data are part of this repository; both are looked for beside the checkout.
Every peer is given the same rule, artists with five listeners or more, and may name any of them. Recommendations are
judged after that, see `recommending.py`.
"""

import argparse
import contextlib
import importlib.metadata
import importlib.util
import logging
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import scipy.sparse as sp
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

import recommending
from recommender.allpairs import nearest_of_all
from recommender.matrix import CSR, NO_NEIGHBOUR, FloatMatrix
from recommender.neighbours import NeighbourParams, Neighbours
from recommender.plays import PlayCounts, load_plays
from recommender.recipes import BEST_PRESET, PRESETS
from recommender.training import train
from recommender.weighting import WeightingParams, weigh

SHARED = Path(__file__).parents[2] / "shared"
SEED, TOP, DRAWS = 0, 10, 4000
EVERYONE = NeighbourParams(min_common_listeners=0)
BANDS = ((5, 10), (10, 20), (20, 50), (50, 10**9))


def segue(plays: CSR, preset: str) -> Neighbours:
    """Train as `segue train --preset` does."""
    return train(plays, PRESETS[preset], rng=np.random.default_rng(SEED)).neighbours


def implicit(plays: CSR) -> Neighbours:
    """`implicit` at its best measured setting: binary, 64 factors, alpha 5, regularization 30."""
    from implicit.als import AlternatingLeastSquares

    logging.getLogger("implicit").setLevel(logging.ERROR)
    model = AlternatingLeastSquares(factors=64, regularization=30, alpha=5, iterations=15, random_state=SEED)
    model.fit(sp.csr_matrix(weigh(plays, WeightingParams("binary"))), show_progress=False)
    return nearest_of_all(_float32(model.item_factors), plays, EVERYONE)


def irspack(plays: CSR) -> Neighbours:
    """`irspack` at its best measured setting: binary iALS, 64 factors, alpha0 .1, lambda .01, nu 1, 16 epochs."""
    from irspack.recommenders.ials import IALSRecommender

    binary = sp.csr_matrix(weigh(plays, WeightingParams("binary")))
    model = IALSRecommender(
        binary, n_components=64, alpha0=0.1, reg=0.01, nu=1.0, train_epochs=16, n_threads=2, random_seed=SEED
    )
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):  # its progress bar
        model.learn()
    return nearest_of_all(_float32(model.get_item_embedding()), plays, EVERYONE)


def _float32(matrix: Any) -> FloatMatrix:
    return np.ascontiguousarray(matrix, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One system's figures, nDCG of each judged artist, and how many listeners that artist has."""

    figures: dict[str, float]
    ndcg: np.ndarray
    listeners: np.ndarray
    seconds: float


def judge_module(path: Path) -> ModuleType:
    """Load the judge, a script of its own."""
    if not path.exists():
        raise SystemExit(f"{path} is not there: the judge and its truth are not part of this repository (see --judge)")
    spec = importlib.util.spec_from_file_location("evaluate_similar", path)
    assert spec is not None, "a .py file has a loader"
    assert spec.loader is not None, "a .py file has a loader"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_lists(path: Path, table: Neighbours, names: list[str]) -> None:
    """Write a table of neighbours as the judge reads it: artist, neighbour, rank."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for artist, row in enumerate(table.idx.tolist()):
            for rank, other in enumerate((idx for idx in row if idx != NO_NEIGHBOUR), start=1):
                file.write(f"{names[artist]}\t{names[other]}\t{rank}\n")


def judged(judge: ModuleType, truth: Any, fit: Callable[[], Neighbours], names: list[str]) -> Judged:
    """Fit one system and judge its lists."""
    started = time.perf_counter()
    table = fit()
    seconds = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "neighbours.tsv"
        write_lists(path, table, names)
        figures, ndcg, rows = judge.evaluate(str(path), truth, TOP)
        figures |= judge.external(str(path), truth)
    return Judged(figures, ndcg[rows], truth.lis[rows], seconds)


def paired(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float, float, float]:
    """Mean difference of the same artists' nDCG, its 95 % bootstrap interval, and p of a sign-flip test."""
    rng = np.random.default_rng(SEED)
    difference = ours - theirs
    draws = [rng.choice(difference, difference.size).mean() for _ in range(DRAWS)]
    flips = [abs((difference * rng.choice((-1, 1), difference.size)).mean()) for _ in range(DRAWS)]
    low, high = np.quantile(draws, (0.025, 0.975))
    p = (1 + sum(flip >= abs(difference.mean()) for flip in flips)) / (1 + DRAWS)
    return float(difference.mean()), float(low), float(high), float(p)


def similar_table(results: dict[str, Judged]) -> Table:
    """All figures, one system a row."""
    table = Table(
        *("", f"tag nDCG@{TOP}", "Last.fm pairs R@10", "Last.fm tags", "triplets"),
        *("coverage", "hub skew (most)", "answered", "s"),
    )
    for name, result in results.items():
        f = result.figures
        table.add_row(
            name,
            f"{f[f'tag_ndcg@{TOP}']:.4f}",
            f"{f['ext_lastfm_pairs_recall@10']:.3f}",
            f"{f['ext_lastfm_tag_ndcg@10']:.3f}",
            f"{f['ext_spotify_triplet_acc']:.3f}",
            f"{f[f'coverage@{TOP}']:.3f}",
            f"{f['hubness_skew']:.2f} ({f['max_occurrence']:.0f})",
            f"{f['answered']:.3f}",
            f"{result.seconds:.1f}",
        )
    return table


def band_table(results: dict[str, Judged]) -> Table:
    """NDCG by how many listeners the artist has."""
    table = Table(f"tag nDCG@{TOP} of artists with", *(f"{low}+ listeners" for low, _ in BANDS))
    for name, result in results.items():
        bands = [(result.listeners >= low) & (result.listeners < high) for low, high in BANDS]
        table.add_row(name, *(f"{result.ndcg[band].mean():.4f} ({band.sum()})" for band in bands))
    return table


def main() -> None:
    """Fit, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "hetrec")
    parser.add_argument("--judge", type=Path, default=SHARED / "tools" / "evaluate_similar.py")
    parser.add_argument("--presets", nargs="*", default=[], help="further presets of Segue, or all")
    parser.add_argument("--seeds", type=int, default=5, help="splits on which recommendations are judged; 0: none")
    options = parser.parse_args()
    judge = judge_module(options.judge)
    truth = judge.Truth(5, 5)
    counts: PlayCounts = load_plays(options.data)
    plays, names = counts.plays, counts.artist_names
    presets = list(PRESETS) if options.presets == ["all"] else [BEST_PRESET, *options.presets]
    unknown = set(presets) - PRESETS.keys()
    if unknown:
        raise SystemExit(f"no preset is called {', '.join(sorted(unknown))}; use {', '.join(PRESETS)} or all")
    systems: dict[str, Callable[[], Neighbours]] = {
        f"segue {preset}": (lambda preset=preset: segue(plays, preset)) for preset in presets
    }
    systems |= {"implicit, tuned": lambda: implicit(plays), "irspack, tuned": lambda: irspack(plays)}
    with threadpool_limits(limits=1, user_api="blas"):
        segue(plays, BEST_PRESET)  # compile
        results = {name: judged(judge, truth, fit, names) for name, fit in systems.items()}
    console = Console(width=120)
    packages = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("implicit", "irspack", "numpy"))
    console.print(f"{plays.shape[0]:,} listeners x {plays.shape[1]:,} artists, {plays.nnz:,} pairs; {packages}")
    console.print(f"Python {platform.python_version()}; {results[f'segue {BEST_PRESET}'].ndcg.size:,} judged artists")
    console.print(similar_table(results))
    console.print(band_table(results))
    ours = results[f"segue {BEST_PRESET}"]
    for peer in ("implicit, tuned", "irspack, tuned"):
        mean, low, high, p = paired(ours.ndcg, results[peer].ndcg)
        console.print(f"segue {BEST_PRESET} - {peer}: {mean:+.4f} (95 % {low:+.4f} to {high:+.4f}), p = {p:.4f}")
    if options.seeds > 0:
        recommending.show(console, plays, [BEST_PRESET], list(range(options.seeds)))


if __name__ == "__main__":
    main()
