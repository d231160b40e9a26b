"""``segue alias`` lists what members proposed and decides it, and says what happened in one sentence."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.feedback.store import FeedbackStore
from recommender.artists import artist_id, format_artist_id

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def segue(database_url, monkeypatch, tmp_path):
    """Run a command on the test's own database."""
    monkeypatch.setenv("SEGUE_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["alias", *map(str, arguments)])


@pytest.fixture
def proposed(database_url):
    """The ids of two aliases of one server that disagree, and of one for everywhere."""
    with FeedbackStore(database_url, now=lambda: NOON) as store:
        return [
            store.propose_alias(text, artist_id=artist_id(artist), artist_name=artist, member="discord:1", guild=guild)
            .result()
            .alias.id
            for text, artist, guild in [
                ("the boys", "Radiohead", "discord:9"),
                ("the boys", "Blur", "discord:9"),
                ("ヒッキー", "宇多田ヒカル", None),
            ]
        ]


def accepted(database_url, guild):
    with FeedbackStore(database_url, now=lambda: NOON) as store:
        return store.accepted_aliases(guild)


def test_without_aliases_it_says_so(segue):
    assert segue("list").output == "No alias is proposed.\n"
    assert segue("list", "--status", "all").output == "There are no aliases.\n"


def test_a_database_that_does_not_exist_yet_is_made(segue, monkeypatch, tmp_path):
    monkeypatch.setenv("SEGUE_DATABASE_URL", f"sqlite:///{tmp_path}/new/segue.sqlite3")
    assert segue("list").output == "No alias is proposed.\n"


def test_the_list_shows_what_waits_and_how_to_decide(segue, proposed):
    output = segue("list").output
    for shown in (
        "the boys",
        "Radiohead",
        "Blur",
        "ヒッキー",
        "宇多田ヒカル",
        "everywhere",
        "2026-01-02",
        "segue alias accept ID",
    ):
        assert shown in output
    assert "discord:" not in output
    segue("reject", proposed[1])
    assert "Blur" not in segue("list").output
    assert "Blur" in segue("list", "--status", "rejected").output
    assert "Blur" in segue("list", "--status", "all").output


def test_the_list_is_also_there_for_scripts(segue, proposed):
    segue("accept", proposed[2])
    (alias,) = json.loads(segue("list", "--status", "accepted", "--json").output)
    assert alias["id"] == proposed[2]
    assert (alias["alias"], alias["artist_name"]) == ("ヒッキー", "宇多田ヒカル")
    assert alias["artist_id"] == format_artist_id(artist_id("宇多田ヒカル"))
    assert (alias["guild_key"], alias["status"]) == (None, "accepted")
    assert alias["proposed_at"] == "2026-01-02T12:00:00+00:00"
    assert alias["decided_at"] > alias["proposed_at"]


def test_accepting_and_thinking_again(segue, proposed, database_url):
    first, second, _ = proposed
    done = segue("accept", first)
    assert done.exit_code == 0
    assert done.output.startswith("“the boys” for Radiohead (server ")
    assert done.output.endswith(") is accepted.\n")
    assert accepted(database_url, "discord:9") == [("the boys", artist_id("Radiohead"))]
    assert segue("accept", first).output.endswith(") was accepted before.\n")
    refused = segue("accept", second)
    assert refused.exit_code == 1
    assert f"already leads to Radiohead; first run `segue alias reject {first}`" in refused.output
    assert segue("reject", first).output.endswith(") is rejected (was accepted).\n")
    assert segue("accept", second).exit_code == 0
    assert accepted(database_url, "discord:9") == [("the boys", artist_id("Blur"))]


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["accept", 99], 1, "there is no alias 99"),
        (["reject", 10**30], 1, f"there is no alias {10**30}"),
        (["list", "--status", "maybe"], 1, "status 'maybe' is unknown; use proposed, accepted, rejected or all"),
        (["accept", "boys"], 2, "Invalid value"),
    ],
)
def test_a_slip_is_one_sentence(segue, arguments, status, sentence):
    refused = segue(*arguments)
    assert refused.exit_code == status
    assert sentence in refused.output
    assert "Traceback" not in refused.output


def test_the_bots_terminal_codes_never_reach_the_operators(segue, database_url):
    with FeedbackStore(database_url, now=lambda: NOON) as store:
        store.propose_alias(
            "evil \x1b[31m[bold]\n", artist_id=1, artist_name="Blur", member="discord:1", guild=None
        ).result()
    output = segue("list").output
    assert "\x1b" not in output
    assert "[bold]" in output
