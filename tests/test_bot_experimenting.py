"""Moderators compare two models in their own server: by every way of asking, refused clearly, and nowhere else."""

import shutil
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from itertools import product

import discord
import pytest

from bot.answers import Answers, model_record
from bot.client import SegueBot
from bot.experimenting import define
from bot.feedback.experiments import ExperimentError, Experiments
from bot.feedback.store import FeedbackStore
from bot.interleaving import Interleaving, open_identity
from bot.languages import language_of
from bot.servers import Manners
from communities import community_model
from recommender.catalogue import Catalogue
from recommender.errors import FeedbackError, ModelError, ParameterError
from recommender.store import ModelStore
from simulated import shown

QUIET = Manners(cooldown_seconds=0)
ONLY_MANAGERS = "Only people who may manage the server can do that."
GUILD = "discord:1"


@pytest.fixture(scope="module")
def models(tmp_path_factory, model_folder):
    """A store of the serving model, a challenger, and one of synthetic listeners."""
    store = ModelStore(tmp_path_factory.mktemp("store"))
    shutil.copytree(model_folder, store.root / "communities")
    community_model(store.root / "jaccard", preset="jaccard", seed=1)
    community_model(store.root / "invented", seed=2, synthetic=True)
    return store


@pytest.fixture
def answers(catalogue, feedback, models):
    policy = Interleaving(
        catalogue,
        Experiments(feedback),
        open_model=lambda identity: open_identity(models, identity),
        monotonic=iter(range(0, 10**6, 10)).__next__,  # ten seconds pass between two looks
    )
    return Answers(catalogue, feedback, policy)


def bot_of(answers, models):
    return SegueBot(answers, prefix="!", message_content=True, manners=QUIET, models=models)


@pytest.fixture
def simcord_bot(answers, models):
    return bot_of(answers, models)


def somebody(env, guild, name, **permissions):
    roles = (
        [guild.create_role(f"role of {name}", permissions=discord.Permissions(**permissions))] if permissions else []
    )
    return guild.add_member(env.create_user(name), roles=roles)


@pytest.fixture
def alice(simcord_env, channel):  # noqa: ARG001 - the channel's guild has to be there
    """Somebody who may manage the server."""
    return somebody(simcord_env, simcord_env.guild, "alice", manage_guild=True, manage_messages=True)


@pytest.fixture
def bob(simcord_env, channel):  # noqa: ARG001 - the channel's guild has to be there
    """Anybody."""
    return somebody(simcord_env, simcord_env.guild, "bob")


@pytest.fixture
def ask(alice, channel, simcord_env):
    """Give a command in one of three ways and return what is read."""

    async def give(way, command, **given):
        if way == "slash":
            return shown((await alice.slash(channel, f"experiment {command or 'show'}", **given)).response)
        begins = "!" if way == "prefix" else f"<@{simcord_env.bot.user.id}> "
        typed = " ".join(f'"{value}"' if command == "define" else str(value) for value in given.values())
        await alice.send(channel, f"{begins}experiment {command} {typed}")
        return shown(channel.last_message)

    return give


PAIR = {"model_a": "communities", "model_b": "jaccard"}


@pytest.mark.parametrize("way", ["slash", "prefix", "mention"])
async def test_an_experiment_is_defined_run_and_put_away(way, ask, alice, channel, answers, database_url):
    """By hand of a moderator alone; while it runs, answers here are drafted from both models."""
    assert "None yet." in await ask(way, "")
    done = await ask(way, "define", name="spring try", **PAIR)
    assert done.startswith("“spring try” is defined: A = communities, B = jaccard.")
    assert "**spring try**: defined; A = communities, B = jaccard" in await ask(way, "")
    done = await ask(way, "start", name="spring try")
    assert (
        done == "“spring try” runs from now on, in this server alone: answers are drafted from communities and jaccard."
    )
    await alice.send(channel, "!similar arcade fire")
    assert shown(channel.last_message).startswith("Similar to **Arcade Fire**")
    assert "is stopped. Votes" in await ask(way, "stop", name="spring try")
    assert "is put away" in await ask(way, "archive", name="spring try")
    assert "None yet." in await ask(way, "")
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        asked = connection.execute("SELECT experiment_id FROM request").fetchall()
        models = {row[0] for row in connection.execute("SELECT DISTINCT model_id FROM impression")}
    assert asked == [(Experiments(answers.feedback).all()[0].id,)]
    assert len(models) == 2


