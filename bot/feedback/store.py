"""The feedback store: what was shown and what members said of it, written durably and read back.

Every write returns a future that resolves after COMMIT; ``asyncio.wrap_future`` makes it awaitable. Reads block, and
belong in a thread when called from an event loop.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.engine import Connection, Engine

from bot.feedback import aliases, counts, pages, preferences, servers
from bot.feedback.counts import ServerCounts
from bot.feedback.database import require_current
from bot.feedback.engine import failures_explained, open_engine
from bot.feedback.records import (
    AliasRecord,
    AliasSource,
    AliasStatus,
    AliasVerdict,
    AlreadySaved,
    DecisionOutcome,
    ModelRecord,
    OptedOut,
    ProposalOutcome,
    RequestRecord,
    Saved,
    ServerChoices,
    Shown,
    ShownAnswer,
    StandingVote,
    Taste,
    UnknownImpression,
    Verdict,
    VoteEvent,
    VoteOutcome,
)
from bot.feedback.requests import insert_request
from bot.feedback.subjects import key_for
from bot.feedback.tables import Impression, MemberPreference, Model, Request, Subject, Vote, current_vote
from bot.feedback.writer import Writer
from recommender.errors import FeedbackError

T = TypeVar("T")

_MAX_ID = 2**63 - 1


class FeedbackStore:
    """The open feedback database: one writer thread, and reads beside it.

    Parameters
    ----------
    url : SQLAlchemy address of an SQLite file or of a PostgreSQL database, already upgraded.
    now : the time of each row, aware.
    busy_timeout : seconds that a write waits for another program's lock, >= 0.
    """

    def __init__(self, url: str, *, now: Callable[[], datetime], busy_timeout: float = 5.0) -> None:
        self._url = url
        self._now = now
        self._busy_timeout = busy_timeout
        self._engine: Engine | None = None
        self._writer: Writer | None = None

    def open(self) -> None:
        """Connect and start the writer.

        Raises
        ------
        FeedbackError : the database is missing, of another version, or cannot be used; says what to do.
        """
        if self._writer is not None:
            return
        engine = open_engine(self._url, busy_timeout=self._busy_timeout)
        try:
            require_current(engine)
        except FeedbackError:
            engine.dispose()
            raise
        self._engine, self._writer = engine, Writer(engine)

    def close(self) -> None:
        """Commit what was accepted, then let go of the database; a second call does nothing."""
        if self._writer is not None and self._engine is not None:
            self._writer.close()
            self._engine.dispose()
            self._writer = self._engine = None

    @property
    def n_waiting(self) -> int:
        """About how many writes wait for their turn."""
        return 0 if self._writer is None else self._writer.n_waiting

    @property
    def is_writing(self) -> bool:
        """Whether the store is open and its writer runs."""
        return self._writer is not None and self._writer.is_alive

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def register_model(self, model: ModelRecord) -> None:
        """Make a model known before its first answer is logged; waits for the commit, and may be repeated.

        Raises
        ------
        FeedbackError : the id already stands for another artifact, or the row could not be saved.
        """
        self._submit(lambda connection: _register(connection, model)).result()

    def record_request(
        self, request: RequestRecord, shown: Sequence[Shown], seeds: Sequence[tuple[int, int]] = ()
    ) -> Future[list[int]]:
        """Log one request, the rows of its answer, and the seeds of a blend or a path.

        Parameters
        ----------
        shown : the rows; none when the bot abstained.
        seeds : pairs of artist id and sign (1 or -1), in the order given.

        Returns
        -------
        The impression ids in the order of the ranks; they belong into the buttons of the answer. None at all for a
        person who opted out: nothing was written.
        """
        created_at = self._now()
        return self._submit(lambda connection: insert_request(connection, request, shown, seeds, created_at=created_at))

    def record_undelivered(self, impression_ids: Sequence[int]) -> Future[None]:
        """Log that an answer never reached its channel: these rows, and their request, were not shown after all."""
        return self._submit(lambda connection: _mark_undelivered(connection, impression_ids))

    def record_vote(
        self, impression_id: int, *, voter: str, value: int, interaction_id: str, event: VoteEvent = "vote"
    ) -> Future[VoteOutcome]:
        """Log what a person did with one shown row; a repeated click changes nothing.

        Parameters
        ----------
        voter : outside id of the person, as in :class:`RequestRecord`.
        value : -1 or 1 for a ``vote``, 0 for every other event.
        interaction_id : unique per click and row; the same one again is the same click delivered twice.

        Returns
        -------
        One of the outcomes; nonsense (a ``vote`` of 0, an unknown event) fails with :class:`FeedbackError`.
        """
        row = {
            "impression_id": impression_id,
            "value": value,
            "event": event,
            "created_at": self._now(),
            "interaction_id": interaction_id,
        }
        return self._submit(lambda connection: _insert_vote(connection, voter, row))

    def votes_of(self, voter: str) -> list[StandingVote]:
        """Read the votes of one person that count now, oldest first."""
        query = (
            select(
                current_vote.c.impression_id,
                Impression.artist_id,
                Request.seed_artist_id,
                current_vote.c.value,
                current_vote.c.created_at,
            )
            .join(Impression, Impression.id == current_vote.c.impression_id)
            .join(Request, Request.id == Impression.request_id)
            .join(Subject, Subject.random_key == current_vote.c.voter_key)
            .where(Subject.kind == "member", Subject.discord_id == voter, current_vote.c.value != 0)
            .order_by(current_vote.c.vote_id)
        )
        with self.reading() as connection:
            return [StandingVote(*row) for row in connection.execute(query)]

    def shown_answer(self, impression_id: int) -> ShownAnswer | None:
        """Read the answer that a shown row belongs to, all its pages; None when it is not on record."""
        with self.reading() as connection:
            return pages.shown_answer(connection, impression_id)

    def record_page(self, impression_id: int, shown: Sequence[Shown]) -> Future[ShownAnswer | None]:
        """Log a further page of an answer; of two for the same page the first stands.

        Parameters
        ----------
        impression_id : any row of the answer.
        shown : the rows of the page, their ranks behind those shown so far.

        Returns
        -------
        The answer as it stands now; None when it is not on record.
        """
        return self._submit(lambda connection: pages.add_page(connection, impression_id, shown))

    def choices_of(self, guild: str) -> ServerChoices:
        """Read what the admins of a server (outside id) chose."""
        with self.reading() as connection:
            return servers.choices_of(connection, guild)

    def record_choices(self, guild: str, choices: ServerChoices) -> Future[None]:
        """Keep what the admins of a server chose, in the place of what they chose before."""
        now = self._now()
        return self._submit(lambda connection: servers.choose(connection, guild, choices, now=now))

    def counts_of(self, guild: str) -> ServerCounts:
        """Count what was asked, shown and said in a server (outside id)."""
        with self.reading() as connection:
            return counts.counts_of(connection, guild)

    def record_taste(self, member: str, artist_id: int, verdict: Verdict | None) -> Future[bool | OptedOut]:
        """Keep what a person thinks of an artist (None takes it back); whether that changed anything."""
        now = self._now()

        def job(connection: Connection) -> bool | OptedOut:
            if preferences.opted_out(connection, member):
                return OptedOut()
            return preferences.set_taste(connection, member, artist_id, verdict, now=now)

        return self._submit(job)

    def tastes_of(self, member: str) -> list[Taste]:
        """Read what a person said of artists, oldest first."""
        with self.reading() as connection:
            return preferences.tastes(connection, member)

    def record_opt_out(self, member: str, wish: bool) -> Future[bool]:
        """Keep whether a person wants nothing written down about them; whether that changed anything."""
        now = self._now()
        return self._submit(lambda connection: preferences.set_opt_out(connection, member, wish, now=now))

    def opted_out(self, member: str) -> bool:
        """Read whether a person wants nothing written down about them."""
        with self.reading() as connection:
            return preferences.opted_out(connection, member)

    def export_of(self, member: str) -> dict[str, Any]:
        """Read every row that is kept of a person, by table."""
        with self.reading() as connection:
            return preferences.export(connection, member)

    def forget(self, member: str) -> Future[int]:
        """Delete every row that is kept of a person; how many there were."""
        now = self._now()
        return self._submit(lambda connection: preferences.forget(connection, member, now=now))

    def propose_alias(
        self,
        text: str,
        *,
        artist_id: int,
        artist_name: str,
        member: str,
        guild: str | None,
        source: AliasSource = "member",
    ) -> Future[ProposalOutcome]:
        """Note that people of a server call an artist so; the same proposal again changes nothing.

        Parameters
        ----------
        text : what was typed, of any case and spacing.
        member, guild : outside ids, as in :class:`RequestRecord`; without a guild it is meant for everywhere.

        Raises
        ------
        FeedbackError : the text or the name is empty or too long.
        """
        proposal = aliases.proposal(text, artist_id=artist_id, artist_name=artist_name, source=source, now=self._now())
        return self._submit(lambda connection: aliases.propose(connection, proposal, member=member, guild=guild))

    def decide_alias(self, alias_id: int, verdict: AliasVerdict, *, by: str) -> Future[DecisionOutcome]:
        """Accept or reject an alias; an earlier decision may be changed.

        Parameters
        ----------
        by : outside id of the moderator.
        """
        decided_at = self._now()
        return self._submit(
            lambda connection: aliases.decide(connection, alias_id, verdict, by=by, decided_at=decided_at)
        )

    def list_aliases(self, *, status: AliasStatus | None = None) -> list[AliasRecord]:
        """Read the aliases of all servers, oldest first; of one status, or all."""
        with self.reading() as connection:
            return aliases.stored(connection, status)

    def accepted_aliases(self, guild: str | None) -> list[tuple[str, int]]:
        """Read what a resolver needs: pairs of alias and artist id, sorted by alias, each alias once.

        Parameters
        ----------
        guild : outside id of the server; its own aliases go before those for everywhere. None reads only the latter.
        """
        with self.reading() as connection:
            return aliases.accepted(connection, guild)

    def write(self, job: Callable[[Connection], T]) -> Future[T]:
        """Run another room's job in a transaction of the writer; it may run twice, so it does nothing but SQL."""
        return self._submit(job)

    @property
    def now(self) -> datetime:
        """The time that rows written now would get."""
        return self._now()

    def alias_state(self) -> tuple[object, ...]:
        """Read a value that changes whenever the accepted aliases of any server do, whoever decided."""
        with self.reading() as connection:
            return aliases.state(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend a connection for reading one consistent state; writes go on beside it."""
        if self._engine is None:
            raise FeedbackError(_NOT_OPEN)
        with failures_explained(self._engine.url), self._engine.connect() as connection:
            yield connection

    def _submit(self, job: Callable[[Connection], T]) -> Future[T]:
        if self._writer is None:
            raise FeedbackError(_NOT_OPEN)
        return self._writer.submit(job)


_NOT_OPEN = "the feedback database is not open; nothing was read or saved"


def _register(connection: Connection, model: ModelRecord) -> None:
    known = connection.scalar(select(Model.sha256).where(Model.id == model.id))
    if known is None:
        connection.execute(insert(Model), asdict(model))
    elif known != model.sha256:
        raise FeedbackError(
            f"model {model.id} is already logged with checksum {known[:12]}..., and this one has "
            f"{model.sha256[:12]}...: votes could not be told apart; give the changed model another id"
        )


def _mark_undelivered(connection: Connection, impression_ids: Sequence[int]) -> None:
    requests = select(Impression.request_id).where(Impression.id.in_(impression_ids))
    connection.execute(update(Request).where(Request.id.in_(requests)).values(undelivered=True))


def _insert_vote(connection: Connection, voter: str, row: dict[str, Any]) -> VoteOutcome:
    impression_id, value = row["impression_id"], row["value"]
    if not 0 < impression_id <= _MAX_ID:  # a forged button may hold any number of digits
        return UnknownImpression(impression_id)
    found = connection.execute(_BEFORE_VOTE, {**row, "outside_id": voter}).one_or_none()
    if found is None:
        return UnknownImpression(impression_id)
    standing = found.standing or 0
    if found.opted_out:
        return OptedOut()
    says_nothing_new = {"vote": value == standing != 0, "retract": value == standing == 0}.get(row["event"], False)
    if found.is_replay or says_nothing_new:
        return AlreadySaved(standing, found.artist_id)
    voter_key = found.voter_key or key_for(connection, "member", voter)
    connection.execute(_INSERT_VOTE, {**row, "voter_key": voter_key})
    return Saved(value, standing, found.artist_id)


_INSERT_VOTE = insert(Vote)
# Everything that decides about a click, in one round trip. The vote that stands is the newest vote or retraction, found
# in the index: the view gives the same, but looks at every row of this voter.
_VOTER_KEY = (
    select(Subject.random_key)
    .where(Subject.kind == "member", Subject.discord_id == bindparam("outside_id"))
    .scalar_subquery()
)
_BEFORE_VOTE = select(
    Impression.artist_id,
    _VOTER_KEY.label("voter_key"),
    select(Vote.value)
    .where(
        Vote.impression_id == bindparam("impression_id"),
        Vote.voter_key == _VOTER_KEY,
        or_(Vote.event == "vote", Vote.event == "retract"),  # IN is compiled anew for each execution
    )
    .order_by(Vote.id.desc())
    .limit(1)
    .scalar_subquery()
    .label("standing"),
    select(Vote.id).where(Vote.interaction_id == bindparam("interaction_id")).exists().label("is_replay"),
    select(MemberPreference.member_key)
    .where(MemberPreference.member_key == _VOTER_KEY, MemberPreference.opt_out)
    .exists()
    .label("opted_out"),
).where(Impression.id == bindparam("impression_id"))
