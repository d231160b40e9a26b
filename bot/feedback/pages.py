"""Further pages of an answer that was shown: rows that join the request of the first page, each page once."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from bot.feedback.records import Shown, ShownAnswer, ShownRow
from bot.feedback.tables import Impression, Request

_MAX_ID = 2**63 - 1

_ROWS = select(
    Impression.id,
    Impression.rank,
    Impression.page,
    Impression.artist_id,
    Impression.model_id,
    Impression.score,
    Impression.support,
).order_by(Impression.rank)


def shown_answer(connection: Connection, impression_id: int) -> ShownAnswer | None:
    """Read the answer that a row belongs to, all its pages; None when it is not on record."""
    if not 0 < impression_id <= _MAX_ID:  # a forged button may hold any number of digits
        return None
    request = connection.execute(
        select(
            Request.id,
            Request.seed_artist_id,
            Request.familiarity,
            Request.experiment_id,
            Request.assignment_seed,
            Request.is_test,
        )
        .join(Impression, Impression.request_id == Request.id)
        .where(Impression.id == impression_id)
    ).one_or_none()
    if request is None:
        return None
    rows = connection.execute(_ROWS.where(Impression.request_id == request.id))
    known: tuple[Any, ...] = tuple(request)
    return ShownAnswer(*(*known, tuple(ShownRow(*row) for row in rows)))


def add_page(connection: Connection, impression_id: int, shown: Sequence[Shown]) -> ShownAnswer | None:
    """Add a page to an answer, unless two clicks asked for the same page: then the first one's stands.

    Parameters
    ----------
    shown : rows of one page, whose ranks go on behind those shown so far.

    Returns
    -------
    The answer as it stands now; None when it is not on record.
    """
    answer = shown_answer(connection, impression_id)
    if answer is None or not shown or any(row.page == shown[0].page for row in answer.rows):
        return answer
    rows = [{"request_id": answer.request_id, **asdict(one)} for one in shown]
    connection.execute(insert(Impression), rows)
    return shown_answer(connection, impression_id)