@pytest.mark.parametrize("command", ["", "define x communities jaccard", "start x", "stop x", "archive x"])
async def test_nobody_else_may(command, bob, channel, simcord_env, feedback):
    await bob.send(channel, f"!experiment {command}")
    assert shown(channel.last_message) == ONLY_MANAGERS
    await bob.send(channel, f"<@{simcord_env.bot.user.id}> experiment {command}")
    assert shown(channel.last_message) == ONLY_MANAGERS
    assert not any(one.startswith("experiment") for one in bob.available_commands(channel))
    assert Experiments(feedback).all() == []
    assert len(simcord_env.errors) == 2


async def test_what_cannot_be_is_refused_with_a_sentence(ask):
    unknown = "There is no model nonsense; there are: communities, invented, and jaccard."
    assert await ask("slash", "define", name="x", model_a="nonsense", model_b="jaccard") == unknown
    path = await ask("slash", "define", name="x", model_a="../store/jaccard", model_b="jaccard")
    assert path.startswith("There is no model ../store/jaccard; ")
    same = await ask("slash", "define", name="x", model_a="jaccard", model_b="jaccard")
    assert same == "Name two different models."
    mixed = await ask("slash", "define", name="x", model_a="invented", model_b="jaccard")
    assert mixed.startswith("Only one of these models has synthetic listeners")
    assert await ask("slash", "define", name="x" * 65, **PAIR) == "A name of an experiment has 1 to 64 characters."
    await ask("slash", "define", name="x", **PAIR)
    taken = "There is an experiment “x” already; choose another name."
    assert await ask("slash", "define", name="x", **PAIR) == taken
    for step in ("start", "stop", "archive"):
        assert await ask("slash", step, name="y") == "There is no experiment “y” in this server."
    assert await ask("slash", "stop", name="x") == "That cannot be done now: “x” is defined."
    await ask("slash", "start", name="x")
    await ask("slash", "define", name="y", **PAIR)
    assert await ask("slash", "start", name="y") == "“x” is running here; stop it first, one runs at a time."
    assert await ask("prefix", "start", name="*y*") == "There is no experiment “\\*y\\*” in this server."


async def test_of_two_moderators_at_once_one_starts_and_the_other_is_told(alice, channel, simcord_env, ask):
    """The second gave the command when the list still showed nothing that runs."""
    carol = somebody(simcord_env, simcord_env.guild, "carol", manage_guild=True)
    for name in ("one", "two"):
        await ask("slash", "define", name=name, **PAIR)
    first = await alice.slash(channel, "experiment start", name="one")
    second = await carol.slash(channel, "experiment start", name="two")
    assert shown(first.response).startswith("“one” runs from now on")
    assert shown(second.response) == "“one” is running here; stop it first, one runs at a time."


async def test_it_outlives_a_restart_and_is_told_in_the_servers_language(
    ask, alice, channel, simcord_env, answers, models
):
    await ask("slash", "define", name="x", **PAIR)
    await ask("slash", "start", name="x")
    await simcord_env.restart_bot(bot_of(answers, models))
    assert "**x**: running" in await ask("slash", "")
    await alice.slash(channel, "settings language", language="ja")
    assert language_of("ja").say("running") in await ask("prefix", "")
    assert language_of("ja").say("Name two different models.") == await ask(
        "mention", "define", name="z", model_a="jaccard", model_b="jaccard"
    )


