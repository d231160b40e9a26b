"""The Discord client: which commands it has, how it starts, how errors reach members."""

import asyncio
import logging
import signal
from contextlib import suppress
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.answers import Answers
from bot.cogs.similar import SimilarCog
from bot.views.answer import ChoiceButton, VoteButton
from bot.views.apology import APOLOGY, apologise
from recommender.errors import SegueError, SettingsError

log = logging.getLogger(__name__)


class SegueBot(commands.Bot):
    """Segue on Discord.

    Parameters
    ----------
    answers : what it answers with.
    prefix : what commands begin with, besides a mention of the bot.
    message_content : whether to ask for the privileged intent; slash commands and mentions work without it.
    """

    def __init__(self, answers: Answers, *, prefix: str, message_content: bool) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=message_content)
        super().__init__(
            command_prefix=commands.when_mentioned_or(prefix),
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            case_insensitive=True,
        )
        self.answers = answers
        self.tree.error(self.on_app_command_error)

    async def setup_hook(self) -> None:
        """Add the commands and the buttons; runs once, before the gateway connects."""
        await self.add_cog(SimilarCog(self.answers))
        self.add_dynamic_items(VoteButton, ChoiceButton)

    async def on_ready(self) -> None:
        """Say that the bot is connected; fires again after every new session."""
        log.info("connected as %s to %d servers", self.user, len(self.guilds))

    async def on_command_error(self, context: commands.Context[Any], error: commands.CommandError, /) -> None:
        """Answer a failed command with one sentence; unknown commands belong to other bots."""
        if isinstance(error, commands.CommandNotFound):
            return
        if isinstance(error, commands.UserInputError) and context.command is not None:
            usage = f"{context.clean_prefix}{context.command.qualified_name} {context.command.signature}"
            await context.send(f"That is used like this: `{usage}`", ephemeral=True)
            return
        if isinstance(error.__cause__, discord.Forbidden):
            # Ten thousand refused requests in ten minutes get a bot banned: nothing more is sent there.
            log.warning("may not write in channel %d: %s", context.channel.id, error.__cause__)
            return
        log.error("command %s failed", context.command, exc_info=error)
        with suppress(discord.HTTPException, aiohttp.ClientError):  # what broke the answer may break this too
            await context.send(APOLOGY, ephemeral=True)

    async def on_app_command_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        """Answer a failed slash command with one sentence that only its member sees."""
        log.error("slash command %s failed", interaction.command and interaction.command.name, exc_info=error)
        await apologise(interaction)


async def run_until_stopped(bot: SegueBot, token: str) -> None:
    """Log in and serve until SIGTERM or SIGINT, then leave Discord in good order.

    Raises
    ------
    SettingsError : Discord refuses the token or the message-content intent.
    SegueError : Discord cannot be reached.
    """
    closing: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()

    def stop(signal_number: int) -> None:
        log.info("stopping on %s", signal.Signals(signal_number).name)
        closing.append(loop.create_task(bot.close()))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    try:
        async with bot:
            await bot.start(token)
    except discord.LoginFailure as error:
        raise SettingsError(
            "Discord refused DISCORD_TOKEN; copy the bot's token again from discord.com/developers/applications"
        ) from error
    except discord.PrivilegedIntentsRequired as error:
        raise SettingsError(
            "Discord refuses the message-content intent; switch it on under Bot in the developer portal, or set "
            "SEGUE_MESSAGE_CONTENT=false: slash commands and mentions work without it"
        ) from error
    except (aiohttp.ClientError, discord.HTTPException, discord.GatewayNotFound, OSError) as error:
        raise SegueError(f"Discord cannot be reached: {error}; check the network and try again") from error
    finally:
        await asyncio.gather(*closing)


async def sync_commands(bot: SegueBot, token: str) -> int:
    """Tell Discord which slash commands there are, once after each change of them; returns how many.

    Raises
    ------
    SettingsError : Discord refuses the token.
    """
    try:
        async with bot:
            await bot.login(token)
            return len(await bot.tree.sync())
    except discord.LoginFailure as error:
        raise SettingsError("Discord refused DISCORD_TOKEN; copy the bot's token again") from error
    except (aiohttp.ClientError, discord.HTTPException, OSError) as error:
        raise SegueError(f"Discord cannot be reached: {error}; check the network and try again") from error
