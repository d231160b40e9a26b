"""A model that was chosen anew takes over while the bot runs: no request lost, none answered by two models."""

import asyncio
import os
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from itertools import count

import pytest

from bot.answers import Answers, Asker, model_record
from bot.cli import _answers
from bot.client import SegueBot
from bot.experimenting import define
from bot.feedback.experiments import Experiments
from bot.reloads import Changed
from bot.replies import Wish
from bot.running import Reloader, Terminal
from bot.settings import Settings
from communities import community_model
from discord_server import DiscordServer, Member
from recommender.catalogue import Catalogue
from recommender.errors import ModelError
from recommender.store import ModelStore
from simulated import shown

ANN = Asker("discord:1", "prefix", None, None)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Another model of the same artists."""
    folder = tmp_path_factory.mktemp("other") / "second"
    community_model(folder, seed=1)
    return Catalogue.open(folder)


@pytest.fixture
def other_answers(other, feedback, answers):
    feedback.register_model(model_record(other.manifest))
    return Answers(other, feedback, recent=answers.recent)


async def test_the_swap_never_lets_go_of_the_event_loop(simcord_bot, other_answers):
    """So no request can meet a bot that has half of each model, or lacks a command."""
    await simcord_bot.setup_hook()
    commands = sorted(command.qualified_name for command in simcord_bot.walk_commands())
    in_tree = sorted(command.name for command in simcord_bot.tree.walk_commands())
    with pytest.raises(StopIteration):
        simcord_bot.swap(other_answers).send(None)
    assert sorted(command.qualified_name for command in simcord_bot.walk_commands()) == commands
    assert sorted(command.name for command in simcord_bot.tree.walk_commands()) == in_tree
    for cog in simcord_bot.cogs.values():
        assert getattr(cog, "_answers", other_answers) is other_answers
    assert (
        simcord_bot.clicks._answers is simcord_bot.maps._answers is simcord_bot.explorations._answers is other_answers
    )
    await simcord_bot.close()


async def test_a_model_that_cannot_be_opened_leaves_the_old_one_and_says_so(simcord_bot, answers, caplog):
    def broken():
        raise ModelError("the model second is damaged")

    await Reloader(simcord_bot, broken).reload()
    assert simcord_bot.answers is answers
    assert "goes on answering: the model second is damaged" in caplog.text


async def test_the_same_model_again_changes_nothing(simcord_bot, answers, catalogue, feedback):
    await Reloader(simcord_bot, lambda: Answers(catalogue, feedback)).reload()
    assert simcord_bot.answers is answers


async def test_what_members_asked_for_lately_outlives_the_change(simcord_bot, answers, other_answers):
    await answers.similar("metallica", ANN)
    await Reloader(simcord_bot, lambda: other_answers).reload()
    assert (await simcord_bot.answers.suggest("", ANN.member))[0][0] == "Metallica"


async def test_fifty_swaps_under_load_lose_nothing_and_mix_nothing(simcord_bot, answers, other_answers, database_url):
    """Each answer is logged with one model in all its rows."""
    asked: list[asyncio.Task] = []
    for turn in range(50):
        for name in ("arcade fire", "metallica", "björk", "wolf parade"):
            asked.append(asyncio.create_task(simcord_bot.answers.similar(name, ANN)))
            await asyncio.sleep(0)
        await simcord_bot.swap(other_answers if turn % 2 == 0 else answers)
    got = await asyncio.gather(*asked)
    assert all(answer.rows for answer in got)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        pairs = connection.execute("select distinct request_id, model_id from impression").fetchall()
    assert len(pairs) == len(got) == 200
    assert max(Counter(request for request, _ in pairs).values()) == 1
    assert len({model for _, model in pairs}) == 2


async def test_an_answer_in_flight_is_finished_by_the_model_that_began_it(
    simcord_bot, answers, other_answers, monkeypatch
):
    choosing, may_go_on = asyncio.Event(), asyncio.Event()
    choose = answers.pages.choose

    async def held(request):
        choosing.set()
        await may_go_on.wait()
        return await choose(request)

    monkeypatch.setattr(answers.pages, "choose", held)
    asked = asyncio.create_task(simcord_bot.answers.similar("arcade fire", ANN))
    await choosing.wait()
    assert await Reloader(simcord_bot, lambda: other_answers).reload() == Changed(
        answers.catalogue.manifest.identity, other_answers.catalogue.manifest.identity
    )
    assert (await simcord_bot.answers.similar("metallica", ANN)).rows, "and who comes later need not wait for it"
    may_go_on.set()
    finished = await asked
    expected = answers.catalogue.similar(finished.seed.artist_idx, k=10).rows
    assert [row.artist for row in finished.rows] == [row.artist for row in expected]


async def test_the_owner_lets_a_new_model_answer_by_command_and_nobody_else_can(
    simcord_env, simcord_bot, answers, other_answers
):
    server = simcord_env.create_guild(preferred_locale="de")
    channel = server.create_text_channel("music")
    bob, carol = (server.add_member(simcord_env.create_user(name)) for name in ("bob", "carol"))
    simcord_bot.owner_id = carol.id
    opened = [answers, other_answers]

    def reopen():
        if not opened:
            raise ModelError("the model third is damaged")
        return opened.pop(0)

    first, second = answers.catalogue.manifest.identity, other_answers.catalogue.manifest.identity
    await carol.send(channel, "!reload")
    assert shown(channel.last_message) == "So gestartet, wechselt der Bot sein Modell nicht."
    simcord_bot.reload_model = Reloader(simcord_bot, reopen).reload
    await bob.send(channel, "!reload")
    assert channel.last_message.author.id == bob.id
    assert len(opened) == 2
    await carol.send(channel, "!reload")
    assert shown(channel.last_message).startswith("Nichts zu wechseln: ")
    await carol.send(channel, f"<@{simcord_bot.user.id}> reload")
    text = shown(channel.last_message).replace("@\u200b", "@")
    assert text == f"Modell gewechselt: Jetzt antwortet {second}, zuvor war es {first}."
    assert simcord_bot.answers is other_answers
    await carol.send(channel, "!reload")
    assert shown(channel.last_message).startswith("Das neue Modell lässt sich nicht öffnen")
    assert simcord_bot.answers is other_answers
    await bob.send(channel, "!similar metallica")
    assert shown(channel.last_message).startswith("Ähnlich wie **Metallica**")
    assert len(simcord_env.errors) == 1


@pytest.fixture
def reopened(feedback, model_folder, tmp_path):
    """What the running bot opens again: the store's current model, beside an experiment of two others."""
    store = ModelStore(tmp_path / "models")
    shutil.copytree(model_folder, store.root / "first")
    shutil.copytree(model_folder, store.root / "communities")
    community_model(store.root / "jaccard", preset="jaccard", seed=1)
    community_model(store.root / "second", seed=2)
    settings = Settings(SEGUE_MODELS=str(store.root))
    define(feedback, store, "try", model_a="communities", model_b="jaccard", explore_rate=0.0)

    def reopen(model):
        return _answers(settings, Catalogue.open(store.folder(model)), feedback)

    reopen.store = store
    return reopen


