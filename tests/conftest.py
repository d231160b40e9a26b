"""Fixtures that many tests share: a trained planted world, a migrated database, and answers from both."""

import sqlite3
from datetime import UTC, datetime

import hypothesis
import pytest

from bot.answers import Answers, model_record
from bot.client import SegueBot
from bot.feedback.database import upgrade_database
from bot.feedback.store import FeedbackStore
from communities import community_model
from recommender.catalogue import Catalogue

# Machines are shared: how long one example takes says nothing.
hypothesis.settings.register_profile("segue", deadline=None)
hypothesis.settings.load_profile("segue")


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """A model of the planted communities, in a store of its own."""
    folder = tmp_path_factory.mktemp("models") / "communities"
    community_model(folder)
    return folder


@pytest.fixture(scope="session")
def catalogue(model_folder):
    """That model in memory; immutable, so all tests share it."""
    return Catalogue.open(model_folder)


@pytest.fixture
def database_url(tmp_path):
    """A new database, made by the real migrations."""
    url = f"sqlite:///{tmp_path}/segue.sqlite3"
    upgrade_database(url)
    return url


@pytest.fixture
def feedback(database_url, catalogue):
    """An open store that knows the model."""
    with FeedbackStore(database_url, now=lambda: datetime.now(UTC)) as store:
        store.register_model(model_record(catalogue.manifest))
        yield store


@pytest.fixture
def answers(catalogue, feedback):
    """What the bot and the console answer with."""
    return Answers(catalogue, feedback)


@pytest.fixture
def simcord_bot(answers):
    """The bot that simcord's ``simcord_env`` logs in."""
    return SegueBot(answers, prefix="!", message_content=True)


@pytest.fixture
async def channel(simcord_env):
    """A channel of a new server, which knows the slash commands."""
    await simcord_env.bot.tree.sync()
    return simcord_env.create_guild().create_text_channel("music")


@pytest.fixture
def database(database_url):
    """Reads what was really committed, beside the bot's own connection."""
    connection = sqlite3.connect(database_url.removeprefix("sqlite:///"))
    connection.row_factory = sqlite3.Row
    yield lambda sql: [dict(row) for row in connection.execute(sql)]
    connection.close()
