"""What a member reads when something broke: one sentence, and never a "thinking" that does not end."""

import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar

import aiohttp
import discord

log = logging.getLogger(__name__)

APOLOGY = "Something went wrong here and was written to the log. Try again in a moment."

Item = TypeVar("Item")
Callback = Callable[[Item, discord.Interaction[Any]], Coroutine[Any, Any, None]]


async def apologise(interaction: discord.Interaction[Any]) -> None:
    """Answer an interaction that failed; where a public answer was announced, the apology takes its place."""
    with suppress(discord.HTTPException, aiohttp.ClientError, OSError):  # what broke the answer may break this too
        if interaction.response.is_done():
            await interaction.followup.send(APOLOGY, ephemeral=True)
        else:
            await interaction.response.send_message(APOLOGY, ephemeral=True)


def apologising(callback: Callback[Item]) -> Callback[Item]:
    """Make a button's callback log what it raises and tell the member; discord.py would only log it."""

    @wraps(callback)
    async def guarded(item: Item, interaction: discord.Interaction[Any]) -> None:
        try:
            await callback(item, interaction)
        except Exception:
            log.exception("button %s failed", type(item).__name__)
            await apologise(interaction)

    return guarded
