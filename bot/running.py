"""Log in to Discord, serve, and stop in good order."""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from typing import Any

import aiohttp
import discord

from bot.answers import Answers
from bot.client import SegueBot
from bot.reloads import Changed, Failed, Reload, Unchanged
from recommender.errors import SegueError, SettingsError

log = logging.getLogger(__name__)

BAD_CREDENTIAL = "Discord refused DISCORD_TOKEN; copy the bot's token again from discord.com/developers/applications"
TOKEN_WAS_RESET = 4004


async def run_until_stopped(
    bot: SegueBot,
    token: str,
    *,
    beside: AbstractAsyncContextManager[Any] | None = None,
    reopen: Callable[[], Answers] | None = None,
) -> None:
    """Log in and serve until SIGTERM or SIGINT, then leave Discord; SIGHUP lets a newly chosen model answer.

    Parameters
    ----------
    beside : what runs in the same event loop for as long.
    reopen : opens the model that is to serve now; called in a thread.

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
    reloader = None if reopen is None else Reloader(bot, reopen)
    if reloader is not None:
        bot.reload_model = reloader.reload
    if reloader is not None and hasattr(signal, "SIGHUP"):  # Windows has none
        terminal = Terminal()

        def hang_up() -> None:
            if terminal.is_lost():
                stop(signal.SIGHUP)
            else:
                reloader.start()

        loop.add_signal_handler(signal.SIGHUP, hang_up)
    _collect_rarely()
    try:
        with refusals_explained():
            async with bot, beside or nullcontext():
                await bot.start(token)
    except SegueError:
        if not closing:  # what a half-finished login says when it is told to stop is no error
            raise
    finally:
        await asyncio.gather(*closing)
        if reloader is not None:
            await reloader.finished()


def _collect_rarely() -> None:
    """Keep Python's search for garbage out of the way of answers.

    What is there now stays: else all of it is looked at every now and then, 60 ms in which nothing is answered. An
    answer makes some ten thousand objects, nearly all of which go by themselves: looking after every 700 took a tenth.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


class Terminal:
    """The terminal at a file descriptor, if there is one; closing it sends SIGHUP too, and means stop."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._was_there = os.isatty(descriptor)

    def is_lost(self) -> bool:
        """Whether there was one that was closed since."""
        return self._was_there and not os.isatty(self._descriptor)


class Reloader:
    """Puts the model that is to serve now in the place of the one that serves, without losing a request.

    Parameters
    ----------
    bot : what answers.
    reopen : opens that model beside the other; called in a thread.
    """

    def __init__(self, bot: SegueBot, reopen: Callable[[], Answers]) -> None:
        self._bot = bot
        self._reopen = reopen
        self._one_at_a_time = asyncio.Lock()
        self._running: set[asyncio.Task[Reload]] = set()

    def start(self) -> None:
        """Begin to reload; two in short order come one after the other."""
        task = asyncio.get_running_loop().create_task(self.reload())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finished(self) -> None:
        """Wait for what was begun."""
        await asyncio.gather(*self._running)

    async def reload(self) -> Reload:
        """Open the model and let it answer; one that cannot be opened leaves everything as it is, and says why."""
        async with self._one_at_a_time:
            before = self._bot.answers.catalogue.manifest.identity
            try:
                answers = await asyncio.to_thread(self._reopen)
            except (SegueError, OSError) as error:
                log.error("the model was not changed, %s goes on answering: %s", before, error)
                return Failed(before)
            after = answers.catalogue.manifest.identity
            if after == before:
                log.info("the model was not changed: %s is the one to serve", before)
                return Unchanged(before)
            await self._bot.swap(answers)
            log.info("changed the model: from=%s to=%s", before, after)
            return Changed(before, after)


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
