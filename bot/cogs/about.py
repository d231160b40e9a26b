"""``help`` and ``about``: what the bot can do, and what it knows."""

from typing import Any

from discord.ext import commands

from bot.answers import Answers
from bot.asking import visit_in
from bot.cogs.hybrid import hybrid_command
from bot.policy import about_card, help_card
from bot.sending import send_in
from bot.surfaces import composer

Context = commands.Context[Any]


class AboutCog(commands.Cog):
    """The commands about the bot."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    @hybrid_command(name="help", description="What I can do", usage="")
    async def help_(self, context: Context) -> None:
        """List the commands."""
        await context.defer(ephemeral=True)
        visit = await visit_in(context)
        prefix = "/" if context.interaction is not None else context.clean_prefix
        await send_in(context, composer(lambda style: help_card(style, prefix=prefix), visit.language), ephemeral=True)

    @hybrid_command(description="The model that answers: its data, age and checksum", usage="")
    async def about(self, context: Context) -> None:
        """Show the model's card."""
        await context.defer()
        visit = await visit_in(context)
        manifest = self._answers.catalogue.manifest
        await send_in(context, composer(lambda style: about_card(style, manifest), visit.language))
