"""`similar` on a simulated Discord: every way to ask gives the same answer, and votes reach the database."""

import re
import sqlite3

import pytest

from bot.client import SegueBot
from communities import NAMES
from recommender.artists import artist_id, format_artist_id
from simulated import button, ids, labels, options, shown


@pytest.fixture
def alice(simcord_env, channel):  # noqa: ARG001 - the channel's guild has to be there
    return simcord_env.guild.add_member(simcord_env.create_user("alice"))


async def test_prefix_command_answers_with_the_same_community(alice, channel, database, catalogue):
    await alice.send(channel, "!similar arcade fire")
    text = shown(channel.last_message)
    assert text.startswith("Similar to **Arcade Fire**")
    for name in ("Wolf Parade", "Broken Social Scene", "The New Pornographers"):
        assert f"[{name}](<https://www.last.fm/music/" in "\n".join(text.splitlines()[1:4])
    assert "shares" in text
    assert database("select command, source, k, match_kind, outcome, undelivered, is_test from request") == [
        {
            "command": "similar",
            "source": "prefix",
            "k": 10,
            "match_kind": "exact",
            "outcome": "answered",
            "undelivered": 0,
            "is_test": 0,
        }
    ]
    rows = database("select * from impression order by rank")
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(row["support"] >= 1 and row["popularity_bucket"] >= 3 for row in rows)
    assert {row["artist_id"] for row in rows[:3]} == {artist_id(name) for name in NAMES[1:4]}
    assert {(row["model_id"], row["propensity"], row["team"]) for row in rows} == {
        (catalogue.manifest.identity, 1.0, "none")
    }


async def test_slash_and_mention_give_the_same_answer(alice, channel, simcord_env, database):
    await alice.send(channel, "!similar arcade fire")
    by_prefix = shown(channel.last_message)
    result = await alice.slash(channel, "similar", artist="arcade fire")
    assert shown(result.response) == by_prefix
    assert not result.ephemeral
    await alice.send(channel, f"<@{simcord_env.bot.user.id}> similar arcade fire")
    assert shown(channel.last_message) == by_prefix
    sources = [row["source"] for row in database("select source from request order by id")]
    assert sources == ["prefix", "slash", "mention"]


async def test_a_slip_is_said_and_logged(alice, channel, database):
    await alice.send(channel, "!similar arcad fyre")
    assert shown(channel.last_message).startswith("Similar to **Arcade Fire** - read from “arcad fyre”")
    assert database("select match_kind from request") == [{"match_kind": "fuzzy"}]


async def test_typed_text_is_never_stored(alice, channel, database_url, feedback):
    await alice.send(channel, "!similar arcad fyre")
    feedback.close()
    path = database_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert "request" in dump
    assert "fyre" not in dump.casefold()


async def test_autocomplete_suggests_ids_that_the_command_understands(alice, channel, database):
    choices = await alice.autocomplete(channel, "similar", "artist", "arca")
    assert choices == [{"name": "Arcade Fire", "value": f"artist:{format_artist_id(artist_id('Arcade Fire'))}"}]
    result = await alice.slash(channel, "similar", artist=choices[0]["value"])
    assert shown(result.response).splitlines()[0] == "Similar to **Arcade Fire**"
    assert database("select match_kind from request") == [{"match_kind": "autocomplete"}]


async def test_autocomplete_puts_what_this_member_saw_lately_first(alice, channel, simcord_env):
    bob = simcord_env.guild.add_member(simcord_env.create_user("bob"))
    await alice.send(channel, "!similar the sugarcubes")
    await alice.send(channel, "!similar metallica")
    of_alice = await alice.autocomplete(channel, "similar", "artist", "")
    of_bob = await bob.autocomplete(channel, "similar", "artist", "")
    assert [choice["name"] for choice in of_alice[:2]] == ["Metallica", "The Sugarcubes"]
    assert [choice["name"] for choice in of_bob] != [choice["name"] for choice in of_alice]
    typed = await alice.autocomplete(channel, "similar", "artist", "m")
    assert typed[0]["name"] == "Metallica"


async def test_what_cannot_be_a_name_is_refused_with_a_sentence(alice, channel, database):
    await alice.send(channel, "!similar https://example.org/arcade")
    assert shown(channel.last_message) == "That is a link; type an artist's name."
    await alice.send(channel, "!similar " + "a\u0301" * 900)
    assert shown(channel.last_message) == "That is too long for an artist's name; type the name alone."
    assert [row["outcome"] for row in database("select outcome from request")] == ["not_found", "not_found"]


