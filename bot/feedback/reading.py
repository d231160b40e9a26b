"""From the database to arrays: a million rows in seconds, in blocks, without one object per row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlalchemy.engine import Connection

from bot.feedback.log import MATCH_KINDS, OUTCOMES, SOURCES, TEAMS, FeedbackLog, Impressions, Requests, Votes
from bot.feedback.tables import Impression, Request, current_vote

ROWS_PER_BLOCK = 50_000


def read_log(connection: Connection, *, experiment_id: int | None = None, since: datetime | None = None) -> FeedbackLog:
    """Read what reports need, in one consistent state.

    Parameters
    ----------
    connection : of :meth:`bot.feedback.store.FeedbackStore.reading`.
    experiment_id : only its answers; None reads all.
    since : only requests of this time (aware) or later.

    Returns
    -------
    The log without test requests and without answers that never arrived.
    """
    wanted = _wanted(experiment_id, since)
    people: dict[str, int] = {}
    requests = _requests(connection, wanted, people)
    impressions = _impressions(connection, wanted if experiment_id or since else None, requests)
    votes = _votes(connection, impressions, people)
    return FeedbackLog(requests, impressions, votes, n_people=len(people))


def _wanted(experiment_id: int | None, since: datetime | None) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [Request.is_test.is_(False), Request.undelivered.is_(False)]
    if experiment_id is not None:
        wanted.append(Request.experiment_id == experiment_id)
    if since is not None:
        wanted.append(Request.created_at >= since)
    return wanted


def _requests(connection: Connection, wanted: list[ColumnElement[bool]], people: dict[str, int]) -> Requests:
    query = select(
        Request.id,
        Request.member_key,
        _code(Request.source, SOURCES),
        _code(Request.match_kind, MATCH_KINDS),
        _code(Request.outcome, OUTCOMES),
        func.coalesce(Request.seed_artist_id, 0),
        Request.shuffled,
    ).where(*wanted)
    types = (np.int64, np.int64, np.int16, np.int16, np.int16, np.int64, np.bool_)
    columns = _columns(connection, query.order_by(Request.id), types, {1: people})
    return Requests(*columns)


def _impressions(connection: Connection, wanted: list[ColumnElement[bool]] | None, requests: Requests) -> Impressions:
    query = select(
        Impression.id,
        Impression.request_id,
        Impression.artist_id,
        Impression.rank,
        _code(Impression.team, TEAMS),
        func.coalesce(Impression.rank_in_a, 0),
        func.coalesce(Impression.rank_in_b, 0),
        Impression.propensity,
        func.coalesce(Impression.popularity_bucket, -1),
    )
    if wanted is not None:
        query = query.where(Impression.request_id.in_(select(Request.id).where(*wanted)))
    small = np.int16
    types = (np.int64, np.int64, np.int64, small, small, small, small, np.float64, small)
    columns = _columns(connection, query.order_by(Impression.id), types)
    place, known = _places(columns[1], requests.id)
    columns[1] = place
    return Impressions(*(column[known] for column in columns))


def _votes(connection: Connection, impressions: Impressions, people: dict[str, int]) -> Votes:
    query = select(current_vote.c.impression_id, current_vote.c.voter_key, current_vote.c.value).where(
        current_vote.c.value != 0
    )
    types = (np.int64, np.int64, np.int16)
    columns = _columns(connection, query.order_by(current_vote.c.vote_id), types, {1: people})
    place, known = _places(columns[0], impressions.id)
    columns[0] = place
    return Votes(*(column[known] for column in columns))


def _columns(
    connection: Connection,
    query: Select[*tuple[Any, ...]],
    types: Sequence[npt.DTypeLike],
    keys: Mapping[int, dict[str, int]] | None = None,
) -> list[npt.NDArray[Any]]:
    """Read a query column by column; in columns of ``keys``, texts become numbers, counted on in the dictionary."""
    blocks: list[list[npt.NDArray[Any]]] = [[] for _ in types]
    result = connection.execution_options(yield_per=ROWS_PER_BLOCK).execute(query)
    for block in result.partitions():
        for number, (values, kind) in enumerate(zip(zip(*block, strict=True), types, strict=True)):
            numbers = keys[number] if keys and number in keys else None
            if numbers is not None:
                values = [numbers.setdefault(value, len(numbers)) for value in values]
            blocks[number].append(np.fromiter(values, dtype=kind, count=len(values)))
    return [
        np.concatenate(parts) if parts else np.zeros(0, dtype=kind) for parts, kind in zip(blocks, types, strict=True)
    ]


def _places(wanted: npt.NDArray[np.int64], ids: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Find each wanted id among rising ids: its place, and whether it is there at all."""
    place = np.searchsorted(ids, wanted)
    known = place < ids.size
    known[known] = ids[place[known]] == wanted[known]
    return place, known


def _code(column: Any, names: Sequence[str]) -> ColumnElement[int]:
    """Number a text by its place in a list, 0 for NULL: a million short strings need not leave the database."""
    whens = {name: literal(code) for code, name in enumerate(names) if name}
    return case(whens, value=column, else_=literal(0))
