"""Walks in the music: ``blend``, ``path``, ``why``, ``dissimilar``, ``artist``, ``surprise``, and the menu."""

import asyncio
from collections.abc import Sequence
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.answers import Answers
from bot.asking import Visit, visit_in
from bot.cogs.hybrid import hybrid_command
from bot.cogs.similar import ARTIST_EXPLAINED, bad_option, read_options, suggestions
from bot.explorations import Command, Explorations, Unclear
from bot.feedback.records import Familiarity
from bot.languages import later
from bot.options import BadOption, Options
from bot.pairs import split_mixture, split_pair
from bot.sending import send_in
from bot.surfaces import notice
from bot.views.answer import compose_answer
from bot.views.exploring import compose_exploration, compose_unclear
from recommender.errors import FeedbackError

Context = commands.Context[Any]

NAME_TWO = later("Name two artists, for example: {example}")
NAME_SEVERAL = later("Name at least one artist that is liked, for example: {example}")
BLEND_EXAMPLE = "radiohead + björk - coldplay"
PAIR_EXAMPLE = "metallica | abba"
MAX_VALUE_CHARACTERS = 100
_JOINTS = (" + ", " - ")


class ExploringCog(commands.Cog):
    """The commands that walk around."""

    def __init__(self, answers: Answers, explorations: Explorations) -> None:
        self._answers = answers
        self._explorations = explorations

    @hybrid_command(
        description="Find the artists between several: radiohead + björk - coldplay",
        usage="<artist> + <artist> [- <artist>] [--count 10] [--familiar | --deep]",
    )
    @app_commands.describe(
        artists="Artists joined by + and -, such as radiohead + björk - coldplay",
        count="How many artists in all, 1 to 50",
        familiarity="How well known they shall be",
    )
    async def blend(
        self,
        context: Context,
        *,
        artists: str,
        count: app_commands.Range[int, 1, 50] | None = None,
        familiarity: Familiarity | None = None,
    ) -> None:
        """Mix artists, for example: blend radiohead + björk - coldplay."""
        await context.defer()
        visit = await visit_in(context)
        read = read_options(context, artists, count, familiarity)
        if isinstance(read, BadOption):
            await send_in(context, notice(bad_option(read, visit)))
            return
        artists, options = read
        names = await asyncio.to_thread(split_mixture, artists, self._answers.catalogue.is_name)
        if isinstance(names, str):
            await send_in(context, notice(visit.language.say(names)))
            return
        await self._explore(context, visit, "blend", names, options)

    @hybrid_command(description="Find a way from one artist to another", usage="<artist> | <artist>")
    @app_commands.describe(start="Where it begins", goal="Where it ends")
    async def path(self, context: Context, *, start: str, goal: str | None = None) -> None:
        """Walk from one artist to another, for example: path metallica | abba."""
        await self._two(context, "path", start, goal)

    @hybrid_command(description="What two artists have in common", usage="<artist> | <artist>")
    @app_commands.describe(artist=ARTIST_EXPLAINED, other="Another artist")
    async def why(self, context: Context, *, artist: str, other: str | None = None) -> None:
        """Say what two artists have in common, for example: why metallica | slayer."""
        await self._two(context, "why", artist, other)

    @hybrid_command(description="Well-known artists that are nothing like one", usage="<artist>")
    @app_commands.describe(artist=ARTIST_EXPLAINED)
    async def dissimilar(self, context: Context, *, artist: str) -> None:
        """Name opposites."""
        await self._one(context, "dissimilar", artist)

    @hybrid_command(description="An artist's card: listeners, links, who is nearest", usage="<artist>")
    @app_commands.describe(artist=ARTIST_EXPLAINED)
    async def artist(self, context: Context, *, artist: str) -> None:
        """Show an artist's card."""
        await self._one(context, "artist", artist)

    @hybrid_command(
        description="Artists for you, from what you rated and liked", usage="[--count 10] [--familiar | --deep]"
    )
    @app_commands.describe(count="How many artists in all, 1 to 50", familiarity="How well known they shall be")
    async def recommend(
        self,
        context: Context,
        count: app_commands.Range[int, 1, 50] | None = None,
        familiarity: Familiarity | None = None,
    ) -> None:
        """Recommend from what the member rated and liked, for example: recommend --deep."""
        await context.defer(ephemeral=True)
        visit = await visit_in(context)
        behind = "" if context.interaction else context.message.content.partition(context.invoked_with or " ")[2]
        read = read_options(context, f"recommend {behind}", count, familiarity)
        if isinstance(read, BadOption):
            await send_in(context, notice(bad_option(read, visit)), ephemeral=True)
            return
        try:
            answer = await self._explorations.recommend(visit.asker, visit.wish(read[1]))
        except FeedbackError:
            sentence = visit.language.say("That could not be read. Try again in a moment.")
            await send_in(context, notice(sentence), ephemeral=True)
            return
        async with self._answers.delivering(answer):
            await send_in(context, compose_exploration(answer, visit.language), ephemeral=True)

    @hybrid_command(description="Somebody by chance, and who is similar", usage="")
    async def surprise(self, context: Context) -> None:
        """Draw an artist."""
        await context.defer()
        visit = await visit_in(context)
        answer = await self._explorations.surprise(visit.asker, visit.wish())
        if answer is not None:
            async with self._answers.delivering(answer):
                await send_in(context, compose_answer(answer, visit.language))

    async def _one(self, context: Context, command: Command, text: str) -> None:
        await context.defer()
        await self._explore(context, await visit_in(context), command, [(text, 1)], None)

    async def _two(self, context: Context, command: Command, one: str, other: str | None) -> None:
        await context.defer()
        visit = await visit_in(context)
        pair = (one, other) if other else split_pair(one, self._answers.catalogue.is_name)
        if pair is None:
            await send_in(context, notice(visit.language.say(NAME_TWO, example=f"`{command} {PAIR_EXAMPLE}`")))
            return
        await self._explore(context, visit, command, [(pair[0], 1), (pair[1], 1)], None)

    async def _explore(
        self,
        context: Context,
        visit: Visit,
        command: Command,
        names: Sequence[tuple[str, int]],
        options: Options | None,
    ) -> None:
        if command == "blend" and not any(sign > 0 for _, sign in names):
            await send_in(context, notice(visit.language.say(NAME_SEVERAL, example=f"`blend {BLEND_EXAMPLE}`")))
            return
        terms = await self._explorations.understand(names, visit.asker)
        if isinstance(terms, Unclear):
            await send_in(context, compose_unclear(terms, command, visit.language))
            return
        answer = await self._explorations.explore(command, terms, visit.asker, visit.wish(options))
        async with self._answers.delivering(answer):
            await send_in(context, compose_exploration(answer, visit.language))

    @path.autocomplete("start")
    @path.autocomplete("goal")
    @why.autocomplete("artist")
    @why.autocomplete("other")
    @dissimilar.autocomplete("artist")
    @artist.autocomplete("artist")
    async def suggest(self, interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        """Suggest artists while a member types."""
        return await suggestions(self._answers, interaction, current)

    @blend.autocomplete("artists")
    async def suggest_next(self, interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        """Suggest artists for the last name of a phrase."""
        cut = max(current.rfind(joint) + len(joint) if joint in current else 0 for joint in _JOINTS)
        before, last = current[:cut], current[cut:]
        found = await suggestions(self._answers, interaction, last)
        whole = [f"{before}{choice.name}" for choice in found]
        return [app_commands.Choice(name=one, value=one) for one in whole if len(one) <= MAX_VALUE_CHARACTERS]