async def test_autocomplete_of_nothing_offers_the_most_heard(alice, channel):
    choices = await alice.autocomplete(channel, "similar", "artist", "")
    assert len(choices) == len(NAMES)
    assert choices[-1]["name"] == "Unheard Of"


async def test_a_vote_is_in_the_database_and_the_member_is_told(alice, channel, database):
    await alice.send(channel, "!similar arcade fire")
    up, down = options(channel.last_message, "rate")[:2]
    result = await alice.select(channel.last_message, [down], custom_id="rate")
    assert result.acknowledged
    assert result.ephemeral
    first = database("select id, artist_id from impression where rank = 1")[0]
    name = next(name for name in NAMES if artist_id(name) == first["artist_id"])
    assert shown(result.response) == f"Saved: 👎 for **{name}**."
    assert database("select impression_id, value, event from vote") == [
        {"impression_id": first["id"], "value": -1, "event": "vote"}
    ]
    assert up == f"{first['id']}:up"


async def test_a_vote_can_be_changed_repeated_and_taken_back(alice, channel, database):
    await alice.send(channel, "!similar arcade fire")
    message = channel.last_message
    up, down = options(message, "rate")[:2]
    await alice.select(message, [up], custom_id="rate")
    result = await alice.select(message, [down], custom_id="rate")
    assert shown(result.response).startswith("Changed: 👎")
    again = await alice.select(message, [down], custom_id="rate")
    assert shown(again.response).startswith("Already saved: 👎")
    back = await alice.click(result.response, custom_id=button(result.response, "vote:"))
    assert shown(back.response).startswith("Taken back")
    assert [row["value"] for row in database("select value from vote order by id")] == [1, -1, 0]
    assert database("select value from current_vote where value <> 0") == []


async def test_votes_of_two_members_are_two_votes(alice, channel, simcord_env, database):
    bob = simcord_env.guild.add_member(simcord_env.create_user("bob"))
    await alice.send(channel, "!similar arcade fire")
    up, down = options(channel.last_message, "rate")[:2]
    await alice.select(channel.last_message, [up], custom_id="rate")
    await bob.select(channel.last_message, [down], custom_id="rate")
    votes = database("select voter_key, value from vote order by id")
    assert [vote["value"] for vote in votes] == [1, -1]
    assert votes[0]["voter_key"] != votes[1]["voter_key"]
    assert str(alice.id) not in str(votes)


async def test_a_vote_after_a_restart_counts(alice, channel, simcord_env, answers, database):
    await alice.send(channel, "!similar arcade fire")
    message = channel.last_message
    up = options(message, "rate")[2]
    await simcord_env.restart_bot(SegueBot(answers, prefix="!", message_content=True))
    result = await alice.select(message, [up], custom_id="rate")
    assert result.acknowledged
    assert shown(result.response).startswith("Saved: 👍")
    assert database("select rank, value from vote join impression on impression.id = impression_id") == [
        {"rank": 2, "value": 1}
    ]


async def test_a_vote_on_an_answer_that_is_no_longer_on_record_is_not_called_saved(
    alice, channel, database, database_url
):
    await alice.send(channel, "!similar arcade fire")
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
        connection.execute("delete from impression")
        connection.commit()
    connection.close()
    value = options(channel.last_message, "rate")[0]
    result = await alice.select(channel.last_message, [value], custom_id="rate")
    assert "was not saved" in shown(result.response)
    assert database("select * from vote") == []


async def test_several_meanings_are_asked_about_and_a_button_answers(alice, channel, database):
    await alice.send(channel, "!similar arcade fore fire")
    message = channel.last_message
    assert shown(message) == "No artist here is called “arcade fore fire”. Did you mean:"
    assert labels(message) == ["Arcade Fire"]
    result = await alice.click(message, label="Arcade Fire")
    assert shown(result.response).startswith("Similar to **Arcade Fire**")
    assert database("select source, match_kind, outcome, n_candidates > 0 as offered from request order by id") == [
        {"source": "prefix", "match_kind": None, "outcome": "not_found", "offered": 1},
        {"source": "button", "match_kind": "chosen", "outcome": "answered", "offered": 1},
    ]


async def test_too_few_listeners_is_said_and_logged_as_abstained(alice, channel, database):
    await alice.send(channel, "!similar unheard of")
    assert shown(channel.last_message) == (
        "**Unheard Of**: only 2 people in the data listened to them; it takes 5 to say who is similar."
    )
    assert database("select outcome, abstained, n_candidates from request") == [
        {"outcome": "too_few", "abstained": 1, "n_candidates": 0}
    ]
    assert database("select * from impression") == []


async def test_nothing_like_it_is_one_sentence(alice, channel):
    await alice.send(channel, "!similar xqzzk")
    assert shown(channel.last_message) == "No artist here is called “xqzzk”, and none is spelt like it."
    assert ids(channel.last_message) == []


