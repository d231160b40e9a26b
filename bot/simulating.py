"""A planted community that uses the real store: every request and every click is written as the bot writes it."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime

from sqlalchemy import or_, select

from bot.evidence.simulation import Session
from bot.feedback.records import ExperimentRecord, ModelRecord, RequestRecord, Shown, VoteOutcome
from bot.feedback.store import FeedbackStore
from bot.feedback.subjects import known_key
from bot.feedback.tables import Request
from recommender.errors import ParameterError

SERVER = "simulated:server"
# So many requests wait for their commit together: the writer groups them, and memory stays small.
REQUESTS_AT_ONCE = 200


def simulated_model(name: str) -> ModelRecord:
    """A model for experiments in which nobody listens to anything."""
    created = datetime(2026, 1, 1, tzinfo=UTC)
    sha256 = "".join(f"{byte:02x}" for byte in name.encode()).ljust(64, "0")[:64]
    return ModelRecord(name, sha256, "simulated", {}, "simulated", None, True, created)


def refuse_members(store: FeedbackStore) -> None:
    """Refuse a database that holds requests of real people: planted votes among theirs would count like theirs.

    Raises
    ------
    ParameterError : it does.
    """
    with store.reading() as connection:
        ours = known_key(connection, "guild", SERVER) or ""
        others = select(Request.id).where(or_(Request.guild_key.is_(None), Request.guild_key != ours)).limit(1)
        if connection.scalar(others) is not None:
            raise ParameterError(
                "this database holds what members asked, and planted votes would count like theirs; name another: "
                "SEGUE_DATABASE_URL=sqlite:///try.sqlite3 segue feedback simulate"
            )


def fill(store: FeedbackStore, sessions: Iterable[Session], experiment: ExperimentRecord) -> int:
    """Write sessions into an open store; each request before its votes.

    Returns
    -------
    The number of clicks that were sent, repeated ones included.
    """
    n_clicks = 0
    waiting: list[tuple[Session, Future[list[int]]]] = []
    for session in sessions:
        waiting.append((session, store.record_request(_request(session, experiment), _shown(session, experiment))))
        if len(waiting) == REQUESTS_AT_ONCE:
            n_clicks += _vote(store, waiting, experiment)
            waiting.clear()
    return n_clicks + _vote(store, waiting, experiment)


def _vote(
    store: FeedbackStore, waiting: Iterable[tuple[Session, Future[list[int]]]], experiment: ExperimentRecord
) -> int:
    clicks: list[Future[VoteOutcome]] = []
    for session, written in waiting:
        ids = written.result()
        clicks += [
            store.record_vote(
                ids[click.rank - 1],
                voter=_member(session),
                value=click.value,
                event="vote" if click.value else "retract",
                interaction_id=f"simulated:{experiment.id}:{click.number}",
            )
            for click in session.clicks
        ]
    for click in clicks:
        click.result()
    return len(clicks)


def _request(session: Session, experiment: ExperimentRecord) -> RequestRecord:
    return RequestRecord(
        command="similar",
        source="slash",
        k=10,
        seed_artist_id=session.seed,
        match_kind="exact",
        match_score=1.0,
        member=_member(session),
        guild=SERVER,
        locale="en-US",
        n_candidates=len(session.page.rows),
        latency_ms=1.0,
        experiment_id=experiment.id,
        shuffled=session.page.shuffled,
    )


def _shown(session: Session, experiment: ExperimentRecord) -> list[Shown]:
    models: Mapping[bool, str] = {True: experiment.model_a, False: experiment.model_b}
    return [
        Shown(
            rank=rank,
            artist_id=row.item,
            model_id=models[row.rank_in_a is not None],
            score=1.0 / rank,
            support=None,
            team=row.team,
            propensity=row.propensity,
            rank_in_a=row.rank_in_a,
            rank_in_b=row.rank_in_b,
        )
        for rank, row in enumerate(session.page.rows, start=1)
    ]


def _member(session: Session) -> str:
    return f"simulated:{session.member}"
