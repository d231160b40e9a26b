"""Cogs: each parses a command, asks, records what it shows, and renders."""

from collections.abc import Iterator
from typing import Any

from discord.ext import commands

from bot.cogs.about import AboutCog
from bot.cogs.experiments import ExperimentsCog
from bot.cogs.exploring import ExploringCog
from bot.cogs.maps import MapsCog
from bot.cogs.members import MembersCog
from bot.cogs.menu import MenuCog
from bot.cogs.owner import OwnerCog
from bot.cogs.report import ReportCog
from bot.cogs.server import ServerCog
from bot.cogs.similar import SimilarCog


def all_cogs(bot: Any) -> Iterator[commands.Cog]:
    """Make every cog of the bot."""
    yield SimilarCog(bot.answers)
    yield ExploringCog(bot.answers, bot.explorations)
    yield MapsCog(bot.answers, bot.explorations, bot.maps)
    yield MenuCog(bot)
    yield MembersCog(bot.answers, bot.explorations)
    yield AboutCog(bot.answers)
    yield ServerCog(bot.servers)
    yield ExperimentsCog(bot.answers.feedback, bot.models)
    yield ReportCog(bot.answers)
    yield OwnerCog(bot)
