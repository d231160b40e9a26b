"""``similar``: which artists are like this one."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.answers import Answers
from bot.asking import asker_in, asker_of
from bot.sending import send_in
from bot.views.answer import answer_view
from recommender.wording import plain_name

MAX_CHOICE_CHARACTERS = 100


class SimilarCog(commands.Cog):
    """The commands that answer with similar artists."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    @commands.hybrid_command(description="Find artists similar to one you like")  # type: ignore[arg-type]
    @app_commands.describe(artist="An artist; a slip of the pen is fine")
    # mypy cannot solve the ParamSpec of discord.py's decorator for keyword-only arguments.
    async def similar(self, context: commands.Context[Any], *, artist: str) -> None:
        """Find artists similar to one you like, for example: similar arcade fire."""
        # Discord gives a slash command three seconds to be acknowledged; for a prefix command this does nothing.
        await context.defer()
        answer = await self._answers.similar(artist, asker_in(context))
        async with self._answers.delivering(answer):
            await send_in(context, view=answer_view(answer))

    @similar.autocomplete("artist")
    async def suggest(self, interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        """Suggest artists while a member types."""
        asker = asker_of(interaction, "slash")
        suggested = await self._answers.suggest(current, asker.member, asker.guild)
        return [
            app_commands.Choice(name=plain_name(name, limit=MAX_CHOICE_CHARACTERS), value=value)
            for name, value in suggested
        ]
