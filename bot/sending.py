"""Sending over a network that fails now and then: a few tries, never the same message twice, and simpler if refused."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import aiohttp
import discord
from discord.ext import commands

from bot.surfaces import Compose, Surface, permissions_at, surface_of, surfaces_for

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSES_SECONDS = (0.5, 1.5)
# discord.py retries other 5xx answers and a full queue itself, but neither 503 nor a connection that is cut.
PASSING = (discord.DiscordServerError, aiohttp.ClientError, ConnectionError, TimeoutError)
BAD_REQUEST = 400


async def send_in(
    context: commands.Context[Any], compose: Compose, *, ephemeral: bool = False, gone_after: float | None = None
) -> None:
    """Answer a command; Discord drops a second message with the same nonce, should the first have arrived after all.

    Parameters
    ----------
    ephemeral : for this member alone, where Discord can do that.
    gone_after : seconds after which the answer to a message is taken away again.
    """
    interaction = context.interaction
    if interaction is None:
        nonce = secrets.randbits(63)
        surfaces = surfaces_for(permissions_at(context))
        once: dict[str, Any] = {"nonce": nonce, "delete_after": gone_after}
        await _simpler_if_refused(surfaces, compose, lambda message: context.send(**once, **message))
    elif interaction.response.is_done():
        await fill_in(interaction, compose)
    else:
        surfaces = surfaces_for(permissions_at(interaction))
        respond = interaction.response.send_message
        await _simpler_if_refused(surfaces, compose, lambda message: respond(ephemeral=ephemeral, **message))


async def fill_in(interaction: discord.Interaction[Any], compose: Compose) -> None:
    """Put the answer where a deferred response keeps a place, or into the clicked message; safe to repeat."""
    clicked = interaction.message
    in_place = (
        clicked is not None and interaction.response.type is discord.InteractionResponseType.deferred_message_update
    )
    surfaces = (surface_of(clicked),) if in_place and clicked else surfaces_for(permissions_at(interaction))

    async def put(message: dict[str, Any]) -> None:
        file = message.pop("file", None)
        message.pop("suppress_embeds", None)
        attachments = [] if file is None else [file]
        await interaction.edit_original_response(attachments=attachments, **message)

    await _simpler_if_refused(surfaces, compose, put)


async def _simpler_if_refused(
    surfaces: Iterable[Surface], compose: Compose, send: Callable[[dict[str, Any]], Awaitable[object]]
) -> None:
    refusal: discord.HTTPException | None = None
    for surface in surfaces:
        try:
            # Composed anew for each try: a file is read to its end by the first.
            await _with_retries(lambda surface=surface: send(compose(surface)))  # type: ignore[misc]
        except discord.HTTPException as error:
            if error.status != BAD_REQUEST:
                raise
            log.warning("a message was refused as %s: %s", surface.value, error)
            refusal = error
        else:
            return
    if refusal is not None:
        raise refusal


async def _with_retries(send: Callable[[], Awaitable[T]]) -> T:
    for pause in PAUSES_SECONDS:
        try:
            return await send()
        except PASSING as error:
            log.warning("sending failed and is tried again in %.1f s: %r", pause, error)
        await asyncio.sleep(pause)
    return await send()
