"""How much was asked, shown and said in one server: counts alone, never of one person."""

from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.engine import Connection

from bot.feedback.subjects import known_key
from bot.feedback.tables import Impression, Request, current_vote


@dataclass(frozen=True, slots=True)
class ServerCounts:
    """Requests of members (none of tests, none that never reached them), their rows, and the votes that stand now."""

    n_requests: int = 0
    n_answered: int = 0
    n_shown: int = 0
    n_rated: int = 0
    n_up: int = 0
    n_down: int = 0
    n_voters: int = 0


def counts_of(connection: Connection, guild: str) -> ServerCounts:
    """Count what was logged in a server (outside id)."""
    key = known_key(connection, "guild", guild)
    if key is None:
        return ServerCounts()
    real = (Request.guild_key == key) & ~Request.is_test & ~Request.undelivered
    answered = func.sum(case((Request.outcome == "answered", 1), else_=0))
    n_requests, n_answered = connection.execute(select(func.count(), answered).where(real)).one()
    n_shown = connection.scalar(
        select(func.count()).select_from(Impression).join(Request, Request.id == Impression.request_id).where(real)
    )
    votes = connection.execute(
        select(
            func.count(current_vote.c.impression_id.distinct()),
            func.sum(case((current_vote.c.value > 0, 1), else_=0)),
            func.sum(case((current_vote.c.value < 0, 1), else_=0)),
            func.count(current_vote.c.voter_key.distinct()),
        )
        .select_from(current_vote)
        .join(Impression, Impression.id == current_vote.c.impression_id)
        .join(Request, Request.id == Impression.request_id)
        .where(real, current_vote.c.value != 0)
    ).one()
    return ServerCounts(n_requests, n_answered or 0, n_shown or 0, *(count or 0 for count in votes))
