"""From a model on the disk to an answer: opening, looking up, computing what the table does not hold, and memory.

    python benchmarks/serve.py --scale 0.1       # 1.0 is full size

Opening is measured in processes of their own, with the files dropped from the system's cache (cold) and without (warm).
Queries are measured round by round, in turn with a numpy product over all artists and a faiss index of the same
factors.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import twin
from recommender.artifact import open_artifact
from recommender.catalogue import Catalogue, Similar
from recommender.checked import CHECKED
from recommender.matrix import CSR
from recommender.plays import LoadReport, PlayCounts
from recommender.recipes import PRESETS
from recommender.saving import save_model
from recommender.training import train

N_QUERIES, MORE = 200, 100
OPEN = """
import json, sys, time
from pathlib import Path
from recommender.catalogue import Catalogue
started = time.perf_counter()
catalogue = Catalogue.open(Path(sys.argv[1]))
opened = time.perf_counter()
catalogue.similar(int(sys.argv[2]))
print(json.dumps([opened - started, time.perf_counter() - opened]))
"""


def model(scale: float, folder: Path) -> Path:
    """Train on the twin as `segue train` does, once, and keep the model."""
    path = folder / f"serve-best-{scale}"
    if not path.exists():
        plays = CSR(twin.cached(scale, folder))
        n_listeners, n_artists = plays.shape
        names = [twin.name_of(artist) for artist in range(n_artists)]
        report = LoadReport(rows=plays.nnz, bad=(), duplicates=0, merged_names=0)
        counts = PlayCounts(plays, [""] * n_listeners, names, [""] * n_artists, report, "0" * 64)
        trained = train(plays, PRESETS["best"], rng=np.random.default_rng(0))
        created = datetime(2026, 1, 1, tzinfo=UTC)
        save_model(path, trained, counts, preset="best", seed=0, data_name="twin", synthetic=True, created=created)
    return path


def seconds_to_open(folder: Path, seed: int, *, cold: bool, unchecked: bool) -> tuple[float, float]:
    """Open in a new process; returns seconds to open and from there to the first answer."""
    if unchecked:
        (folder / CHECKED).unlink(missing_ok=True)
    if cold:
        for path in folder.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", OPEN, str(folder), str(seed)]
    opened, answered = json.loads(subprocess.check_output(command, env=environment))
    return opened, answered


def own_megabytes() -> float:
    """Memory of this process that is not a mapped file, which all processes share."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return kilobytes["Anonymous"] / 1000


def numpy_product(folder: Path) -> Callable[[int], object]:
    """Everybody's cosine, and the best ten of them."""
    factors = np.array(open_artifact(folder).artist_factors)
    unit = factors / np.maximum(np.linalg.norm(factors, axis=1, keepdims=True), 1e-30)

    def query(seed: int) -> object:
        cosines = unit @ unit[seed]
        best = np.argpartition(-cosines, 11)[:11]
        return best[np.argsort(-cosines[best])]

    return query


def faiss_index(folder: Path) -> Callable[[int], object]:
    """An inverted file of 1,024 cells, of which 16 are searched."""
    import faiss

    faiss.omp_set_num_threads(2)
    factors = np.array(open_artifact(folder).artist_factors)
    unit = factors / np.maximum(np.linalg.norm(factors, axis=1, keepdims=True), 1e-30)
    index = faiss.index_factory(unit.shape[1], "IVF1024,Flat", faiss.METRIC_INNER_PRODUCT)
    index.train(unit)
    index.add(unit)
    index.nprobe = 16
    return lambda seed: index.search(unit[seed : seed + 1], 11)


def percentiles(times: list[float]) -> tuple[str, str]:
    """Median and 99th percentile, in milliseconds."""
    return f"{1000 * statistics.median(times):.2f}", f"{1000 * float(np.quantile(times, 0.99)):.2f}"


