"""What members and admins try who mean ill, or are only quick: nothing pings or breaks, no vote is lost or doubled."""

import asyncio
import re

import discord
import pytest

from bot.answers import Asker
from bot.client import SegueBot
from bot.servers import Manners
from bot.surfaces import Surface, surface_of
from simulated import button, options, shown

QUIET = Manners(cooldown_seconds=0)
COMMANDS = (
    "similar {}",
    "artist {}",
    "dissimilar {}",
    "map {}",
    "like {}",
    "blend {} + björk",
    "why {} | björk",
    "path björk | {}",
)
HOSTILE = (
    "@everyone",
    "@\u200beveryone and @here",
    "<@1> <@&2> <#3> </privacy:4> <t:0:R>",
    "**bold** __under__ ~~gone~~ ||hidden|| `code` # head",
    "```\ncode\n``` > quote",
    "[click](http://evil.example) http://evil.example discord.gg/abc",
    "\u202eesrever \u2066isolate\u2069 \u200fmark",
    "\u200b\u200b\u2060\ufeff",
    "e\u0301" * 300,
    "😀" * 200,
    "a" * 1900,
    "{artist} {0} %s $(id) '; drop table request; --",
    "\x00\x07\x1b[31m",
    "ＡＲＣＡＤＥ　ＦＩＲＥ",
    "björk --count 99999999999999999999",
    "björk --count -1 --deep=yes --",
)


@pytest.fixture
def simcord_bot(answers):
    return SegueBot(answers, prefix="!", message_content=True, manners=QUIET)


@pytest.fixture
def alice(simcord_env, channel):  # noqa: ARG001 - the channel's guild has to be there
    """Somebody who may manage the server."""
    role = simcord_env.guild.create_role("manager", permissions=discord.Permissions(manage_guild=True))
    return simcord_env.guild.add_member(simcord_env.create_user("alice"), roles=[role])


@pytest.fixture
def bob(simcord_env, channel):  # noqa: ARG001 - the channel's guild has to be there
    """Anybody."""
    return simcord_env.guild.add_member(simcord_env.create_user("bob"))


def is_harmless(text: str) -> None:
    """Nothing of a member's own text does anything: what our own links, code spans and emphasis leave is looked at."""
    rest = re.sub(r"\(<https://(?:www\.last\.fm/music|musicbrainz\.org/artist)/[^\s<>]*>\)|`[a-z]+ [^`]*`", "", text)
    assert "@everyone" not in rest
    assert "@here" not in rest
    assert not re.search(r"(?<!\\)<[@#/t:]", rest), rest
    assert "://" not in rest
    assert not re.search(r"discord\.gg/", rest)
    assert not re.search(r"(?<!\\)(?:~~|\|\||__|`)", rest), rest
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00\x07\x1b]", rest), rest


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_hostile_names_are_harmless_in_every_command(language, alice, bob, channel, simcord_env):
    await alice.slash(channel, "settings language", language=language)
    for command in COMMANDS:
        for name in HOSTILE:
            before = channel.last_message.id if channel.last_message else 0
            await bob.send(channel, f"!{command.format(name)}"[:2000])
            message = channel.last_message
            assert message.id != before
            assert message.author.id != bob.id, (command, name)
            assert 0 < len(shown(message)) < 2000
            assert not message.mentions, (command, name)
            assert not message.mention_everyone
            is_harmless(shown(message))
    assert all(type(error).__name__ == "MissingRequiredArgument" for error in simcord_env.errors)


@pytest.mark.parametrize("prefix", [".*", "(?", "[", "\\", "$1", "@everyone", "`", "é", "->"])
async def test_any_prefix_means_itself(prefix, alice, bob, channel, simcord_env):
    await alice.slash(channel, "settings prefix", prefix=prefix)
    await bob.send(channel, f"{prefix}similar björk")
    assert shown(channel.last_message).startswith("Similar to **Björk**")
    await bob.send(channel, f"x{prefix}similar björk")
    assert channel.last_message.author.id == bob.id
    await bob.send(channel, f"{prefix}help")
    assert "@everyone" not in shown(channel.last_message)
    assert not channel.last_message.mention_everyone
    await alice.send(channel, f"<@{simcord_env.bot.user.id}> settings prefix !")
    await bob.send(channel, "!similar björk")
    assert shown(channel.last_message).startswith("Similar to **Björk**"), "a mention always leads back"


