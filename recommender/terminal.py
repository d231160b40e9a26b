"""What the commands show in a terminal: consoles, progress bars, the report of broken rows, the options they share."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recommender.datasets import find_dataset, local_path
from recommender.errors import DataError, ParameterError
from recommender.folders import at_home, default_cache, default_folder
from recommender.wording import counted

# polars takes a third of a second to import; only commands that load data pay it.
if TYPE_CHECKING:
    from recommender.plays import Columns, LoadReport, PlayCounts

out = Console()
err = Console(stderr=True)


StoreOption = Annotated[
    Path,
    typer.Option(
        "--store",
        envvar="SEGUE_MODELS",
        help="Folder of all models.",
        parser=at_home,
        default_factory=lambda: default_folder("models"),
        show_default="segue/models in your data folder",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        envvar="SEGUE_MODEL",
        help="A model's id in the store, or a folder's path.",
        show_default="the current model",
    ),
]
DatasetFolderOption = Annotated[
    Path,
    typer.Option(
        "--folder",
        help="Folder of downloaded data sets.",
        parser=at_home,
        default_factory=lambda: default_folder("datasets"),
        show_default="segue/datasets in your data folder",
    ),
]
CacheOption = Annotated[
    Path,
    typer.Option(
        "--cache",
        envvar="SEGUE_CACHE",
        help="Folder of converted listening data, which makes loading the same file again faster.",
        parser=at_home,
        default_factory=lambda: default_cache("plays"),
        show_default="segue/plays in your cache folder",
    ),
]
NoCacheOption = Annotated[
    bool, typer.Option("--no-cache", help="Neither use nor keep converted listening data.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
ListenerColumnOption = Annotated[
    str | None, typer.Option("--listener-column", help="Column of the listener, in a file with a header.")
]
ArtistColumnOption = Annotated[str | None, typer.Option("--artist-column", help="Column of the artist's name.")]
PlaysColumnOption = Annotated[str | None, typer.Option("--plays-column", help="Column of the play count.")]
MbidColumnOption = Annotated[str | None, typer.Option("--mbid-column", help="Column of the artist's MusicBrainz id.")]


def print_json(value: Any) -> None:
    """Print a value as JSON, one document, unwrapped."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def load(
    plays: str | None,
    data: str | None,
    *,
    folder: Path,
    cache: Path | None,
    columns: "Columns | None" = None,
    strict: bool = False,
) -> "PlayCounts":
    """Load the listening data that a command was given, with a progress bar, and report its broken rows.

    Parameters
    ----------
    plays : a file, a folder, or ``-`` for standard input; or
    data : the name of a data set, looked for in ``folder``.
    cache : where converted data is kept; None: it is neither used nor kept.
    columns, strict : as :func:`recommender.plays.load_plays` takes them.

    Raises
    ------
    ParameterError : both or neither are given.
    DataError : the data set is not here, or the data cannot be read.
    """
    from recommender.converted import Conversions
    from recommender.plays import Columns, load_plays

    if (plays is None) == (data is None):
        raise ParameterError(
            "say what to learn from: either --plays FILE or --data NAME (`segue data list` shows the names)"
        )
    if data is not None:
        dataset = find_dataset(data)
        path = local_path(dataset, folder)
        if path is None:
            raise DataError(f"data set {data} is not in {folder} yet; run `segue data get {data}`")
        label = data
        source: Path | BinaryIO = path
    elif plays == "-":
        source, label = sys.stdin.buffer, "standard input"
    else:
        source, label = at_home(str(plays)), str(plays)
    with bytes_progress(f"loading {label}") as progress:
        counts = load_plays(
            source,
            columns=columns or Columns(),
            strict=strict,
            progress=progress,
            conversions=None if cache is None else Conversions(cache, warn=say_not_kept),
        )
    print_report(counts.report, label)
    return counts


