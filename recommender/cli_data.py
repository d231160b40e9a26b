"""``segue data``: which data sets there are, fetch one, look into one."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.markup import escape
from rich.table import Column, Table

from recommender.datasets import DATASETS, download, find_dataset, is_synthetic, local_path
from recommender.folders import at_home
from recommender.terminal import (
    ArtistColumnOption,
    CacheOption,
    DatasetFolderOption,
    JsonOption,
    ListenerColumnOption,
    MbidColumnOption,
    NoCacheOption,
    PlaysColumnOption,
    bytes_progress,
    load,
    out,
    print_json,
    say_not_kept,
    written,
)
from recommender.wording import SYNTHETIC_NOTE, counted, plain_name

app = typer.Typer(no_args_is_help=True, help="Data sets of listening: which there are, fetch one, look into one.")

MOST_HEARD = 10


@app.command("list")
def list_(folder: DatasetFolderOption, as_json: JsonOption = False) -> None:
    """List the known data sets, their licences, and which are on this machine."""
    here = {dataset.name: local_path(dataset, folder) for dataset in DATASETS.values()}
    if as_json:
        print_json(
            [
                {
                    "name": dataset.name,
                    "title": dataset.title,
                    "url": dataset.url,
                    "bytes": dataset.size,
                    "licence": dataset.licence,
                    "citation": dataset.citation,
                    "synthetic": dataset.synthetic,
                    "path": None if here[dataset.name] is None else str(here[dataset.name]),
                }
                for dataset in DATASETS.values()
            ]
        )
        return
    table = Table(Column("name", no_wrap=True), "what it is", "size", "licence", "here")
    for dataset in DATASETS.values():
        size = "" if dataset.size is None else f"{dataset.size / 1e6:,.0f} MB"
        table.add_row(dataset.name, dataset.title, size, dataset.licence, "yes" if here[dataset.name] else "no")
    out.print(table)
    out.print("Fetch one: segue data get NAME. Learn from one: segue train --data NAME", markup=False)


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="As named by `segue data list`.")],
    folder: DatasetFolderOption,
    url: Annotated[str | None, typer.Option(help="Fetch from this address.", show_default="the official one")] = None,
) -> None:
    """Download a data set; a broken download goes on where it stopped, and the checksum is compared."""
    dataset = find_dataset(name)
    with bytes_progress(f"downloading {name}") as progress:
        path = download(dataset, folder, url=url, progress=progress)
    out.print(f"{name} is in {path}", markup=False, soft_wrap=True)
    out.print(f"Licence: {dataset.licence}\nCite: {dataset.citation}", markup=False, soft_wrap=True)
    out.print(f"Next: segue train --data {name}", markup=False)


@app.command()
def cache(
    folder: CacheOption,
    clear: Annotated[bool, typer.Option("--clear", help="Delete it; data is then read anew.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show how much converted listening data is kept to load the same files again faster, or delete it."""
    from recommender.converted import MAX_BYTES, Conversions

    conversions = Conversions(folder, warn=say_not_kept)
    if clear:
        conversions.clear()
    sizes = conversions.sizes()
    if as_json:
        print_json({"folder": str(folder), "data_sets": len(sizes), "bytes": sum(sizes), "max_bytes": MAX_BYTES})
        return
    size, most = (f"{n_bytes / 1e6:,.0f} MB" for n_bytes in (sum(sizes), MAX_BYTES))
    kept = counted(len(sizes), "converted data set")
    out.print(f"{kept} in {folder}: {size} of at most {most}", markup=False, soft_wrap=True)