async def test_other_servers_and_direct_messages_stay_as_they_are(ask, simcord_env, database_url, alice, channel):
    await ask("slash", "define", name="x", **PAIR)
    await ask("slash", "start", name="x")
    other = simcord_env.create_guild("elsewhere")
    there = other.create_text_channel("music")
    dave = somebody(simcord_env, other, "dave", manage_guild=True)
    await dave.send(there, "!similar arcade fire")
    assert shown(there.last_message).startswith("Similar to **Arcade Fire**")
    assert "None yet." in shown((await dave.slash(there, "experiment show")).response)
    for step in ("stop", "archive"):
        result = await dave.slash(there, f"experiment {step}", name="x")
        assert shown(result.response) == "There is no experiment “x” in this server."
    # A name is a server's own, and so is what runs.
    await dave.slash(there, "experiment define", name="x", **PAIR)
    assert "runs from now on" in shown((await dave.slash(there, "experiment start", name="x")).response)
    assert "“x” is stopped" in shown((await dave.slash(there, "experiment stop", name="x")).response)
    await alice.send(channel, "!similar arcade fire")
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        asked = connection.execute("SELECT experiment_id FROM request ORDER BY id").fetchall()
    assert asked == [(None,), (1,)]


async def test_suggestions_are_for_moderators_alone(alice, bob, channel, ask, simcord_env):
    await ask("slash", "define", name="spring", **PAIR)
    cog = simcord_env.bot.get_cog("ExperimentsCog")

    def typing(member, command):
        class Typing:
            guild_id = channel.guild.id
            permissions = discord.Permissions(manage_guild=member is alice)

        Typing.command = simcord_env.bot.tree.get_command("experiment").get_command(command)
        return Typing

    assert [one.value for one in await cog.complete_model(typing(alice, "define"), "J")] == ["jaccard"]
    assert [one.value for one in await cog.complete_name(typing(alice, "start"), "")] == ["spring"]
    assert await cog.complete_name(typing(alice, "stop"), "") == []
    assert await cog.complete_name(typing(bob, "start"), "") == []
    assert await cog.complete_model(typing(bob, "define"), "") == []


async def test_the_report_shows_the_comparison_of_this_server(alice, channel, ask, simcord_env, feedback, database_url):
    await ask("slash", "define", name="x", **PAIR, explore=0)
    await ask("slash", "start", name="x")
    await alice.send(channel, "!similar arcade fire")
    text = shown((await alice.slash(channel, "report")).response)
    assert "Comparison **x** (running): A = communities, B = jaccard" in text
    assert "Its answers here: 1; their rows: " in text
    assert "A offline: not evaluated" in text
    assert text.count("Too early to say which of the two is better.") == 1
    assert "win rate" not in text  # of fewer than five people nothing
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        of_a = [row[0] for row in connection.execute("SELECT id FROM impression WHERE team = 'a'")]
    assert of_a
    for number, impression_id in product(range(6), of_a):
        vote = {"voter": f"discord:{number}", "value": 1, "interaction_id": f"{number} {impression_id}"}
        feedback.record_vote(impression_id, **vote).result()
    await alice.send(channel, "!evaluate")
    text = shown(channel.last_message)
    assert f"Votes on them: {6 * len(of_a)}, by 6 people." in text
    assert "A rated as fitting: 100% (95% interval " in text
    assert "A won 6 and lost 0 answers, 0 were tied: win rate 100% (95% interval " in text
    assert (
        f"Too early: {6 * len(of_a)} votes decide between the two so far, of 6 people; nothing is said below 100"
        in text
    )
    assert "p = 1, whenever you look." in text  # all of it is one answer
    other = simcord_env.create_guild("elsewhere")
    there = other.create_text_channel("music")
    dave = somebody(simcord_env, other, "dave", manage_messages=True)
    text = shown((await dave.slash(there, "report")).response)
    assert "Questions: 0; answered with rows: 0." in text
    assert "Comparison" not in text


# What the chat and the command line share


