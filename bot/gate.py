"""Who may ask now, and where: the channels that a server chose, and how often one member may ask."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bot.servers import Manners

# So many commands in a row are nobody's fault; only who goes on has to wait.
BURST = 5
MEMBERS_KEPT = 10_000
# Behind the prefix, which other bots use too, a member is shown the way once in so long.
POINTED_AGAIN_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Enter:
    """Go on."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The server wants the bot in other channels; their ids, and whether the member was ``told`` so lately."""

    channels: tuple[str, ...]
    told: bool = False


@dataclass(frozen=True, slots=True)
class Later:
    """The member asked often; ``seconds`` until they may again, and whether they were ``told`` so since."""

    seconds: float
    told: bool = False


Entrance: TypeAlias = Enter | Elsewhere | Later


class Gate:
    """Decides for each command; keeps in memory when members asked last.

    Parameters
    ----------
    clock : seconds that only rise.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # When the time that a member's commands cost will have passed.
        self._paid_at: OrderedDict[tuple[str, str | None], float] = OrderedDict()
        self._told: set[tuple[str, str | None]] = set()
        self._pointed_at: OrderedDict[tuple[str, str | None], float] = OrderedDict()

    def ask(
        self, member: str, guild: str | None, channels: tuple[str, ...], manners: Manners, *, costs: bool = True
    ) -> Entrance:
        """Let a command in, or say why not.

        Parameters
        ----------
        channels : id of the channel, and of the one above it in the case of a thread.
        costs : whether it counts for the cooldown; settings and privacy do not.
        """
        if manners.allowed_channels and not set(channels) & set(manners.allowed_channels):
            return Elsewhere(manners.allowed_channels, self._was_pointed((member, guild)))
        if not costs or manners.cooldown_seconds <= 0:
            return Enter()
        now, key = self._clock(), (member, guild)
        paid_at = max(self._paid_at.get(key, now), now) + manners.cooldown_seconds
        wait = paid_at - now - BURST * manners.cooldown_seconds
        if wait > 1e-9:
            told = key in self._told
            self._told.add(key)
            return Later(wait, told)
        self._told.discard(key)
        self._paid_at[key] = paid_at
        self._paid_at.move_to_end(key)
        if len(self._paid_at) > MEMBERS_KEPT:
            self._told.discard(self._paid_at.popitem(last=False)[0])
        return Enter()

    def _was_pointed(self, key: tuple[str, str | None]) -> bool:
        """Whether this member was shown the way lately; from now on they were."""
        now = self._clock()
        if now - self._pointed_at.get(key, float("-inf")) < POINTED_AGAIN_SECONDS:
            return True
        self._pointed_at[key] = now
        self._pointed_at.move_to_end(key)
        if len(self._pointed_at) > MEMBERS_KEPT:
            self._pointed_at.popitem(last=False)
        return False
