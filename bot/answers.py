"""One request, one answer, as plain values: the same for Discord and the console.

``Answers.similar`` resolves, lets the policy choose the rows and logs what is about to be shown; whoever calls it
renders the answer.
"""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bot.community import CommunityNames
from bot.feedback.records import (
    ModelRecord,
    Outcome,
    RequestRecord,
    VoteEvent,
    VoteOutcome,
)
from bot.feedback.store import FeedbackStore
from bot.members import Members
from bot.paging import LOG_PATIENCE_SECONDS, Pages
from bot.recent import RecentArtists
from bot.replies import (
    ROWS_PER_PAGE,
    Answer,
    Asker,
    ChoiceAnswer,
    Closer,
    Named,
    Row,
    SimilarAnswer,
    TooFewAnswer,
    Wish,
)
from bot.showing import ChosenPage, ChosenRow, OneModel, PageRequest, RowPolicy, popularity_bucket, shown_row
from recommender.artifact import Manifest
from recommender.artists import artist_key, format_artist_id, parse_artist_id
from recommender.catalogue import Catalogue
from recommender.errors import FeedbackError
from recommender.exploring import MIN_SHOWN_IN_COMMON
from recommender.names import Ambiguous, Found, NotFound, clean_query
from recommender.outcomes import Artist, TooFewListeners, Why

__all__ = [
    "ROWS_PER_PAGE",
    "Answer",
    "Answers",
    "Asker",
    "ChoiceAnswer",
    "Row",
    "SimilarAnswer",
    "TooFewAnswer",
    "Understood",
    "Wish",
    "model_record",
    "popularity_bucket",
]

log = logging.getLogger(__name__)

MOST_ALTERNATIVES = 5
PLAIN_WISH = Wish()

