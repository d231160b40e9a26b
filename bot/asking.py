"""Who asks on Discord: from a context or an interaction to an :class:`bot.answers.Asker`."""

from typing import Any

import discord
from discord.ext import commands

from bot.answers import Asker
from bot.feedback.records import Source


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