def test_an_experiment_of_a_server_goes_before_the_one_of_everywhere(feedback, models, catalogue):
    experiments = Experiments(feedback)
    for guild in (None, GUILD, "discord:2"):
        define(feedback, models, "x", model_a="communities", model_b="jaccard", guild=guild)
    assert experiments.take("x", "start").is_everywhere
    own = experiments.take("x", "start", guild=GUILD)
    assert not own.is_everywhere
    assert {guild: one.id for guild, one in experiments.all_running().items()} == {None: 1, GUILD: own.id}
    assert experiments.running(GUILD) == own
    assert experiments.running("discord:2") is None
    assert [one.id for one in experiments.of("discord:2")] == [3]
    draws = Interleaving(catalogue, experiments, open_model=lambda identity: open_identity(models, identity))
    seed = catalogue.artist(0)
    found = [draws.draw(seed, guild=guild).experiment_id for guild in (GUILD, "discord:2", None)]
    assert found == [own.id, 1, 1]


def test_of_many_who_start_at_once_in_two_processes_one_does(feedback, models, database_url):
    """Two stores on one database, as two running bots are; the database itself holds "one at a time"."""
    names = [f"x{number}" for number in range(8)]
    for name in names:
        define(feedback, models, name, model_a="communities", model_b="jaccard", guild=GUILD)
    with FeedbackStore(database_url, now=lambda: datetime.now(UTC)) as other, ThreadPoolExecutor(8) as threads:

        def start(number):
            store = other if number % 2 else feedback
            try:
                return Experiments(store).take(names[number], "start", guild=GUILD).state
            except ExperimentError as refused:
                return refused.why

        said = Counter(threads.map(start, range(8)))
    assert said == {"running": 1, "one_runs": 7}
    assert Counter(one.state for one in Experiments(feedback).of(GUILD)) == {"running": 1, "defined": 7}


def test_only_models_of_the_store_take_part(feedback, models):
    with pytest.raises(ModelError, match="there is no model 'nothing'"):
        define(feedback, models, "x", model_a="nothing", model_b="jaccard")
    with pytest.raises(ParameterError, match="is not usable"):
        define(feedback, models, "x", model_a="communities", model_b="../jaccard")
    with pytest.raises(ExperimentError, match="only one has synthetic listeners"):
        define(feedback, models, "x", model_a="invented", model_b="jaccard")
    feedback.close()
    with pytest.raises(FeedbackError):
        define(feedback, models, "x", model_a="communities", model_b="jaccard")


def test_a_model_of_the_other_kind_than_the_serving_one_is_not_mixed_in(feedback, models, catalogue, caplog):
    """Answers say whether listeners are synthetic, and they say it of the serving model."""
    a, b = (Catalogue.open(models.folder(model)) for model in ("communities", "invented"))
    for one in (a, b):
        feedback.register_model(model_record(one.manifest))
    experiments = Experiments(feedback)
    experiments.define("x", model_a=a.manifest.identity, model_b=b.manifest.identity)
    experiments.take("x", "start")
    draws = Interleaving(catalogue, experiments, open_model=lambda _: b)
    assert draws.draw(catalogue.artist(0)) is None
    assert "only one has synthetic listeners" in caplog.text


def test_few_models_stay_open_and_a_broken_one_is_tried_again_a_minute_later(feedback, catalogue, models):
    opened = []
    now = [0.0]

    def opening(identity):
        opened.append(identity)
        if identity == "broken":
            raise ModelError("it is damaged")
        return Catalogue.open(models.folder("jaccard"))

    draws = Interleaving(catalogue, Experiments(feedback), open_model=opening, monotonic=lambda: now[0])
    for identity in ("1", "2", "3", "4", "5", "5", "1"):
        assert draws._model(identity) is not None
    assert opened == ["1", "2", "3", "4", "5", "1"]
    for seconds in (0.0, 59.0, 61.0):
        now[0] = seconds
        assert draws._model("broken") is None
    assert opened[6:] == ["broken", "broken"]