def print_queries(console: Console, folder: Path, rounds: int) -> None:
    """Time queries in rounds, each system in turn, for seeds drawn like questions: by their listeners."""
    catalogue = Catalogue.open(folder)
    listeners = np.array(open_artifact(folder).listeners, dtype=np.float64)
    listeners[listeners < catalogue.manifest.min_listeners] = 0
    rng = np.random.default_rng(0)
    popular = rng.choice(listeners.size, N_QUERIES, p=listeners / listeners.sum())
    anybody = rng.choice(np.flatnonzero(listeners), N_QUERIES)
    heard = int(listeners.argmax())
    systems: dict[str, tuple[Callable[[int], object], np.ndarray]] = {
        "segue similar (table)": (catalogue.similar, popular),
        f"segue similar --k {MORE}": (lambda seed: catalogue.similar(seed, k=MORE), popular),
        f"segue similar --k {MORE}, any artist": (lambda seed: catalogue.similar(seed, k=MORE), anybody),
        "segue similar --familiarity deep": (lambda seed: catalogue.similar(seed, familiarity="deep"), popular),
        "segue blend of two": (lambda seed: catalogue.blend({seed: 1.0, heard: 0.5}), popular),
        "segue path, 5 in between": (lambda seed: catalogue.path(seed, heard) if seed != heard else None, popular),
        "segue why": (lambda seed: catalogue.why(seed, heard) if seed != heard else None, popular),
    }
    before = own_megabytes()
    for query, seeds in systems.values():
        query(int(seeds[0]))
    memory = own_megabytes() - before
    systems["numpy product + argpartition"] = (numpy_product(folder), popular)
    try:
        systems["faiss IVF1024, nprobe 16"] = (faiss_index(folder), popular)
    except ImportError:
        console.print("faiss is not installed, so it is not measured")
    times: dict[str, list[float]] = {name: [] for name in systems}
    for round_idx in range(rounds):
        for name, (query, seeds) in systems.items():
            for seed in seeds[round_idx::rounds].tolist():
                started = time.perf_counter()
                query(seed)
                times[name].append(time.perf_counter() - started)
    ours = statistics.median(times["segue similar (table)"])
    table = Table("query", "p50 ms", "p99 ms", "of the table's")
    for name, of_one in times.items():
        table.add_row(name, *percentiles(of_one), f"{statistics.median(of_one) / ours:.1f} x")
    console.print(table)
    kept, more = catalogue.similar(heard), catalogue.similar(heard, k=MORE)
    assert isinstance(kept, Similar), "the most heard artist has listeners"
    assert isinstance(more, Similar), "the most heard artist has listeners"
    assert more.rows[: len(kept.rows)] == kept.rows, "computed rows follow those of the table"
    console.print(f"own memory after one query of each kind: {memory:.0f} MB more; the files are mapped and shared")


def main() -> None:
    """Make the model, open it in several ways, query it, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=Path(".benchmarks"))
    options = parser.parse_args()
    folder = model(options.scale, options.cache)
    console = Console(width=110)
    size = sum(path.stat().st_size for path in folder.glob("*.npy"))
    n_artists = open_artifact(folder).manifest.data.n_artists
    console.print(f"{n_artists:,} artists, {size / 1e6:,.0f} MB on the disk; {os.cpu_count()} cores")
    console.print(f"Python {platform.python_version()}, numpy {importlib.metadata.version('numpy')}")
    ways = {
        "first of all, cold: every file is read and compared": (True, True),
        "first of all, warm": (False, True),
        "later, cold": (True, False),
        "later, warm": (False, False),
    }
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(options.rounds):
        for way, (cold, unchecked) in ways.items():
            times[way].append(seconds_to_open(folder, n_artists // 2, cold=cold, unchecked=unchecked))
    table = Table("opening, in a new process", "s to open", "max", "s from there to an answer")
    for way, pairs in times.items():
        opened, answered = zip(*pairs, strict=True)
        middle = statistics.median(opened)
        table.add_row(way, f"{middle:.3f}", f"{max(opened):.3f}", f"{statistics.median(answered):.4f}")
    console.print(table)
    print_queries(console, folder, options.rounds)


if __name__ == "__main__":
    main()
