"""Servers and what their admins chose: kept in memory, so that no message waits for the database."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, fields

from bot.feedback.records import ServerChoices
from bot.feedback.store import FeedbackStore
from bot.languages import Language, language_of
from bot.replies import ROWS_PER_PAGE
from recommender.errors import FeedbackError

log = logging.getLogger(__name__)

SERVERS_KEPT = 5_000
# Another instance may have changed them meanwhile.
KEPT_SECONDS = 60.0
PATIENCE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Manners:
    """How the bot behaves in a server: its own defaults, wherever the admins chose nothing else.

    Parameters
    ----------
    prefix : what commands begin with, besides a mention.
    language : code of a language, None for the member's or the server's own.
    allowed_channels : ids of the channels it answers in; none: in all.
    rows_per_answer : rows of a page, 1 to 10.
    cooldown_seconds : what a command costs a member, who may spend five in a row.
    """

    prefix: str = "!"
    language: str | None = None
    allowed_channels: tuple[str, ...] = ()
    rows_per_answer: int = ROWS_PER_PAGE
    cooldown_seconds: float = 2.0
    votes_enabled: bool = True
    exploration_enabled: bool = True
    prefix_commands_enabled: bool = True

    def speaks(self, locale: str | None) -> Language:
        """The language to answer in: the server's choice, else the locale's."""
        return language_of(self.language or locale)


class Servers:
    """What holds in each server.

    Parameters
    ----------
    feedback : an open store.
    defaults : what holds where nothing was chosen, and outside of servers.
    clock : seconds that only rise.
    """

    def __init__(
        self, feedback: FeedbackStore, defaults: Manners, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.defaults = defaults
        self._feedback = feedback
        self._clock = clock
        self._choices: OrderedDict[str, tuple[float, ServerChoices]] = OrderedDict()

    async def of(self, guild: str | None) -> Manners:
        """Return what holds in a server (outside id; None: elsewhere); never fails: at worst as it was read last."""
        if guild is None:
            return self.defaults
        read_at, choices = self._choices.get(guild, (float("-inf"), ServerChoices()))
        if self._clock() - read_at > KEPT_SECONDS:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    choices = await asyncio.to_thread(self._feedback.choices_of, guild)
            except (FeedbackError, TimeoutError) as error:
                log.warning("settings were not read: %s", str(error) or "the database is too slow")
            self._keep(guild, choices)
        return self._with_defaults(choices)

    async def choices_of(self, guild: str) -> ServerChoices:
        """Return what the admins of a server chose, as it is stored now.

        Raises
        ------
        FeedbackError : it cannot be read.
        """
        return await asyncio.to_thread(self._feedback.choices_of, guild)

    async def choose(self, guild: str, choices: ServerChoices) -> Manners:
        """Keep what the admins of a server chose; it holds from now on.

        Raises
        ------
        FeedbackError : it could not be saved, and nothing changed.
        """
        await asyncio.wrap_future(self._feedback.record_choices(guild, choices))
        self._keep(guild, choices)
        return self._with_defaults(choices)

    def _keep(self, guild: str, choices: ServerChoices) -> None:
        self._choices[guild] = (self._clock(), choices)
        self._choices.move_to_end(guild)
        if len(self._choices) > SERVERS_KEPT:
            self._choices.popitem(last=False)

    def _with_defaults(self, choices: ServerChoices) -> Manners:
        chosen = {one.name: getattr(choices, one.name) for one in fields(ServerChoices)}
        given = {name: value for name, value in chosen.items() if value not in (None, ())}
        return Manners(**({one.name: getattr(self.defaults, one.name) for one in fields(Manners)} | given))
