"""Recommendations side by side: Segue's default, tuned implicit and tuned irspack, on the same splits, in one run.

    python benchmarks/recommending.py --seeds 5      # `quality.py` prints the same after the similar artists

A fifth of each listener's artists is hidden, with five seeds; the peers are at the best settings found for them. All
are judged by the same metrics on the same listeners, among all artists that a listener has not played.
"""

import argparse
import contextlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from recommender.evaluating import (
    POPULARITY,
    EvaluationParams,
    fit_recommender,
    judge_lists,
    popular_lists,
    seen_weights,
)
from recommender.intervals import Figures, by_listener, interval, paired
from recommender.matrix import CSR
from recommender.metrics import Lists
from recommender.plays import load_plays
from recommender.recipes import BEST_PRESET, PRESETS, fitted_to
from recommender.splits import Split, SplitParams, split
from recommender.weighting import WeightingParams, weigh

SHARED = Path(__file__).parents[2] / "shared"
PEERS = ("implicit, tuned", "irspack, tuned")
PARAMS = EvaluationParams(SplitParams(least_artists=2, most_judged=10**9))
LISTENERS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Figures of each listener, averaged over the splits, by metric."""

    each: dict[str, Figures]


def segue(one: Split, preset: str, seed: int) -> Lists:
    """Train as `segue train --preset` does, and fold the judged listeners in."""
    recipe = fitted_to(PRESETS[preset], one.train)
    recommender = fit_recommender(one.train, recipe, rng=np.random.default_rng(seed))
    return recommender.lists(seen_weights(one, recipe, PARAMS.split), PARAMS.depth)


def implicit(one: Split, seed: int) -> Lists:
    """`implicit` at its best measured setting: log(1 + plays), 128 factors, alpha 5, regularization 100."""
    from implicit.als import AlternatingLeastSquares

    logging.getLogger("implicit").setLevel(logging.ERROR)
    model = AlternatingLeastSquares(factors=128, regularization=100, alpha=5, iterations=15, random_state=seed)
    model.fit(sp.csr_matrix(weigh(one.train, WeightingParams("log"))), show_progress=False)
    return ranked(model.user_factors, model.item_factors, one)


def irspack(one: Split, seed: int) -> Lists:
    """`irspack` at its best measured setting: binary iALS, 128 factors, alpha0 .03, lambda .01, nu 1, 16 epochs."""
    from irspack.recommenders.ials import IALSRecommender

    binary = sp.csr_matrix(weigh(one.train, WeightingParams("binary")))
    model = IALSRecommender(
        binary, n_components=128, alpha0=0.03, reg=0.01, nu=1.0, train_epochs=16, n_threads=2, random_seed=seed
    )
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):  # its progress bar
        model.learn()
    return ranked(model.get_user_embedding(), model.get_item_embedding(), one)


def ranked(listener_factors: Any, artist_factors: Any, one: Split) -> Lists:
    """Rank by the product of factors all that a listener has not played."""
    x, y = np.asarray(listener_factors)[one.judged.listeners], np.asarray(artist_factors)
    lists = np.empty((x.shape[0], PARAMS.depth), dtype=np.intp)
    for begin in range(0, x.shape[0], LISTENERS_AT_ONCE):
        end = begin + LISTENERS_AT_ONCE
        scores = x[begin:end] @ y.T
        scores[CSR(one.judged.seen[begin:end]).nonzero()] = -np.inf
        best = np.argpartition(-scores, PARAMS.depth, axis=1)[:, : PARAMS.depth]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
        lists[begin:end] = np.take_along_axis(best, order, axis=1)
    return lists


def judge(plays: CSR, presets: list[str], seeds: list[int]) -> dict[str, Judged]:
    """Fit and judge every system on every split."""
    systems: dict[str, Callable[[Split, int], Lists]] = {
        f"segue {preset}": (lambda one, seed, preset=preset: segue(one, preset, seed)) for preset in presets
    }
    systems |= dict(zip(PEERS, (implicit, irspack), strict=True))
    systems[POPULARITY] = lambda one, _: popular_lists(one, PARAMS.depth)
    figures: dict[str, list[dict[str, Figures]]] = {name: [] for name in systems}
    who = []
    for seed in seeds:
        one = split(plays, PARAMS.split, rng=np.random.default_rng(seed))
        who.append(one.judged.listeners)
        for name, lists in systems.items():
            figures[name].append(judge_lists(lists(one, seed), one.judged.hidden, PARAMS))
    return {
        name: Judged({metric: by_listener(who, [one[metric] for one in found]) for metric in PARAMS.names})
        for name, found in figures.items()
    }


def show(console: Console, plays: CSR, presets: list[str], seeds: list[int]) -> None:
    """Judge, and print figures and paired differences."""
    with threadpool_limits(limits=1, user_api="blas"):
        results = judge(plays, presets, seeds)
    table = Table("recommendations", *PARAMS.names)
    for name, result in results.items():
        means = [interval(result.each[metric], rng=np.random.default_rng(0)) for metric in PARAMS.names]
        table.add_row(name, *(f"{one.mean:.4f} ± {(one.high - one.low) / 2:.4f}" for one in means))
    console.print(table)
    n_judged = len(results[POPULARITY].each[PARAMS.names[0]])
    console.print(f"{n_judged:,} listeners judged on {len(seeds)} splits, each averaged over them")
    ours = results[f"segue {presets[0]}"]
    for peer in PEERS:
        for metric in PARAMS.names[:2]:
            one = paired(ours.each[metric], results[peer].each[metric], rng=np.random.default_rng(0))
            console.print(
                f"segue {presets[0]} - {peer}, {metric}: {one.mean:+.4f} (95 % {one.low:+.4f} to {one.high:+.4f}), "
                f"p = {one.p:.4f}"
            )


def main() -> None:
    """Judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "hetrec")
    parser.add_argument("--presets", nargs="*", default=[], help="further presets of Segue")
    parser.add_argument("--seeds", type=int, default=5, help="how many splits")
    parser.add_argument("--first-seed", type=int, default=0)
    options = parser.parse_args()
    plays = load_plays(options.data).plays
    seeds = list(range(options.first_seed, options.first_seed + options.seeds))
    show(Console(width=120), plays, [BEST_PRESET, *options.presets], seeds)


if __name__ == "__main__":
    main()
