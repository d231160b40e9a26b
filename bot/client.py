"""The Discord client: which commands it has, and how errors reach members."""

import logging
import time
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.answers import Answers
from bot.cogs.similar import SimilarCog
from bot.views.answer import ChoiceButton, VoteButton
from bot.views.apology import APOLOGY, apologise

log = logging.getLogger(__name__)

MUTED_SECONDS = 3600.0


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
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # it speaks no voice
        super().__init__(
            command_prefix=commands.when_mentioned_or(prefix),
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            case_insensitive=True,
            strip_after_prefix=True,
        )
        self.answers = answers
        self._muted_until: dict[int, float] = {}  # by channel id, monotonic seconds
        self.tree.error(self.on_app_command_error)

    async def setup_hook(self) -> None:
        """Add the commands and the buttons; runs once, before the gateway connects."""
        await self.add_cog(SimilarCog(self.answers))
        self.add_dynamic_items(VoteButton, ChoiceButton)

    async def on_ready(self) -> None:
        """Say that the bot is connected; fires again after every new session."""
        log.info("connected as %s to %d servers", self.user, len(self.guilds))

    async def on_message(self, message: discord.Message, /) -> None:
        """Read a message, unless the bot was lately refused to write in its channel."""
        if time.monotonic() >= self._muted_until.get(message.channel.id, 0.0):
            self._muted_until.pop(message.channel.id, None)
            await self.process_commands(message)

    async def on_command_error(self, context: commands.Context[Any], error: commands.CommandError, /) -> None:
        """Answer a failed command with one sentence; unknown commands belong to other bots."""
        if isinstance(error, commands.CommandNotFound):
            return
        if isinstance(error, commands.UserInputError) and context.command is not None:
            usage = f"{context.clean_prefix}{context.command.qualified_name} {context.command.signature}"
            sentence = f"That is used like this: `{usage}`"
        else:
            if not isinstance(error.__cause__, discord.Forbidden):
                log.error("command %s failed", context.command, exc_info=error)
            sentence = APOLOGY
        try:
            if isinstance(error.__cause__, discord.Forbidden):
                raise error.__cause__
            await context.send(sentence, ephemeral=True)
        except discord.Forbidden as refusal:
            # Ten thousand refused requests in ten minutes get a bot banned: for a while nothing more is sent there.
            self._muted_until[context.channel.id] = time.monotonic() + MUTED_SECONDS
            log.warning("may not write in channel %d, silent there for an hour: %s", context.channel.id, refusal)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as failure:
            log.warning("a member was not told of a failed command: %r", failure)

    async def on_app_command_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        """Answer a failed slash command with one sentence."""
        log.error("slash command %s failed", interaction.command and interaction.command.name, exc_info=error)
        await apologise(interaction)
