"""The loopback Discord is good enough: a small discord.py bot in its own process works as it would with Discord."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from discord_server import Client, DiscordServer, Member
from loopback import limits
from loopback.limits import COMPONENTS_V2, Json, Refusal
from loopback.rest import Request

PING_BOT = str(Path(__file__).parent / "loopback" / "client" / "ping_bot.py")


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        yield server


@asynccontextmanager
async def ping_bot(discord: DiscordServer, *arguments: str, errors: int = 0) -> AsyncIterator[Client]:
    """Run the bot; at the end it must stop at a SIGTERM with 0, having logged so many tracebacks."""
    async with discord.client(sys.executable, PING_BOT, *arguments) as client:
        await discord.logged_in()
        yield client
        assert await client.stop(signal.SIGTERM) == 0
        assert client.output().count("Traceback") == errors


async def test_prefix_command_is_answered_in_guild_and_dm(discord: DiscordServer) -> None:
    async with ping_bot(discord):
        await discord.say("!ping")
        assert (await discord.next_message())["content"] == "pong"
        await discord.say("ping friend", mentions_bot=True, author=Member("bob"))
        assert (await discord.next_message())["content"] == "pong friend"
        await discord.say("!ping dm", dm=True)
        answer = await discord.next_message()
        assert answer["content"] == "pong dm"
        assert answer["channel_id"] != str(discord.channel_id)
        assert [r.method for r in discord.requests if r.path.endswith("/typing")] == ["POST"] * 3


async def test_content_is_blank_without_the_intent_unless_the_bot_is_mentioned(discord: DiscordServer) -> None:
    async with ping_bot(discord, "no-content"):
        await discord.say("!ping unseen")
        await discord.say("!ping in private", dm=True)
        assert (await discord.next_message())["content"] == "pong in private"
        await discord.say("ping by name", mentions_bot=True)
        assert (await discord.next_message())["content"] == "pong by name"


async def test_button_of_a_layout_works_after_a_restart(discord: DiscordServer) -> None:
    async with ping_bot(discord):
        await discord.say("!panel")
        panel = await discord.next_message()
        assert panel["flags"] & COMPONENTS_V2
        pressed = await discord.press(panel, "count:1")
        assert (await discord.answer(pressed))["content"] == "counted 1"
    async with discord.client(sys.executable, PING_BOT) as client:
        await discord.logged_in(times=2)
        pressed = await discord.press(panel, "count:2", member=Member("bob"))
        assert (await discord.answer(pressed))["content"] == "counted 2"
        assert pressed.ephemeral
        assert await client.stop() == 0


async def test_slash_command_and_autocomplete(discord: DiscordServer) -> None:
    async with ping_bot(discord, "sync", errors=1):
        echoed = await discord.slash("echo", {"words": "hello"})
        assert (await discord.answer(echoed))["content"] == "hello"
        assert echoed.ephemeral
        assert [choice["value"] for choice in await discord.autocomplete("echo", "words", "hel")] == ["0", "1"]
        discord.callback_deadline = 0.5
        with pytest.raises(AssertionError, match="This interaction failed"):
            await discord.autocomplete("echo", "words", "many")
        assert discord.requests[-1].status == 400, "30 choices are refused"
        with pytest.raises(AssertionError, match="/nothing is not synced"):
            await discord.slash("nothing")


async def test_second_answer_and_late_answer_are_refused(discord: DiscordServer) -> None:
    async with ping_bot(discord, "sync"):
        interaction = await discord.slash("echo", {"words": "hello"})
        await discord.answer(interaction)
        again = Request("POST", f"/interactions/{interaction.id}/{interaction.token}/callback", {"type": 5})
        with pytest.raises(Refusal) as twice:
            await discord.apply(again)
        assert twice.value.body["code"] == 40060
        discord.callback_deadline = -1.0
        interaction.callback = None
        with pytest.raises(Refusal) as late:
            await discord.apply(again)
        assert late.value.body["code"] == 10062


async def test_too_long_message_reaches_the_bot_as_discords_error(discord: DiscordServer) -> None:
    async with ping_bot(discord):
        await discord.say("!shout 2000")
        assert (await discord.next_message())["content"] == "a" * 2000
        await discord.say("!shout 2001")
        refused = (await discord.next_message())["content"]
        assert refused == "refused: 400 50035 Invalid Form Body\nIn content: Must be 2000 or fewer in length."


async def test_missed_messages_are_replayed_when_the_gateway_resumes(discord: DiscordServer) -> None:
    async with ping_bot(discord):
        for i, cut in enumerate([discord.drop_gateway, discord.ask_reconnect, lambda: discord.drop_gateway(4000)]):
            await cut()
            await discord.say(f"!ping {i}")
            assert (await discord.next_message())["content"] == f"pong {i}"
        assert len(discord.sessions) == 1, "resumed, not identified anew"


async def test_scripted_faults_reach_the_client(discord: DiscordServer) -> None:
    async with ping_bot(discord):
        discord.fail_next("POST", r"/channels/\d+/messages", 429)
        await discord.say("!shout 3")
        assert (await discord.next_message())["content"] == "aaa", "discord.py waits and repeats"
        discord.fail_next("POST", r"/channels/\d+/messages", 503)
        await discord.say("!shout 3")
        assert (await discord.next_message())["content"].startswith("refused: 503")
        statuses = [r.status for r in discord.requests if r.path.endswith("/messages")]
        assert statuses == [429, 200, 503, 200]


async def test_wrong_token_ends_the_client(discord: DiscordServer) -> None:
    async with discord.client(sys.executable, PING_BOT, env={"DISCORD_TOKEN": "wrong"}) as client:
        assert await client.exit_code() == 1
        assert "Improper token has been passed" in client.output()
        assert [(r.path, r.status) for r in discord.requests] == [("/users/@me", 401)]
        with pytest.raises(AssertionError, match="the client has exited with 1"):
            await discord.logged_in()


async def test_close_ends_the_client(discord: DiscordServer) -> None:
    async with discord.client(sys.executable, PING_BOT) as client:
        await discord.logged_in()
        await discord.say("!stop")
        assert await client.exit_code() == 0


def text(content: str) -> Json:
    return {"type": limits.TEXT, "content": content}


def row(*custom_ids: str) -> Json:
    return {"type": 1, "components": [{"type": 2, "style": 2, "label": "x", "custom_id": i} for i in custom_ids]}


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"content": " "}, "Cannot send an empty message"),
        ({"content": "a" * 2001}, "2000 or fewer"),
        ({"content": "a", "components": [text("b")]}, "action rows"),
        ({"content": "a", "flags": COMPONENTS_V2, "components": [text("b")]}, "IS_COMPONENTS_V2"),
        ({"embeds": [{"title": "a"}], "flags": COMPONENTS_V2, "components": [text("b")]}, "IS_COMPONENTS_V2"),
        ({"flags": COMPONENTS_V2, "components": [text("a")] * 41}, "40 or fewer"),
        ({"flags": COMPONENTS_V2, "components": [{"type": 17, "components": [text("a")] * 40}]}, "40 or fewer"),
        ({"flags": COMPONENTS_V2, "components": [text("a" * 2000), text("b" * 2001)]}, "exceeds 4000"),
        ({"flags": COMPONENTS_V2, "components": [{"type": 17, "components": [row("a"), row("a")]}]}, "duplicated"),
        ({"components": [row("a" * 101)]}, "100 in length"),
        ({"components": [row()]}, "between 1 and 5"),
        ({"flags": COMPONENTS_V2, "components": [{"type": 9, "components": [text("a")]}]}, "required"),
        ({"embeds": [{"description": "a" * 4097}]}, "4096 or fewer"),
    ],
)
def test_message_that_discord_refuses_is_refused(body: Json, complaint: str) -> None:
    with pytest.raises(Refusal, match=complaint):
        limits.check_message(body, set())


def test_message_at_the_limits_is_accepted() -> None:
    limits.check_message({"content": "a" * 2000, "components": [row("a" * 100, "b")]}, set())
    layout = [text("a" * 3962), {"type": 17, "components": [text("b")] * 38}]
    limits.check_message({"flags": COMPONENTS_V2, "components": layout}, set())


@pytest.mark.parametrize(
    "choices", [[{"name": "a", "value": "a"}] * 26, [{"name": "a" * 101, "value": "a"}], [{"name": "a", "value": ""}]]
)
def test_choices_that_discord_refuses_are_refused(choices: list[Json]) -> None:
    with pytest.raises(Refusal):
        limits.check_choices(choices)
