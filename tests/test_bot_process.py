"""The real bot in its own process, logged in to a Discord on loopback."""

import sqlite3
import sys

import pytest

from communities import community_model
from discord_server import DiscordServer, Member
from loopback.limits import walk

SEGUE = (sys.executable, "-m", "bot", "bot", "run")


@pytest.fixture
def environment(model_folder, tmp_path):
    """Settings of a bot whose database does not exist yet."""
    return {
        "SEGUE_MODELS": str(model_folder.parent),
        "SEGUE_MODEL": model_folder.name,
        "SEGUE_DATABASE_URL": f"sqlite:///{tmp_path}/new/segue.sqlite3",
        "SEGUE_LOG_LEVEL": "DEBUG",
    }


def text_of(message):
    texts = [item["content"] for _, item in walk(message["components"]) if "content" in item]
    return "\n".join(filter(None, [message["content"], *texts]))


def rates(message):
    """What can be chosen to rate the rows: up and down for each."""
    select = next(item for _, item in walk(message["components"]) if item.get("custom_id") == "rate")
    return [option["value"] for option in select["options"]]


def votes(tmp_path):
    with sqlite3.connect(tmp_path / "new" / "segue.sqlite3") as connection:
        rows = connection.execute("select rank, value from vote join impression on impression.id = impression_id")
        found = rows.fetchall()
    connection.close()
    return found


async def test_it_logs_in_answers_takes_a_vote_and_stops_cleanly(environment, tmp_path):
    async with DiscordServer() as discord, discord.client(*SEGUE, env=environment) as client:
        await discord.logged_in()
        await discord.say("!similar arcade fire")
        message = await discord.next_message()
        assert text_of(message).startswith("Similar to **Arcade Fire**")
        assert "[Wolf Parade](" in text_of(message)
        pressed = await discord.choose(message, "rate", rates(message)[0])
        assert text_of(await discord.answer(pressed)).startswith("Saved: 👍")
        assert pressed.ephemeral
        assert await client.stop() == 0
        output = client.output()
    assert votes(tmp_path) == [(1, 1)]
    assert "serving communities: 13 artists" in output
    assert "stopping on SIGTERM" in output
    assert "Traceback" not in output
    assert discord.token not in output


async def test_a_vote_after_a_restart_of_the_process_counts(environment, tmp_path):
    async with DiscordServer() as discord:
        async with discord.client(*SEGUE, env=environment) as client:
            await discord.logged_in()
            await discord.say("similar arcade fire", mentions_bot=True)
            message = await discord.next_message()
            assert await client.stop() == 0
        async with discord.client(*SEGUE, env=environment) as client:
            await discord.logged_in(times=2)
            await discord.answer(await discord.choose(message, "rate", rates(message)[3]))
            assert await client.stop() == 0
    assert votes(tmp_path) == [(2, -1)]


async def test_slash_command_works_after_segue_bot_sync(environment):
    async with DiscordServer() as discord:
        async with discord.client(sys.executable, "-m", "bot", "bot", "sync", env=environment) as client:
            assert await client.exit_code() == 0
            assert "commands now" in client.output()
        async with discord.client(*SEGUE, env=environment) as client:
            await discord.logged_in()
            choices = await discord.autocomplete("similar", "artist", "arc")
            assert [choice["name"] for choice in choices] == ["Arcade Fire"]
            answered = await discord.answer(await discord.slash("similar", {"artist": choices[0]["value"]}))
            assert text_of(answered).startswith("Similar to **Arcade Fire**")
            assert await client.stop() == 0


async def test_a_wrong_token_is_one_sentence(environment):
    async with (
        DiscordServer() as discord,
        discord.client(*SEGUE, env=environment | {"DISCORD_TOKEN": "wrong-token", "SEGUE_LOG_LEVEL": ""}) as client,
    ):
        assert await client.exit_code() == 1
        lines = client.output().strip().splitlines()
        assert lines[-1].startswith("error: Discord refused DISCORD_TOKEN")
        assert "Traceback" not in client.output()
        assert "wrong-token" not in client.output()


async def test_an_intent_that_discord_refuses_is_one_sentence(environment):
    async with DiscordServer() as discord:
        discord.approved_intents = 0
        async with discord.client(*SEGUE, env=environment) as client:
            assert await client.exit_code() == 1
            assert "SEGUE_MESSAGE_CONTENT=false" in client.output().strip().splitlines()[-1]
            assert "Traceback" not in client.output()


async def test_an_unreachable_discord_is_one_sentence(environment):
    async with DiscordServer() as discord:
        gone = discord.address
    async with (
        DiscordServer() as discord,
        discord.client(*SEGUE, env=environment | {"LOOPBACK_DISCORD": gone}) as client,
    ):
        assert await client.exit_code(within=60) == 1
        assert "error: Discord cannot be reached" in client.output()
        assert "Traceback" not in client.output()


