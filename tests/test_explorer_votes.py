"""The explorer tells what votes say as `segue feedback report` does, anew when asked, and reads only."""

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from bot.cli import app
from bot.evidence.simulation import World, sessions
from bot.explorer.queries import FeedbackQuery
from bot.explorer.votes import KEPT_SECONDS, VoteReports
from bot.feedback.experiments import Experiments
from bot.feedback.store import FeedbackStore
from bot.simulating import fill, simulated_model
from explorer_world import small_app, small_store
from recommender.errors import ParameterError
from test_bot_reports import NOON

WORLD = World(n_members=12, up_rate_a=0.9, up_rate_b=0.3)


@pytest.fixture
def voted(database_url):
    """A database with one experiment that a community voted in, and one that nobody took part in."""
    with FeedbackStore(database_url, now=lambda: NOON) as store:
        for name in ("simulated-a", "simulated-b"):
            store.register_model(simulated_model(name))
        experiments = Experiments(store)
        models = {"model_a": "simulated-a", "model_b": "simulated-b"}
        first, _ = (experiments.define(name, **models) for name in ("first", "idle"))
        experiments.take("first", "start")
        fill(store, sessions(WORLD, 150, rng=np.random.default_rng(1)), first)
    return database_url


def words(reply):
    return " ".join(sentence for section in reply.sections for sentence in section.sentences)


def test_it_is_the_report_of_the_command(voted, monkeypatch):
    monkeypatch.setenv("SEGUE_DATABASE_URL", voted)
    printed = CliRunner().invoke(app, ["feedback", "report", "--json"]).output
    expected = json.loads(printed)
    reply = VoteReports(voted).feedback(FeedbackQuery())
    assert (reply.outcome, reply.experiment, reply.experiments) == ("report", "first", ["first", "idle"])
    assert reply.sections[0].title == "Coverage"
    assert reply.title == expected["title"]
    assert f"{expected['coverage']['votes']:,} votes of {expected['coverage']['voters']} voters" in words(reply)
    for name in ("win_rate", "low", "high", "always_valid_p"):
        assert getattr(reply.comparison, name) == pytest.approx(expected["comparison"][name], abs=1e-4)
    assert reply.comparison.words == expected["comparison"]["words"]


def test_another_experiment_or_everything_is_told_when_asked_for(voted):
    reports = VoteReports(voted)
    idle = reports.feedback(FeedbackQuery(experiment="idle"))
    assert (idle.experiment, idle.comparison) == ("idle", None)
    everything = reports.feedback(FeedbackQuery(everything=True))
    assert (everything.experiment, everything.title) == (None, "All answers")
    with pytest.raises(ParameterError, match="no experiment 'gone'"):
        reports.feedback(FeedbackQuery(experiment="gone"))


def test_a_new_vote_is_told_when_it_is_read_again(voted):
    now = [0.0]
    reports = VoteReports(voted, clock=lambda: now[0])
    before = reports.feedback(FeedbackQuery())
    with FeedbackStore(voted, now=lambda: NOON) as store:
        fill(store, sessions(WORLD, 40, rng=np.random.default_rng(2)), Experiments(store).named("first"))
    assert reports.feedback(FeedbackQuery()) is before  # whoever asks at once gets the same
    now[0] = KEPT_SECONDS
    assert "190 requests" in words(reports.feedback(FeedbackQuery()))
    assert "150 requests" in words(before)


def test_nobody_s_key_is_told(voted):
    with closing(sqlite3.connect(make_url(voted).database)) as connection:
        keys = [key for (key,) in connection.execute("SELECT DISTINCT voter_key FROM vote")]
    assert len(keys) > 5
    told = VoteReports(voted).feedback(FeedbackQuery()).model_dump_json()
    assert not any(key in told for key in keys)


def test_without_a_database_a_sentence_says_how_to_get_one_and_none_is_made(tmp_path):
    path = tmp_path / "none.sqlite3"
    reply = VoteReports(f"sqlite:///{path}").feedback(FeedbackQuery())
    assert (reply.outcome, reply.sections) == ("none", [])
    assert "segue run" in reply.said
    assert not path.exists()
    assert "--no-votes" in VoteReports(None).feedback(FeedbackQuery()).said


def test_a_file_that_is_no_database_is_told_to_the_owner_only(tmp_path, caplog):
    path = tmp_path / "secret.sqlite3"
    path.write_text("no database " * 100, encoding="utf-8")
    reply = VoteReports(f"sqlite:///{path}").feedback(FeedbackQuery())
    assert reply.outcome == "none"
    assert "secret" not in reply.said
    assert "secret.sqlite3" in caplog.text
    assert path.read_text(encoding="utf-8") == "no database " * 100


async def test_the_api_answers_it(voted, tmp_path):
    async with TestClient(TestServer(small_app(small_store(tmp_path), database_url=voted))) as client:
        reply = await (await client.get("/api/feedback?experiment=first")).json()
        assert reply["comparison"]["verdict"]
        assert (await client.get("/api/feedback?experiment=gone")).status == 400
        assert (await client.get("/api/feedback?who=me")).status == 400
