"""What members decide for themselves: ``privacy``, ``like`` and ``dislike``."""

import io
import json
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.answers import Answers
from bot.asking import visit_in
from bot.cogs.hybrid import hybrid_command, hybrid_group
from bot.cogs.similar import ARTIST_EXPLAINED, suggestions
from bot.explorations import Explorations, Unclear
from bot.feedback.records import Verdict
from bot.policy import BACKUP_DAYS, policy_card
from bot.rendering import Card
from bot.sending import send_in
from bot.surfaces import Surface, composer, notice
from bot.views.exploring import compose_unclear
from bot.views.tastes import save_taste
from recommender.errors import FeedbackError

Context = commands.Context[Any]


class MembersCog(commands.Cog):
    """The commands about the member who gives them."""

    def __init__(self, answers: Answers, explorations: Explorations) -> None:
        self._answers = answers
        self._explorations = explorations

    @hybrid_group(fallback="text", description="What is kept of you, and how to see and delete it", usage="")
    async def privacy(self, context: Context) -> None:
        """Tell what is kept."""
        await context.defer(ephemeral=True)
        visit = await visit_in(context)
        await send_in(context, composer(policy_card, visit.language), ephemeral=True)

    @privacy.command(description="Get everything that is kept of you, as a file")
    async def export(self, context: Context) -> None:
        """Send everything that is kept of the member."""
        await context.defer(ephemeral=True)
        visit = await visit_in(context)
        say = visit.language.say
        try:
            document = await self._answers.members.export(visit.asker.member)
        except FeedbackError:
            await send_in(context, notice(say("That could not be read. Try again in a moment.")), ephemeral=True)
            return

        def compose(_surface: Surface) -> dict[str, Any]:
            content = json.dumps(document, ensure_ascii=False, indent=1).encode()
            file = discord.File(io.BytesIO(content), filename="segue-export.json")
            return {"content": say("This is everything that is kept of you."), "file": file}

        if context.interaction is not None:
            await send_in(context, compose, ephemeral=True)
            return
        try:
            await context.author.send(**compose(Surface.PLAIN))
        except discord.Forbidden:
            sentence = say("I cannot write to you; use /privacy export, which only you see.")
        else:
            sentence = say("It is in your direct messages.")
        if context.guild is not None:
            await send_in(context, notice(sentence))

    @privacy.command(description="Delete everything that is kept of you, at once")
    async def forget(self, context: Context) -> None:
        """Delete everything that is kept of the member."""
        await context.defer(ephemeral=True)
        visit = await visit_in(context)
        try:
            n_deleted = await self._answers.members.forget(visit.asker.member)
        except FeedbackError:
            sentence = visit.language.say("Nothing was deleted: the database cannot be reached. Try again in a moment.")
            await send_in(context, notice(sentence), ephemeral=True)
            return
        lines = [
            visit.language.count("Deleted: {n} row.", "Deleted: {n} rows.", n_deleted)
            if n_deleted
            else visit.language.say("There was nothing to delete."),
            visit.language.say("Older backups still hold it, for at most {days} days.", days=BACKUP_DAYS),
            visit.language.say("What you ask from now on is logged again, unless you opt out with privacy opt-out."),
        ]
        await send_in(
            context, composer(lambda _style: Card(lines[0], tuple(lines[1:])), visit.language), ephemeral=True
        )

    @privacy.command(name="opt-out", description="Have nothing written down about you from now on")
    async def opt_out(self, context: Context) -> None:
        """Stop all logging of the member."""
        await self._log_me(context, wish=True)

    @privacy.command(name="opt-in", description="Take your opt-out back")
    async def opt_in(self, context: Context) -> None:
        """Log the member again."""
        await self._log_me(context, wish=False)

    async def _log_me(self, context: Context, *, wish: bool) -> None:
        await context.defer(ephemeral=True)
        visit = await visit_in(context)
        say = visit.language.say
        try:
            await self._answers.members.opt_out(visit.asker.member, wish=wish)
        except FeedbackError:
            sentence = say("That could not be saved. Try again in a moment.")
        else:
            sentence = (
                say("From now on nothing is written down about you. What was kept before goes with privacy forget.")
                if wish
                else say("From now on your questions and votes are logged again.")
            )
        await send_in(context, notice(sentence), ephemeral=True)

    @hybrid_command(description="Say that you like an artist; recommend makes use of it", usage="<artist>")
    @app_commands.describe(artist=ARTIST_EXPLAINED)
    async def like(self, context: Context, *, artist: str) -> None:
        """Note that the member likes an artist."""
        await self._taste(context, artist, "like")

    @hybrid_command(description="Say that you do not like an artist", usage="<artist>")
    @app_commands.describe(artist=ARTIST_EXPLAINED)
    async def dislike(self, context: Context, *, artist: str) -> None:
        """Note that the member does not like an artist."""
        await self._taste(context, artist, "dislike")

    async def _taste(self, context: Context, text: str, verdict: Verdict) -> None:
        await context.defer(ephemeral=True)
        visit = await visit_in(context)
        terms = await self._explorations.understand([(text, 1)], visit.asker)
        if isinstance(terms, Unclear):
            await send_in(context, compose_unclear(terms, verdict, visit.language), ephemeral=True)
            return
        compose = await save_taste(self._answers, terms[0].understood.named, verdict, visit)
        await send_in(context, compose, ephemeral=True)

    @like.autocomplete("artist")
    @dislike.autocomplete("artist")
    async def suggest(self, interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
        """Suggest artists while a member types."""
        return await suggestions(self._answers, interaction, current)
