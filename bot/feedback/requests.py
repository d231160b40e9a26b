"""How a request and its rows are written: in four statements, made once, for this is what every answer waits for.

Statements that are made anew, dataclasses that are copied deep and a RETURNING over many rows took three quarters of
the writer's time: 2.1 ms of processor per answer of ten rows, and .6 as it is here (``benchmarks/answers.py``).
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.engine import Connection

from bot.feedback.records import RequestRecord, Shown
from bot.feedback.subjects import SubjectKind, key_for
from bot.feedback.tables import Impression, MemberPreference, Request, Seed, Subject

# Whom and where are written as keys.
_REQUEST_COLUMNS = tuple(one.name for one in fields(RequestRecord) if one.name not in ("member", "guild"))
_ROW_COLUMNS = tuple(one.name for one in fields(Shown))


def _key(kind: SubjectKind) -> Any:
    query = select(Subject.random_key).where(Subject.kind == kind, Subject.discord_id == bindparam(kind))
    return query.scalar_subquery()


_WHO = select(
    _key("member").label("member_key"),
    _key("guild").label("guild_key"),
    select(MemberPreference.member_key)
    .where(MemberPreference.member_key == _key("member"), MemberPreference.opt_out)
    .exists()
    .label("opted_out"),
)
_INSERT_REQUEST = insert(Request).returning(Request.id)
_INSERT_SEEDS = insert(Seed)
_INSERT_ROWS = insert(Impression)
_IDS = select(Impression.id).where(Impression.request_id == bindparam("request_id")).order_by(Impression.rank)


def insert_request(
    connection: Connection,
    request: RequestRecord,
    shown: Sequence[Shown],
    seeds: Sequence[tuple[int, int]],
    *,
    created_at: datetime,
) -> list[int]:
    """Write a request, the seeds of a blend or a path, and the rows of its answer.

    Returns
    -------
    The rows' ids in the order of their ranks; none for a person who opted out: nothing was written.
    """
    who = connection.execute(_WHO, {"member": request.member, "guild": request.guild}).one()
    if who.opted_out:
        return []
    row = {column: getattr(request, column) for column in _REQUEST_COLUMNS}
    row["created_at"] = created_at
    row["undelivered"] = False
    row["member_key"] = who.member_key or key_for(connection, "member", request.member)
    row["guild_key"] = who.guild_key or (request.guild and key_for(connection, "guild", request.guild))
    request_id = connection.execute(_INSERT_REQUEST, row).scalar_one()
    if seeds:
        rows = [
            {"request_id": request_id, "position": position, "artist_id": artist_id, "sign": sign}
            for position, (artist_id, sign) in enumerate(seeds, start=1)
        ]
        connection.execute(_INSERT_SEEDS, rows)
    if not shown:
        return []
    by_rank = sorted(shown, key=attrgetter("rank"))
    connection.execute(_INSERT_ROWS, [_row(one, request_id) for one in by_rank])
    return list(connection.scalars(_IDS, {"request_id": request_id}))


def _row(shown: Shown, request_id: int) -> dict[str, Any]:
    row = {column: getattr(shown, column) for column in _ROW_COLUMNS}
    row["request_id"] = request_id
    return row
