"""``segue evaluate``: presets side by side, on plays that were hidden from them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from recommender.errors import ParameterError
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
from recommender.wording import SYNTHETIC_NOTE, counted, plain_name

# numba takes most of a second to import; only the command itself pays it.
if TYPE_CHECKING:
    from recommender.evaluating import EvaluationParams, Judged, Step
    from recommender.intervals import Difference
    from recommender.plays import PlayCounts

PlaysOption = Annotated[
    str | None, typer.Option(help="Listening data: a file, a folder with HetRec's two files, or - for standard input.")
]
DataOption = Annotated[str | None, typer.Option(help="A data set by name, instead of --plays; see `segue data list`.")]
SplitOption = Annotated[
    Literal["leave-out", "new-listeners"],
    typer.Option(
        "--split",
        help="leave-out hides a part of every listener's artists; new-listeners keeps a part of the listeners out of "
        "training.",
    ),
]
ShareOption = Annotated[float, typer.Option("--share", help="Part of a listener's artists that is hidden.")]


def evaluate(
    store: StoreOption,
    folder: DatasetFolderOption,
    cache: CacheOption,
    plays: PlaysOption = None,
    data: DataOption = None,
    preset: Annotated[
        list[str] | None,
        typer.Option("--preset", help="A preset or its file; may be repeated.", show_default="best and article-als"),
    ] = None,
    split: SplitOption = "leave-out",
    share: ShareOption = 0.2,
    splits: Annotated[int, typer.Option(min=1, max=100, help="How many splits are drawn and trained on.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Same data, options and seed: the same figures.")] = 0,
    recall_at: Annotated[int, typer.Option(min=1, max=1000, help="Rows that recall and MAP look at.")] = 20,
    ndcg_at: Annotated[int, typer.Option(min=1, max=1000, help="Rows that nDCG, coverage and hubs look at.")] = 10,
    plot: Annotated[
        Path | None, typer.Option("--plot", parser=at_home, help="Draw it into this PNG file.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge recommendations: train presets on a part of the plays, and see which find the rest.

    The first preset is compared with each other one, listener by listener.

    Examples: segue evaluate --data demo · segue evaluate --plays plays.tsv --preset best --preset ease --plot e.png
    """
    from recommender.datasets import is_synthetic
    from recommender.evaluating import POPULARITY, EvaluationParams, compare
    from recommender.evaluating import evaluate as judge
    from recommender.plotting import plot_evaluation, require_matplotlib
    from recommender.presets import find_preset, preset_name
    from recommender.recipes import BEST_PRESET
    from recommender.splits import SplitParams

    if plot is not None:
        require_matplotlib()
    chosen = preset or [BEST_PRESET, "article-als"]
    recipes = {preset_name(name): find_preset(name, store=store) for name in chosen}
    if len({POPULARITY, *recipes}) <= len(chosen):
        names = ", ".join(chosen)
        raise ParameterError(
            f"each preset needs a name of its own, other than {POPULARITY}: {names}; leave one out or rename its file"
        )
    params = EvaluationParams(SplitParams(split, share=share), splits, seed, recall_at, ndcg_at)
    with stoppable() as stopping, judging_progress() as step:
        counts = load(plays, data, folder=folder, cache=cache)
        judged = judge(counts.plays, recipes, params, step=step)
    stopping.raise_if_received()
    ours = next(iter(recipes))
    against = {name: compare(judged, ours, name, seed=seed) for name in judged if name not in (ours, POPULARITY)}
    subject = data or ("standard input" if plays == "-" else plain_name(Path(str(plays)).name))
    if as_json:
        print_json(_as_json(counts.data_hash, params, judged, ours, against))
    else:
        _print(counts, judged, params, ours, against)
        if is_synthetic(counts.data_hash):
            out.print(SYNTHETIC_NOTE)
    if plot is not None:  # last: figures that took an hour must not be lost with a picture
        plot_evaluation(plot, judged, params, subject=subject)
        if not as_json:
            out.print(f"Drew it into {plot}.", markup=False, soft_wrap=True)


def _print(
    counts: "PlayCounts",
    judged: "dict[str, Judged]",
    params: "EvaluationParams",
    ours: str,
    against: "dict[str, dict[str, Difference]]",
) -> None:
    n_judged = len(next(iter(judged[ours].each.values())))
    how = f"{params.split.kind}, {100 * params.split.share:.0f} % hidden"
    out.print(
        f"{counts.plays.shape[0]:,} listeners x {counts.plays.shape[1]:,} artists; {counted(n_judged, 'listener')} "
        f"judged on {counted(params.n_splits, 'split')} ({how}).",
        markup=False,
        soft_wrap=True,
    )
    out.print(_table(judged, params))
    for name, differences in against.items():
        out.print(_sentence(ours, name, differences), markup=False, soft_wrap=True)


@contextmanager
def judging_progress() -> "Iterator[Step]":
    """Show what is being judged, and how much is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("loading", total=None)
        yield lambda what, done, total: bar.update(task, description=escape(what), completed=done, total=total)


def _table(judged: "dict[str, Judged]", params: "EvaluationParams") -> Table:
    # Figures as rows: there are more of them than of presets, and a terminal is narrow.
    table = Table("", *(escape(plain_name(name)) for name in judged))
    for column in table.columns[1:]:
        column.justify = "right"
    systems = judged.values()
    for metric in params.names:
        means = [one.means[metric] for one in systems]
        table.add_row(metric, *(f"{mean.mean:.4f} ± {(mean.high - mean.low) / 2:.4f}" for mean in means))
    table.add_row("coverage", *(f"{one.spread('coverage'):.3f}" for one in systems))
    hubs = [f"{one.spread('hub_skew'):.1f} ({100 * one.spread('most_lists'):.0f} %)" for one in systems]
    table.add_row("hub skew (most lists)", *hubs)
    table.add_row("popularity", *(f"{one.spread('popularity'):.2f}" for one in systems))
    stable = ["" if one.stability is None else f"{100 * one.stability:.0f} %" for one in systems]
    table.add_row("same with another seed", *stable)
    return table


def _sentence(ours: str, theirs: str, differences: "dict[str, Difference]") -> str:
    parts = [
        f"{name} {one.mean:+.4f} (95 % {one.low:+.4f} to {one.high:+.4f}, p = {one.p:.4f})"
        for name, one in differences.items()
    ]
    return f"{plain_name(ours)} - {plain_name(theirs)}: {', '.join(parts)}"


def _as_json(
    data_hash: str,
    params: "EvaluationParams",
    judged: "dict[str, Judged]",
    ours: str,
    against: "dict[str, dict[str, Difference]]",
) -> dict[str, Any]:
    systems = {
        name: {
            **{metric: asdict(mean) for metric, mean in one.means.items()},
            **{figure: one.spread(figure) for figure in ("coverage", "hub_skew", "most_lists", "popularity")},
            "stability": one.stability,
        }
        for name, one in judged.items()
    }
    compared = {
        name: {metric: asdict(one) for metric, one in differences.items()} for name, differences in against.items()
    }
    return {
        "data": data_hash,
        "options": asdict(params),
        "listeners_judged": len(next(iter(judged[ours].each.values()))),
        "systems": systems,
        "compared": {"of": ours, "with": compared},
    }