@pytest.mark.parametrize("status", [503, None])
async def test_an_answer_survives_a_passing_fault_and_is_sent_once(environment, status):
    """A 503, and a connection that is cut after Discord took the message: neither loses nor doubles the answer."""
    async with DiscordServer() as discord, discord.client(*SEGUE, env=environment) as client:
        await discord.logged_in()
        discord.fail_next("POST", r"/channels/\d+/messages", status, applied=status is None)
        await discord.say("!similar arcade fire")
        message = await discord.next_message()
        assert text_of(message).startswith("Similar to **Arcade Fire**")
        posts = [r for r in discord.requests if r.method == "POST" and r.path.endswith("/messages")]
        await discord.until(lambda: len([r for r in discord.requests if r.path.endswith("/messages")]) >= 2, "retry")
        assert len(discord.posted) == 1
        assert len({post.json["nonce"] for post in posts}) == 1
        assert await client.stop() == 0


async def test_an_answer_that_is_never_sent_is_logged_as_not_shown(environment, tmp_path):
    async with DiscordServer() as discord, discord.client(*SEGUE, env=environment) as client:
        await discord.logged_in()
        for _ in range(3):
            discord.fail_next("POST", r"/channels/\d+/messages", 503)
        await discord.say("!similar arcade fire")
        assert text_of(await discord.next_message()).startswith("Something went wrong")
        assert await client.stop() == 0
    with sqlite3.connect(tmp_path / "new" / "segue.sqlite3") as connection:
        rows = connection.execute("select undelivered from request").fetchall()
    connection.close()
    assert rows == [(1,)]


async def test_a_vote_that_is_saved_is_said_so_after_a_passing_fault(environment, tmp_path):
    async with DiscordServer() as discord, discord.client(*SEGUE, env=environment) as client:
        await discord.logged_in()
        await discord.say("!similar arcade fire")
        message = await discord.next_message()
        discord.fail_next("PATCH", r"/webhooks/", 503)
        pressed = await discord.choose(message, "rate", rates(message)[0])
        assert text_of(await discord.answer(pressed)).startswith("Saved: 👍")
        assert await client.stop() == 0
    assert votes(tmp_path) == [(1, 1)]


async def test_a_token_that_is_reset_while_it_runs_is_one_sentence(environment):
    async with DiscordServer() as discord, discord.client(*SEGUE, env=environment) as client:
        await discord.logged_in()
        await discord.drop_gateway(4004)
        assert await client.exit_code() == 1
        assert client.output().strip().splitlines()[-1].startswith("error: Discord refused DISCORD_TOKEN")
        assert "Traceback" not in client.output()


async def test_a_model_trained_anew_under_its_old_name_serves(environment, tmp_path, catalogue):
    """Its answers are logged as those of another model."""
    again = tmp_path / "again" / "communities"
    manifest = community_model(again, seed=1)
    for folder in (environment["SEGUE_MODELS"] + "/communities", str(again)):
        async with (
            DiscordServer() as discord,
            discord.client(*SEGUE, env=environment | {"SEGUE_MODEL": folder}) as client,
        ):
            await discord.logged_in()
            await discord.say("!similar arcade fire")
            await discord.next_message()
            assert await client.stop() == 0
    with sqlite3.connect(tmp_path / "new" / "segue.sqlite3") as connection:
        logged = {row[0] for row in connection.execute("select distinct model_id from impression")}
    connection.close()
    assert logged == {catalogue.manifest.identity, manifest.identity}


async def test_after_a_reconnect_it_resumes_and_answers_what_it_missed_once(environment, tmp_path):
    """Op 7, a close that may be resumed, and a connection that is cut: each missed question is answered once."""
    async with DiscordServer() as discord, discord.client(*SEGUE, env=environment) as client:
        await discord.logged_in()
        await discord.say("!similar arcade fire")
        await discord.next_message()
        for drop, artist in (
            (discord.ask_reconnect, "metallica"),
            (lambda: discord.drop_gateway(4000), "björk"),
            (discord.drop_gateway, "wolf parade"),
        ):
            await drop()
            await discord.say(f"!similar {artist}")
            message = await discord.next_message(within=20)
            assert text_of(message).casefold().startswith(f"similar to **{artist}**")
        assert len(discord.sessions) == 1, "resumed, not identified anew"
        assert len(discord.posted) == 4
        assert await client.stop() == 0
    with sqlite3.connect(tmp_path / "new" / "segue.sqlite3") as connection:
        assert connection.execute("select count(*), sum(undelivered) from request").fetchone() == (4, 0)
    connection.close()


async def test_it_waits_out_a_rate_limit_and_answers_once(environment):
    async with DiscordServer() as discord, discord.client(*SEGUE, env=environment) as client:
        await discord.logged_in()
        discord.fail_next("POST", r"/channels/\d+/messages", 429)
        await discord.say("!similar arcade fire")
        assert text_of(await discord.next_message()).startswith("Similar to **Arcade Fire**")
        assert [r.status for r in discord.requests if r.path.endswith("/messages")] == [429, 200]
        assert len(discord.posted) == 1
        assert await client.stop() == 0


