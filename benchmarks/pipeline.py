"""From a file of plays to a model that answers: `segue train` on the twin of Last.fm-360K, then `segue similar`.

    python benchmarks/pipeline.py --scale 0.1       # 1.0 is full size, a TSV of 1.8 GB

Each command runs in its own process, as its user would run it, after a first one that compiles; the table shows seconds
and the highest memory.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

import twin


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a command; returns seconds and the highest resident memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - started, usage.ru_maxrss / 1000


def main() -> None:
    """Write the file once, run the commands, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--cache", type=Path, default=Path(".benchmarks"))
    options = parser.parse_args()
    plays = twin.cached(options.scale, options.cache)
    path = twin.tsv(options.scale, options.cache)
    segue = [sys.executable, "-m", "bot"]
    table = Table("command", "s", "MB")
    with tempfile.TemporaryDirectory(dir=options.cache) as store:
        environment = os.environ | {
            "SEGUE_MODELS": f"{store}/models",
            "SEGUE_CACHE": f"{store}/plays",
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        for preset in ("best", "als"):  # compiles; data of this size are trained as `als`
            measured([*segue, "train", "--data", "demo", "--preset", preset], environment)
        commands = {
            "segue train --data demo": ["train", "--data", "demo"],
            f"segue train ({plays.nnz:,} rows, {path.stat().st_size / 1e6:,.0f} MB)": ["train", "--plays", str(path)],
            "the same again, from the converted data that was kept": ["train", "--plays", str(path)],
            "segue similar, a process of its own": ["similar", twin.name_of(int(plays.indices[0]))],
        }
        for label, arguments in commands.items():
            seconds, megabytes = measured([*segue, *arguments], environment)
            table.add_row(label, f"{seconds:.1f}", f"{megabytes:,.0f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
