"""Implicit ALS side by side: Segue, implicit and irspack, on one twin of Last.fm-360K, interleaved in one run.

    python benchmarks/train.py --scale 0.1       # minutes; 1.0 is full size
    python benchmarks/train.py --scale 1.0 --growth 0.1   # and how the cost per pair grows from a tenth

All three minimise the same loss (c = 1 + 5 bm25 / mean, ridge 5, 64 factors) with conjugate gradients, at their own
default number of steps and from their own start; loss and held-out nDCG of all are computed by the same code here,
while the clock stands. Four questions, in the order of the tables: what an iteration costs, by itself and as a part of
all of a fit, start and transposition included; when each reaches the loss that implicit has in the end; when each
recommends as well as the best other library; and how much memory it takes.
"""

import argparse
import contextlib
import importlib.metadata
import logging
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

import twin
from recommender.als import ALSParams, StoppingParams, fit_als
from recommender.least_squares import RidgeParams, objective
from recommender.matrix import CSR, FloatMatrix
from recommender.weighting import WeightingParams, confidence, weigh

N_FACTORS, REGULARIZATION, ALPHA, SEED = 64, 5.0, 5.0, 1
N_JUDGED, HIDDEN_SHARE, TOP = 5_000, 0.2, 10
# The peer's number of iterations by default, and how much worse an nDCG still counts as equal.
PEER_ITERATIONS, EQUAL_NDCG = 15, 0.0002

Fitted = tuple[FloatMatrix, FloatMatrix]
Steps = Iterator[tuple[float, Fitted]]
Judged = tuple[float, float, float]
"""Seconds so far, loss and nDCG."""


def segue(c: CSR, iterations: int) -> Fitted:
    """Fit as `segue train` does, with a given number of iterations."""
    params = ALSParams(
        n_factors=N_FACTORS,
        ridge=RidgeParams("plain", REGULARIZATION),
        iterations=iterations,
        stopping=StoppingParams(n_listeners=0),
    )
    factors = fit_als(c, params, rng=np.random.default_rng(SEED))
    return factors.listener_factors, factors.artist_factors


def segue_path(c: CSR, iterations: int) -> Steps:
    """Seconds of all of a fit with 1, 2, ... iterations, and what it returns: each is a fit of its own."""
    for count in range(1, iterations + 1):
        started = time.perf_counter()
        fitted = segue(c, count)
        yield time.perf_counter() - started, fitted


def implicit(c: CSR, iterations: int) -> Fitted:
    """Fit with the library `implicit`."""
    model = _implicit_model(iterations)
    model.fit(sp.csr_matrix(c), show_progress=False)
    return model.user_factors, model.item_factors


def implicit_path(c: CSR, iterations: int) -> Steps:
    """One fit of implicit, looked at after each iteration while its clock stands."""
    model, reached = _implicit_model(iterations), []

    def look(_iteration: int, _seconds: float, _loss: float) -> None:
        now = time.perf_counter()
        reached.append((now - started - paused[0], (model.user_factors.copy(), model.item_factors.copy())))
        paused[0] += time.perf_counter() - now

    paused, started = [0.0], time.perf_counter()
    model.fit(sp.csr_matrix(c), show_progress=False, callback=look)
    yield from reached


def _implicit_model(iterations: int):
    from implicit.als import AlternatingLeastSquares

    logging.getLogger("implicit").setLevel(logging.ERROR)
    return AlternatingLeastSquares(
        factors=N_FACTORS, regularization=REGULARIZATION, alpha=1.0, iterations=iterations, random_state=SEED
    )


def irspack(c: CSR, iterations: int) -> Fitted:
    """Fit with the library `irspack`, whose confidence is alpha0 + x and whose ridge is plain with nu = 0."""
    model = _irspack_model(c, iterations)
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):  # its progress bar
        model.learn()
    return model.get_user_embedding(), model.get_item_embedding()


def irspack_path(c: CSR, iterations: int) -> Steps:
    """One fit of irspack, epoch by epoch."""
    started = time.perf_counter()
    model = _irspack_model(c, iterations)
    model.start_learning()
    seconds = time.perf_counter() - started
    for _ in range(iterations):
        started = time.perf_counter()
        model.run_epoch()
        seconds += time.perf_counter() - started
        yield seconds, (model.get_user_embedding(), model.get_item_embedding())


