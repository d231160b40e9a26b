"""``segue export recommendations``: a list for every listener of a file, as TSV, and where an export goes."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recommender.catalogue import Catalogue
from recommender.cli_evaluate import DataOption, PlaysOption
from recommender.folders import at_home
from recommender.store import ModelStore
from recommender.terminal import CacheOption, DatasetFolderOption, ModelOption, StoreOption, err, load, out, written
from recommender.wording import counted, plain_name

if TYPE_CHECKING:
    from recommender.crowd import Unanswered
    from recommender.plays import PlayCounts

OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", parser=at_home, help="File to write.", show_default="standard output"),
]


def recommendations(
    store: StoreOption,
    folder: DatasetFolderOption,
    cache: CacheOption,
    listeners: Annotated[
        Path,
        typer.Option(
            "--listeners",
            parser=at_home,
            help="Listeners and what they play: listener TAB artist, or any layout that training reads; or names "
            "alone, one a line.",
        ),
    ],
    model: ModelOption = None,
    k: Annotated[int, typer.Option("--k", min=1, help="Artists per listener.")] = 50,
    plays: PlaysOption = None,
    data: DataOption = None,
    output: OutputOption = None,
) -> None:
    """Write recommendations for every listener of a file as TSV: listener, artist, rank.

    Nobody is recommended what they play already. A file of names alone needs the data they are in: --plays or --data;
    without them the data set that the model was trained on is looked for.
    """
    from recommender.crowd import read_crowd, recommend_to_all, unknown_artists

    catalogue = Catalogue.open(ModelStore(store).folder(model))
    crowd = read_crowd(listeners, data=_loader(catalogue, plays, data, folder, cache))
    if crowd.unknown:
        line, name = crowd.unknown[0]
        err.print(
            f"{counted(len(crowd.unknown), 'listener')} of {listeners} not found in the data, who get no list; first "
            f"in line {line}: {plain_name(name)}",
            markup=False,
            soft_wrap=True,
        )
    unknown = unknown_artists(catalogue.artifact, crowd)
    if unknown:
        err.print(
            f"{counted(len(unknown), 'artist')} of {listeners} unknown to the model under that spelling, left out; "
            f"first: {plain_name(unknown[0])}",
            markup=False,
            soft_wrap=True,
        )
    names = [catalogue.artist(idx).name for idx in range(catalogue.n_artists)]
    missed: list[Unanswered] = []
    n_lists = 0
    with written(output) as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
        writer.writerow(("listener", "artist", "rank"))
        for listener, rows in recommend_to_all(catalogue.artifact, crowd, k, unanswered=missed.append):
            n_lists += 1
            for rank, idx in enumerate(rows.tolist(), start=1):
                writer.writerow((listener, names[idx], rank))
    if missed:
        _say_unanswered(missed[0])
    if output is not None:
        out.print(f"Wrote lists for {counted(n_lists, 'listener')} to {output}.", markup=False, soft_wrap=True)


def _loader(
    catalogue: Catalogue, plays: str | None, data: str | None, folder: Path, cache: Path
) -> "Callable[[], PlayCounts] | None":
    """How to load the data that bare names are looked up in: those named, or the data set of the training."""
    from recommender.datasets import DATASETS, local_path

    if plays is None and data is None:
        data = catalogue.manifest.data.name
        if data not in DATASETS or local_path(DATASETS[data], folder) is None:
            return None
    return lambda: load(plays, data, folder=folder, cache=cache)


def _say_unanswered(missed: "Unanswered") -> None:
    err.print(
        f"No list for {counted(missed.n_strangers, 'listener')} without any artist that the model knows; first: "
        f"{plain_name(missed.first)}",
        markup=False,
        soft_wrap=True,
    )