async def test_the_main_ways_over_real_sockets_in_the_members_language(environment, tmp_path):
    """Slash commands, pages, a closer look and a picture, asked by somebody whose Discord is German."""
    dora = Member("dora", locale="de")
    async with DiscordServer() as discord:
        async with discord.client(sys.executable, "-m", "bot", "bot", "sync", env=environment) as client:
            assert await client.exit_code() == 0
        async with discord.client(*SEGUE, env=environment) as client:
            await discord.logged_in()
            await discord.answer(await discord.slash("settings rows", {"rows": 3}))
            asked = await discord.slash("similar", {"artist": "bjork"}, member=dora)
            answer = await discord.answer(asked)
            assert text_of(answer).startswith("Ähnlich wie **Björk** - gelesen aus „bjork“")
            items = [item for _, item in walk(answer["components"])]
            closer = next(item for item in items if item.get("custom_id", "").startswith("closer"))
            looked = await discord.choose(answer, closer["custom_id"], closer["options"][0]["value"], member=dora)
            assert looked.ephemeral
            assert text_of(await discord.answer(looked)).startswith("Warum **Sigur Rós** bei **Björk**?")
            more = next(item["custom_id"] for item in items if item.get("custom_id", "").startswith("page:2"))
            await discord.press(answer, more, member=dora)
            message_id = int(answer["id"])
            await discord.until(lambda: "4. **" in text_of(discord.messages[message_id]) or None, "second page")
            pictured = await discord.answer(await discord.slash("map", {"artist": "björk"}, member=dora), within=20)
            assert text_of(pictured).startswith("Die Nachbarschaft von **Björk**")
            assert pictured["attachments"][0]["filename"] == "map.png"
            assert await client.stop() == 0
            assert "Traceback" not in client.output()
    with sqlite3.connect(tmp_path / "new" / "segue.sqlite3") as connection:
        assert connection.execute("select locale, count(*) from request group by locale").fetchall() == [("de", 1)]
        assert connection.execute("select max(page) from impression").fetchone() == (2,)
    connection.close()


async def test_who_installed_it_for_themselves_can_ask_and_vote_where_it_is_no_member(environment, tmp_path):
    """Without any permission of its own the answer is plain text; everything under it works."""
    dora = Member("dora", locale="de")
    async with DiscordServer() as discord:
        async with discord.client(sys.executable, "-m", "bot", "bot", "sync", env=environment) as client:
            assert await client.exit_code() == 0
        only_in_servers = [one["name"] for one in discord.commands if one["integration_types"] == [0]]
        for_everybody = [one for one in discord.commands if one["name"] not in only_in_servers]
        assert sorted(only_in_servers) == ["experiment", "report", "settings"]
        assert len(for_everybody) > 10
        for one in for_everybody:
            assert sorted(one["integration_types"]) == [0, 1], one["name"]
            assert sorted(one["contexts"]) == [0, 1, 2], one["name"]
        discord.user_installed = True
        async with discord.client(*SEGUE, env=environment) as client:
            await discord.logged_in()
            answer = await discord.answer(await discord.slash("similar", {"artist": "björk"}, member=dora))
            assert answer["content"].startswith("Ähnlich wie **Björk**\n1. **[Sigur Rós](<")
            pressed = await discord.choose(answer, "rate", rates(answer)[0], member=dora)
            assert text_of(await discord.answer(pressed)) == "Gespeichert: 👍 für **Sigur Rós**."
            assert pressed.ephemeral
            items = [item for _, item in walk(answer["components"])]
            closer = next(item for item in items if item.get("custom_id", "").startswith("closer"))
            looked = await discord.choose(answer, closer["custom_id"], closer["options"][0]["value"], member=dora)
            assert text_of(await discord.answer(looked)).startswith("Warum **Sigur Rós** bei **Björk**?")
            mapped = await discord.answer(await discord.slash("map", {"artist": "björk"}, member=dora), within=20)
            assert mapped["attachments"] == []
            assert "Sigur Rós" in text_of(mapped)
            private = await discord.answer(await discord.slash("similar", {"artist": "björk"}, member=dora, dm=True))
            assert text_of(private).startswith("Ähnlich wie **Björk**")
            refused = await discord.slash("settings show", member=dora)
            assert refused.ephemeral
            assert text_of(await discord.answer(refused)) == (
                "Ich bin kein Mitglied dieses Servers, also gilt hier nichts; seine Admins können mich einladen."
            )
            assert await client.stop() == 0
            assert "Traceback" not in client.output()
    assert votes(tmp_path) == [(1, 1), (1, 0)], "a vote, and a closer look"
