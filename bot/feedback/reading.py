"""From the database to arrays: a million rows in seconds, in blocks, without one object per row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import BigInteger, ColumnElement, Select, case, func, literal, select
from sqlalchemy.engine import Connection

from bot.feedback.log import (
    MATCH_KINDS,
    OUTCOMES,
    SOURCES,
    TEAMS,
    FeedbackLog,
    Impressions,
    Requests,
    VotedPairs,
    Votes,
)
from bot.feedback.subjects import known_key
from bot.feedback.tables import Impression, MemberPreference, Request, current_vote

ROWS_PER_BLOCK = 20_000
_BITS = {"bucket": 7, "rank_in_b": 15, "rank_in_a": 15, "team": 3, "page": 7, "rank": 15}


def read_log(
    connection: Connection,
    *,
    experiment_id: int | None = None,
    since: datetime | None = None,
    guild: str | None = None,
) -> FeedbackLog:
    """Read what reports need, in one consistent state.

    Parameters
    ----------
    connection : of :meth:`bot.feedback.store.FeedbackStore.reading`.
    experiment_id : only its answers; None reads all.
    since : only requests of this time (aware) or later.
    guild : outside id of the server in which they were asked; None reads all.

    Returns
    -------
    The log without test requests and without answers that never arrived.
    """
    wanted = _wanted(experiment_id, since)
    if guild is not None:
        wanted.append(Request.guild_key == (known_key(connection, "guild", guild) or ""))
    people: dict[str, int] = {}
    requests = _requests(connection, wanted, people)
    # Without a choice everything is read and the few rows of tests are dropped: a subquery would cost more.
    chosen = None if experiment_id is None and since is None and guild is None else select(Request.id).where(*wanted)
    impressions = _impressions(connection, chosen, requests)
    votes = _votes(connection, chosen, impressions, people)
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


def _impressions(connection: Connection, chosen: Select[int] | None, requests: Requests) -> Impressions:
    bits = {
        "bucket": func.coalesce(Impression.popularity_bucket, -1) + 1,
        "rank_in_b": func.coalesce(Impression.rank_in_b, 0),
        "rank_in_a": func.coalesce(Impression.rank_in_a, 0),
        "team": _code(Impression.team, TEAMS),
        "page": Impression.page,
        "rank": Impression.rank,
    }
    # Of a million rows each further column costs half a second: six small numbers come as one.
    packed: Any = literal(0, BigInteger)
    for name in reversed(bits):
        packed = packed * 2 ** _BITS[name] + bits[name]
    query = select(Impression.id, Impression.request_id, packed, Impression.propensity)
    if chosen is not None:
        query = query.where(Impression.request_id.in_(chosen))
    ids, of_request, small, propensity = _columns(
        connection, query.order_by(Impression.id), (np.int64, np.int64, np.int64, np.float64)
    )
    place, known = _places(of_request, requests.id)
    unpacked = {}
    for name in bits:
        unpacked[name] = (small & (2 ** _BITS[name] - 1))[known].astype(np.int32 if name == "rank" else np.int16)
        small >>= _BITS[name]
    unpacked["bucket"] -= 1
    return Impressions(id=ids[known], request=place[known], propensity=propensity[known], **unpacked)


def _votes(
    connection: Connection, chosen: Select[int] | None, impressions: Impressions, people: dict[str, int]
) -> Votes:
    query = select(current_vote.c.impression_id, current_vote.c.voter_key, current_vote.c.value).where(
        current_vote.c.value != 0
    )
    if chosen is not None:
        query = query.where(
            current_vote.c.impression_id.in_(select(Impression.id).where(Impression.request_id.in_(chosen)))
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
    result = connection.execute(query)
    # The driver's own: SQLAlchemy's row objects would double the time (and `yield_per` takes rows from it).
    cursor = result.cursor
    assert cursor is not None, "a SELECT has a cursor"
    while block := cursor.fetchmany(ROWS_PER_BLOCK):
        for number, (values, kind) in enumerate(zip(zip(*block, strict=True), types, strict=True)):
            numbers = keys[number] if keys and number in keys else None
            read = values if numbers is None else tuple(numbers.setdefault(key, len(numbers)) for key in values)
            blocks[number].append(np.fromiter(read, dtype=kind, count=len(read)))
    result.close()
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


def read_pairs(connection: Connection) -> VotedPairs:
    """Read the votes on pairs of artists, but those of people who asked not to be logged."""
    opted_out = select(MemberPreference.member_key).where(MemberPreference.opt_out.is_(True))
    query = (
        select(
            Request.id,
            Request.seed_artist_id,
            Impression.artist_id,
            Impression.model_id,
            Impression.score,
            current_vote.c.voter_key,
            current_vote.c.value,
        )
        .select_from(current_vote)
        .join(Impression, Impression.id == current_vote.c.impression_id)
        .join(Request, Request.id == Impression.request_id)
        .where(
            *_wanted(None, None),
            Request.seed_artist_id.is_not(None),
            Request.command == "similar",
            current_vote.c.value != 0,
            current_vote.c.voter_key.not_in(opted_out),
        )
        .order_by(current_vote.c.vote_id)
    )
    types = (np.int64, np.int64, np.int64, np.int64, np.float64, np.int64, np.int16)
    return VotedPairs(*_columns(connection, query, types, {3: {}, 5: {}}))
