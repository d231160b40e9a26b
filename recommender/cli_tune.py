"""``segue tune``: find better options for one's own data, and keep them as a preset."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from recommender.cli_evaluate import DataOption, PlaysOption
from recommender.folders import at_home
from recommender.terminal import (
    CacheOption,
    DatasetFolderOption,
    JsonOption,
    StoreOption,
    err,
    load,
    out,
    print_json,
    stoppable,
)


def tune(
    store: StoreOption,
    folder: DatasetFolderOption,
    cache: CacheOption,
    plays: PlaysOption = None,
    data: DataOption = None,
    preset: Annotated[
        str | None, typer.Option(help="Where the search starts: a preset or its file.", show_default="best")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Name or file of the preset that is written.")] = "tuned",
    trials: Annotated[int, typer.Option(min=1, max=10_000, help="Recipes tried, at most.")] = 30,
    splits: Annotated[int, typer.Option(min=1, max=20, help="Validation splits that each is judged on.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Same data, options and seed: the same result.")] = 0,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal", parser=at_home, help="Where the trials are noted.", show_default="beside the preset's file"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Search for options that find hidden plays better, and save them as a preset.

    Run it again after an interruption: trials that were finished are not made twice. Judge the result with
    `segue evaluate`, which hides other plays.

    Examples: segue tune --plays plays.tsv · segue train --plays plays.tsv --preset tuned
    """
    from recommender.presets import find_preset, new_preset_path, write_preset
    from recommender.recipes import BEST_PRESET
    from recommender.tuning import Journal, Trial, TuningParams, subject_of
    from recommender.tuning import tune as search

    start = find_preset(preset or BEST_PRESET, store=store)
    target = new_preset_path(name, store=store)
    params = TuningParams(trials, splits, seed)
    trial_rows: list[dict[str, object]] = []

    def said(trial: Trial) -> None:
        reached = "collapsed" if trial.ndcg is None else f"nDCG@10 {trial.ndcg:.4f}"
        origin = " (from the journal)" if trial.known else ""
        err.print(
            f"{trial.number:3} of at most {trials}: {trial.change}: {reached}{origin}",
            markup=False,
            soft_wrap=True,
            highlight=False,
        )
        trial_rows.append({"change": trial.change, "ndcg": trial.ndcg, "from_journal": trial.known})

    with stoppable() as stopping:
        counts = load(plays, data, folder=folder, cache=cache)
        notes = Journal(
            journal or target.with_name(f"{target.stem}.journal"), subject_of(counts.data_hash, start, params)
        )
        stopping.result_so_far = True  # Ctrl-C ends the search after the trial that is running
        with _progress() as bar:
            task = bar.add_task("", total=None)
            best = search(
                counts.plays,
                start,
                params,
                journal=notes,
                progress=said,
                step=lambda change: bar.update(task, description=f"trying {change}, Ctrl-C stops after it"),
                stop=lambda: stopping.asked,
            )
        write_preset(target, best.recipe)
    stopping.raise_if_received()
    if as_json:
        card = {"preset": str(target), "ndcg": best.ndcg, "change": best.change, "trials": trial_rows}
        print_json(card | {"stopped": stopping.asked})
        return
    if stopping.asked:
        out.print("Stopped by Ctrl-C: the same command goes on from here.")
    out.print(
        f"Best of {len(trial_rows)}: nDCG@10 {best.ndcg:.4f} on validation plays. Wrote {target}.",
        markup=False,
        soft_wrap=True,
    )
    where = f"--data {data}" if data else f"--plays {shlex.quote(str(plays))}"
    out.print(f"Next: segue train {where} --preset {shlex.quote(name)}", markup=False, soft_wrap=True)


def _progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