@app.command()
def info(
    source: Annotated[str, typer.Argument(help="A data set's name, a file, or - for standard input.")],
    folder: DatasetFolderOption,
    cache: CacheOption,
    listener_column: ListenerColumnOption = None,
    artist_column: ArtistColumnOption = None,
    plays_column: PlaysColumnOption = None,
    mbid_column: MbidColumnOption = None,
    no_cache: NoCacheOption = False,
    as_json: JsonOption = False,
) -> None:
    """Load listening data and say what is in it: sizes, most-heard artists, broken rows."""
    from recommender.plays import Columns

    named = DATASETS.get(source)
    columns = Columns(listener=listener_column, artist=artist_column, plays=plays_column, mbid=mbid_column)
    counts = load(
        None if named else source,
        source if named else None,
        folder=folder,
        cache=None if no_cache else cache,
        columns=columns,
    )
    n_listeners, n_artists = counts.plays.shape
    listeners = np.bincount(counts.plays.indices, minlength=n_artists)
    most_heard = np.argsort(-listeners, kind="stable")[:MOST_HEARD]
    numbers = {
        "rows": counts.report.rows,
        "broken_rows": counts.report.bad_count,
        "summed_duplicates": counts.report.duplicates,
        "merged_spellings": counts.report.merged_names,
        "listeners": n_listeners,
        "artists": n_artists,
        "pairs": int(counts.plays.nnz),
        "plays": int(counts.plays.data.sum(dtype=np.float64)),
    }
    if as_json:
        top = [{"artist": counts.artist_names[idx], "listeners": int(listeners[idx])} for idx in most_heard]
        card = {"source": source, "sha256": counts.data_hash, "synthetic": is_synthetic(counts.data_hash)}
        print_json(card | numbers | {"most_heard": top})
        return
    table = Table(show_header=False, title=escape(source))
    for label, number in numbers.items():
        table.add_row(label.replace("_", " "), f"{number:,}")
    heard = "\n".join(
        f"{plain_name(counts.artist_names[idx])} ({counted(int(listeners[idx]), 'listener')})" for idx in most_heard
    )
    table.add_row("most heard", escape(heard))
    out.print(table)
    if is_synthetic(counts.data_hash):
        out.print(SYNTHETIC_NOTE)
    if named:
        out.print(f"{named.notes}\nLicence: {named.licence}", markup=False, soft_wrap=True)


@app.command()
def variants(
    source: Annotated[str, typer.Argument(help="A data set's name, a file, or - for standard input.")],
    folder: DatasetFolderOption,
    cache: CacheOption,
    output: Annotated[
        Path | None, typer.Option(parser=at_home, help="Write them to this TSV, to be reviewed.", show_default=False)
    ] = None,
    no_cache: NoCacheOption = False,
    as_json: JsonOption = False,
) -> None:
    """List names that may be one artist spelt in two ways, with the evidence; merges nothing.

    Pairs marked merge differ in accents, "the", "and" or punctuation alone, in a name that is long enough, and one is
    heard far less. The others (?) may be two artists. Write merge or keep in the first column of the file, then:
    segue train --variants FILE

    Example: segue data variants my-plays.tsv.gz --output variants.tsv
    """
    from recommender.variants import find_variants, variant_lines

    named = DATASETS.get(source)
    found = find_variants(
        load(None if named else source, source if named else None, folder=folder, cache=None if no_cache else cache)
    )
    if output is not None:
        with written(output) as file:
            file.writelines(f"{line}\n" for line in variant_lines(found))
    if as_json:
        print_json([asdict(one) for one in found])
        return
    heard = [Column("heard", justify="right") for _ in range(2)]
    table = Table("", "variant", heard[0], "artist", heard[1], "both", "differ in")
    for one in found:
        numbers = (str(one.variant_listeners), str(one.artist_listeners), str(one.common_listeners))
        names = (escape(plain_name(one.variant)), escape(plain_name(one.artist)))
        table.add_row(one.decision, names[0], numbers[0], names[1], numbers[1], numbers[2], one.rule)
    out.print(table)
    n_groups = len({one.artist for one in found})
    n_safe = sum(one.decision == "merge" for one in found)
    names_found = f"{counted(len(found) + n_groups, 'name')} in {counted(n_groups, 'group')}"
    waiting = f"{counted(len(found) - n_safe, 'pair')} for a person to decide (?)"
    out.print(f"{names_found}: {counted(n_safe, 'pair')} safe to merge, {waiting}.", soft_wrap=True, highlight=False)
    if output is not None:
        out.print(f"Review {output}, then: segue train --variants {output}", markup=False, soft_wrap=True)
