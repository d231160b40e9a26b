"""``report``: what the members of a server said of the rows, and of two models that are compared, for its moderators.

All of it is of this server alone, and what was voted is told only where five people voted.
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from discord import app_commands
from discord.ext import commands
from scipy.stats import binomtest

from bot.answers import Answers
from bot.asking import visit_in
from bot.cogs.hybrid import hybrid_command
from bot.evidence.comparing import MIN_VOTERS, MIN_VOTES, Comparison
from bot.evidence.reporting import Report
from bot.feedback.counts import ServerCounts
from bot.feedback.experiments import Experiments
from bot.feedback.records import ExperimentRecord, ExperimentState
from bot.languages import later
from bot.rendering import Card, Style
from bot.reports import report_of
from bot.sending import send_in
from bot.surfaces import composer, notice
from recommender.errors import FeedbackError
from recommender.exploring import MIN_SHOWN_IN_COMMON

Context = commands.Context[Any]

# With fewer votes even a difference of twenty points is mostly chance.
ENOUGH_VOTES = MIN_VOTES
MOST_METRICS = 4
SMALL_P = 0.001
STATES: dict[ExperimentState, str] = {
    "defined": later("defined"),
    "running": later("running"),
    "stopped": later("stopped"),
    "archived": later("archived"),
}
_BETTER = later("{side} is better; the evidence holds at every look and without any one person.")
VERDICTS = {
    "too_early": later(
        "Too early: {votes} votes decide between the two so far, of {voters} people; nothing is said below {needed} "
        "votes and {people} people."
    ),
    "a": _BETTER,
    "b": _BETTER,
    "one_person": later("Undecided: it would be decided only with the votes of one person."),
    "few_artists": later("Undecided: it would be decided only with the answers about a few artists."),
    "undecided": later("Undecided: the votes so far go together with no difference."),
}


Compared: TypeAlias = tuple[ExperimentRecord, Report]
"""An experiment, and the report of its answers in one server."""


class ReportCog(commands.Cog):
    """The command of the moderators."""

    def __init__(self, answers: Answers) -> None:
        self._feedback = answers.feedback
        # A report of many votes takes seconds of a processor: however many ask, one is made at a time.
        self._one_at_a_time = asyncio.Lock()

    @hybrid_command(
        aliases=["evaluate"], description="What members of this server said of the rows; for moderators", usage=""
    )
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(manage_messages=True)
    async def report(self, context: Context) -> None:
        """Show the counts of this server, and how the models compare that are compared in it."""
        if context.guild is None:
            raise commands.NoPrivateMessage
        permissions = context.permissions
        if not (permissions.manage_messages or permissions.manage_guild or permissions.administrator):
            raise commands.MissingPermissions(["manage_messages"])
        await context.defer(ephemeral=True)
        visit = await visit_in(context)
        try:
            async with self._one_at_a_time:
                counts, compared = await asyncio.to_thread(self._read, f"discord:{context.guild.id}")
        except FeedbackError:
            sentence = visit.language.say("That could not be read. Try again in a moment.")
            await send_in(context, notice(sentence), ephemeral=True)
            return
        compose = composer(lambda style: report_card(counts, style, compared), visit.language)
        await send_in(context, compose, ephemeral=True)

    def _read(self, guild: str) -> tuple[ServerCounts, Compared | None]:
        """Read the counts, and the report of what runs here or everywhere, or ran here last."""
        experiments = Experiments(self._feedback)
        own = [one for one in experiments.of(guild) if one.state in ("running", "stopped")]
        running = next((one for one in own if one.state == "running"), None) or experiments.running()
        experiment = running or max(own, key=_started, default=None)
        compared = None if experiment is None else (experiment, report_of(self._feedback, experiment, guild=guild))
        return self._feedback.counts_of(guild), compared


def report_card(counts: ServerCounts, style: Style, compared: Compared | None = None) -> Card:
    """Write the counts: coverage first, then what the votes say, as far as they say anything; then the comparison."""
    say, language = style.say, style.language
    rated = counts.n_rated / counts.n_shown if counts.n_shown else 0.0
    lines = [
        say("Questions: {asked}; answered with rows: {answered}.", asked=counts.n_requests, answered=counts.n_answered),
    ]
    n_votes = counts.n_up + counts.n_down
    if counts.n_voters < MIN_SHOWN_IN_COMMON:
        lines.append(say("Fewer than {needed} people rated rows; no more is told of them.", needed=MIN_SHOWN_IN_COMMON))
    else:
        covered = {"shown": counts.n_shown, "rated": counts.n_rated, "share": language.percent(rated)}
        lines.append(say("Rows shown: {shown}; rated: {rated} ({share}).", **covered))
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
    if compared is not None:
        lines += comparison_lines(*compared, style)
    notes = [say("Silence says nothing: Discord does not tell who looked.")]
    if n_votes < ENOUGH_VOTES:
        notes.insert(0, say("Too early to conclude anything: fewer than {needed} votes.", needed=ENOUGH_VOTES))
    return Card(say("What members said here"), tuple(lines), tuple(style.small(note) for note in notes))


def comparison_lines(experiment: ExperimentRecord, found: Report, style: Style) -> Iterator[str]:
    """Write how two models compare: what was voted on first, then each model, then what may be concluded."""
    say, language = style.say, style.language
    names = {
        "a": style.name(experiment.model_a.partition("@")[0]),
        "b": style.name(experiment.model_b.partition("@")[0]),
    }
    coverage, comparison = found.coverage, found.comparison
    yield ""
    state = say(STATES[experiment.state])
    yield say("Comparison {name} ({state}): A = {a}, B = {b}", name=style.strong(experiment.name), state=state, **names)
    # What decides between the two may be the votes of fewer people than all votes are.
    told = comparison is not None and comparison.voters >= MIN_SHOWN_IN_COMMON
    yield say("Its answers here: {requests}; their rows: {rows}.", requests=coverage.requests, rows=coverage.rows)
    if coverage.voters >= MIN_SHOWN_IN_COMMON:
        yield say("Votes on them: {votes}, by {voters} people.", votes=coverage.votes, voters=coverage.voters)
    rates = {rate.group: rate for rate in found.up_rates.get("team", ())}
    for model in found.models:
        side, rate = model.side.upper(), rates.get(model.side)
        if told and rate is not None and rate.votes:
            share, low, high = (language.percent(one) for one in (rate.rate, rate.low, rate.high))
            said = {"side": side, "rate": share, "low": low, "high": high}
            yield say("{side} rated as fitting: {rate} (95% interval {low} to {high}).", **said)
        yield say("{side} offline: {metrics}", side=side, metrics=_metrics(model.metrics, style))
    if comparison is None or not told:
        # Of fewer than five people not even how many rated rows of either model.
        yield say("Too early to say which of the two is better.")
        return
    yield from _conclusion(comparison, style)


def _conclusion(found: Comparison, style: Style) -> Iterator[str]:
    say, percent, units = style.say, style.language.percent, found.units
    yield say(
        "A won {wins} and lost {losses} answers, {ties} were tied: win rate {rate} (95% interval {low} to {high}).",
        wins=units.wins,
        losses=units.losses,
        ties=units.ties,
        rate=percent(found.win_rate),
        low=percent(found.low),
        high=percent(found.high),
    )
    p = found.always_valid_p
    yield say("p {p}, whenever you look.", p="< 0.001" if p < SMALL_P else f"= {style.language.number(round(p, 3))}")
    counts = {
        "side": found.verdict.upper(),
        "votes": found.votes,
        "voters": found.voters,
        "needed": MIN_VOTES,
        "people": MIN_VOTERS,
    }
    yield say(VERDICTS[found.verdict], **counts)


def _metrics(metrics: Mapping[str, Any] | None, style: Style) -> str:
    numbers = [
        f"{style.name(name)} {style.language.number(round(value, 3))}"
        for name, value in (metrics or {}).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    return ", ".join(numbers[:MOST_METRICS]) or style.say("not evaluated")


def _started(experiment: ExperimentRecord) -> float:
    return experiment.started_at.timestamp() if experiment.started_at else 0.0
