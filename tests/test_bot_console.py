"""The console gives the same answers and takes the same votes as the bot."""

import io
import sqlite3

import pytest
from rich.console import Console

from bot.console import DEMO_SCRIPT, Chat


@pytest.fixture
def hold(answers):
    """Hold a conversation and return what was printed."""

    def hold_(*lines: str, is_test: bool = False) -> str:
        printed = io.StringIO()
        chat = Chat(answers, Console(file=printed, width=200), prefix="!", is_test=is_test)
        chat.hold(lines, echo=False)
        return printed.getvalue()

    return hold_


def rows(database_url, sql):
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
        found = connection.execute(sql).fetchall()
    connection.close()
    return found


@pytest.mark.parametrize("line", ["arcade fire", "!similar arcade fire", "similar arcade fire", "SIMILAR Arcade Fire"])
def test_an_artist_is_answered_however_it_is_asked(hold, line):
    said = hold(line)
    assert "Similar to Arcade Fire" in said
    assert "Wolf Parade" in said
    assert "**" not in said


def test_votes_reach_the_database_under_a_random_key(hold, database_url):
    said = hold("arcade fire", "up 1", "down 2", "up 2", "undo 1")
    assert "Saved: 👍" in said
    assert "Changed: 👍" in said
    assert "Taken back" in said
    votes = rows(
        database_url, "select rank, value from vote join impression on impression.id = impression_id order by vote.id"
    )
    assert votes == [(1, 1), (2, -1), (2, 1), (1, 0)]
    keys = rows(database_url, "select distinct voter_key from vote")
    assert len(keys) == 1
    assert keys[0][0] != "console"
    assert rows(database_url, "select distinct source, is_test from request") == [("console", 0)]


def test_a_vote_without_rows_is_explained(hold, database_url):
    assert "There is nothing to vote on yet" in hold("up 3")
    assert "There is no row 99 to vote on; the last list has 1 to " in hold("arcade fire", "up 99")
    assert "Which row? For example: up 1" in hold("arcade fire", "up")
    assert rows(database_url, "select * from vote") == []


def test_a_number_chooses_from_a_list_of_names(hold):
    said = hold("arcade fore fire", "1")
    assert "Did you mean" in said
    assert "  1. Arcade Fire" in said
    assert "Similar to Arcade Fire" in said


@pytest.mark.parametrize("vote", ["up 1", "UP 1", "up1", "up #1", "up 1.", "!up 1"])
def test_a_slip_does_not_take_the_list_that_is_still_on_the_screen(hold, vote):
    assert "Saved: 👍" in hold("arcade fire", "xqzzk", "up", "7", vote)


@pytest.mark.parametrize("name", ["!!!", "!abba"])
def test_the_prefix_is_only_taken_off_commands(hold, name):
    assert f"“{name}”" in hold(name)


def test_a_number_without_a_list_is_a_name(hold):
    assert "No artist here is called “311”" in hold("311")


def test_quit_ends_and_help_helps(hold):
    said = hold("help", "quit", "arcade fire")
    assert "vote for or against" in said
    assert "Similar to" not in said


def test_empty_lines_say_nothing(hold):
    assert hold("", "   ") == hold()


def test_hostile_lines_are_answered(hold):
    said = hold("[red]x[/red]", "\x1b[31mboo", "a" * 10_000)
    assert said.count("No artist here is called") == 2
    assert said.count("That is too long for an artist's name") == 1
    assert "\x1b" not in said
    assert "[red]" in said


def test_the_demo_is_logged_as_nobody_s_request(hold, database_url):
    said = hold(*DEMO_SCRIPT, is_test=True)
    assert "read from “arcad fyre”" in said
    assert set(rows(database_url, "select is_test from request")) == {(1,)}


def test_a_failing_database_is_said(hold, feedback):
    feedback.close()
    said = hold("arcade fire", "up 1")
    assert "Wolf Parade" in said
    assert "Votes cannot be saved at the moment." in said
    assert "There is nothing to vote on yet" in said


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("!blend arcade fire + wolf parade", "Between Arcade Fire and Wolf Parade"),
        ("path arcade fire | wolf parade", "From Arcade Fire to Wolf Parade"),
        ("why arcad fyre | wolf parade", "listened to both"),
        ("dissimilar arcade fire", "Arcade Fire"),
        ("artist arcade fire", "Nearest:"),
        ("surprise", "A surprise: similar to"),
        ("recommend", "I know nothing yet that you like"),
        ("why", "For example: why metallica | slayer"),
        ("blend - wolf parade", "Name at least one artist"),
        ("why arcade fire | xqzzk", "No artist here is called “xqzzk”"),
    ],
)
def test_it_explores_as_the_bot_does(hold, line, says):
    assert says in hold(line)


def test_it_recommends_from_votes_and_likes_and_takes_votes_on_that(hold, database_url):
    said = hold("like arcade fire", "recommend", "up 1")
    assert "Saved: you like Arcade Fire" in said
    assert "because of Arcade Fire" in said
    assert "Saved: 👍" in said
    assert rows(database_url, "select command from request") == [("recommend",)]
    assert rows(database_url, "select verdict from taste") == [("like",)]
