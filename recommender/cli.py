"""The offline commands of ``segue``: parse, wire, print. Mounted by :mod:`bot.cli`."""

import csv
import logging
import os
import secrets
import shlex
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.markup import escape
from rich.table import Table

from recommender import cli_data, cli_evaluate, cli_explore, cli_export, cli_names, cli_recommend, cli_tune
from recommender.artists import artist_key
from recommender.catalogue import Catalogue, Similar, TooFewListeners
from recommender.cli_export import OutputOption
from recommender.datasets import is_synthetic
from recommender.machine import limited_threads
from recommender.names import Found
from recommender.recommending import nearest_of_rare
from recommender.store import ModelStore, is_path
from recommender.terminal import (
    ArtistColumnOption,
    CacheOption,
    DatasetFolderOption,
    JsonOption,
    ListenerColumnOption,
    MbidColumnOption,
    ModelOption,
    NoCacheOption,
    PlaysColumnOption,
    StoreOption,
    err,
    out,
    print_json,
    written,
)
from recommender.typed_artists import EXIT_NO_ANSWER, artist_json, found_or_exit
from recommender.wording import SYNTHETIC_NOTE, counted, plain_name

log = logging.getLogger(__name__)

app = typer.Typer(no_args_is_help=True)
export_app = typer.Typer(no_args_is_help=True, help="Write what a model knows as plain tables.")
app.add_typer(cli_data.app, name="data")
app.add_typer(export_app, name="export")
app.command("names")(cli_names.names)
app.add_typer(cli_explore.app)
app.command("recommend")(cli_recommend.recommend)
export_app.command("recommendations")(cli_export.recommendations)
app.command("evaluate")(cli_evaluate.evaluate)
app.command("tune")(cli_tune.tune)


