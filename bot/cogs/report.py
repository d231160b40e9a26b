"""``report``: what the members of a server said of the rows, for its moderators."""

import asyncio
from typing import Any

from discord import app_commands
from discord.ext import commands
from scipy.stats import binomtest

from bot.answers import Answers
from bot.asking import visit_in
from bot.cogs.hybrid import hybrid_command
from bot.feedback.counts import ServerCounts
from bot.rendering import Card, Style
from bot.sending import send_in
from bot.surfaces import composer, notice
from recommender.errors import FeedbackError
from recommender.exploring import MIN_SHOWN_IN_COMMON

Context = commands.Context[Any]

# With fewer votes even a difference of twenty points is mostly chance.
ENOUGH_VOTES = 100


class ReportCog(commands.Cog):
    """The command of the moderators."""

    def __init__(self, answers: Answers) -> None:
        self._feedback = answers.feedback

    @hybrid_command(description="What members of this server said of the rows; for moderators", usage="")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(manage_messages=True)
    async def report(self, context: Context) -> None:
        """Show the counts of this server."""
        if context.guild is None:
            raise commands.NoPrivateMessage
        permissions = context.permissions
        if not (permissions.manage_messages or permissions.manage_guild or permissions.administrator):
            raise commands.MissingPermissions(["manage_messages"])
        await context.defer(ephemeral=True)
        visit = await visit_in(context)
        try:
            counts = await asyncio.to_thread(self._feedback.counts_of, f"discord:{context.guild.id}")
        except FeedbackError:
            sentence = visit.language.say("That could not be read. Try again in a moment.")
            await send_in(context, notice(sentence), ephemeral=True)
            return
        await send_in(context, composer(lambda style: report_card(counts, style), visit.language), ephemeral=True)


def report_card(counts: ServerCounts, style: Style) -> Card:
    """Write the counts: coverage first, then what the votes say, as far as they say anything."""
    say, language = style.say, style.language
    rated = counts.n_rated / counts.n_shown if counts.n_shown else 0.0
    lines = [
        say("Questions: {asked}; answered with rows: {answered}.", asked=counts.n_requests, answered=counts.n_answered),
        say(
            "Rows shown: {shown}; rated: {rated} ({share}).",
            shown=counts.n_shown,
            rated=counts.n_rated,
            share=language.percent(rated),
        ),
    ]
    n_votes = counts.n_up + counts.n_down
    if counts.n_voters < MIN_SHOWN_IN_COMMON:
        lines.append(say("Fewer than {needed} people rated rows; no more is told of them.", needed=MIN_SHOWN_IN_COMMON))
    else:
        said = {"up": counts.n_up, "down": counts.n_down, "voters": counts.n_voters}
        lines.append(say("Votes: 👍 {up}, 👎 {down}, by {voters} people.", **said))
        interval = binomtest(counts.n_up, n_votes).proportion_ci(method="wilson")
        lines.append(
            say(
                "Rated as fitting: {rate} (95% interval {low} to {high}).",
                rate=language.percent(counts.n_up / n_votes),
                low=language.percent(float(interval.low)),
                high=language.percent(float(interval.high)),
            )
        )
    notes = [say("Silence says nothing: Discord does not tell who looked.")]
    if n_votes < ENOUGH_VOTES:
        notes.insert(0, say("Too early to conclude anything: fewer than {needed} votes.", needed=ENOUGH_VOTES))
    return Card(say("What members said here"), tuple(lines), tuple(style.small(note) for note in notes))