def _irspack_model(c: CSR, iterations: int):
    from irspack.recommenders.ials import IALSRecommender

    plays = sp.csr_matrix((c.data - 1, c.indices, c.indptr), shape=c.shape)
    return IALSRecommender(
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


SYSTEMS: dict[str, Callable[[CSR, int], Fitted]] = {"segue": segue, "implicit": implicit, "irspack": irspack}
PEER_PATHS: dict[str, Callable[[CSR, int], Steps]] = {
    "implicit": implicit_path,
    "irspack": irspack_path,
}


@dataclass(frozen=True)
class World:
    """The matrix to fit, its transpose, and what was hidden of it."""

    confidence: CSR
    by_artist: CSR
    seen: CSR
    judged: np.ndarray
    hidden: CSR

    @classmethod
    def of(cls, scale: float, cache: Path) -> "World":
        """Hide a fifth of the pairs of some listeners of the twin, and weigh what is left."""
        plays, rng = CSR(twin.cached(scale, cache)), np.random.default_rng(SEED)
        judged = rng.choice(plays.shape[0], size=min(N_JUDGED, plays.shape[0]), replace=False)
        listener = np.repeat(np.arange(plays.shape[0]), np.diff(plays.indptr))
        is_hidden = np.isin(listener, judged) & (rng.random(plays.nnz) < HIDDEN_SHARE)

        def part(keep: np.ndarray) -> CSR:
            pairs = (listener[keep], plays.indices[keep])
            return CSR(sp.coo_array((plays.data[keep], pairs), shape=plays.shape).tocsr())

        seen = part(~is_hidden)
        weights = weigh(seen, WeightingParams("bm25"))
        weights.data /= weights.data.mean()
        c = confidence(weights, alpha=ALPHA)
        return cls(c, CSR(c.T.tocsr()), seen, judged, part(is_hidden))

    def loss(self, fitted: Fitted) -> float:
        """The loss of any library's factors."""
        x, y = (np.ascontiguousarray(part, dtype=np.float32) for part in fitted)
        return objective(self.confidence, self.by_artist, x, y, RidgeParams("plain", REGULARIZATION))

    def ndcg(self, fitted: Fitted) -> float:
        """Mean nDCG of the first ten artists not played in training, over the judged listeners."""
        listener_factors, artist_factors = fitted
        discount = 1 / np.log2(np.arange(2, TOP + 2))
        scores = []
        for start in range(0, len(self.judged), 500):
            rows = self.judged[start : start + 500]
            predicted = listener_factors[rows] @ artist_factors.T
            for row, listener in zip(predicted, rows, strict=True):
                wanted = self.hidden.indices[self.hidden.indptr[listener] : self.hidden.indptr[listener + 1]]
                if not len(wanted):
                    continue
                row[self.seen.indices[self.seen.indptr[listener] : self.seen.indptr[listener + 1]]] = -np.inf
                best = np.argpartition(-row, TOP)[:TOP]
                best = best[np.argsort(-row[best])]
                scores.append((np.isin(best, wanted) * discount).sum() / discount[: min(TOP, len(wanted))].sum())
        return float(np.mean(scores))


def iteration_table(world: World, iterations: int, rounds: int) -> tuple[Table, dict[str, float]]:
    """Fit each system twice a round, to one iteration and to several; returns the table and the median per iteration.

    What several cost more than one, for each of the others: an iteration without the start.
    """
    seconds: dict[str, list[float]] = {name: [] for name in SYSTEMS}
    whole: dict[str, list[float]] = {name: [] for name in SYSTEMS}
    reached: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for name, fit in SYSTEMS.items():
            started = time.perf_counter()
            fit(world.confidence, 1)
            between = time.perf_counter()
            fitted = fit(world.confidence, iterations)
            ended = time.perf_counter()
            whole[name].append(ended - between)
            seconds[name].append((ended - between - (between - started)) / (iterations - 1))
            if name not in reached:
                reached[name] = world.loss(fitted), world.ndcg(fitted)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    fits = {name: statistics.median(times) for name, times in whole.items()}
    table = Table(
        "", "s / iteration", "min - max", "of Segue", f"s, all {iterations}", "of Segue", "loss", f"held-out nDCG@{TOP}"
    )
    for name, times in seconds.items():
        loss, gain = reached[name]
        table.add_row(
            name,
            f"{medians[name]:.3f}",
            f"{min(times):.3f} - {max(times):.3f}",
            f"{medians[name] / medians['segue']:.2f} x",
            f"{fits[name]:.2f}",
            f"{fits[name] / fits['segue']:.2f} x",
            f"{loss:,.0f}",
            f"{gain:.4f}",
        )
    return table, medians


def quality_table(world: World) -> Table:
    """When each system reaches what implicit has in the end, and what the best of the others ever has."""
    paths: dict[str, list[Judged]] = {
        name: [_judged(world, step) for step in PEER_PATHS[name](world.confidence, PEER_ITERATIONS)]
        for name in PEER_PATHS
    }
    loss = paths["implicit"][-1][1]
    gain = max(gain for path in paths.values() for _, _, gain in path) - EQUAL_NDCG
    paths = {"segue": []} | paths
    for step in segue_path(world.confidence, PEER_ITERATIONS):  # a longer fit each time: no more of them than needed
        paths["segue"].append(_judged(world, step))
        if all(_first(paths["segue"], reached)[0] < np.inf for reached in (_by_loss(loss), _by_gain(gain))):
            break
    table = Table(
        "",
        f"s to the loss of implicit's {PEER_ITERATIONS} iterations ({loss:,.0f})",
        "of Segue",
        f"s to nDCG@{TOP} >= {gain:.4f}",
        "of Segue",
    )
    to_loss = {name: _first(path, _by_loss(loss)) for name, path in paths.items()}
    to_gain = {name: _first(path, _by_gain(gain)) for name, path in paths.items()}
    for name in paths:
        cells = [name]
        for times in (to_loss, to_gain):
            (seconds, number), ours = times[name], times["segue"][0]
            cells += [f"{seconds:.2f} ({number} iterations)", f"{seconds / ours:.2f} x"]
        table.add_row(*cells)
    return table


def _judged(world: World, step: tuple[float, Fitted]) -> Judged:
    seconds, fitted = step
    return seconds, world.loss(fitted), world.ndcg(fitted)


def _by_loss(most: float) -> Callable[[Judged], bool]:
    return lambda step: step[1] <= most


def _by_gain(least: float) -> Callable[[Judged], bool]:
    return lambda step: step[2] >= least


def _first(path: list[Judged], reached: Callable[[Judged], bool]) -> tuple[float, int]:
    """Seconds and number of the first step that reached it; infinite where none did."""
    return next(((step[0], number) for number, step in enumerate(path, start=1) if reached(step)), (np.inf, len(path)))


def memory_table(world: World, cache: Path) -> Table:
    """Fit each system in a process of its own; how far its highest memory is above that of holding the matrix."""
    stored = cache / "confidence.npz"
    np.savez(stored, data=world.confidence.data, indices=world.confidence.indices, indptr=world.confidence.indptr,
             shape=world.confidence.shape)  # fmt: skip
    taken = {}
    for name in SYSTEMS:
        command = [sys.executable, __file__, "--cache", str(cache), "--memory-of", name]
        # On small data a fit can need no more than loading did: below one MB there is nothing to compare.
        taken[name] = max(1.0, float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    stored.unlink()
    table = Table("", "peak memory of fit beyond the matrix, MB", "of Segue")
    for name, megabytes in taken.items():
        table.add_row(name, f"{megabytes:,.0f}", f"{megabytes / taken['segue']:.2f} x")
    return table


def print_memory(name: str, cache: Path) -> None:
    """Print how many MB a fit of three iterations adds to the highest memory of this process."""
    with np.load(cache / "confidence.npz") as stored:
        c = CSR((stored["data"], stored["indices"], stored["indptr"]), shape=tuple(stored["shape"]))
    with threadpool_limits(limits=1, user_api="blas"):
        SYSTEMS[name](CSR(c[:2000]), 1)  # compiles
        before = _highest_memory()
        SYSTEMS[name](c, 3)
    sys.stdout.write(str(_highest_memory() - before))


def _highest_memory() -> float:
    """Megabytes; not ``ru_maxrss``, which begins with that of the parent, who holds everything (Linux only)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return float(line.split()[1]) / 1000


def main() -> None:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", type=float, help="a smaller scale to compare the cost per pair with")
    parser.add_argument("--cache", type=Path, default=Path(".benchmarks"))
    parser.add_argument("--memory-of", choices=SYSTEMS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        print_memory(options.memory_of, options.cache)
        return
    world, console = World.of(options.scale, options.cache), Console(width=118)
    c = world.confidence
    packages = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("implicit", "irspack", "numba", "numpy")
    )
    console.print(
        f"{c.shape[0]:,} listeners x {c.shape[1]:,} artists, {c.nnz:,} pairs; {options.iterations} iterations"
    )
    console.print(
        f"Python {platform.python_version()}, {packages}; {os.cpu_count()} cores, 2 threads; {options.rounds} rounds"
    )
    with threadpool_limits(limits=1, user_api="blas"):  # as each of the three asks for
        for fit in SYSTEMS.values():
            fit(c, 1)  # compile, load: what large matrices need is not met by a part of one
        table, medians = iteration_table(world, options.iterations, options.rounds)
        console.print(table)
        console.print(quality_table(world))
        console.print(memory_table(world, options.cache))
        if options.growth:
            smaller = World.of(options.growth, options.cache)
            _, small_medians = iteration_table(smaller, options.iterations, options.rounds)
            growth = Table("", f"cost per pair, of that at {smaller.confidence.nnz:,} pairs")
            for name, seconds in medians.items():
                per_pair = seconds / c.nnz, small_medians[name] / smaller.confidence.nnz
                growth.add_row(name, f"{per_pair[0] / per_pair[1]:.2f} x")
            console.print(growth)


if __name__ == "__main__":
    main()
