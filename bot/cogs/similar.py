"""``similar``: which artists are like this one."""

from typing import Any, Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.answers import Answers
from bot.asking import asker_of, visit_in
from bot.cogs.hybrid import hybrid_command
from bot.options import options_of, split_options
from bot.sending import send_in
from bot.views.answer import compose_answer
from recommender.wording import plain_name

MAX_CHOICE_CHARACTERS = 100
ARTIST_EXPLAINED = "An artist; a slip of the pen is fine"


class SimilarCog(commands.Cog):
    """The command that answers with similar artists."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    @hybrid_command(
        description="Find artists similar to one you like", usage="<artist> [--count 20] [--familiar | --deep]"
    )
    @app_commands.describe(
        artist=ARTIST_EXPLAINED,
        count="How many artists in all, 1 to 50",
        familiarity="How well known they shall be",
    )
    async def similar(
        self,
        context: commands.Context[Any],
        *,
        artist: str,
        count: app_commands.Range[int, 1, 50] | None = None,
        familiarity: Literal["familiar", "balanced", "deep"] | None = None,
    ) -> None:
        """Find artists similar to one you like, for example: similar arcade fire."""
        # Discord gives a slash command three seconds to be acknowledged; for a prefix command this does nothing.
        await context.defer()
        visit = await visit_in(context)
        options = options_of(count, familiarity)
        if context.interaction is None:
            artist, options = split_options(artist, options)
        wish = visit.wish(options)
        answer = await self._answers.similar(artist, visit.asker, wish=wish)
        async with self._answers.delivering(answer):
            await send_in(context, compose_answer(answer, visit.language, wish=wish))

    @similar.autocomplete("artist")
    async def suggest(self, interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        """Suggest artists while a member types."""
        return await suggestions(self._answers, interaction, current)


async def suggestions(
    answers: Answers, interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Suggest artists while a member types."""
    suggested = await answers.suggest(current, asker_of(interaction, "slash").member)
    return [
        app_commands.Choice(name=plain_name(name, limit=MAX_CHOICE_CHARACTERS), value=value)
        for name, value in suggested
    ]