def with_variants(counts: "PlayCounts", reviewed: str) -> "PlayCounts":
    """Merge spelling variants as a reviewed file says, or as far as the rules are safe, and say how many.

    Parameters
    ----------
    reviewed : path of the file, or "safe".

    Raises
    ------
    DataError : the file cannot be read, or a row is malformed.
    """
    from recommender.variants import find_variants, merge_variants, read_decisions

    if reviewed == "safe":
        found = find_variants(counts)
        rows = [(one.decision, one.variant, one.artist) for one in found]
    else:
        rows = list(read_decisions(at_home(reviewed)))
    merged = merge_variants(counts, [(variant, artist) for decision, variant, artist in rows if decision == "merge"])
    undecided = sum(decision == "?" for decision, _, _ in rows)
    waiting = f"; {counted(undecided, 'pair')} undecided, left as they are" if undecided else ""
    err.print(f"Merged {counted(len(merged.variants), 'spelling variant')}{waiting}.", highlight=False)
    return merged


def say_not_kept(sentence: str) -> None:
    """Say on standard error why converted data was not kept."""
    err.print(f"[yellow]{escape(sentence)}; the next time it is read anew[/]", soft_wrap=True, highlight=False)


def print_report(report: "LoadReport", label: str) -> None:
    """Say on standard error which rows were left out, by kind, with the first line of each; silent when none were."""
    if not report.bad:
        return
    err.print(f"[yellow]{escape(label)}: {report.bad_count:,} of {report.rows:,} rows are broken and were left out:[/]")
    for bad in report.bad:
        err.print(
            f"  {bad.count:,} x {bad.kind}, first in line {bad.first_line:,}: {escape(bad.example)}", soft_wrap=True
        )


@contextmanager
def bytes_progress(description: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar of bytes done; the yielded function takes bytes done and bytes in all (None: unknown)."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(escape(description), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def written(output: Path | None) -> Iterator[TextIO]:
    """Open a text file that is there whole or not at all, or standard output where none is named.

    Raises
    ------
    ParameterError : the file cannot be written; what was there before is unchanged.
    """
    if output is None:
        yield sys.stdout
        return
    # A full disk must not leave half a table under its name; two exports at once must not share a file. But a device
    # or a pipe, such as /dev/null, is written to: replacing it would take it away from everybody.
    target = Path(os.path.realpath(output))
    is_stream = target.exists() and not target.is_file()
    part = target if is_stream else target.with_name(f".{target.name[:100]}-{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        if not is_stream:
            part.replace(target)
    except BrokenPipeError:
        raise
    except OSError as err:
        raise ParameterError(
            f"{output} cannot be written: {err.strerror or err}; name a file in a folder that is there and has room"
        ) from err
    finally:
        if not is_stream:
            with suppress(OSError):
                part.unlink(missing_ok=True)


class Stopping:
    """What Ctrl-C and the system's signals asked of long work.

    ``result_so_far`` : the work sets it while the first Ctrl-C shall end it with what it has, and not throw all away.
    ``asked`` : that happened.
    """

    def __init__(self) -> None:
        self.result_so_far = False
        self.asked = False
        self._received = False

    def interrupt(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal."""
        if number == signal.SIGINT and self.result_so_far and not self.asked:
            self.asked = True
            return
        self._received = True
        raise KeyboardInterrupt

    def raise_if_received(self) -> None:
        """Raise KeyboardInterrupt if a signal should have: some libraries swallow the exception."""
        if self._received:
            raise KeyboardInterrupt


@contextmanager
def stoppable() -> Iterator[Stopping]:
    """Stop long work on Ctrl-C, and on SIGTERM and SIGHUP in the same way, so that nothing half-made stays behind."""
    stopping = Stopping()
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stopping.interrupt) for name in names}
    try:
        yield stopping
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


@contextmanager
def training_progress(stopping: Stopping) -> Iterator[Callable[[str, int, int, str], None]]:
    """Show the stage of a training, how far it is, and what it reached; Ctrl-C keeps finished iterations."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("starting", total=None)

        def step(stage: str, done: int, total: int, reached: str) -> None:
            stopping.result_so_far = stage == "factorizing" and done > 0
            # The first training on a machine compiles the kernels, and says so where nothing else moves.
            hint = " (the first time the kernels are compiled)" if (stage, done) == ("factorizing", 0) else ""
            if stopping.result_so_far:
                hint = ", Ctrl-C keeps this" if not stopping.asked else ""
            words = f", {reached}" if reached else ""
            bar.update(task, description=f"{stage}{words}{hint}", completed=done, total=total)

        yield step
