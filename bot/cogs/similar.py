"""``similar``: which artists are like this one."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.answers import Answers
from bot.asking import Visit, asker_of, visit_in
from bot.cogs.hybrid import hybrid_command
from bot.feedback.records import Familiarity
from bot.options import BadOption, Options, split_options
from bot.rendering import DISCORD
from bot.sending import send_in
from bot.surfaces import notice
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
        familiarity: Familiarity | None = None,
    ) -> None:
        """Find artists similar to one you like, for example: similar arcade fire."""
        # Discord gives a slash command three seconds to be acknowledged; for a prefix command this does nothing.
        await context.defer()
        visit = await visit_in(context)
        read = read_options(context, artist, count, familiarity)
        if isinstance(read, BadOption):
            await send_in(context, notice(bad_option(read, visit)))
            return
        artist, options = read
        wish = visit.wish(options)
        answer = await self._answers.similar(artist, visit.asker, wish=wish)
        async with self._answers.delivering(answer):
            await send_in(context, compose_answer(answer, visit.language, wish=wish))

    @similar.autocomplete("artist")
    async def suggest(self, interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        """Suggest artists while a member types."""
        return await suggestions(self._answers, interaction, current)


def read_options(
    context: commands.Context[Any], text: str, count: int | None, familiarity: Familiarity | None
) -> tuple[str, Options] | BadOption:
    """Read how a list is wanted: from the options of a slash command, or from what stands behind the names."""
    given = Options(count, familiarity or "balanced")
    return split_options(text, given) if context.interaction is None else (text, given)


def bad_option(bad: BadOption, visit: Visit) -> str:
    """Say what is wrong with an option."""
    return visit.language.say(bad.sentence, **{name: DISCORD.name(value) for name, value in bad.values.items()})


async def suggestions(
    answers: Answers, interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Suggest artists while a member types."""
    asker = asker_of(interaction, "slash")
    suggested = await answers.suggest(current, asker.member, asker.guild)
    return [
        app_commands.Choice(name=plain_name(name, limit=MAX_CHOICE_CHARACTERS), value=value)
        for name, value in suggested
    ]