async def test_hostile_text_comes_back_harmless(alice, channel):
    await alice.send(channel, "!similar @everyone **x** <@123456789012345678> <#1> \u202egpj.exe `a` [l](http://x)")
    text = shown(channel.last_message)
    assert "@everyone" not in text
    assert not re.search(r"(?<!\\)<[@#]", text)
    assert "http://" not in text
    assert not re.search(r"(?<!\\)\[", text)
    assert "\u202e" not in text
    assert "**x**" not in text
    assert channel.last_message.mention_everyone is False


async def test_without_an_artist_the_usage_is_shown(alice, channel, simcord_env):
    await alice.send(channel, "!similar")
    assert shown(channel.last_message) == (
        "That is used like this: `!similar <artist> [--count 20] [--familiar | --deep]`"
    )
    assert len(simcord_env.errors) == 1


async def test_direct_messages_are_answered(simcord_env, database):
    user = simcord_env.create_user("carol")
    await user.send_dm("!similar metallica")
    assert shown(user.dm_channel.last_message).startswith("Similar to **Metallica**")
    assert database("select guild_key from request") == [{"guild_key": None}]


class TestWithoutMessageContent:
    """Without the privileged intent, slash commands and mentions work all the same."""

    @pytest.fixture
    def simcord_bot(self, answers):
        return SegueBot(answers, prefix="!", message_content=False)

    async def test_mention_and_slash_work_and_prefix_is_not_seen(self, alice, channel, simcord_env):
        await alice.send(channel, "!similar arcade fire")
        assert channel.last_message.author.id == alice.id
        await alice.send(channel, f"<@{simcord_env.bot.user.id}> similar arcade fire")
        assert shown(channel.last_message).startswith("Similar to **Arcade Fire**")
        result = await alice.slash(channel, "similar", artist="arcade fire")
        assert shown(result.response).startswith("Similar to **Arcade Fire**")


async def test_without_a_database_the_answer_still_comes_and_no_vote_is_called_saved(alice, channel, feedback):
    await alice.send(channel, "!similar arcade fire")
    earlier = channel.last_message
    feedback.close()
    await alice.send(channel, "!similar arcade fire")
    assert "[Wolf Parade]" in shown(channel.last_message)
    assert "Votes cannot be saved at the moment." in shown(channel.last_message)
    assert "rate" not in ids(channel.last_message)
    result = await alice.select(earlier, [options(earlier, "rate")[0]], custom_id="rate")
    assert result.acknowledged
    assert shown(result.response) == "Your vote could not be saved. Try again in a moment."


async def test_a_button_that_fails_apologises_and_logs(alice, channel, answers, monkeypatch, caplog):
    """A member must never be left with a "thinking" that does not end."""
    await alice.send(channel, "!similar arcade fire")

    async def broken(*_arguments, **_options):
        raise RuntimeError("planted")

    monkeypatch.setattr(answers, "vote", broken)
    value = options(channel.last_message, "rate")[0]
    result = await alice.select(channel.last_message, [value], custom_id="rate")
    number = re.search(r"log as ([0-9a-f]{8})", shown(result.response))
    assert result.ephemeral
    assert f"button RateSelect failed: error={number[1]}" in caplog.text


async def test_a_command_that_fails_apologises(alice, channel, answers, monkeypatch, simcord_env, caplog):
    async def broken(*_arguments, **_options):
        raise RuntimeError("planted")

    monkeypatch.setattr(answers, "similar", broken)
    await alice.send(channel, "!similar arcade fire")
    assert "written to the log as" in shown(channel.last_message)
    result = await alice.slash(channel, "similar", artist="arcade fire")
    number = re.search(r"log as ([0-9a-f]{8})", shown(result.response))
    assert f"error={number[1]}" in caplog.text
    assert len(simcord_env.errors) == 2


@pytest.mark.parametrize("command", ["!similar arcade fire", "!similar"])
async def test_a_channel_that_cannot_be_written_to_is_left_alone(
    command, alice, channel, simcord_env, caplog, database
):
    """After a 403 nothing more is sent there for a while: Discord bans those who go on."""
    simcord_env.inject_error("POST", "/channels/*/messages", status=403)
    await alice.send(channel, command)
    await alice.send(channel, "!similar metallica")
    assert channel.last_message.author.id == alice.id
    assert len(simcord_env.errors) == 1
    lines = [record for record in caplog.records if record.name == "bot.client"]
    assert [record.levelname for record in lines] == ["WARNING"]
    # What was not sent was not shown.
    assert all(row["undelivered"] for row in database("select undelivered from request"))
