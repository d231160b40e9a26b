"""One request, one answer, as plain values: the same for Discord and the console.

``Answers.similar`` resolves, asks the model and logs what is about to be shown; whoever calls it renders the answer.
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

from bot.feedback.records import ModelRecord, Outcome, RequestRecord, Shown, Source, VoteOutcome
from bot.feedback.store import FeedbackStore
from bot.interleaving import Interleaving
from bot.recent import RecentArtists
from recommender.artifact import Manifest
from recommender.artists import artist_key, format_artist_id, parse_artist_id
from recommender.catalogue import Artist, Catalogue, TooFewListeners
from recommender.errors import FeedbackError
from recommender.names import Ambiguous, Found, NotFound, Reason, clean_query

log = logging.getLogger(__name__)

ROWS_PER_ANSWER = 10
# An answer waits no longer for its log than this; then it comes without vote buttons.
LOG_PATIENCE_SECONDS = 2.0

_SUGGESTED = re.compile(r"artist:([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and from where.

    ``member`` and ``guild`` are outside ids such as ``discord:123``; the store replaces them by random keys.
    """

    member: str
    source: Source
    guild: str | None = None
    locale: str | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One shown artist. ``impression_id`` is what a vote refers to, None when the row could not be logged."""

    rank: int
    artist: Artist
    score: float
    support: int
    impression_id: int | None = None


@dataclass(frozen=True, slots=True)
class SimilarAnswer:
    """The similar artists.

    ``read_from`` is what was typed, where more than its case differs from the artist's name; ``outweighed`` is an
    artist with just this name, whom far fewer heard.
    """

    seed: Artist
    rows: tuple[Row, ...]
    read_from: str | None
    synthetic: bool
    outweighed: Artist | None = None

    @property
    def votable(self) -> bool:
        """Whether votes on the rows can be saved."""
        return bool(self.rows) and all(row.impression_id is not None for row in self.rows)


@dataclass(frozen=True, slots=True)
class TooFewAnswer:
    """The artist is known, but too few people in the data heard them; ``needed`` is the least."""

    seed: Artist
    needed: int
    read_from: str | None
    synthetic: bool


@dataclass(frozen=True, slots=True)
class ChoiceAnswer:
    """Several artists could be meant, or (``nearest``) none is and these are the nearest names, perhaps none at all."""

    typed: str
    choices: tuple[Artist, ...]
    nearest: bool
    reason: Reason = "unknown"


Answer: TypeAlias = SimilarAnswer | TooFewAnswer | ChoiceAnswer


class Answers:
    """Answers requests from one model and logs what it answers.

    Parameters
    ----------
    catalogue : the model that serves.
    feedback : an open store in which this model is registered.
    interleaving : draws the rows while an experiment runs.
    """

    def __init__(self, catalogue: Catalogue, feedback: FeedbackStore, interleaving: Interleaving | None = None) -> None:
        self._catalogue = catalogue
        self._feedback = feedback
        self._interleaving = interleaving
        self._recent = RecentArtists()

    @property
    def synthetic(self) -> bool:
        """Whether the model's listeners are synthetic."""
        return self._catalogue.manifest.data.synthetic

    async def similar(self, text: str, asker: Asker, *, k: int = ROWS_PER_ANSWER) -> Answer:
        """Answer which artists are similar to the one that was typed.

        Parameters
        ----------
        text : whatever a member typed, or the value of one of :meth:`suggest`.
        asker : who asks.
        k : rows wanted, >= 1.
        """
        started = time.perf_counter()
        suggested = _SUGGESTED.fullmatch(text.strip())
        artist = self._catalogue.by_id(parse_artist_id(suggested[1])) if suggested else None
        if artist is not None:
            return await self._answer(Found(artist.artist_idx, "autocomplete", 1.0), None, asker, k, started)
        resolution = await asyncio.to_thread(self._catalogue.resolve, text)
        typed = clean_query(text)
        match resolution:
            case Found():
                return await self._answer(resolution, typed, asker, k, started)
            case Ambiguous(found):
                answer = ChoiceAnswer(typed, tuple(map(self._catalogue.artist, found)), nearest=False)
            case NotFound(found, reason):
                answer = ChoiceAnswer(typed, tuple(map(self._catalogue.artist, found)), nearest=True, reason=reason)
        await self._log(self._request(answer, None, asker, k, started), ())
        return answer

    async def similar_to(self, artist_id: int, asker: Asker, *, k: int = ROWS_PER_ANSWER) -> Answer | None:
        """Answer for an artist that a member chose from a list; None when the model no longer has it."""
        started = time.perf_counter()
        artist = self._catalogue.by_id(artist_id)
        if artist is None:
            return None
        return await self._answer(Found(artist.artist_idx, "chosen", 1.0), None, asker, k, started)

    async def suggest(self, text: str, member: str | None = None) -> list[tuple[str, str]]:
        """Suggest artists while a member types: at most 25 pairs of name and value for :meth:`similar`.

        Those that this member was answered about lately come first; they are kept in memory alone.
        """
        recent = self._recent.of(member) if member else ()
        artists = await asyncio.to_thread(self._catalogue.complete, text, limit=25, recent=recent)
        return [(artist.name, f"artist:{format_artist_id(artist.artist_id)}") for artist in artists]

    async def vote(
        self, impression_id: int, value: int, asker: Asker, *, interaction_id: str
    ) -> tuple[VoteOutcome, str]:
        """Save a vote on a shown row: up (1), down (-1), or none (0, takes an earlier one back).

        Returns
        -------
        What became of it, and the name of the artist ("" when unknown).

        Raises
        ------
        FeedbackError : it could not be saved.
        """
        future = self._feedback.record_vote(
            impression_id,
            voter=asker.member,
            value=value,
            event="vote" if value else "retract",
            interaction_id=interaction_id,
        )
        outcome = await asyncio.wrap_future(future)
        artist = self._catalogue.by_id(getattr(outcome, "artist_id", 0))
        return outcome, artist.name if artist else ""

    @asynccontextmanager
    async def delivering(self, answer: Answer) -> AsyncIterator[None]:
        """Surround the sending of an answer: one that does not reach its channel is logged as not shown."""
        try:
            yield
        except Exception:
            await self._withdraw(answer)
            raise

    async def _withdraw(self, answer: Answer) -> None:
        impression_ids = [row.impression_id for row in getattr(answer, "rows", ()) if row.impression_id is not None]
        if impression_ids:
            try:
                await asyncio.wrap_future(self._feedback.record_undelivered(impression_ids))
            except FeedbackError as error:
                log.warning("an answer that was not sent stays in the log as shown: %s", error)

    async def _answer(self, found: Found, typed: str | None, asker: Asker, k: int, started: float) -> Answer:
        outcome = await asyncio.to_thread(self._catalogue.similar, found.artist_idx, k=k)
        self._recent.note(asker.member, outcome.seed.artist_id)
        read_from = typed if typed and artist_key(typed) != artist_key(outcome.seed.name) else None
        if isinstance(outcome, TooFewListeners):
            too_few = TooFewAnswer(outcome.seed, outcome.needed, read_from, self.synthetic)
            await self._log(self._request(too_few, found, asker, k, started), ())
            return too_few
        rows = tuple(Row(row.rank, row.artist, row.score, row.support) for row in outcome.rows)
        outweighed = None if found.outweighed is None else self._catalogue.artist(found.outweighed)
        drawn = None
        if self._interleaving is not None:
            drawn = await asyncio.to_thread(self._interleaving.choose, outcome.seed, size=k)
        if drawn is not None:
            rows = tuple(
                Row(row.logged.rank, row.artist, row.logged.score, row.logged.support or 0) for row in drawn.rows
            )
        answer = SimilarAnswer(outcome.seed, rows, read_from, self.synthetic, outweighed)
        request = replace(self._request(answer, found, asker, k, started), n_candidates=outcome.n_candidates)
        if drawn is not None:
            request = replace(
                request,
                n_candidates=drawn.n_candidates,
                experiment_id=drawn.experiment_id,
                assignment_seed=drawn.assignment_seed,
                shuffled=drawn.shuffled,
            )
        impression_ids = await self._log(request, rows, None if drawn is None else [row.logged for row in drawn.rows])
        if impression_ids is None:
            return answer
        return replace(
            answer, rows=tuple(replace(row, impression_id=id_) for row, id_ in zip(rows, impression_ids, strict=True))
        )

    def _request(self, answer: Answer, found: Found | None, asker: Asker, k: int, started: float) -> RequestRecord:
        """What the log keeps of a request; never what was typed."""
        match answer:
            case SimilarAnswer():
                outcome: Outcome = "answered"
            case TooFewAnswer():
                outcome = "too_few"
            case ChoiceAnswer(nearest=nearest):
                outcome = "not_found" if nearest else "ambiguous"
        return RequestRecord(
            command="similar",
            source=asker.source,
            k=k,
            seed_artist_id=None if isinstance(answer, ChoiceAnswer) else answer.seed.artist_id,
            match_kind=found.match_kind if found else None,
            match_score=found.match_score if found else None,
            member=asker.member,
            guild=asker.guild,
            locale=asker.locale,
            n_candidates=len(answer.choices) if isinstance(answer, ChoiceAnswer) else 0,
            latency_ms=1000 * (time.perf_counter() - started),
            outcome=outcome,
            abstained=outcome == "too_few",
            is_test=asker.is_test,
        )

    async def _log(
        self, request: RequestRecord, rows: tuple[Row, ...], drawn: list[Shown] | None = None
    ) -> list[int] | None:
        """Log a request and its rows before they are shown; None when that failed: the member still gets the answer."""
        model_id = self._catalogue.manifest.identity
        shown = drawn or [
            Shown(
                rank=row.rank,
                artist_id=row.artist.artist_id,
                model_id=model_id,
                score=row.score,
                support=row.support,
                popularity_bucket=popularity_bucket(row.artist.listeners),
            )
            for row in rows
        ]
        try:
            async with asyncio.timeout(LOG_PATIENCE_SECONDS):
                return await asyncio.wrap_future(self._feedback.record_request(request, shown))
        except (FeedbackError, TimeoutError) as error:
            log.warning("answered without a log entry: %s", str(error) or "the database is too slow")
            return None


def popularity_bucket(listeners: int) -> int:
    """Octave of an artist's popularity: 0 for up to one listener, 1 for 2-3, 2 for 4-7 ... of the training data."""
    return max(listeners.bit_length() - 1, 0)


def model_record(manifest: Manifest) -> ModelRecord:
    """What the log has to know of a model before it may serve."""
    return ModelRecord(
        id=manifest.identity,
        sha256=manifest.sha256,
        algorithm=manifest.algorithm,
        params=manifest.parameters,
        dataset=manifest.data.name,
        data_hash=manifest.data.sha256,
        synthetic=manifest.data.synthetic,
        trained_at=manifest.created,
    )
