"""What members decided for themselves: tastes, being logged or not, and all that is known of them, given or deleted."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.engine import Connection

from bot.feedback.records import Taste as TasteRecord
from bot.feedback.records import Verdict
from bot.feedback.subjects import key_for, known_key
from bot.feedback.tables import Alias, Impression, MemberPreference, Request, Seed, Subject, Taste, Vote


def opted_out(connection: Connection, member: str) -> bool:
    """Whether a person wants nothing written down about them."""
    query = select(
        exists().where(
            Subject.kind == "member",
            Subject.discord_id == member,
            MemberPreference.member_key == Subject.random_key,
            MemberPreference.opt_out,
        )
    )
    return bool(connection.scalar(query))


def set_opt_out(connection: Connection, member: str, wish: bool, *, now: datetime) -> bool:
    """Write what a person wishes; whether that changed anything."""
    if opted_out(connection, member) == wish:
        return False
    key = key_for(connection, "member", member)
    connection.execute(delete(MemberPreference).where(MemberPreference.member_key == key))
    connection.execute(insert(MemberPreference), {"member_key": key, "opt_out": wish, "updated_at": now})
    return True


def set_taste(connection: Connection, member: str, artist_id: int, verdict: Verdict | None, *, now: datetime) -> bool:
    """Write what a person thinks of an artist, None takes it back; whether that changed anything."""
    key = key_for(connection, "member", member)
    here = (Taste.member_key == key) & (Taste.artist_id == artist_id)
    standing = connection.scalar(select(Taste.verdict).where(here))
    if standing == verdict:
        return False
    connection.execute(delete(Taste).where(here))
    if verdict is not None:
        row = {"member_key": key, "artist_id": artist_id, "verdict": verdict, "created_at": now}
        connection.execute(insert(Taste), row)
    return True


def tastes(connection: Connection, member: str) -> list[TasteRecord]:
    """Read what a person said of artists, oldest first."""
    key = known_key(connection, "member", member)
    query = select(Taste.artist_id, Taste.verdict, Taste.created_at).where(Taste.member_key == key)
    rows: list[Any] = list(connection.execute(query.order_by(Taste.created_at, Taste.artist_id)))
    return [TasteRecord(*row) for row in rows]


def export(connection: Connection, member: str) -> dict[str, Any]:
    """Read every row that is kept of a person, by table; without other people's rows and without keys of servers."""
    key = known_key(connection, "member", member)
    if key is None:
        return {}
    of_mine = select(Request.id).where(Request.member_key == key)
    queries = {
        "requests": select(Request).where(Request.member_key == key).order_by(Request.id),
        "seeds": select(Seed).where(Seed.request_id.in_(of_mine)).order_by(Seed.request_id, Seed.position),
        "impressions": select(Impression).where(Impression.request_id.in_(of_mine)).order_by(Impression.id),
        "votes": select(Vote).where(Vote.voter_key == key).order_by(Vote.id),
        "tastes": select(Taste).where(Taste.member_key == key).order_by(Taste.created_at),
        "preferences": select(MemberPreference).where(MemberPreference.member_key == key),
        "proposed_names": select(Alias).where(Alias.proposed_by == key).order_by(Alias.id),
    }
    hidden = {"guild_key", "decided_by"}
    return {
        "key": key,
        **{
            table: [
                {name: _plain(value) for name, value in row._mapping.items() if name not in hidden}
                for row in connection.execute(select(*query.subquery().columns))
            ]
            for table, query in queries.items()
        },
    }


def forget(connection: Connection, member: str, *, now: datetime) -> int:
    """Delete every row that is kept of a person, and who they are; the wish to stay unlogged stays, under a new key.

    Names that they proposed or decided on stay with the server, as nobody's.

    Returns
    -------
    The number of deleted rows, votes of others on the deleted answers not counted.
    """
    key = known_key(connection, "member", member)
    if key is None:
        return 0
    keeps_out = opted_out(connection, member)
    deleted = 0
    for statement in (
        delete(Vote).where(Vote.voter_key == key),
        delete(Taste).where(Taste.member_key == key),
        delete(Request).where(Request.member_key == key),
        delete(Subject).where(Subject.random_key == key),
    ):
        deleted += connection.execute(statement).rowcount
    connection.execute(update(Alias).where(Alias.proposed_by == key).values(proposed_by=None))
    connection.execute(update(Alias).where(Alias.decided_by == key).values(decided_by=None))
    if keeps_out:
        set_opt_out(connection, member, True, now=now)
    return deleted


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