_SUGGESTED = re.compile(r"artist:([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class Understood:
    """The artist that was meant, and ``typed``, what was typed for it; None when it was chosen from a list."""

    found: Found
    artist: Artist
    typed: str | None

    @property
    def read_from(self) -> str | None:
        """What was typed, where more than its case differs from the artist's name."""
        return self.typed if self.typed and artist_key(self.typed) != artist_key(self.artist.name) else None

    @property
    def named(self) -> Named:
        """The artist as it is answered about."""
        return Named(self.artist, self.read_from, self.found.layer)


class Answers:
    """Answers requests from one model and logs what it answers.

    Parameters
    ----------
    catalogue : the model that serves.
    feedback : an open store in which this model is registered.
    policy : which rows are shown; by default the model's own, in their order.
    recent : what members asked for lately, where another model served them before.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        feedback: FeedbackStore,
        policy: RowPolicy | None = None,
        *,
        recent: RecentArtists | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.feedback = feedback
        self.recent = recent or RecentArtists()
        self.pages = Pages(catalogue, feedback, policy or OneModel(catalogue))
        self.members = Members(catalogue, feedback, self.recent)
        self._community = CommunityNames(catalogue, feedback)

    @property
    def synthetic(self) -> bool:
        """Whether the model's listeners are synthetic."""
        return self.catalogue.manifest.data.synthetic

    async def understand(self, text: str, asker: Asker) -> Understood | ChoiceAnswer:
        """Find the artist that was typed, or that was taken from the suggestions.

        Parameters
        ----------
        text : whatever a member typed, or the value of one of :meth:`suggest`.
        asker : who asks.
        """
        suggested = _SUGGESTED.fullmatch(text.strip())
        artist = self.catalogue.by_id(parse_artist_id(suggested[1])) if suggested else None
        if artist is not None:
            self.recent.note(asker.member, artist.artist_id)
            return Understood(Found(artist.artist_idx, "autocomplete", 1.0), artist, None)
        other_names = await self._community.of(asker.guild)
        resolution = await asyncio.to_thread(self.catalogue.resolve, text, other_names=other_names)
        typed = clean_query(text)
        match resolution:
            case Found():
                artist = self.catalogue.artist(resolution.artist_idx)
                self.recent.note(asker.member, artist.artist_id)
                return Understood(resolution, artist, typed)
            case Ambiguous(found):
                return ChoiceAnswer(typed, tuple(map(self.catalogue.artist, found)), nearest=False)
            case NotFound(found, reason):
                return ChoiceAnswer(typed, tuple(map(self.catalogue.artist, found)), nearest=True, reason=reason)

    def chosen(self, artist_id: int, asker: Asker) -> Understood | None:
        """Take an artist that a member chose from a list; None when the model no longer has it."""
        artist = self.catalogue.by_id(artist_id)
        if artist is None:
            return None
        self.recent.note(asker.member, artist.artist_id)
        return Understood(Found(artist.artist_idx, "chosen", 1.0), artist, None)

    async def similar(self, text: str, asker: Asker, *, wish: Wish = PLAIN_WISH) -> Answer:
        """Answer which artists are similar to the one that was typed.

        Parameters
        ----------
        text : whatever a member typed, or the value of one of :meth:`suggest`.
        asker : who asks.
        wish : how the answer is wanted.
        """
        started = time.perf_counter()
        understood = await self.understand(text, asker)
        if isinstance(understood, Understood):
            return await self._answer(understood, asker, wish, started)
        await self.log(self.request("similar", understood, None, asker, wish.size, started), ())
        return understood

    async def similar_to(self, artist_id: int, asker: Asker, *, wish: Wish = PLAIN_WISH) -> Answer | None:
        """Answer for an artist that a member chose from a list; None when the model no longer has it."""
        started = time.perf_counter()
        understood = self.chosen(artist_id, asker)
        return None if understood is None else await self._answer(understood, asker, wish, started)

    async def suggest(self, text: str, member: str | None = None, guild: str | None = None) -> list[tuple[str, str]]:
        """Suggest artists while a member types: at most 25 pairs of name and value for :meth:`similar`.

        Those that this member was answered about lately come first; they are kept in memory alone. Then come those that
        this server calls so.
        """
        recent = self.recent.of(member) if member else ()
        other_names = await self._community.of(guild)
        artists = await asyncio.to_thread(
            self.catalogue.complete, text, limit=25, recent=recent, other_names=other_names
        )
        return [(artist.name, f"artist:{format_artist_id(artist.artist_id)}") for artist in artists]

    async def alternatives(self, artist_id: int, typed: str) -> tuple[Artist, ...]:
        """Name other artists that could have been meant, best first.

        Parameters
        ----------
        artist_id : the artist that was not meant.
        typed : what was typed for it, "" when nobody knows any more.
        """
        taken = self.catalogue.by_id(artist_id)
        text = typed or (taken.name if taken else "")

        def look() -> list[Artist]:
            resolution = self.catalogue.resolve(text)
            match resolution:
                case Found(others=others, outweighed=outweighed):
                    rows = [*others, *(() if outweighed is None else (outweighed,))]
                case Ambiguous(rows) | NotFound(rows):
                    pass
            return [*map(self.catalogue.artist, rows), *self.catalogue.complete(text, limit=10)]

        found = {artist.artist_id: artist for artist in await asyncio.to_thread(look)}
        found.pop(artist_id, None)
        return tuple(found.values())[:MOST_ALTERNATIVES]

    def closer(self, seed_id: int, artist_id: int) -> Closer | None:
        """Look closer at a row; None when the model no longer has one of the two."""
        seed, artist = self.catalogue.by_id(seed_id), self.catalogue.by_id(artist_id)
        if seed is None or artist is None:
            return None
        outcome = self.catalogue.why(seed.artist_idx, artist.artist_idx) if seed != artist else None
        evidence = outcome.evidence if isinstance(outcome, Why) else None
        return Closer(seed, artist, evidence, MIN_SHOWN_IN_COMMON)

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
        future = self.feedback.record_vote(
            impression_id,
            voter=asker.member,
            value=value,
            event="vote" if value else "retract",
            interaction_id=interaction_id,
        )
        outcome = await asyncio.wrap_future(future)
        artist = self.catalogue.by_id(getattr(outcome, "artist_id", 0))
        return outcome, artist.name if artist else ""

    async def note(self, impression_id: int, event: VoteEvent, asker: Asker, *, interaction_id: str) -> None:
        """Log what a member did with a shown row besides voting; where that fails, nobody has to know."""
        if not impression_id:
            return
        try:
            future = self.feedback.record_vote(
                impression_id, voter=asker.member, value=0, event=event, interaction_id=interaction_id
            )
            async with asyncio.timeout(LOG_PATIENCE_SECONDS):
                await asyncio.wrap_future(future)
        except (FeedbackError, TimeoutError) as error:
            log.warning("a click was not logged: %s", str(error) or "the database is too slow")

    @asynccontextmanager
    async def delivering(self, answer: object) -> AsyncIterator[None]:
        """Surround the sending of an answer: one that does not reach its channel is logged as not shown."""
        try:
            yield
        except Exception:
            await self._withdraw(answer)
            raise

    async def _withdraw(self, answer: object) -> None:
        rows: Sequence[object] = getattr(answer, "rows", ())
        known = [getattr(row, "impression_id", None) for row in rows]
        impression_ids = [impression_id for impression_id in known if impression_id is not None]
        if impression_ids:
            try:
                await asyncio.wrap_future(self.feedback.record_undelivered(impression_ids))
            except FeedbackError as error:
                log.warning("an answer that was not sent stays in the log as shown: %s", error)

    async def _answer(self, understood: Understood, asker: Asker, wish: Wish, started: float) -> Answer:
        seed, layer = understood.artist, understood.found.layer
        chosen = await self.pages.choose(PageRequest(seed, 1, (), wish, asker.guild, is_test=asker.is_test))
        if isinstance(chosen, TooFewListeners):
            too_few = TooFewAnswer(seed, chosen.needed, understood.read_from, self.synthetic, layer)
            await self.log(self.request("similar", too_few, understood, asker, wish.size, started), ())
            return too_few
        outweighed = understood.found.outweighed
        answer = SimilarAnswer(
            seed,
            tuple(shown_row(row) for row in chosen.rows),
            understood.read_from,
            self.synthetic,
            None if outweighed is None else self.catalogue.artist(outweighed),
            layer,
            has_more=chosen.n_candidates > len(chosen.rows) < wish.most,
            wish=wish,
        )
        request = replace(
            self.request("similar", answer, understood, asker, min(wish.size, wish.most), started),
            n_candidates=chosen.n_candidates,
            familiarity=wish.familiarity,
            experiment_id=chosen.experiment_id,
            assignment_seed=chosen.assignment_seed,
            shuffled=chosen.shuffled,
        )
        return await self._logged(answer, request, chosen)

    async def _logged(self, answer: SimilarAnswer, request: RequestRecord, chosen: ChosenPage) -> SimilarAnswer:
        """Log an answer and give its rows what a vote refers to, or say why there is nothing to refer to."""
        impression_ids = await self.log(request, chosen.rows)
        if impression_ids is None:
            return replace(answer, voting="unavailable")
        if len(impression_ids) != len(answer.rows):
            return replace(answer, voting="opted_out")
        rows = zip(answer.rows, impression_ids, strict=True)
        return replace(
            answer,
            rows=tuple(replace(row, impression_id=impression_id) for row, impression_id in rows),
            voting="open" if answer.wish.votes else "switched_off",
        )

    def request(
        self, command: str, answer: object, understood: Understood | None, asker: Asker, k: int, started: float
    ) -> RequestRecord:
        """What the log keeps of a request; never what was typed."""
        outcome: Outcome = "answered"
        match answer:
            case TooFewAnswer():
                outcome = "too_few"
            case ChoiceAnswer(nearest=nearest):
                outcome = "not_found" if nearest else "ambiguous"
        found = understood.found if understood else None
        return RequestRecord(
            command=command,
            source=asker.source,
            k=k,
            seed_artist_id=understood.artist.artist_id if understood else None,
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

    async def log(
        self, request: RequestRecord, rows: Sequence[ChosenRow], seeds: Sequence[tuple[int, int]] = ()
    ) -> list[int] | None:
        """Log a request and its rows before they are shown; None when that failed: the member still gets the answer."""
        try:
            async with asyncio.timeout(LOG_PATIENCE_SECONDS):
                future = self.feedback.record_request(request, [row.logged for row in rows], seeds)
                return await asyncio.wrap_future(future)
        except (FeedbackError, TimeoutError) as error:
            log.warning("answered without a log entry: %s", str(error) or "the database is too slow")
            return None


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
