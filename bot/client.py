"""The Discord client: which commands it has, whom it lets in, and how errors reach members."""

import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord
import numpy as np
from discord import app_commands
from discord.ext import commands

from bot.answers import Answers
from bot.asking import Visit, visit_in, visit_of
from bot.cogs import all_cogs
from bot.explorations import Explorations
from bot.gate import Elsewhere, Enter, Gate
from bot.maps import Maps
from bot.reloads import Reload
from bot.sending import send_in
from bot.servers import Manners, Servers
from bot.surfaces import notice
from bot.telling import SwitchedOff, TurnedAway, told
from bot.translating import CommandTranslator
from bot.views.apology import is_too_late, tell
from bot.views.clicks import Clicks
from bot.views.controls import ALL_CONTROLS
from recommender.store import ModelStore

log = logging.getLogger(__name__)

MUTED_SECONDS = 3600.0
MESSAGES_REMEMBERED = 5_000
# Where the bot shall keep quiet, the way to its channels is shown for so long.
POINTER_SECONDS = 15.0
# Who may see what is kept of them, and who runs the server, need not wait.
FREE_COMMANDS = frozenset({"settings", "privacy", "help", "about", "report", "reload"})


class SegueBot(commands.Bot):
    """Segue on Discord.

    Parameters
    ----------
    answers : what it answers with.
    prefix : what commands begin with, besides a mention of the bot, where a server chose nothing else.
    message_content : whether to ask for the privileged intent; slash commands and mentions work without it.
    manners : what else holds where a server chose nothing.
    clock : seconds that only rise.
    rng : draws surprises.
    models : what a server's moderators may compare; None: nothing.
    """

    def __init__(
        self,
        answers: Answers,
        *,
        prefix: str,
        message_content: bool,
        manners: Manners | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: np.random.Generator | None = None,
        models: ModelStore | None = None,
    ) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=message_content)
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # it speaks no voice
        super().__init__(
            command_prefix=prefixes,
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            case_insensitive=True,
            strip_after_prefix=True,
            help_command=None,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
        )
        self.models = models
        self._rng = rng or np.random.default_rng()
        self._answer_with(answers)
        self.servers = Servers(answers.feedback, manners or Manners(prefix=prefix), clock=clock)
        self._gate = Gate(clock=clock)
        self._clock = clock
        # Opens the model that is chosen now; whoever runs the bot sets it.
        self.reload_model: Callable[[], Awaitable[Reload]] | None = None
        self._muted_until: dict[int, float] = {}  # by channel id
        self._seen: OrderedDict[int, None] = OrderedDict()  # ids of messages
        self.tree.error(self.on_app_command_error)
        self.add_check(self._let_in)

    def _answer_with(self, answers: Answers) -> None:
        self.answers = answers
        self.explorations = Explorations(answers, rng=self._rng)
        self.maps = Maps(answers)
        self.clicks = Clicks(answers, self.explorations, self.maps)

    async def swap(self, answers: Answers) -> None:
        """Answer with another model from now on; what was asked before is answered by the one before, to its end.

        A row of one model is another artist in the next, so everything that knows the model is made anew, commands
        too. Nothing in here waits: the event loop hands out no request while it runs.
        """
        was_set_up = list(self.cogs)  # none before the login
        self._answer_with(answers)
        for name in was_set_up:
            await self.remove_cog(name)
        for cog in all_cogs(self) if was_set_up else ():
            await self.add_cog(cog)

    async def setup_hook(self) -> None:
        """Add the commands and the buttons; runs once, before the gateway connects."""
        for cog in all_cogs(self):
            await self.add_cog(cog)
        self.add_dynamic_items(*ALL_CONTROLS)
        await self.tree.set_translator(CommandTranslator())

    async def on_ready(self) -> None:
        """Say that the bot is connected; fires again after every new session."""
        log.info("connected as %s to %d servers", self.user, len(self.guilds))

    async def on_message(self, message: discord.Message, /) -> None:
        """Read a message, unless it was read before or the bot was lately refused to write in its channel."""
        if message.author.bot or self._is_seen(message.id):
            return
        if self._clock() >= self._muted_until.get(message.channel.id, 0.0):
            self._muted_until.pop(message.channel.id, None)
            await self.process_commands(message)

    async def enter(self, visit: Visit, channel: Any, *, command: str) -> None:
        """Let a command in.

        Raises
        ------
        TurnedAway : it was given in the wrong channel, or too often.
        """
        parent = getattr(channel, "parent_id", None)
        channels = tuple(str(one) for one in (getattr(channel, "id", None), parent) if one)
        # Settings work everywhere: else an admin could lock everybody out.
        manners = visit.manners if command != "settings" else self.servers.defaults
        asker = visit.asker
        entrance = self._gate.ask(asker.member, asker.guild, channels, manners, costs=command not in FREE_COMMANDS)
        if not isinstance(entrance, Enter):
            raise TurnedAway(entrance)

    async def _let_in(self, context: commands.Context[Any]) -> bool:
        visit = await visit_in(context)
        if visit.asker.source == "prefix" and context.guild and not visit.manners.prefix_commands_enabled:
            raise SwitchedOff
        root = context.command.root_parent or context.command if context.command else None
        await self.enter(visit, context.channel, command=root.name if root else "")
        return True

    async def on_command_error(self, context: commands.Context[Any], error: commands.CommandError, /) -> None:
        """Answer a failed command with one sentence; unknown commands belong to other bots."""
        if isinstance(error, commands.CommandNotFound | commands.NotOwner | SwitchedOff) or _in_silence(context, error):
            return
        cause = error.__cause__ or error
        if isinstance(cause, commands.HybridCommandError | app_commands.CommandInvokeError):
            cause = cause.__cause__ or cause
        if is_too_late(cause):
            log.warning("command %s came too late: %s", context.command, cause)
            return
        try:
            if isinstance(cause, discord.Forbidden):
                raise cause
            visit = await visit_in(context)
            sentence = told(error, visit.language, usage=_usage(context)).sentence
            if context.interaction is not None:
                await tell(context.interaction, sentence)
            else:
                elsewhere = isinstance(error, TurnedAway) and isinstance(error.reason, Elsewhere)
                await send_in(context, notice(sentence), gone_after=POINTER_SECONDS if elsewhere else None)
        except discord.Forbidden as refusal:
            # Ten thousand refused requests in ten minutes get a bot banned: for a while nothing more is sent there.
            self._muted_until[context.channel.id] = self._clock() + MUTED_SECONDS
            log.warning("may not write in channel %d, silent there for an hour: %s", context.channel.id, refusal)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as failure:
            log.warning("a member was not told of a failed command: %r", failure)

    async def on_app_command_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        """Answer a failed slash command or menu with one sentence."""
        if is_too_late(error.__cause__ or error):
            log.warning("a command came too late: %s", error)
            return
        visit = await visit_of(interaction, "slash")
        await tell(interaction, told(error, visit.language).sentence)

    def _is_seen(self, message_id: int) -> bool:
        """Tell whether a message was read before: after a lost connection Discord may send it again."""
        if message_id in self._seen:
            return True
        self._seen[message_id] = None
        if len(self._seen) > MESSAGES_REMEMBERED:
            self._seen.popitem(last=False)
        return False


async def prefixes(bot: SegueBot, message: discord.Message) -> list[str]:
    """What a command may begin with where this message was written."""
    manners = await bot.servers.of(None if message.guild is None else f"discord:{message.guild.id}")
    return commands.when_mentioned_or(manners.prefix)(bot, message)


def _in_silence(context: commands.Context[Any], error: Exception) -> bool:
    """Whether nothing is said: everybody reads what is said to a message, so once is enough."""
    return context.interaction is None and isinstance(error, TurnedAway) and error.reason.told


def _usage(context: commands.Context[Any]) -> str:
    command = context.command
    if command is None:
        return ""
    usage = command.usage or command.signature
    return f"{context.clean_prefix}{command.qualified_name} {usage}".strip()
