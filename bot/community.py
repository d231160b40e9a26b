"""What communities call artists: their accepted aliases, kept in memory and read anew when one was decided."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Hashable

from bot.feedback.store import FeedbackStore
from recommender.catalogue import Catalogue
from recommender.errors import FeedbackError
from recommender.names import NO_OTHER_NAMES, OtherNames

log = logging.getLogger(__name__)

COMMUNITIES_KEPT = 500
# An answer waits no longer than this for the aliases; then it comes with those that were read last.
PATIENCE_SECONDS = 1.0
# A database that failed is left alone for so long.
PAUSE_SECONDS = 30.0


class CommunityNames:
    """The accepted aliases of each server, ready for the catalogue; used from one event loop.

    Each request asks the database, in one short query, whether any alias was decided since; by whom and in which
    process makes no difference. Where it does not answer, the names stay as they were read last.

    Parameters
    ----------
    catalogue : the model that serves.
    feedback : an open store.
    """

    def __init__(self, catalogue: Catalogue, feedback: FeedbackStore) -> None:
        self._catalogue = catalogue
        self._feedback = feedback
        self._state: Hashable = None
        self._by_guild: OrderedDict[str | None, OtherNames] = OrderedDict()
        self._pause_until = float("-inf")

    async def of(self, guild: str | None) -> OtherNames:
        """Return what a server (outside id; None: elsewhere) calls artists, as it stands now; never fails."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._pause_until:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    return await self._fresh(guild)
            except (FeedbackError, TimeoutError) as error:
                self._pause_until = loop.time() + PAUSE_SECONDS
                log.warning("aliases were not read: %s", str(error) or "the database is too slow")
        return self._by_guild.get(guild, NO_OTHER_NAMES)

    async def _fresh(self, guild: str | None) -> OtherNames:
        # The state is read first: what is decided in between is only read twice.
        state = await asyncio.to_thread(self._feedback.alias_state)
        if state != self._state:
            self._by_guild.clear()
            self._state = state
        names = self._by_guild.get(guild)
        if names is None:
            names = await asyncio.to_thread(self._read, guild)
            if state != self._state:  # another request met a newer decision meanwhile, and reads for itself
                return names
            self._by_guild[guild] = names
        self._by_guild.move_to_end(guild)
        if len(self._by_guild) > COMMUNITIES_KEPT:
            self._by_guild.popitem(last=False)
        return names

    def _read(self, guild: str | None) -> OtherNames:
        return self._catalogue.other_names(dict(self._feedback.accepted_aliases(guild)))
