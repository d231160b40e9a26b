"""``segue alias``: what members call artists, read and decided by the operator."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, get_args

import typer
from rich.table import Column, Table

from bot.feedback.records import AliasRecord, AliasStatus, AliasTaken, AliasVerdict, AlreadyDecided, Decided
from recommender.artists import format_artist_id
from recommender.errors import ParameterError
from recommender.terminal import JsonOption, out, print_json
from recommender.wording import plain_name

# SQLAlchemy and Alembic take a second to import; `segue --help` must not pay it.
if TYPE_CHECKING:
    from bot.feedback.store import FeedbackStore

OPERATOR = "console"

app = typer.Typer(no_args_is_help=True, help="Names that members gave to artists: list, accept, reject.")

AliasId = Annotated[int, typer.Argument(help="Number of the alias, as in `segue alias list`.")]


@app.command("list")
def list_(
    status: Annotated[str, typer.Option(help="proposed, accepted, rejected, or all.", metavar="STATUS")] = "proposed",
    as_json: JsonOption = False,
) -> None:
    """List the aliases that wait for a decision, or those of another status."""
    if status not in (*get_args(AliasStatus), "all"):
        raise ParameterError(f"status {status!r} is unknown; use proposed, accepted, rejected or all")
    with _open_store() as store:
        found = [alias for alias in store.list_aliases() if status in (alias.status, "all")]
    if as_json:
        print_json([_json(alias) for alias in found])
        return
    if not found:
        out.print("There are no aliases." if status == "all" else f"No alias is {status}.")
        return
    table = Table(Column("id", justify="right"), "alias", "artist", "server", "status", "proposed")
    for alias in found:
        table.add_row(
            str(alias.id),
            plain_name(alias.alias),
            plain_name(alias.artist_name),
            _server(alias),
            alias.status,
            f"{alias.proposed_at:%Y-%m-%d}",
        )
    out.print(table, markup=False)
    out.print("Decide: segue alias accept ID, segue alias reject ID", markup=False)


@app.command()
def accept(alias_id: AliasId) -> None:
    """Accept an alias: in its server it leads to its artist from now on."""
    _decide(alias_id, "accepted")


@app.command()
def reject(alias_id: AliasId) -> None:
    """Reject an alias, or withdraw one that was accepted; proposed again, it stays rejected."""
    _decide(alias_id, "rejected")


def _decide(alias_id: int, verdict: AliasVerdict) -> None:
    with _open_store() as store:
        outcome = store.decide_alias(alias_id, verdict, by=OPERATOR).result()
    if isinstance(outcome, Decided):
        before = "" if outcome.previous == "proposed" else f" (was {outcome.previous})"
        out.print(f"{_described(outcome.alias)} is {verdict}{before}.", markup=False, soft_wrap=True)
    elif isinstance(outcome, AlreadyDecided):
        out.print(f"{_described(outcome.alias)} was {verdict} before.", markup=False, soft_wrap=True)
    elif isinstance(outcome, AliasTaken):
        raise ParameterError(
            f"{_described(outcome.alias)} cannot be accepted: in this server the alias already leads to "
            f"{plain_name(outcome.holder.artist_name)}; first run `segue alias reject {outcome.holder.id}`"
        )
    else:
        raise ParameterError(f"there is no alias {alias_id}; `segue alias list --status all` shows them")


def _open_store() -> "FeedbackStore":
    from bot.feedback.database import upgrade_database
    from bot.feedback.store import FeedbackStore
    from bot.settings import load_settings

    url = load_settings().database_url
    upgrade_database(url)
    return FeedbackStore(url, now=lambda: datetime.now(UTC))


def _described(alias: AliasRecord) -> str:
    return f"“{plain_name(alias.alias)}” for {plain_name(alias.artist_name)} ({_server(alias)})"


def _server(alias: AliasRecord) -> str:
    """Tell servers apart without naming them."""
    return "everywhere" if alias.guild_key is None else f"server {alias.guild_key[:8]}"


def _json(alias: AliasRecord) -> dict[str, object]:
    decided_at = None if alias.decided_at is None else alias.decided_at.isoformat()
    return asdict(alias) | {
        # JavaScript and jq round numbers of 64 bits.
        "artist_id": format_artist_id(alias.artist_id),
        "proposed_at": alias.proposed_at.isoformat(),
        "decided_at": decided_at,
    }
