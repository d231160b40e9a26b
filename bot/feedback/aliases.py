"""Aliases that members propose and moderators decide: what is written and read, in the transaction that is given."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from bot.feedback.records import (
    AliasRecord,
    AliasSource,
    AliasStatus,
    AliasTaken,
    AliasVerdict,
    AlreadyDecided,
    AlreadyProposed,
    Decided,
    DecisionOutcome,
    ProposalOutcome,
    Proposed,
    UnknownAlias,
)
from bot.feedback.subjects import key_for, known_key
from bot.feedback.tables import MAX_ALIAS_CHARACTERS, MAX_ARTIST_NAME_CHARACTERS, Alias
from recommender.artists import artist_key
from recommender.errors import FeedbackError

_MAX_ID = 2**63 - 1

_ALIASES = select(
    Alias.id,
    Alias.guild_key,
    Alias.alias_norm,
    Alias.artist_id,
    Alias.artist_name,
    Alias.source,
    Alias.status,
    Alias.proposed_by,
    Alias.created_at,
    Alias.decided_by,
    Alias.decided_at,
).order_by(Alias.id)


def proposal(text: str, *, artist_id: int, artist_name: str, source: AliasSource, now: datetime) -> dict[str, Any]:
    """Make the row of a proposal, but for its people.

    Raises
    ------
    FeedbackError : the text or the name is empty or too long.
    """
    alias = artist_key(text)
    for what, value, limit in (
        ("alias", alias, MAX_ALIAS_CHARACTERS),
        ("artist's name", artist_name, MAX_ARTIST_NAME_CHARACTERS),
    ):
        if not 0 < len(value) <= limit:
            raise FeedbackError(f"the {what} has {len(value)} characters; use 1 to {limit}")
    return {
        "alias_norm": alias,
        "artist_id": artist_id,
        "artist_name": artist_name,
        "source": source,
        "status": "proposed",
        "created_at": now,
    }


def propose(connection: Connection, row: dict[str, Any], *, member: str, guild: str | None) -> ProposalOutcome:
    """Insert a proposal, unless the same one stands there."""
    guild_key = None if guild is None else key_for(connection, "guild", guild)
    same = _ALIASES.where(
        Alias.guild_key.is_not_distinct_from(guild_key),
        Alias.alias_norm == row["alias_norm"],
        Alias.artist_id == row["artist_id"],
    )
    if standing := _one(connection, same):
        return AlreadyProposed(standing)
    people = {"guild_key": guild_key, "proposed_by": key_for(connection, "member", member)}
    alias_id = connection.execute(insert(Alias).returning(Alias.id), row | people).scalar_one()
    return Proposed(_record(connection.execute(_ALIASES.where(Alias.id == alias_id)).one()))


def decide(
    connection: Connection, alias_id: int, verdict: AliasVerdict, *, by: str, decided_at: datetime
) -> DecisionOutcome:
    """Write a decision, unless it stands already or would let an alias lead to two artists."""
    alias = _one(connection, _ALIASES.where(Alias.id == alias_id)) if 0 < alias_id <= _MAX_ID else None
    if alias is None:
        return UnknownAlias(alias_id)
    if alias.status == verdict:
        return AlreadyDecided(alias)
    if verdict == "accepted":
        holder = _one(
            connection,
            _ALIASES.where(
                Alias.guild_key.is_not_distinct_from(alias.guild_key),
                Alias.alias_norm == alias.alias,
                Alias.status == "accepted",
            ),
        )
        if holder:
            return AliasTaken(alias, holder)
    decision = {"status": verdict, "decided_at": decided_at, "decided_by": key_for(connection, "member", by)}
    connection.execute(update(Alias).where(Alias.id == alias_id).values(decision))
    return Decided(_record(connection.execute(_ALIASES.where(Alias.id == alias_id)).one()), alias.status)


def stored(connection: Connection, status: AliasStatus | None) -> list[AliasRecord]:
    """Read the aliases of one status, or all."""
    query = _ALIASES if status is None else _ALIASES.where(Alias.status == status)
    return [_record(row) for row in connection.execute(query)]


def accepted(connection: Connection, guild: str | None) -> list[tuple[str, int]]:
    """Read the accepted aliases that hold in a server, each once: its own go before those for everywhere."""
    guild_key = None if guild is None else known_key(connection, "guild", guild)
    query = (
        select(Alias.alias_norm, Alias.artist_id)
        .where(Alias.status == "accepted", or_(Alias.guild_key.is_(None), Alias.guild_key == guild_key))
        .order_by(Alias.guild_key.is_not(None))
    )
    # The later row of an alias stands: the server's own.
    return sorted({row.alias_norm: row.artist_id for row in connection.execute(query)}.items())


def state(connection: Connection) -> tuple[object, ...]:
    """Read what differs whenever the accepted aliases do: cheap to compare, says nothing by itself."""
    # Times alone do not do: clocks step back.
    query = select(func.count(), func.sum(Alias.id), func.max(Alias.decided_at)).where(Alias.status == "accepted")
    return tuple(connection.execute(query).one())


def _one(connection: Connection, query: Select[*tuple[Any, ...]]) -> AliasRecord | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else _record(row)


def _record(row: Row[*tuple[Any, ...]]) -> AliasRecord:
    return AliasRecord(*row)
