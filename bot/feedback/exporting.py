"""Export of the log for evaluation elsewhere: pseudonymous, streamed, with a dictionary of every column."""

import csv
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl
from sqlalchemy import ColumnElement, Select, literal, select
from sqlalchemy.engine import Connection

from bot.feedback.tables import Impression, Request, Vote, current_vote
from recommender.artists import format_artist_id
from recommender.errors import FeedbackError

Format = Literal["parquet", "csv"]
ROWS_PER_BLOCK = 20_000
_TYPES = {"integer": pl.Int64, "number": pl.Float64, "text": pl.String, "flag": pl.Boolean, "time": pl.String}


@dataclass(frozen=True, slots=True)
class Column:
    """One exported column: where it comes from, of which kind it is, and what it means."""

    name: str
    source: Any
    kind: Literal["integer", "number", "text", "flag", "time", "person", "artist"]
    meaning: str


_REQUESTS = (
    Column("request_id", Request.id, "integer", "number of the request"),
    Column("created_at", Request.created_at, "time", "when it came in, UTC, ISO 8601"),
    Column("server", Request.guild_key, "person", "pseudonym of the server, for this export; empty outside of one"),
    Column("member", Request.member_key, "person", "pseudonym of who asked, made for this export"),
    Column("source", Request.source, "text", "prefix, slash, mention, button, context_menu, console, or api"),
    Column("command", Request.command, "text", "the command"),
    Column("k", Request.k, "integer", "rows asked for"),
    Column("familiarity", Request.familiarity, "text", "familiar, balanced or deep; empty where nobody chose"),
    Column("seed_artist", Request.seed_artist_id, "artist", "the artist asked about, 16 hexadecimal digits"),
    Column("match_kind", Request.match_kind, "text", "how the typed name led to the artist"),
    Column("match_score", Request.match_score, "number", "how sure that is, 0 to 1"),
    Column("experiment_id", Request.experiment_id, "integer", "the experiment that drew it; empty outside of one"),
    Column("shuffled", Request.shuffled, "flag", "the first ten rows came in uniformly random order"),
    Column("latency_ms", Request.latency_ms, "number", "from the event to the finished answer, milliseconds"),
    Column("n_candidates", Request.n_candidates, "integer", "rows that could have been shown, over all pages"),
    Column("outcome", Request.outcome, "text", "answered, too_few, ambiguous or not_found"),
)
_IMPRESSIONS = (
    Column("impression_id", Impression.id, "integer", "number of the shown row"),
    Column("request_id", Impression.request_id, "integer", "its request"),
    Column("rank", Impression.rank, "integer", "from 1, counting on over the pages"),
    Column("page", Impression.page, "integer", "from 1"),
    Column("artist", Impression.artist_id, "artist", "the shown artist, 16 hexadecimal digits"),
    Column("model_id", Impression.model_id, "text", "the model that ranked it, with the beginning of its checksum"),
    Column("score", Impression.score, "number", "in the model's own unit"),
    Column("team", Impression.team, "text", "who drafted it: a, b, both (nobody's), explore, or none"),
    Column("rank_in_a", Impression.rank_in_a, "integer", "where model A had it; empty where it did not"),
    Column("rank_in_b", Impression.rank_in_b, "integer", "where model B had it; empty where it did not"),
    Column("propensity", Impression.propensity, "number", "exact chance of it at this rank, given earlier pages"),
    Column("support", Impression.support, "integer", "listeners that heard both artists"),
    Column("popularity_bucket", Impression.popularity_bucket, "integer", "octave of its listeners: 3 means 8 to 15"),
)
_VOTES = (
    Column("vote_id", Vote.id, "integer", "number of the vote"),
    Column("impression_id", Vote.impression_id, "integer", "the row it is about"),
    Column("voter", Vote.voter_key, "person", "pseudonym, the same as that of a member who asks"),
    Column("value", Vote.value, "integer", "1 up, -1 down, 0 for every other event"),
    Column("event", Vote.event, "text", "vote, retract, drill_down, page or not_this_artist"),
    Column("created_at", Vote.created_at, "time", "UTC, ISO 8601"),
    Column("counts", literal(1), "flag", "it stands: the last of its voter on this row, and not taken back"),
)
TABLES: dict[str, tuple[Column, ...]] = {"requests": _REQUESTS, "impressions": _IMPRESSIONS, "votes": _VOTES}


