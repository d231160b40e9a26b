"""``segue experiment``: which two models are compared in the answers, from when until when."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from bot.cli_feedback import opened_store
from recommender.terminal import JsonOption, StoreOption, out, print_json
from recommender.wording import plain_name

if TYPE_CHECKING:
    from bot.feedback.experiments import Step
    from bot.feedback.records import ExperimentRecord

app = typer.Typer(no_args_is_help=True, help="Live comparisons of two models: define, start, stop, archive, list.")

ServerOption = Annotated[
    int | None,
    typer.Option(
        "--server", help="Discord id of a server whose moderators' experiment is meant.", show_default="everywhere"
    ),
]
NameArgument = Annotated[str, typer.Argument(help="Name of the experiment.")]


@app.command()
def define(
    name: NameArgument,
    store: StoreOption,
    model_a: Annotated[str, typer.Option("--a", help="Model A's id in the store: as a rule the one that serves.")],
    model_b: Annotated[str, typer.Option("--b", help="Model B's id in the store: the challenger.")],
    explore: Annotated[float, typer.Option(help="Share of the answers with one row from deeper ranks.")] = 0.1,
    server: ServerOption = None,
) -> None:
    """Define a comparison; nothing changes for members until it is started."""
    from bot.experimenting import define as define_experiment
    from recommender.store import ModelStore

    with opened_store() as feedback:
        defined = define_experiment(
            feedback,
            ModelStore(store),
            name,
            model_a=model_a,
            model_b=model_b,
            explore_rate=explore,
            guild=_guild(server),
        )
    out.print(f"Defined {_described(defined)}. Next: segue experiment start {name}", markup=False, soft_wrap=True)


@app.command()
def start(name: NameArgument, server: ServerOption = None) -> None:
    """Start it: from now on answers of `similar` are drafted from both models. One runs at a time.

    In a server whose moderators run an experiment, theirs goes before the one that runs everywhere.
    """
    _take(name, "start", server)


@app.command()
def stop(name: NameArgument, server: ServerOption = None) -> None:
    """Stop it: the serving model answers alone again; votes on what was shown still count."""
    _take(name, "stop", server)


@app.command()
def archive(name: NameArgument, server: ServerOption = None) -> None:
    """Put a stopped one, or one that never ran, away; its answers and votes stay."""
    _take(name, "archive", server)


@app.command("list")
def list_(
    archived: Annotated[bool, typer.Option("--archived", help="Also those put away.")] = False,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the experiments; without --server also, under names of theirs, those of all servers."""
    from bot.feedback.experiments import Experiments

    with opened_store() as feedback:
        experiments = Experiments(feedback)
        known = experiments.all() if server is None else experiments.of(_guild(server))
        found = [one for one in known if archived or one.state != "archived"]
    if as_json:
        print_json([_json(one) for one in found])
        return
    if not found:
        out.print("There is no experiment; define one: segue experiment define NAME --a MODEL --b MODEL", markup=False)
        return
    table = Table("name", "where", "state", "A", "B", Column("explores", justify="right"), "started", "ended")
    for one in found:
        table.add_row(
            plain_name(one.name),
            "everywhere" if one.is_everywhere else "one server",
            one.state,
            plain_name(one.model_a),
            plain_name(one.model_b),
            f"{100 * one.explore_rate:.0f} %",
            _day(one.started_at),
            _day(one.ended_at),
        )
    out.print(table, markup=False)


def _take(name: str, step: "Step", server: int | None) -> None:
    from bot.feedback.experiments import Experiments

    with opened_store() as feedback:
        taken = Experiments(feedback).take(name, step, guild=_guild(server))
    out.print(f"{_described(taken)} is {taken.state}.", markup=False, soft_wrap=True)


def _guild(server: int | None) -> str | None:
    return None if server is None else f"discord:{server}"


def _described(one: "ExperimentRecord") -> str:
    return f"experiment {plain_name(one.name)}: A = {plain_name(one.model_a)}, B = {plain_name(one.model_b)}"


def _day(time: datetime | None) -> str:
    return "-" if time is None else f"{time:%Y-%m-%d %H:%M}"


def _json(one: "ExperimentRecord") -> dict[str, object]:
    times = {
        name: None if (time := getattr(one, name)) is None else time.isoformat()
        for name in ("created_at", "started_at", "ended_at", "archived_at")
    }
    return {
        "id": one.id,
        "name": one.name,
        "everywhere": one.is_everywhere,
        "state": one.state,
        "model_a": one.model_a,
        "model_b": one.model_b,
        "explore_rate": one.explore_rate,
        **times,
    }
