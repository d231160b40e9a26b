"""Who asks on Discord, how their server wants answers, and in which language: from a context or an interaction."""

from dataclasses import dataclass, replace
from typing import Any

import discord
from discord.ext import commands

from bot.feedback.records import Source
from bot.languages import Language
from bot.options import Options
from bot.replies import MOST_ROWS, Asker, Wish
from bot.servers import Manners


@dataclass(frozen=True, slots=True)
class Visit:
    """One command or click: who gave it, what holds in that server, and the language to answer in."""

    asker: Asker
    manners: Manners
    language: Language

    def wish(self, options: Options | None = None) -> Wish:
        """Say how a list is wanted: by the member's options within the server's manners."""
        count = options.count if options else None
        most = MOST_ROWS if count is None else count
        return Wish(
            size=min(self.manners.rows_per_answer, most),
            most=most,
            familiarity=options.familiarity if options else "balanced",
            votes=self.manners.votes_enabled,
            exploration=self.manners.exploration_enabled,
        )

    def by(self, source: Source) -> "Visit":
        """The same, logged as asked in another way."""
        return replace(self, asker=replace(self.asker, source=source))


def asker_of(interaction: discord.Interaction[Any], source: Source) -> Asker:
    """Name the member behind an interaction."""
    return Asker(
        member=f"discord:{interaction.user.id}",
        source=source,
        guild=None if interaction.guild_id is None else f"discord:{interaction.guild_id}",
        locale=str(interaction.locale),
    )


def asker_in(context: commands.Context[Any]) -> Asker:
    """Name the member behind a command, however it was given."""
    if context.interaction is not None:
        return asker_of(context.interaction, "slash")
    mentions = {f"<@{context.me.id}>", f"<@!{context.me.id}>"}
    is_mention = (context.prefix or "").strip() in mentions
    return Asker(
        member=f"discord:{context.author.id}",
        source="mention" if is_mention else "prefix",
        guild=None if context.guild is None else f"discord:{context.guild.id}",
        locale=None if context.guild is None else str(context.guild.preferred_locale),
    )


async def visit_of(interaction: discord.Interaction[Any], source: Source) -> Visit:
    """Learn who clicked, and what holds there."""
    return await _visit(interaction.client, asker_of(interaction, source))


async def visit_in(context: commands.Context[Any]) -> Visit:
    """Learn who gave a command, and what holds there."""
    return await _visit(context.bot, asker_in(context))


async def _visit(bot: Any, asker: Asker) -> Visit:
    manners: Manners = await bot.servers.of(asker.guild)
    return Visit(asker, manners, manners.speaks(asker.locale))