async def test_an_experiment_goes_on_with_its_own_models_when_another_one_serves(reopened, feedback, database_url):
    """Its rows stay its models'; what is asked after it was stopped is the new model's, from the first answer on."""
    experiments = Experiments(feedback)
    running = experiments.take("try", "start")
    bot = SegueBot(reopened("communities"), prefix="!", message_content=True)
    began = await bot.answers.similar("arcade fire", ANN, wish=Wish(size=3))
    await Reloader(bot, lambda: reopened("second")).reload()
    await bot.answers.similar("björk", ANN)
    row = began.rows[0]
    turned = await bot.answers.pages.turn(row.impression_id, began.seed.artist_id, 2, ANN, wish=Wish(size=3))
    assert [one.rank for one in turned.rows] == [4, 5, 6]
    experiments.take("try", "stop")
    # Put in place anew, the policy looks at once.
    await Reloader(bot, lambda: reopened("jaccard")).reload()
    await Reloader(bot, lambda: reopened("second")).reload()
    await bot.answers.similar("metallica", ANN)
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        query = (
            "SELECT request.experiment_id, impression.model_id FROM request "
            "JOIN impression ON impression.request_id = request.id WHERE request.id = ?"
        )
        asked = [set(connection.execute(query, [number])) for number in (1, 2, 3)]
    own = {(running.id, running.model_a), (running.id, running.model_b)}
    assert asked[0] | asked[1] == own
    second = Catalogue.open(reopened.store.folder("second")).manifest.identity
    assert asked[2] == {(None, second)}


