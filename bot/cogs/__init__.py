"""Cogs: each parses a command, asks, records what it shows, and renders."""

from collections.abc import Iterator
from typing import Any

from discord.ext import commands

from bot.cogs.similar import SimilarCog


def all_cogs(bot: Any) -> Iterator[commands.Cog]:
    """Make every cog of the bot."""
    yield SimilarCog(bot.answers)
