"""``experiment``: a server's moderators compare two models in the answers of their server, and in no other."""

import asyncio
from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.asking import visit_in
from bot.cogs.hybrid import hybrid_group
from bot.cogs.report import STATES
from bot.cogs.server import guild_of, refuse_others
from bot.experimenting import define
from bot.feedback.experiments import STEPS, ExperimentError, Experiments, Step, Why
from bot.feedback.records import ExperimentRecord
from bot.feedback.store import FeedbackStore
from bot.languages import Language, later
from bot.rendering import Card, Style
from bot.sending import send_in
from bot.surfaces import composer, notice
from recommender.errors import FeedbackError, ModelError
from recommender.store import ModelStore

Context = commands.Context[Any]

MOST_LISTED = 10
MOST_CHOICES = 25
REFUSALS_OF_EXPERIMENTS: dict[Why, str] = {
    "bad_name": later("A name of an experiment has 1 to 64 characters."),
    "bad_rate": later("The share of answers that explore is from 0 to 100 percent."),
    "same_model": later("Name two different models."),
    "mixed_kinds": later("Only one of these models has synthetic listeners; compare two of the same kind."),
    "name_taken": later("There is an experiment {name} already; choose another name."),
    "unknown": later("There is no experiment {name} in this server."),
    "other_state": later("That cannot be done now: {name} is {state}."),
    "one_runs": later("{name} is running here; stop it first, one runs at a time."),
}
TAKEN: dict[Step, str] = {
    "start": later("{name} runs from now on, in this server alone: answers are drafted from {a} and {b}."),
    "stop": later("{name} is stopped. Votes on what was shown still count."),
    "archive": later("{name} is put away; its answers and votes stay."),
}


class ExperimentsCog(commands.Cog):
    """The commands about comparisons of models, for those who may manage the server.

    Parameters
    ----------
    feedback : an open store.
    models : what may be compared; None: nothing.
    """

    def __init__(self, feedback: FeedbackStore, models: ModelStore | None) -> None:
        self._feedback = feedback
        self._models = models
        self._experiments = Experiments(feedback)

    async def cog_check(self, context: Context) -> bool:
        """Let in only who may manage the server, whatever Discord was told to show."""
        return refuse_others(context)

    @hybrid_group(fallback="show", description="Comparisons of two models in this server's answers", usage="")
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.default_permissions(manage_guild=True)
    async def experiment(self, context: Context) -> None:
        """List the server's experiments, and the models that may be compared."""
        await context.defer(ephemeral=True)
        visit = await visit_in(context)
        try:
            own = await asyncio.to_thread(self._experiments.of, guild_of(context))
            everywhere = await asyncio.to_thread(self._experiments.running)
        except FeedbackError:
            await self._say(context, visit.language, later("That could not be read. Try again in a moment."))
            return
        models = await asyncio.to_thread(self._ids)
        write: Callable[[Style], Card] = lambda style: experiments_card(own, everywhere, models, style)  # noqa: E731
        await send_in(context, composer(write, visit.language), ephemeral=True)

    @experiment.command(description="Define a comparison of two models; nothing changes until it is started")
    @app_commands.describe(
        name="What it is called here",
        model_a="A model, as a rule the one that answers now",
        model_b="The model to compare it with",
        explore="Percent of the answers with one row from further below; 10 if not given",
    )
    async def define(
        self, context: Context, name: str, model_a: str, model_b: str, explore: commands.Range[int, 0, 100] = 10
    ) -> None:
        """Define an experiment of this server."""
        await context.defer(ephemeral=True)
        language = (await visit_in(context)).language
        models = await asyncio.to_thread(self._ids)
        for model in (model_a, model_b):
            if self._models is None or model not in models:  # what is no id never reaches the disk
                sentence = later("There is no model {model}; there are: {models}.")
                listed = language.listed([_harmless(one) for one in models[:MOST_CHOICES]]) or "-"
                await self._say(context, language, sentence, model=_harmless(model), models=listed)
                return
        assert self._models is not None
        guild, store, rate = guild_of(context), self._models, explore / 100
        await self._do(
            context,
            language,
            lambda: define(
                self._feedback, store, name, model_a=model_a, model_b=model_b, explore_rate=rate, guild=guild
            ),
            later("{name} is defined: A = {a}, B = {b}. Start it with `experiment start`."),
        )

    @experiment.command(description="Start a comparison, in this server alone; one runs at a time")
    @app_commands.describe(name="An experiment of this server")
    async def start(self, context: Context, *, name: str) -> None:
        """Start an experiment."""
        await self._take(context, name, "start")

    @experiment.command(description="Stop a comparison; votes on what was shown still count")
    @app_commands.describe(name="An experiment of this server")
    async def stop(self, context: Context, *, name: str) -> None:
        """Stop an experiment."""
        await self._take(context, name, "stop")

    @experiment.command(description="Put a comparison away that is stopped or never ran")
    @app_commands.describe(name="An experiment of this server")
    async def archive(self, context: Context, *, name: str) -> None:
        """Archive an experiment."""
        await self._take(context, name, "archive")

    @define.autocomplete("model_a")
    @define.autocomplete("model_b")
    async def complete_model(
        self, interaction: discord.Interaction[Any], current: str
    ) -> list[app_commands.Choice[str]]:
        """Suggest models of the store."""
        if not _may_manage(interaction):
            return []
        return _choices(await asyncio.to_thread(self._ids), current)

    @start.autocomplete("name")
    @stop.autocomplete("name")
    @archive.autocomplete("name")
    async def complete_name(
        self, interaction: discord.Interaction[Any], current: str
    ) -> list[app_commands.Choice[str]]:
        """Suggest experiments in the state that the command takes."""
        if not _may_manage(interaction) or interaction.command is None:
            return []
        states = next((before for step, (before, _) in STEPS.items() if step == interaction.command.name), ())
        try:
            own = await asyncio.to_thread(self._experiments.of, f"discord:{interaction.guild_id}")
        except FeedbackError:
            return []
        return _choices([one.name for one in reversed(own) if one.state in states], current)

    def _ids(self) -> list[str]:
        return [] if self._models is None else self._models.ids()

    async def _take(self, context: Context, name: str, step: Step) -> None:
        await context.defer(ephemeral=True)
        language, guild = (await visit_in(context)).language, guild_of(context)
        await self._do(context, language, lambda: self._experiments.take(name, step, guild=guild), TAKEN[step])

    async def _do(
        self, context: Context, language: Language, job: Callable[[], ExperimentRecord], sentence: str
    ) -> None:
        """Change an experiment in a thread and say what became of it."""
        try:
            done = await asyncio.to_thread(job)
        except ExperimentError as refused:
            state = language.say(STATES[refused.state]) if refused.state else ""
            values = {"name": f"“{_harmless(refused.name)}”", "state": state}
            await self._say(context, language, REFUSALS_OF_EXPERIMENTS[refused.why], **values)
        except (FeedbackError, ModelError, OSError):
            await self._say(context, language, later("That could not be saved. Try again in a moment."))
        else:
            values = {"name": f"“{_harmless(done.name)}”", "a": _short(done.model_a), "b": _short(done.model_b)}
            await self._say(context, language, sentence, **values)

    async def _say(self, context: Context, language: Language, sentence: str, **values: object) -> None:
        await send_in(context, notice(language.say(sentence, **values)), ephemeral=True)


