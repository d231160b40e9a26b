"""What members decide for themselves: what they like, what is kept of them, and what they call artists."""

import asyncio
from typing import Any

from bot.feedback.records import OptedOut, ProposalOutcome, Verdict
from bot.feedback.store import FeedbackStore
from bot.recent import RecentArtists
from bot.replies import Asker
from recommender.catalogue import Catalogue
from recommender.outcomes import Artist
from recommender.wording import plain_name


class Members:
    """Keeps and forgets what members say.

    Parameters
    ----------
    catalogue : the model that serves.
    feedback : an open store.
    recent : what members asked for lately, in memory.
    """

    def __init__(self, catalogue: Catalogue, feedback: FeedbackStore, recent: RecentArtists) -> None:
        self._catalogue = catalogue
        self._feedback = feedback
        self._recent = recent

    async def propose_name(self, typed: str, artist: Artist, asker: Asker) -> ProposalOutcome | None:
        """Propose what was typed as another name of an artist; None for a member who opted out of logging.

        Raises
        ------
        FeedbackError : it could not be saved.
        """
        if await asyncio.to_thread(self._feedback.opted_out, asker.member):
            return None
        future = self._feedback.propose_alias(
            typed,
            artist_id=artist.artist_id,
            artist_name=plain_name(artist.name, limit=200),
            member=asker.member,
            guild=asker.guild,
        )
        return await asyncio.wrap_future(future)

    async def taste(self, artist: Artist, verdict: Verdict | None, asker: Asker) -> bool | OptedOut:
        """Keep what a member thinks of an artist (None takes it back); whether that changed anything.

        Raises
        ------
        FeedbackError : it could not be saved.
        """
        future = self._feedback.record_taste(asker.member, artist.artist_id, verdict)
        return await asyncio.wrap_future(future)

    async def opt_out(self, member: str, *, wish: bool) -> bool:
        """Keep whether a member wants nothing written down; whether that changed anything.

        Raises
        ------
        FeedbackError : it could not be saved.
        """
        if wish:
            self._recent.forget(member)
        return await asyncio.wrap_future(self._feedback.record_opt_out(member, wish))

    async def export(self, member: str) -> dict[str, Any]:
        """Return everything that is kept of a member, with the names of the artists that the model still has.

        Raises
        ------
        FeedbackError : it cannot be read.
        """
        document = await asyncio.to_thread(self._feedback.export_of, member)
        ids = {
            row[column]
            for rows in document.values()
            if isinstance(rows, list)
            for row in rows
            for column in ("artist_id", "seed_artist_id")
            if row.get(column) is not None
        }
        names = {str(one): artist.name for one in sorted(ids) if (artist := self._catalogue.by_id(one)) is not None}
        return {**document, "names_of_artists": names, "kept_in_memory": list(self._recent.of(member))}

    async def forget(self, member: str) -> int:
        """Delete everything that is kept of a member; how many rows there were.

        Raises
        ------
        FeedbackError : nothing was deleted.
        """
        self._recent.forget(member)
        return await asyncio.wrap_future(self._feedback.forget(member))
