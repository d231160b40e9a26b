"""``segue feedback``: reports on votes, their export, and a simulated community to try both on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from recommender.errors import ParameterError
from recommender.terminal import JsonOption, err, out, print_json
from recommender.wording import counted

# SQLAlchemy, Alembic and scipy take a second to import; `segue --help` must not pay it.
if TYPE_CHECKING:
    from bot.evidence.reporting import Report
    from bot.feedback.records import ExperimentRecord
    from bot.feedback.store import FeedbackStore

app = typer.Typer(no_args_is_help=True, help="What members said of the answers: report, export, simulate.")

ExperimentOption = Annotated[
    str | None, typer.Option("--experiment", help="Only the answers of this one.", show_default="the one that runs")
]
ServerOption = Annotated[
    int | None,
    typer.Option(
        "--server", help="Discord id of a server: only its answers, and its experiments.", show_default="all servers"
    ),
]
SinceOption = Annotated[
    str | None, typer.Option("--since", help="Only requests from this time on, like 2026-01-31 or 2026-01-31T18:00.")
]


@app.command()
def report(
    experiment: ExperimentOption = None,
    everything: Annotated[bool, typer.Option("--all", help="All answers, also outside of experiments.")] = False,
    since: SinceOption = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
    html: Annotated[Path | None, typer.Option(help="Also write one self-contained page to this file.")] = None,
    plots: Annotated[
        Path | None, typer.Option(help="Also write pictures (PNG) into this folder; needs the extra `plot`.")
    ] = None,
) -> None:
    """Say what votes allow to conclude: coverage, which model is better, up-rates, the bias of positions.

    Without options: the experiment that runs, or all answers when none does.
    """
    from bot.reports import report_of

    with opened_store() as store:
        guild = None if server is None else f"discord:{server}"
        chosen = None if everything else _chosen(store, experiment, guild)
        found = report_of(store, chosen, since=_time(since), guild=guild)
    if html is not None:
        _write_page(found, html)
    if plots is not None:
        from bot.report_plots import write_plots

        err.print(f"Wrote {counted(len(write_plots(found, plots)), 'picture')} to {plots}.", markup=False)
    if as_json:
        print_json(found.as_json())
    else:
        print_report(found)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="New folder for the three tables and their dictionary.")],
    since: SinceOption = None,
    kind: Annotated[str, typer.Option("--format", help="parquet or csv.")] = "parquet",
) -> None:
    """Write requests, impressions and votes under fresh pseudonyms, for evaluation elsewhere."""
    from bot.feedback.exporting import export as write

    if kind not in ("parquet", "csv"):
        raise ParameterError(f"format {kind!r} is unknown; use parquet or csv")
    with opened_store() as store, store.reading() as connection:
        written = write(connection, folder, kind="csv" if kind == "csv" else "parquet", since=_time(since))
    counts = ", ".join(f"{rows:,} {name}" for name, rows in written.items())
    out.print(f"Wrote {counts} to {folder}; dictionary.json says what the columns are.", markup=False, soft_wrap=True)


@app.command()
def simulate(
    requests: Annotated[int, typer.Option(min=1, max=1_000_000, help="Requests of the community.")] = 400,
    members: Annotated[
        int, typer.Option(min=1, max=100_000, help="Its members; the i-th asks in proportion to 1/i.")
    ] = 40,
    up_rate_a: Annotated[float, typer.Option(help="How often model A's artists are liked.")] = 0.7,
    up_rate_b: Annotated[float, typer.Option(help="How often model B's artists are liked.")] = 0.6,
    shared: Annotated[int, typer.Option(min=0, max=50, help="Artists that both lists begin with.")] = 0,
    explore: Annotated[float, typer.Option(help="Share of the answers that explore.")] = 0.1,
    duplicates: Annotated[float, typer.Option(help="Share of the clicks that arrive twice.")] = 0.05,
    seed: Annotated[int, typer.Option(min=0, help="The same seed plants the same community.")] = 0,
    name: Annotated[str, typer.Option(help="Name of the experiment that it takes part in.")] = "simulated",
) -> None:
    """Let a planted community ask and vote, through the real store; then `segue feedback report --experiment NAME`.

    Meant for a database of its own: SEGUE_DATABASE_URL=sqlite:///try.sqlite3 segue feedback simulate
    """  # fmt: skip
    import numpy as np

    from bot.evidence.drafting import DraftParams
    from bot.evidence.simulation import World, sessions
    from bot.feedback.experiments import Experiments
    from bot.simulating import fill, refuse_members, simulated_model

    world = World(
        n_members=members,
        up_rate_a=up_rate_a,
        up_rate_b=up_rate_b,
        n_shared=shared,
        n_own=max(50 - shared, 1),
        draft=DraftParams(explore_rate=explore),
        duplicates=duplicates,
        changes=duplicates,
        retractions=duplicates,
    )
    with opened_store() as store:
        refuse_members(store)
        for model in ("simulated-a", "simulated-b"):
            store.register_model(simulated_model(model))
        experiments = Experiments(store)
        defined = experiments.define(name, model_a="simulated-a", model_b="simulated-b", explore_rate=explore)
        n_clicks = fill(store, sessions(world, requests, rng=np.random.default_rng(seed)), defined)
    out.print(
        f"Wrote {counted(requests, 'request')} and sent {counted(n_clicks, 'click')} as experiment {name}. "
        f"Next: segue feedback report --experiment {name}",
        markup=False,
        soft_wrap=True,
    )


def print_report(found: "Report") -> None:
    """Print a report as text and tables."""
    from bot.report_tables import sections

    out.print(found.title, markup=False, style="bold")
    for section in sections(found):
        out.print(f"\n{section.title}", markup=False, style="bold")
        for sentence in section.sentences:
            out.print(sentence, markup=False, soft_wrap=True, highlight=False)
        if section.rows:
            first, *others = section.header
            table = Table(first, *(Column(other, justify="right") for other in others))
            for row in section.rows:
                table.add_row(*row)
            out.print(table, markup=False)


@contextmanager
def opened_store() -> "Iterator[FeedbackStore]":
    """Open the database that the settings name, brought to this version."""
    from bot.feedback.database import upgrade_database
    from bot.feedback.store import FeedbackStore
    from bot.settings import load_settings

    url = load_settings().database_url
    upgrade_database(url)
    with FeedbackStore(url, now=lambda: datetime.now(UTC)) as store:
        yield store


def _chosen(store: "FeedbackStore", name: str | None, guild: str | None) -> "ExperimentRecord | None":
    from bot.feedback.experiments import Experiments

    experiments = Experiments(store)
    if name is None:
        return experiments.running(guild) or experiments.running()
    own = guild is not None and any(one.name == name for one in experiments.of(guild))
    return experiments.named(name, guild=guild if own else None)


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ParameterError(f"--since {text!r} is no time; write it like 2026-01-31 or 2026-01-31T18:00") from error
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _write_page(found: "Report", path: Path) -> None:
    from bot.report_pages import page
    from bot.report_plots import plots
    from recommender.errors import SegueError

    try:
        pictures = plots(found)
    except SegueError as error:
        err.print(f"The page has no pictures: {error}", markup=False, soft_wrap=True)
        pictures = {}
    path.write_text(page(found, pictures, made_at=datetime.now(UTC)), encoding="utf-8")
    err.print(f"Wrote {path}.", markup=False)
