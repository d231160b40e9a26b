"""``settings``: what a server's admins decide about the bot."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import discord
from discord import app_commands
from discord.ext import commands

from bot.asking import visit_in
from bot.cogs.hybrid import hybrid_group
from bot.feedback.records import ServerChoices
from bot.languages import NAMES
from bot.rendering import Card, Style
from bot.sending import send_in
from bot.servers import Manners, Servers
from bot.surfaces import composer, notice
from recommender.errors import FeedbackError

Context = commands.Context[Any]
MOST_CHANNELS = 50
# Posts of a forum and threads count as the channel that they are in.
Channel: TypeAlias = discord.TextChannel | discord.ForumChannel | discord.VoiceChannel | discord.StageChannel


class NotAMember(commands.CheckFailure):
    """Only the member has installed the bot, the server has not."""


class ServerCog(commands.Cog):
    """The commands of those who may manage the server."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    async def cog_check(self, context: Context) -> bool:
        """Let in only who may manage the server, whatever Discord was told to show."""
        return refuse_others(context)

    @hybrid_group(fallback="show", description="How the bot behaves in this server", usage="")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(manage_guild=True)
    async def settings(self, context: Context) -> None:
        """Show what is set."""
        await context.defer(ephemeral=True)
        visit = await visit_in(context)
        manners = visit.manners
        await send_in(context, composer(lambda style: settings_card(manners, style), visit.language), ephemeral=True)

    @settings.command(description="What commands begin with, besides a mention", usage="<prefix>")
    @app_commands.describe(prefix="1 to 10 characters without spaces")
    async def prefix(self, context: Context, prefix: str) -> None:
        """Set the prefix."""
        visit = await visit_in(context)
        if not 0 < len(prefix) <= 10 or any(character.isspace() for character in prefix):
            sentence = visit.language.say("A prefix has 1 to 10 characters and no spaces.")
            await send_in(context, notice(sentence), ephemeral=True)
            return
        await self._choose(context, prefix=prefix)

    @settings.command(
        description="The language of the bot's answers; automatic is each member's own",
        usage="<automatic | " + " | ".join(NAMES) + ">",
    )
    @app_commands.describe(language="A language, or automatic")
    async def language(
        self, context: Context, language: Literal["automatic", "en", "de", "fr", "es", "pt-BR", "ja", "zh-CN"]
    ) -> None:
        """Set the language."""
        await self._choose(context, language=None if language == "automatic" else language)

    @settings.command(
        name="allow-channel", description="Answer only in channels that are allowed; this adds one", usage="<#channel>"
    )
    @app_commands.describe(channel="A channel")
    async def allow_channel(self, context: Context, channel: Channel) -> None:
        """Allow a channel."""
        await self._choose(context, lambda choices: _channels(choices, add=str(channel.id)))

    @settings.command(
        name="disallow-channel",
        description="Take a channel off the list; an empty list allows all",
        usage="<#channel>",
    )
    @app_commands.describe(channel="A channel")
    async def disallow_channel(self, context: Context, channel: Channel) -> None:
        """Take a channel off the list."""
        await self._choose(context, lambda choices: _channels(choices, take=str(channel.id)))

    @settings.command(description="How many artists a page has, 1 to 10", usage="<1 to 10>")
    @app_commands.describe(rows="1 to 10")
    async def rows(self, context: Context, rows: commands.Range[int, 1, 10]) -> None:
        """Set the rows of a page."""
        await self._choose(context, rows_per_answer=rows)

    @settings.command(
        description="Seconds that each command costs a member; five in a row are free, 0 is no limit",
        usage="<0 to 3600>",
    )
    @app_commands.describe(seconds="0 to 3600")
    async def cooldown(self, context: Context, seconds: commands.Range[float, 0, 3600]) -> None:
        """Set the cooldown."""
        await self._choose(context, cooldown_seconds=seconds)

    @settings.command(description="Whether members can rate rows", usage="<on | off>")
    @app_commands.describe(switch="on or off")
    async def votes(self, context: Context, switch: Literal["on", "off"]) -> None:
        """Switch votes."""
        await self._choose(context, votes_enabled=switch == "on")

    @settings.command(description="Whether now and then a row is tried out from further below", usage="<on | off>")
    @app_commands.describe(switch="on or off")
    async def exploration(self, context: Context, switch: Literal["on", "off"]) -> None:
        """Switch exploration."""
        await self._choose(context, exploration_enabled=switch == "on")

    @settings.command(
        name="prefix-commands", description="Whether commands may be typed behind the prefix", usage="<on | off>"
    )
    @app_commands.describe(switch="on or off")
    async def prefix_commands(self, context: Context, switch: Literal["on", "off"]) -> None:
        """Switch prefix commands; slash commands and mentions always work."""
        await self._choose(context, prefix_commands_enabled=switch == "on")

    @settings.command(description="Forget everything that was set here")
    async def reset(self, context: Context) -> None:
        """Return to the defaults."""
        await context.defer(ephemeral=True)
        await self._save(context, ServerChoices())

    async def _choose(
        self, context: Context, change: Callable[[ServerChoices], ServerChoices] | None = None, **values: Any
    ) -> None:
        await context.defer(ephemeral=True)
        try:
            choices = await self._servers.choices_of(guild_of(context))
        except FeedbackError:
            await self._not_saved(context)
            return
        await self._save(context, change(choices) if change else replace(choices, **values))

    async def _save(self, context: Context, choices: ServerChoices) -> None:
        try:
            manners = await self._servers.choose(guild_of(context), choices)
        except FeedbackError:
            await self._not_saved(context)
            return
        visit = await visit_in(context)
        await send_in(
            context,
            composer(lambda style: settings_card(manners, style, saved=True), visit.language),
            ephemeral=True,
        )

    async def _not_saved(self, context: Context) -> None:
        visit = await visit_in(context)
        sentence = visit.language.say("That could not be saved. Try again in a moment.")
        await send_in(context, notice(sentence), ephemeral=True)


