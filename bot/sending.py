"""Sending over a network that fails now and then: a few tries, and never the same message twice."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
import discord
from discord.ext import commands

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSES_SECONDS = (0.5, 1.5)
# discord.py retries other 5xx answers and a full queue itself, but neither 503 nor a connection that is cut.
PASSING = (discord.DiscordServerError, aiohttp.ClientError, ConnectionError, TimeoutError)


async def send_in(context: commands.Context[Any], **message: Any) -> None:
    """Answer a command; Discord drops a second message with the same nonce, should the first have arrived after all."""
    if context.interaction is None:
        message["nonce"] = secrets.randbits(63)
    await _with_retries(lambda: context.send(**message))


async def follow_up(interaction: discord.Interaction[Any], **message: Any) -> None:
    """Answer an interaction that was deferred."""
    await _with_retries(lambda: interaction.followup.send(**message))


async def _with_retries(send: Callable[[], Awaitable[T]]) -> T:
    for pause in PAUSES_SECONDS:
        try:
            return await send()
        except PASSING as error:
            log.warning("sending failed and is tried again in %.1f s: %r", pause, error)
        await asyncio.sleep(pause)
    return await send()