@app.command()
def train(
    store: StoreOption,
    folder: DatasetFolderOption,
    cache: CacheOption,
    plays: Annotated[
        str | None,
        typer.Option(help="Listening data: a file, a folder with HetRec's two files, or - for standard input."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="A data set by name, instead of --plays; see `segue data list`.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Id or folder of the new model.", show_default="made from preset and time")
    ] = None,
    algorithm: Annotated[str | None, typer.Option(help="als or lsa.", show_default="als")] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="How artists are compared: best, als, article-als, article-lsa, cosine, jaccard, pmi, ease ...; "
            "one of `segue tune`, or its file; a wrong name lists all.",
            show_default="best, or the algorithm's best",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same data, options and seed: the same model.")] = 0,
    factors: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Number of factors.", show_default="the preset's")
    ] = None,
    regularization: Annotated[
        float | None, typer.Option(help="Of ALS; more for large data, less for small.", show_default="the preset's")
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Iterations of ALS, at most.", show_default="15")
    ] = None,
    early_stopping: Annotated[
        bool | None,
        typer.Option(
            "--early-stopping/--no-early-stopping",
            help="Stop ALS when hidden plays of a sample of listeners are no longer found better.",
            show_default="on, but for article-als",
        ),
    ] = None,
    neighbours: Annotated[
        int | None, typer.Option(min=1, help="Neighbours kept per artist.", show_default="50")
    ] = None,
    min_listeners: Annotated[
        int | None,
        typer.Option(min=1, help="Artists with fewer listeners neither get nor are neighbours.", show_default="5"),
    ] = None,
    listener_column: ListenerColumnOption = None,
    artist_column: ArtistColumnOption = None,
    plays_column: PlaysColumnOption = None,
    mbid_column: MbidColumnOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first broken row instead of skipping it.")
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Threads at most; the model is the same.", show_default="all cores")
    ] = None,
    variants: Annotated[
        str | None,
        typer.Option(help="Merge spelling variants: a reviewed file of `segue data variants`, or safe for its rules."),
    ] = None,
    no_cache: NoCacheOption = False,
    keep_current: Annotated[
        bool, typer.Option("--keep-current", help="Do not make it the current model; see `segue model promote`.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Load the data, say what training would need, and train nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model on listening data and make it the current one.

    Reads Last.fm-360K's layout (listener, MusicBrainz id, artist, plays; tab separated), the folder of HetRec
    lastfm-2k's pair of files, and any TSV, CSV or parquet with named columns; plain, .gz, .zst or .tar.gz.

    Examples: segue train --data demo · segue train --plays plays.tsv.gz · zcat plays.gz | segue train --plays -
    """
    if jobs is not None:  # polars, which reads the file, is told before it is imported or not at all
        os.environ["POLARS_MAX_THREADS"] = str(jobs)
    # numba takes most of a second to import; only training pays it.
    from recommender.cli_plan import show_plan, warn_if_too_large
    from recommender.plays import Columns
    from recommender.presets import chosen_recipe
    from recommender.recipes import adjusted, fitted_to
    from recommender.saving import save_model
    from recommender.terminal import load, stoppable, training_progress, with_variants
    from recommender.training import train as fit

    preset, recipe = chosen_recipe(preset, algorithm, store=store)
    with_options = partial(
        adjusted,
        n_factors=factors,
        regularization=regularization,
        iterations=iterations,
        early_stopping=early_stopping,
        k=neighbours,
        min_listeners=min_listeners,
    )
    with_options(recipe)  # what is no option is refused before the data are read
    created = datetime.now(UTC)
    models = ModelStore(store)
    target = models.new_folder(model, default_id=f"{preset}-{created:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}")
    for place in {models, ModelStore(target.parent)}:  # what a kill left half-built beside a --model ./folder too
        place.sweep(now=time.time())
    columns = Columns(listener=listener_column, artist=artist_column, plays=plays_column, mbid=mbid_column)
    with stoppable() as stopping, limited_threads(jobs):
        counts = load(plays, data, folder=folder, cache=None if no_cache else cache, columns=columns, strict=strict)
        if variants is not None:
            counts = with_variants(counts, variants)
        # First what the data's size decides, then what was asked for, or the one would undo the other.
        recipe = with_options(fitted_to(recipe, counts.plays))
        if plan:
            show_plan(counts, recipe, as_json=as_json)
            return
        warn_if_too_large(counts, recipe)
        started = time.perf_counter()
        with training_progress(stopping) as step:
            trained = fit(counts.plays, recipe, rng=np.random.default_rng(seed), step=step, stop=lambda: stopping.asked)
        stopping.raise_if_received()
        seconds = time.perf_counter() - started
        manifest = save_model(
            target,
            trained,
            counts,
            preset=preset,
            seed=seed,
            data_name=data or ("standard input" if plays == "-" else plain_name(Path(str(plays)).name)),
            synthetic=is_synthetic(counts.data_hash),
            created=created,
        )
    log.info("trained %s: nnz=%d factors=%d in %.1f s", recipe.algorithm, counts.plays.nnz, manifest.n_factors, seconds)
    in_store = model is None or not is_path(model)
    becomes_current = in_store and not (keep_current and models.current_id() is not None)
    if becomes_current:
        models.set_current(manifest.id)
    card = {
        "model": manifest.id if in_store else str(target),
        "folder": str(target),
        "listeners": manifest.data.n_listeners,
        "artists": manifest.data.n_artists,
        "merged_variants": manifest.data.n_variants,
        "objective": manifest.objective,
        "seconds": round(seconds, 2),
        "current": becomes_current,
        "stopped": stopping.asked,
    }
    if as_json:
        print_json(card)
        return
    on_what = f"{counted(manifest.data.n_listeners, 'listener')} and {counted(manifest.data.n_artists, 'artist')}"
    if stopping.asked:
        out.print("Stopped by Ctrl-C: the model holds what the last finished iteration learnt.")
    out.print(
        f"Trained {card['model']} on {on_what} in {seconds:.1f} s"
        + ("; it is the current model." if becomes_current else "."),
        markup=False,
        soft_wrap=True,
    )
    if manifest.data.synthetic:
        out.print(SYNTHETIC_NOTE)
    most_heard = int(np.bincount(counts.plays.indices).argmax())
    where = "" if becomes_current else f" --model {manifest.id if in_store else shlex.quote(str(target))}"
    out.print(f"Next: segue similar {_typed(counts.artist_names[most_heard])}{where}", markup=False, soft_wrap=True)


@app.command()
def similar(
    artist: Annotated[list[str], typer.Argument(help="The artist, as you would type it; quotes are not needed.")],
    store: StoreOption,
    model: ModelOption = None,
    k: Annotated[int, typer.Option("--k", min=1, help="How many similar artists.")] = 10,
    familiarity: cli_explore.FamiliarityOption = "balanced",
    as_json: JsonOption = False,
) -> None:
    """Name the artists most similar to one.

    Exit status: 0 with an answer; 3 when the name means none, several, or one with too few listeners; 1 after an error.
    """
    catalogue = Catalogue.open(ModelStore(store).folder(model))
    text = " ".join(artist)
    found = found_or_exit(catalogue, text, as_json=as_json)
    outcome = catalogue.similar(found.artist_idx, k=k, familiarity=familiarity)
    if as_json:
        print_json(_similar_json(catalogue, found, outcome))
    else:
        _print_similar(catalogue, text, outcome)
        _say_if_outweighed(catalogue, found)
        if isinstance(outcome, Similar) and outcome.is_cut:
            err.print(_cut_note(catalogue), markup=False, soft_wrap=True)
    if not isinstance(outcome, Similar):
        raise typer.Exit(EXIT_NO_ANSWER)


@export_app.command("neighbours")
def export_neighbours(
    store: StoreOption,
    model: ModelOption = None,
    k: Annotated[
        int | None, typer.Option("--k", min=1, help="Neighbours per artist.", show_default="all the model keeps")
    ] = None,
    output: OutputOption = None,
    everybody: Annotated[
        bool, typer.Option("--all", help="Also artists with too few listeners, by their factors alone.")
    ] = False,
) -> None:
    """Write every artist's neighbours as TSV: artist, neighbour, rank, score.

    Artists with too few listeners have no rows, unless --all asks for them: little is known of them, and their scores
    are cosines of the factors.
    """
    catalogue = Catalogue.open(ModelStore(store).folder(model))
    k = k or catalogue.k
    if k > catalogue.k:  # computing the others would take minutes
        err.print(f"This model keeps {catalogue.k} neighbours per artist; train with --neighbours {k} for more.")
        k = catalogue.k
    with written(output) as file:
        n_answered = _write_neighbours(catalogue, k, file, everybody=everybody)
    if output is None:
        return
    left_out = catalogue.n_artists - n_answered
    why = f"; {counted(left_out, 'artist')} with too few listeners have none" if left_out else ""
    out.print(
        f"Wrote the neighbours of {counted(n_answered, 'artist')} to {output}{why}.", markup=False, soft_wrap=True
    )


def _typed(name: str) -> str:
    """An artist's name as it can be typed after a command: the apostrophe of Guns N' Roses would leave a quote open."""
    name = plain_name(name)
    return name if all(shlex.quote(word) == word or word.isalpha() for word in name.split()) else shlex.quote(name)


def _cut_note(catalogue: Catalogue) -> str:
    return (
        f"This model keeps {catalogue.k} similar artists for each, by the {catalogue.manifest.neighbours.similarity}, "
        "and cannot compute further ones; train with more --neighbours, or with --preset best or als."
    )


def _say_if_outweighed(catalogue: Catalogue, found: Found) -> None:
    if found.outweighed is not None:
        name = plain_name(catalogue.artist(found.outweighed).name)
        out.print(f"For {name} itself, type it in quotes: segue similar '\"{name}\"'", markup=False, soft_wrap=True)


def _write_neighbours(catalogue: Catalogue, k: int, file: Any, *, everybody: bool) -> int:
    """Write the table and return how many artists have rows in it."""
    # No quoting, as in the play counts: names hold quotes, and loading refuses names with tabs or line breaks.
    writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
    writer.writerow(("artist", "neighbour", "rank", "score"))
    n_answered = 0
    for idx in range(catalogue.n_artists):
        outcome = catalogue.similar(idx, k=k)
        if isinstance(outcome, Similar) and outcome.rows:
            n_answered += 1
            for row in outcome.rows:
                writer.writerow((outcome.seed.name, row.artist.name, row.rank, f"{row.score:.6f}"))
    if everybody:
        artifact = catalogue.artifact
        answerable = np.asarray(artifact.listeners) >= catalogue.manifest.min_listeners
        for idx, rows, scores in nearest_of_rare(np.asarray(artifact.artist_factors), answerable, k):
            n_answered += 1
            name = catalogue.artist(idx).name
            for rank, (other, score) in enumerate(zip(rows.tolist(), scores.tolist(), strict=True), start=1):
                writer.writerow((name, catalogue.artist(other).name, rank, f"{min(score, 1.0):.6f}"))
    return n_answered


def _print_similar(catalogue: Catalogue, text: str, outcome: Similar | TooFewListeners) -> None:
    seed, name = outcome.seed, plain_name(outcome.seed.name)
    read_from = "" if artist_key(seed.name) == artist_key(text) else f' - read from "{plain_name(text)}"'
    if isinstance(outcome, TooFewListeners):
        out.print(
            f"{name}{read_from}: only {counted(seed.listeners, 'person', 'people')} in the data listened to them; "
            f"it takes {outcome.needed} to say who is similar.",
            markup=False,
            soft_wrap=True,
        )
        if outcome.guesses:
            guesses = ", ".join(plain_name(guess.name) for guess in outcome.guesses)
            out.print(f"A guess from what these few listen to: {guesses}.", markup=False, soft_wrap=True)
        return
    if not outcome.rows:
        out.print(f"{name}{read_from}: no other artist shares enough listeners with them.", markup=False)
        return
    title = escape(name + read_from)
    table = Table("", "similar artist", "how sure", "similarity", "listeners in common", "of", title=title)
    for column in table.columns[3:]:
        column.justify = "right"
    for row in outcome.rows:
        table.add_row(
            str(row.rank),
            escape(plain_name(row.artist.name)),
            row.strength,
            f"{row.score:.2f}",
            f"{row.support:,}",
            f"{row.artist.listeners:,}",
        )
    out.print(table)
    if catalogue.manifest.data.synthetic:
        out.print(SYNTHETIC_NOTE)


def _similar_json(catalogue: Catalogue, found: Found, outcome: Similar | TooFewListeners) -> dict[str, Any]:
    card = {
        "outcome": "similar" if isinstance(outcome, Similar) else "too_few_listeners",
        "artist": artist_json(outcome.seed),
        "match": {"kind": found.match_kind, "score": round(found.match_score, 4)},
        "model": catalogue.manifest.id,
        "synthetic": catalogue.manifest.data.synthetic,
    }
    if isinstance(outcome, TooFewListeners):
        guesses = [artist_json(guess) for guess in outcome.guesses]
        return card | {"needed_listeners": outcome.needed, "guesses": guesses}
    rows = [
        {
            "rank": row.rank,
            **artist_json(row.artist),
            "score": round(row.score, 6),
            "strength": row.strength,
            "common_listeners": row.support,
        }
        for row in outcome.rows
    ]
    similarity = catalogue.manifest.neighbours.similarity
    return card | {"similarity": similarity, "cut": outcome.is_cut, "similar": rows}
