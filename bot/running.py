"""Log in to Discord, serve, and stop in good order."""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from typing import Any

import aiohttp
import discord

from bot.client import SegueBot
from recommender.errors import SegueError, SettingsError

log = logging.getLogger(__name__)

BAD_CREDENTIAL = "Discord refused DISCORD_TOKEN; copy the bot's token again from discord.com/developers/applications"
TOKEN_WAS_RESET = 4004


async def run_until_stopped(
    bot: SegueBot, token: str, *, beside: AbstractAsyncContextManager[Any] | None = None
) -> None:
    """Log in and serve until SIGTERM or SIGINT, then leave Discord.

    Parameters
    ----------
    beside : what runs in the same event loop for as long.

    Raises
    ------
    SettingsError : Discord refuses the token or the message-content intent.
    SegueError : Discord cannot be reached.
    """
    closing: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()

    def stop(number: int) -> None:
        log.info("stopping on %s", signal.Signals(number).name)
        closing.append(loop.create_task(bot.close()))

    _on_signals(loop, stop)
    try:
        with refusals_explained():
            async with bot, beside or nullcontext():
                await bot.start(token)
    except SegueError:
        if not closing:  # what a half-finished login says when it is told to stop is no error
            raise
    finally:
        await asyncio.gather(*closing)


async def sync_commands(bot: SegueBot, token: str) -> int:
    """Tell Discord which slash commands there are, once after each change of them; returns how many.

    Raises
    ------
    SettingsError : Discord refuses the token.
    SegueError : Discord cannot be reached, or does not take the commands.
    """
    with refusals_explained():
        async with bot:
            await bot.login(token)
            return len(await bot.tree.sync())


@contextmanager
def refusals_explained() -> Iterator[None]:
    """Raise what Discord or the network refuse as one sentence that says what to do."""
    try:
        yield
    except discord.LoginFailure as error:
        raise SettingsError(BAD_CREDENTIAL) from error
    except discord.PrivilegedIntentsRequired as error:
        raise SettingsError(
            "Discord refuses the message-content intent; switch it on under Bot in the developer portal, or set "
            "SEGUE_MESSAGE_CONTENT=false: slash commands and mentions work without it"
        ) from error
    except discord.ConnectionClosed as error:
        if error.code == TOKEN_WAS_RESET:
            raise SettingsError(BAD_CREDENTIAL) from error
        raise SegueError(f"Discord closed the connection for good, code {error.code}; start the bot again") from error
    except (aiohttp.ClientError, discord.HTTPException, discord.GatewayNotFound, OSError) as error:
        raise SegueError(f"Discord cannot be reached: {error}; check the network and try again") from error


def _on_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[int], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop, number)
        except NotImplementedError:  # on Windows the loop has no such thing
            signal.signal(number, lambda received, _frame: loop.call_soon_threadsafe(stop, received))
