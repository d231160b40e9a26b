"""Random keys in the place of people and servers."""

import secrets
from typing import Literal

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from bot.feedback.tables import Subject

SubjectKind = Literal["member", "guild"]

_KEY = select(Subject.random_key).where(
    Subject.kind == bindparam("kind"), Subject.discord_id == bindparam("outside_id")
)


def known_key(connection: Connection, kind: SubjectKind, outside_id: str) -> str | None:
    """Look up the key of a person or a server; None for one that was never logged."""
    return connection.scalar(_KEY, {"kind": kind, "outside_id": outside_id})


def key_for(connection: Connection, kind: SubjectKind, outside_id: str) -> str:
    """Look up the key of a person or a server, or draw one: it must not be derivable from the outside id."""
    key = known_key(connection, kind, outside_id)
    if key is None:
        key = secrets.token_hex(16)
        connection.execute(insert(Subject), {"random_key": key, "kind": kind, "discord_id": outside_id})
    return key