def export(
    connection: Connection, folder: Path, *, kind: Format = "parquet", since: datetime | None = None
) -> dict[str, int]:
    """Write requests, impressions and votes, and ``dictionary.json``, into a new folder.

    Pseudonyms are made with a salt that is thrown away: they join the three tables and lead nowhere else. Test requests
    and answers that never arrived are left out.

    Parameters
    ----------
    connection : of :meth:`bot.feedback.store.FeedbackStore.reading`.
    folder : must not exist.
    since : only requests of this time (aware) or later, their rows and the votes on these.

    Returns
    -------
    Rows by table.

    Raises
    ------
    FeedbackError : the folder exists.
    """
    try:
        folder.mkdir(parents=True)
    except FileExistsError as err:
        raise FeedbackError(f"{folder} exists already; name a new folder") from err
    salt = secrets.token_bytes(32)
    written = {}
    for name, columns in TABLES.items():
        path = folder / f"{name}.csv"
        written[name] = _write_csv(connection, _query(name, columns, since), columns, path, salt)
        if kind == "parquet":
            schema = {column.name: _TYPES.get(column.kind, pl.String) for column in columns}
            # Through the file, and not through memory: a million rows go by in blocks.
            pl.scan_csv(path, schema=schema, null_values=[""]).sink_parquet(folder / f"{name}.parquet")
            path.unlink()
    (folder / "dictionary.json").write_text(
        json.dumps(dictionary(kind), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return written


def dictionary(kind: Format) -> dict[str, dict[str, dict[str, str]]]:
    """Say what each column of each file is."""
    kinds = {"person": "text", "artist": "text"}
    return {
        f"{name}.{kind}": {
            column.name: {"type": kinds.get(column.kind, column.kind), "meaning": column.meaning} for column in columns
        }
        for name, columns in TABLES.items()
    }


def _query(name: str, columns: Sequence[Column], since: datetime | None) -> Select[*tuple[Any, ...]]:
    wanted: list[ColumnElement[bool]] = [Request.is_test.is_(False), Request.undelivered.is_(False)]
    if since is not None:
        wanted.append(Request.created_at >= since)
    query = select(*(column.source for column in columns)).where(*wanted)
    match name:
        case "requests":
            return query.order_by(Request.id)
        case "impressions":
            return query.join(Request, Request.id == Impression.request_id).order_by(Impression.id)
        case _:
            counts = (current_vote.c.vote_id.is_not(None)).label("counts")
            query = select(*(column.source for column in columns[:-1]), counts).where(*wanted)
            return (
                query.select_from(Vote)
                .join(Impression, Impression.id == Vote.impression_id)
                .join(Request, Request.id == Impression.request_id)
                .outerjoin(current_vote, (current_vote.c.vote_id == Vote.id) & (current_vote.c.value != 0))
                .order_by(Vote.id)
            )


def _write_csv(
    connection: Connection, query: Select[*tuple[Any, ...]], columns: Sequence[Column], path: Path, salt: bytes
) -> int:
    writers = [_in_csv(column, salt) for column in columns]
    n_rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow([column.name for column in columns])
        for block in _blocks(connection, query):
            rows.writerows([write(value) for write, value in zip(writers, row, strict=True)] for row in block)
            n_rows += len(block)
    return n_rows


def _blocks(connection: Connection, query: Select[*tuple[Any, ...]]) -> Iterator[Sequence[Sequence[Any]]]:
    yield from connection.execution_options(yield_per=ROWS_PER_BLOCK).execute(query).partitions()


def _in_csv(column: Column, salt: bytes) -> Callable[[Any], Any]:
    match column.kind:
        case "person":
            known: dict[str | None, str] = {None: ""}

            def pseudonym(key: str | None) -> str:
                if key not in known:
                    known[key] = hashlib.blake2b(str(key).encode(), key=salt, digest_size=8).hexdigest()
                return known[key]

            return pseudonym
        case "artist":
            return lambda number: "" if number is None else format_artist_id(number)
        case "time":
            return lambda time: time.isoformat()
        case "flag":
            return lambda value: "true" if value else "false"
        case _:
            return lambda value: value