@pytest.mark.parametrize("prefix", ["a" * 100, "a b", "\u3000", "\t!"])
async def test_a_prefix_that_nobody_could_type_is_refused(prefix, alice, channel):
    result = await alice.slash(channel, "settings prefix", prefix=prefix)
    assert shown(result.response) == "A prefix has 1 to 10 characters and no spaces."


async def test_two_clicks_at_once_are_one_vote_and_each_member_has_their_own(answers, database):
    ann, bert = Asker("discord:1", "button"), Asker("discord:2", "button")
    answer = await answers.similar("björk", Asker("discord:3", "prefix"))
    shown_row = answer.rows[0].impression_id
    clicks = [answers.vote(shown_row, 1, ann, interaction_id=str(number)) for number in range(8)]
    outcomes = [outcome for outcome, _ in await asyncio.gather(*clicks)]
    assert [type(one).__name__ for one in outcomes].count("Saved") == 1
    assert len(database("select * from vote")) == 1
    await answers.vote(shown_row, -1, bert, interaction_id="8")
    await answers.vote(shown_row, 0, bert, interaction_id="9")
    await asyncio.gather(*(answers.vote(shown_row, -1, bert, interaction_id="10") for _ in range(4)))
    standing = sorted(row["value"] for row in database("select value from current_vote where value <> 0"))
    assert standing == [-1, 1]


async def test_an_opted_out_member_is_told_that_nothing_is_saved_by_any_button(alice, bob, channel, database):
    await bob.slash(channel, "privacy opt-out")
    await alice.send(channel, "!similar björk")
    message = channel.last_message
    voted = await bob.select(message, [options(message, "rate")[0]], custom_id="rate")
    assert shown(voted.response) == "You opted out of logging, so the vote was not saved."
    closer = await bob.select(message, [options(message, "closer")[0]], custom_id=button(message, "closer"))
    await bob.click(closer.response, custom_id=button(closer.response, "vote:"))
    await bob.click(message, custom_id=button(message, "other:"))
    assert database("select * from vote") == []


async def test_a_click_on_a_message_that_is_being_deleted_is_let_go(alice, channel, simcord_env, caplog):
    await alice.slash(channel, "settings rows", rows=3)
    await alice.send(channel, "!similar björk")
    message = channel.last_message
    simcord_env.inject_error("PATCH", "/webhooks/*", status=404, code=10008, message="Unknown Message")
    n_before = len(channel.history())
    await alice.click(message, custom_id=button(message, "page:2"))
    assert len(channel.history()) == n_before, "nobody is left to apologise to"
    assert [record.levelname for record in caplog.records if record.name == "bot.views.apology"] == ["WARNING"]


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_without_leave_to_embed_or_to_read_old_messages_every_command_is_plain_text(
    language, alice, channel, simcord_env
):
    await alice.slash(channel, "settings language", language=language)
    guild = simcord_env.guild
    denied = discord.PermissionOverwrite(embed_links=False, read_message_history=False, attach_files=False)
    strict = guild.create_text_channel("strict", overwrites={guild.default_role: denied})
    carol = guild.add_member(simcord_env.create_user("carol"))
    await carol.send(channel, "!like björk")
    await carol.send(channel, "!dislike metallica")
    for typed in (
        "similar björk", "similar arcade fore fire", "blend björk + metallica", "path björk | metallica",
        "why björk | metallica", "dissimilar björk", "artist björk", "map björk", "surprise", "like björk",
        "dislike metallica", "recommend", "help", "about", "privacy",
    ):  # fmt: skip
        await carol.send(strict, f"!{typed}")
        there = strict.last_message
        assert there.author.id != carol.id, typed
        assert surface_of(there) is Surface.PLAIN, typed
        assert 0 < len(there.content) <= 2000
        assert there.attachments == []
        if typed in {"surprise", "similar arcade fore fire"}:  # drawn by chance; asked about by buttons
            continue
        await carol.send(channel, f"!{typed}")
        here = shown(channel.last_message)
        assert there.content.splitlines()[0] == here.splitlines()[0], typed


def test_the_test_of_harm_sees_harm():
    for text in ("@everyone", "<@1>", "http://x", "~~x~~", "\u202ex"):
        with pytest.raises(AssertionError):
            is_harmless(text)
