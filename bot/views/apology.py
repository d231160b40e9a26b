"""What a member reads when something broke: one sentence with a number for the log, and a "thinking" that ends."""

import logging
import secrets
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

import aiohttp
import discord

from bot.languages import Language, language_of, later
from bot.surfaces import notice, surfaces_for

log = logging.getLogger(__name__)

APOLOGY = later("Something went wrong here and was written to the log as {id}. Try again in a moment.")

# Discord says with these that an interaction is over or was answered already, or that the message that was clicked has
# been deleted: nobody is left to tell.
TOO_LATE = frozenset({10008, 10062, 40060})

Item = TypeVar("Item")
Callback = Callable[[Item, discord.Interaction[Any]], Coroutine[Any, Any, None]]


def error_id() -> str:
    """Draw a short id by which a member's report is found in the log."""
    return secrets.token_hex(4)


def is_too_late(error: BaseException | None) -> bool:
    """Tell whether an interaction is over for Discord: no retry can help, and nobody can be told."""
    return isinstance(error, discord.HTTPException) and error.code in TOO_LATE


async def tell(interaction: discord.Interaction[Any], sentence: str) -> None:
    """Say a sentence to the member who clicked or gave a command, alone; where a public answer was announced, there."""
    with suppress(discord.HTTPException, aiohttp.ClientError, OSError):  # what broke the answer may break this too
        message = notice(sentence)(surfaces_for(discord.Permissions.none())[0])
        if interaction.response.is_done():
            await interaction.followup.send(ephemeral=True, **message)
        else:
            await interaction.response.send_message(ephemeral=True, **message)


def language_at(interaction: discord.Interaction[Any]) -> Language:
    """The member's own language, where nothing else may be asked for."""
    return language_of(str(interaction.locale))


def apologising(callback: Callback[Item]) -> Callback[Item]:
    """Make a button's callback log what it raises and tell the member; discord.py would only log it."""

    @wraps(callback)
    async def guarded(item: Item, interaction: discord.Interaction[Any]) -> None:
        try:
            await callback(item, interaction)
        except Exception as error:
            if is_too_late(error):
                log.warning("a click on %s came too late: %s", type(item).__name__, error)
                return
            number = error_id()
            log.exception("button %s failed: error=%s", type(item).__name__, number)
            await tell(interaction, language_at(interaction).say(APOLOGY, id=number))

    return guarded
