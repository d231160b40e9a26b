"""``map``: a picture of an artist's neighbourhood, and the same in words."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.answers import Answers
from bot.asking import visit_in
from bot.cogs.hybrid import hybrid_command
from bot.cogs.similar import ARTIST_EXPLAINED, suggestions
from bot.explorations import Explorations, Unclear
from bot.maps import Maps
from bot.sending import send_in
from bot.surfaces import permissions_at
from bot.views.exploring import compose_unclear
from bot.views.maps import compose_map

Context = commands.Context[Any]


class MapsCog(commands.Cog):
    """The command that draws."""

    def __init__(self, answers: Answers, explorations: Explorations, maps: Maps) -> None:
        self._answers = answers
        self._explorations = explorations
        self._maps = maps

    @hybrid_command(name="map", description="A picture of an artist's neighbourhood", usage="<artist>")
    @app_commands.describe(artist=ARTIST_EXPLAINED)
    async def map_(self, context: Context, *, artist: str) -> None:
        """Draw an artist's neighbourhood, for example: map björk."""
        await context.defer()
        visit = await visit_in(context)
        terms = await self._explorations.understand([(artist, 1)], visit.asker)
        if isinstance(terms, Unclear):
            await send_in(context, compose_unclear(terms, "map", visit.language))
            return
        may_attach = permissions_at(context).attach_files
        compose = await compose_map(self._maps, terms[0].understood.named, visit, may_attach=may_attach)
        await send_in(context, compose)

    @map_.autocomplete("artist")
    async def suggest(self, interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        """Suggest artists while a member types."""
        return await suggestions(self._answers, interaction, current)
