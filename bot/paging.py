"""Pages of an answer: those on record come back as they were shown, the next one joins them."""

import asyncio
import logging
from dataclasses import replace

from bot.feedback.records import ShownAnswer, ShownRow
from bot.feedback.store import FeedbackStore
from bot.replies import Answer, Asker, Row, SimilarAnswer, TooFewAnswer, Voting, Wish
from bot.showing import ChosenPage, OneModel, PageRequest, RowPolicy, shown_row
from recommender.catalogue import Catalogue
from recommender.errors import FeedbackError
from recommender.outcomes import Artist, TooFewListeners

log = logging.getLogger(__name__)

# A page waits no longer for its log than this; then it comes without votes.
LOG_PATIENCE_SECONDS = 2.0


class Pages:
    """Turns the pages of answers.

    Parameters
    ----------
    catalogue : the model that serves.
    feedback : an open store.
    policy : which rows are shown.
    """

    def __init__(self, catalogue: Catalogue, feedback: FeedbackStore, policy: RowPolicy) -> None:
        self._catalogue = catalogue
        self._feedback = feedback
        self._policy = policy

    @property
    def _synthetic(self) -> bool:
        return self._catalogue.manifest.data.synthetic

    async def choose(self, request: PageRequest) -> ChosenPage | TooFewListeners:
        """Let the policy choose the rows of a page."""
        return await asyncio.to_thread(self._policy.choose, request)

    async def turn(self, anchor: int, artist_id: int, page: int, asker: Asker, *, wish: Wish) -> Answer | None:
        """Answer with another page; one that was shown before comes back as it was.

        Parameters
        ----------
        anchor : a row by which the answer is found on record, 0 when it is not on record.
        artist_id : the artist that the answer is about.
        page : 1 is the first page.
        wish : as the first page was wanted.

        Returns
        -------
        None when the model no longer has the artist.
        """
        seed = self._catalogue.by_id(artist_id)
        if seed is None:
            return None
        record = await self._on_record(anchor, artist_id)
        if record is None:
            return await self._page_off_record(seed, page, asker, wish)
        if page > max(row.page for row in record.rows):
            record = await self._add_page(anchor, record, seed, asker, wish)
            if record is None:
                return await self._page_off_record(seed, page, asker, wish)
        last = max(row.page for row in record.rows)
        page = min(page, last)
        rows = tuple(row for one in record.rows if one.page == page and (row := self._row(one)) is not None)
        n_shown = len(record.rows)
        has_more = page < last or (n_shown < wish.most and await self._goes_on(record, seed, asker, wish))
        voting: Voting = "open" if wish.votes else "switched_off"
        return SimilarAnswer(seed, rows, None, self._synthetic, page=page, has_more=has_more, wish=wish, voting=voting)

    async def _on_record(self, anchor: int, artist_id: int) -> ShownAnswer | None:
        if not anchor:
            return None
        try:
            async with asyncio.timeout(LOG_PATIENCE_SECONDS):
                record = await asyncio.to_thread(self._feedback.shown_answer, anchor)
        except (FeedbackError, TimeoutError) as error:
            log.warning("an answer was not found on record: %s", str(error) or "the database is too slow")
            return None
        return record if record is not None and record.rows and record.seed_artist_id == artist_id else None

    async def _add_page(
        self, anchor: int, record: ShownAnswer, seed: Artist, asker: Asker, wish: Wish
    ) -> ShownAnswer | None:
        chosen = await self.choose(self._next_page(record, seed, asker, wish))
        if isinstance(chosen, TooFewListeners) or not chosen.rows:
            return record
        try:
            async with asyncio.timeout(LOG_PATIENCE_SECONDS):
                future = self._feedback.record_page(anchor, [row.logged for row in chosen.rows])
                return await asyncio.wrap_future(future)
        except (FeedbackError, TimeoutError) as error:
            log.warning("a page was not logged: %s", str(error) or "the database is too slow")
            return None

    async def _goes_on(self, record: ShownAnswer, seed: Artist, asker: Asker, wish: Wish) -> bool:
        chosen = await self.choose(self._next_page(record, seed, asker, wish))
        return isinstance(chosen, ChosenPage) and bool(chosen.rows)

    def _next_page(self, record: ShownAnswer, seed: Artist, asker: Asker, wish: Wish) -> PageRequest:
        return PageRequest(
            seed,
            max(row.page for row in record.rows) + 1,
            tuple(row.artist_id for row in record.rows),
            wish,
            asker.guild,
            record.experiment_id,
            record.assignment_seed,
            record.is_test,
        )

    async def _page_off_record(self, seed: Artist, page: int, asker: Asker, wish: Wish) -> Answer:
        """A page of an answer that is not on record: nothing is logged, nothing can be voted on."""
        found = await asyncio.to_thread(
            OneModel(self._catalogue).choose,
            PageRequest(seed, 1, (), replace(wish, size=min(page * wish.size, wish.most)), asker.guild),
        )
        if isinstance(found, TooFewListeners):
            return TooFewAnswer(seed, found.needed, None, self._synthetic)
        page = max(min(page, -(-len(found.rows) // wish.size)), 1)
        all_rows = [shown_row(row) for row in found.rows]
        return SimilarAnswer(
            seed,
            tuple(all_rows[(page - 1) * wish.size : page * wish.size]),
            None,
            self._synthetic,
            page=page,
            has_more=found.n_candidates > min(page * wish.size, len(all_rows)) < wish.most,
            wish=wish,
            voting="unavailable",
        )

    def _row(self, shown: ShownRow) -> Row | None:
        """A row that was shown; None when a model trained since no longer has the artist."""
        artist = self._catalogue.by_id(shown.artist_id)
        if artist is None:
            return None
        support = shown.support or 0
        manifest = self._catalogue.manifest
        strength = manifest.neighbours.strength.strength(shown.score, support)
        known = strength if shown.model_id == manifest.identity else None  # others score on other scales
        return Row(shown.rank, artist, shown.score, support, known, shown.impression_id)