def _channels(choices: ServerChoices, *, add: str = "", take: str = "") -> ServerChoices:
    channels = dict.fromkeys((*choices.allowed_channels, *([add] if add else [])))
    channels.pop(take, None)
    return replace(choices, allowed_channels=tuple(channels)[:MOST_CHANNELS])


def refuse_others(context: Context) -> bool:
    """Let in who may manage the server, and raise for everybody else."""
    if context.guild is None:
        raise commands.NoPrivateMessage
    given = context.interaction
    if given is not None and given.is_user_integration() and not given.is_guild_integration():
        raise NotAMember
    permissions = context.permissions
    if not (permissions.manage_guild or permissions.administrator):
        raise commands.MissingPermissions(["manage_guild"])
    return True


def guild_of(context: Context) -> str:
    """Name the server of a command that is given only in servers."""
    assert context.guild is not None
    return f"discord:{context.guild.id}"


def settings_card(manners: Manners, style: Style, *, saved: bool = False) -> Card:
    """Write what holds in a server."""
    say, language = style.say, style.language
    on_off = {True: say("on"), False: say("off")}
    channels = [f"<#{channel}>" for channel in manners.allowed_channels]
    lines = (
        say("Prefix: {prefix}", prefix=style.name(manners.prefix)),
        say("Language: {language}", language=NAMES.get(manners.language or "", say("each member's own"))),
        say("Channels: {channels}", channels=language.listed(channels[:20]) if channels else say("all")),
        say("Rows of a page: {rows}", rows=manners.rows_per_answer),
        say("Cooldown: {seconds} s per command, five in a row are free", seconds=manners.cooldown_seconds)
        if manners.cooldown_seconds
        else say("Cooldown: none"),
        say("Votes: {state}", state=on_off[manners.votes_enabled]),
        say("Trying out rows from further below: {state}", state=on_off[manners.exploration_enabled]),
        say("Commands behind the prefix: {state}", state=on_off[manners.prefix_commands_enabled]),
    )
    return Card(say("Saved. Now set here:") if saved else say("Set in this server:"), lines)
