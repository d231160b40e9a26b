"""``/healthz`` and ``/metrics`` say how the bot is, to this machine, and name nobody."""

import logging
import socket
import sys
from datetime import UTC, datetime

import aiohttp
import pytest

from bot.answers import Answers, Asker, model_record
from bot.client import SegueBot
from bot.metrics import MeteredStore, Metrics, ProblemCounter
from bot.monitoring import monitored
from bot.settings import Address
from discord_server import DiscordServer
from loopback.limits import walk
from recommender.errors import FeedbackError, SettingsError

HERE = Address("127.0.0.1", 0)
ANN = Asker("discord:424242", "prefix", "discord:777", "en-US")


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def metered(metrics, database_url, catalogue):
    """An open store that counts."""
    with MeteredStore(database_url, now=lambda: datetime.now(UTC), metrics=metrics) as store:
        store.register_model(model_record(catalogue.manifest))
        yield store


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels)


async def get(address, path, method="GET"):
    """Status and text."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"http://{address}{path}") as response,
    ):
        return response.status, await response.text()


async def test_requests_and_votes_are_counted_by_what_became_of_them(metrics, metered, catalogue):
    answers = Answers(catalogue, metered)
    answer = await answers.similar("arcade fire", ANN)
    await answers.similar("nobody is called so", ANN)
    row = answer.rows[0].impression_id
    for _ in range(2):
        await answers.vote(row, 1, ANN, interaction_id="1")
    await answers.vote(999_999, 1, ANN, interaction_id="2")
    with pytest.raises(FeedbackError):
        await answers.vote(row, 5, ANN, interaction_id="3")
    assert value(metrics, "segue_requests_total", command="similar", outcome="answered") == 1
    assert value(metrics, "segue_requests_total", command="similar", outcome="not_found") == 1
    assert value(metrics, "segue_answer_seconds_count", command="similar") == 2
    assert 0 < value(metrics, "segue_answer_seconds_sum", command="similar") < 60
    for outcome in ("saved", "already_saved", "unknown_impression", "failed"):
        assert value(metrics, "segue_votes_total", event="vote", outcome=outcome) == 1, outcome
    metered.close()
    with pytest.raises(FeedbackError):
        metered.record_vote(row, voter="discord:1", value=1, interaction_id="4")
    assert value(metrics, "segue_votes_total", event="vote", outcome="failed") == 2


async def test_a_bot_that_is_not_logged_in_or_lost_its_writer_is_not_well(metrics, metered, catalogue):
    bot = SegueBot(Answers(catalogue, metered), prefix="!", message_content=True)
    async with bot, monitored(bot, metrics, HERE) as address:
        status, text = await get(address, "/healthz")
        assert status == 503
        assert '"logged_in": false' in text
        assert '"writer_alive": true' in text
        metered.close()
        assert '"writer_alive": false' in (await get(address, "/healthz"))[1]
        assert (await get(address, "/healthz", "POST"))[0] == 405
        assert (await get(address, "/other"))[0] == 404
    with pytest.raises(aiohttp.ClientConnectionError):
        await get(address, "/healthz")


async def test_a_port_that_is_taken_is_one_sentence(metrics, answers):
    bot = SegueBot(answers, prefix="!", message_content=True)
    async with bot, monitored(bot, metrics, HERE) as address:
        with pytest.raises(SettingsError, match=f"cannot listen on {address}: .*; choose another port"):
            async with monitored(bot, Metrics(), address):
                pass


def test_problems_in_the_log_are_counted_by_module_and_strangers_together(metrics):
    counter = ProblemCounter(metrics.problems)
    for name, level in (("bot.telling", logging.ERROR), ("urllib3.x", logging.WARNING), ("alembic", logging.WARNING)):
        counter.handle(logging.LogRecord(name, level, "", 0, "", (), None))
    assert value(metrics, "segue_problems_total", level="error", module="bot.telling") == 1
    assert value(metrics, "segue_problems_total", level="warning", module="other") == 2


async def test_the_running_bot_shows_its_health_and_figures(model_folder, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        "SEGUE_MODELS": str(model_folder.parent),
        "SEGUE_MODEL": model_folder.name,
        "SEGUE_DATABASE_URL": f"sqlite:///{tmp_path}/segue.sqlite3",
        "SEGUE_METRICS_PORT": str(port),
    }
    address = Address("127.0.0.1", port)
    command = (sys.executable, "-m", "bot", "bot", "run")
    async with DiscordServer() as discord, discord.client(*command, env=environment) as client:
        await discord.logged_in()
        await discord.say("!similar arcade fire")
        message = await discord.next_message()
        select = next(item for _, item in walk(message["components"]) if item.get("custom_id") == "rate")
        await discord.answer(await discord.choose(message, "rate", select["options"][0]["value"]))
        status, health = await get(address, "/healthz")
        _, figures = await get(address, "/metrics")
        await discord.drop_gateway(4000)
        await discord.resumed()
        assert (await get(address, "/healthz"))[0] == 200, "a connection that is resumed is no illness"
        assert await client.stop() == 0
        assert "Traceback" not in client.output()
    assert status == 200, health
    assert '"status": "ok"' in health
    for line in (
        'segue_requests_total{command="similar",outcome="answered"} 1.0',
        'segue_votes_total{event="vote",outcome="saved"} 1.0',
        "segue_gateway_connected 1.0",
        "segue_writer_queue_length 0.0",
    ):
        assert line in figures.splitlines()
    assert 'segue_model_info{id="communities"' in figures
    assert "segue_event_loop_lag_seconds_bucket" in figures
    assert str(discord.alice.id) not in figures