def experiments_card(
    own: list[ExperimentRecord], everywhere: ExperimentRecord | None, models: list[str], style: Style
) -> Card:
    """Write what is compared in a server: its own experiments, the newest first, and the one of everywhere."""
    say = style.say
    listed = [one for one in reversed(own) if one.state != "archived"]
    lines = [
        say(
            "{name}: {state}; A = {a}, B = {b}",
            name=style.strong(one.name),
            state=say(STATES[one.state]),
            a=style.name(one.model_a.partition("@")[0]),
            b=style.name(one.model_b.partition("@")[0]),
        )
        for one in listed[:MOST_LISTED]
    ]
    if len(listed) > MOST_LISTED:
        lines.append(style.language.count("and {n} older one", "and {n} older ones", len(listed) - MOST_LISTED))
    if not listed:
        lines.append(say("None yet. Define one with `experiment define`."))
    if everywhere is not None:
        lines.append(say("Whoever runs the bot compares two models everywhere; one that is started here goes before."))
    known = style.language.listed([style.name(model) for model in models[:MOST_CHOICES]]) or "-"
    notes = (
        style.small(say("Models: {models}", models=known)),
        style.small(say("What votes allow to conclude: {command}", command="`report`")),
    )
    return Card(say("Comparisons of models in this server"), tuple(lines), notes)


def _short(identity: str) -> str:
    return _harmless(identity.partition("@")[0])


def _harmless(text: str) -> str:
    return Style(markdown=True).name(text)


def _may_manage(interaction: discord.Interaction[Any]) -> bool:
    return interaction.guild_id is not None and interaction.permissions.manage_guild


def _choices(texts: list[str], current: str) -> list[app_commands.Choice[str]]:
    wanted = current.casefold()
    found = [text for text in texts if wanted in text.casefold()]
    return [app_commands.Choice(name=text, value=text) for text in found[:MOST_CHOICES]]
