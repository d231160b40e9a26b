"""Loading side by side: Segue, read and kept, pandas, polars and pyarrow, from one TSV to a sparse matrix.

    python benchmarks/load.py --scale 0.1       # 1.0 is full size, a TSV of 1.8 GB

Every measurement is a process of its own, after its imports; Segue's compiled code is loaded inside the measured time,
and compiled before it. The others do less: they count no bad rows, merge no spellings and know no hash of the file
("polars, checked" gathers what the first two need). The table shows medians over interleaved rounds; memory is the
highest beyond that of the imports. That all of them found the same plays is checked, by a sum over the pairs that no
order changes.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.sparse import coo_array, csr_array

import twin

if TYPE_CHECKING:
    import polars as pl

COLUMNS = ("listener", "mbid", "artist", "plays")
CACHE_VARIABLE = "SEGUE_BENCHMARK_CACHE"

# Matrix, labels of its rows, labels of its columns.
Loaded = tuple[csr_array, Sequence[str], Sequence[str]]


def with_segue() -> Callable[[Path], Loaded]:
    """Load as `segue train --no-cache` does."""
    from recommender.plays import load_plays

    def load(path: Path) -> Loaded:
        counts = load_plays(path)
        return counts.plays, counts.listeners, counts.artist_names

    return load


def with_segue_kept() -> Callable[[Path], Loaded]:
    """Load as `segue train` does: find what was kept, or read and keep it."""
    from recommender.converted import Conversions
    from recommender.plays import load_plays

    conversions = Conversions(Path(os.environ[CACHE_VARIABLE]), warn=sys.exit)

    def load(path: Path) -> Loaded:
        counts = load_plays(path, conversions=conversions)
        return counts.plays, counts.listeners, counts.artist_names

    return load


def with_pandas() -> Callable[[Path], Loaded]:
    """Load with pandas' C engine and category codes, as the tests' reference does."""
    import pandas as pd

    # Not the strings of pyarrow, which it would use here because that is installed: they take three times the memory.
    pd.options.mode.string_storage = "python"

    def load(path: Path) -> Loaded:
        table = pd.read_csv(
            path,
            sep="\t",
            header=None,
            names=list(COLUMNS),
            quoting=3,
            keep_default_na=False,
            dtype={"listener": str, "mbid": str, "artist": str, "plays": np.int64},
        )
        listener, artist = table["listener"].astype("category"), table["artist"].astype("category")
        plays = table["plays"].to_numpy(np.float32)
        matrix = coo_array((plays, (listener.cat.codes.to_numpy(), artist.cat.codes.to_numpy()))).tocsr()
        return matrix, list(listener.cat.categories), list(artist.cat.categories)

    return load


def with_polars() -> Callable[[Path], Loaded]:
    """Load with polars and categorical columns."""
    import polars as pl

    def load(path: Path) -> Loaded:
        text = pl.Categorical(pl.Categories.random())
        artist_text = pl.Categorical(pl.Categories.random())
        schema = {"listener": text, "mbid": pl.String, "artist": artist_text, "plays": pl.Int64}
        table = pl.read_csv(path, separator="\t", quote_char=None, has_header=False, schema=schema)
        return _of_polars(table)

    return load


def with_polars_checked() -> Callable[[Path], Loaded]:
    """Load with polars, and gather what Segue's report and its merging of names ask for, without acting on it.

    A field too many shows in a column of its own, a missing one and a bad count as null; ids are grouped by artist.
    """
    import polars as pl

    text, mbid_text, artist_text = (pl.Categorical(pl.Categories.random()) for _ in range(3))
    schema = {"listener": text, "mbid": mbid_text, "artist": artist_text, "plays": pl.Int64, "more": pl.String}

    def load(path: Path) -> Loaded:
        table = pl.scan_csv(
            path,
            separator="\t",
            quote_char=None,
            has_header=False,
            schema=schema,
            truncate_ragged_lines=True,
            ignore_errors=True,
            missing_columns="insert",
        ).collect(engine="streaming")
        is_good = pl.col("plays").is_between(1, 2**31 - 1) & pl.col("more").is_null()
        good = table.filter(is_good & pl.col("listener").is_not_null() & pl.col("artist").is_not_null())
        good.group_by("artist", "mbid").agg(pl.len(), pl.col("plays").sum())
        return _of_polars(good)

    return load


def _of_polars(table: "pl.DataFrame") -> Loaded:
    import polars as pl

    codes, labels = [], []
    for name in ("listener", "artist"):
        column = table[name]
        numbers = column.to_physical().to_numpy()
        somewhere = np.zeros(numbers.max() + 1, np.int64)
        somewhere[numbers] = np.arange(len(numbers))
        codes.append(numbers)
        labels.append(column.gather(somewhere).cast(pl.String).to_list())
    plays = table["plays"].to_numpy().astype(np.float32)
    return coo_array((plays, tuple(codes))).tocsr(), *labels


def with_pyarrow() -> Callable[[Path], Loaded]:
    """Load with pyarrow and dictionaries."""
    import pyarrow as pa
    from pyarrow import csv

    def load(path: Path) -> Loaded:
        dictionary = pa.dictionary(pa.int32(), pa.string())
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(column_names=list(COLUMNS)),
            parse_options=csv.ParseOptions(delimiter="\t", quote_char=False),
            convert_options=csv.ConvertOptions(
                include_columns=["listener", "artist", "plays"],
                column_types={"listener": dictionary, "artist": dictionary, "plays": pa.int64()},
            ),
        ).unify_dictionaries()
        listener, artist = (table[name].combine_chunks() for name in ("listener", "artist"))
        plays = table["plays"].to_numpy().astype(np.float32)
        matrix = coo_array((plays, (listener.indices.to_numpy(), artist.indices.to_numpy()))).tocsr()
        return matrix, listener.dictionary.to_pylist(), artist.dictionary.to_pylist()

    return load


SYSTEMS: dict[str, Callable[[], Callable[[Path], Loaded]]] = {
    "segue": with_segue,
    "segue, kept": with_segue_kept,
    "pandas": with_pandas,
    "polars": with_polars,
    "polars, checked": with_polars_checked,
    "pyarrow": with_pyarrow,
}


def package_of(name: str) -> str:
    """Return the package that a system is made of."""
    return "recommender" if name.startswith("segue") else name.split(",")[0]


def fingerprint(loaded: Loaded) -> str:
    """Return a number of the (listener, artist, plays) of a matrix, whatever the order of its rows and columns."""
    matrix, listeners, artists = loaded
    matrix.sum_duplicates()
    rows, columns = (
        np.array([hash(label) for label in labels], np.int64).view(np.uint64) for labels in (listeners, artists)
    )
    listener = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    mixed = rows[listener] * np.uint64(0x9E3779B97F4A7C15) ^ columns[matrix.indices]
    mixed = (mixed ^ mixed >> np.uint64(29)) * np.uint64(0xBF58476D1CE4E5B9) * matrix.data.astype(np.uint64)
    return f"{matrix.nnz:,} pairs, {int(mixed.sum()):016x}"


def measure(name: str, path: Path) -> dict[str, float | str]:
    """Load once, in this process; returns seconds, seconds of processors, MB and a fingerprint."""
    load = SYSTEMS[name]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, busy = time.perf_counter(), time.process_time()
    loaded = load(path)
    seconds, cpu = time.perf_counter() - started, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "cpu": cpu, "mb": (peak - before) / 1000, "found": fingerprint(loaded)}


def measured_apart(name: str, path: Path, cache: str) -> dict[str, float | str]:
    """Load once in a process of its own."""
    environment = os.environ | {
        CACHE_VARIABLE: cache,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
        "PYTHONHASHSEED": "1",  # the fingerprint uses it
    }
    command = [sys.executable, __file__, "--one", name, "--path", str(path)]
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float | str] = json.loads(run.stdout)
    return result


def show(console: Console, runs: dict[str, list[dict[str, float | str]]]) -> None:
    """Print the table."""
    table = Table("", "s", "min - max", "of Segue", "s of all cores", "MB", "of Segue")
    middle = {
        name: {key: statistics.median(float(run[key]) for run in of_name) for key in ("seconds", "cpu", "mb")}
        for name, of_name in runs.items()
    }
    for name, of_name in runs.items():
        times, ours = [float(run["seconds"]) for run in of_name], middle["segue"]
        table.add_row(
            name,
            f"{middle[name]['seconds']:.2f}",
            f"{min(times):.2f} - {max(times):.2f}",
            f"{middle[name]['seconds'] / ours['seconds']:.2f} x",
            f"{middle[name]['cpu']:.2f}",
            f"{middle[name]['mb']:,.0f}",
            f"{middle[name]['mb'] / ours['mb']:.2f} x",
        )
    console.print(table)
    if "pandas" in middle:
        faster = middle["pandas"]["seconds"] / middle["segue"]["seconds"]
        busy = middle["pandas"]["cpu"] / middle["segue"]["cpu"]
        memory = middle["segue"]["mb"] / middle["pandas"]["mb"]
        console.print(
            f"Segue beside pandas: {faster:.1f} times as fast, {busy:.1f} times in seconds of all cores, "
            f"{memory:.2f} of its memory (at full size it must be 5 times and .60)"
        )


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(".benchmarks"))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.path)))  # noqa: T201 - read by the parent
        return
    path = twin.tsv(options.scale, options.cache)
    names = [name for name in SYSTEMS if name.startswith("segue") or importlib.util.find_spec(package_of(name))]
    runs: dict[str, list[dict[str, float | str]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(dir=options.cache) as kept:
        measured_apart("segue, kept", path, kept)  # compiles, keeps, and brings the file into the system's cache
        for _ in range(options.rounds):
            for name in names:
                runs[name].append(measured_apart(name, path, kept))
    found = {str(run["found"]) for of_name in runs.values() for run in of_name}
    if len(found) > 1:
        raise SystemExit(f"the loaders disagree: {found}")
    console = Console(width=110)
    packages = ("numba", "numpy", *dict.fromkeys(package_of(name) for name in names if not name.startswith("segue")))
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    console.print(f"{path.stat().st_size / 1e6:,.0f} MB, all found {found.pop().split(',  ')[0]}")
    console.print(f"Python {platform.python_version()}, {versions}; {os.cpu_count()} cores; {options.rounds} rounds")
    show(console, runs)


if __name__ == "__main__":
    main()