async def test_a_model_of_the_experiment_that_was_trained_anew_leaves_the_new_one_alone(
    reopened, feedback, database_url, caplog
):
    """Under the id of A another model serves now: the votes on it are no votes on A."""
    Experiments(feedback).take("try", "start")
    bot = SegueBot(reopened("communities"), prefix="!", message_content=True)
    shutil.rmtree(reopened.store.root / "communities")
    new = community_model(reopened.store.root / "communities", seed=5)
    await Reloader(bot, lambda: reopened("communities")).reload()
    assert (await bot.answers.similar("arcade fire", ANN)).rows
    assert "it was trained anew" in caplog.text
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("SELECT DISTINCT experiment_id FROM request").fetchall() == [(None,)]
        assert connection.execute("SELECT DISTINCT model_id FROM impression").fetchall() == [(new.identity,)]


@pytest.mark.skipif(sys.platform == "win32", reason="has neither SIGHUP nor such terminals")
def test_a_terminal_that_is_closed_is_told_from_a_signal_to_reload():
    """Closing a terminal sends the same SIGHUP, and has to go on stopping the bot that runs in it."""
    outer, inner = os.openpty()
    terminal = Terminal(inner)
    assert not terminal.is_lost()
    os.close(outer)
    assert terminal.is_lost()
    os.close(inner)
    with open(os.devnull) as nothing:  # noqa: PTH123
        assert not Terminal(nothing.fileno()).is_lost()


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGHUP")
async def test_a_signal_takes_up_the_current_model_of_the_store(tmp_path):
    """Broken first, and the old one stays; then sound, and it answers."""
    store = ModelStore(tmp_path / "models")
    community_model(store.root / "first")
    store.set_current("first")
    environment = {
        "SEGUE_MODELS": str(store.root),
        "SEGUE_MODEL": "",
        "SEGUE_DATABASE_URL": f"sqlite:///{tmp_path}/segue.sqlite3",
    }
    command = (sys.executable, "-m", "bot", "bot", "run")
    async with DiscordServer() as discord, discord.client(*command, env=environment) as client:
        await discord.logged_in()

        members = count()

        async def ask():
            # Each by somebody else: one member alone would soon be told to wait.
            await discord.say("!similar arcade fire", author=Member(f"member {next(members)}"))
            assert "Similar to **Arcade Fire**" in str(await discord.next_message())

        async def hang_up(until):
            client.process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(20):
                while until not in client.output():
                    await ask()  # what is asked meanwhile is answered

        await ask()
        community_model(store.root / "second", seed=1)
        store.set_current("second")
        factors = store.root / "second" / "artist_factors.npy"
        sound = factors.read_bytes()
        factors.write_bytes(sound[:-8])
        await hang_up("goes on answering")
        factors.write_bytes(sound)
        await hang_up("changed the model: from=first@")
        await ask()
        assert await client.stop() == 0
        assert "Traceback" not in client.output()
    with closing(sqlite3.connect(tmp_path / "segue.sqlite3")) as connection:
        query = "select model_id from impression group by request_id order by request_id"
        models = [row[0].partition("@")[0] for row in connection.execute(query)]
        undelivered = connection.execute("select coalesce(sum(undelivered), 0) from request").fetchone()
    assert models == sorted(models)
    assert {models[0], models[-1]} == {"first", "second"}
    assert undelivered == (0,)
