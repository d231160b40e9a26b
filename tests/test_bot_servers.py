"""What admins set holds at once and after a restart; who may not, cannot; every channel gets what it allows."""

import sqlite3

import discord
import pytest

from bot.client import POINTER_SECONDS, SegueBot
from bot.feedback.records import ServerChoices
from bot.gate import BURST, POINTED_AGAIN_SECONDS, Elsewhere, Enter, Gate, Later
from bot.languages import language_of
from bot.servers import KEPT_SECONDS, Manners, Servers
from bot.surfaces import Surface, surface_of, surfaces_for
from recommender.errors import FeedbackError
from simulated import button, components, options, shown

QUIET = Manners(cooldown_seconds=0)


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def simcord_bot(answers, clock):
    return SegueBot(answers, prefix="!", message_content=True, manners=QUIET, clock=clock)


@pytest.fixture
def alice(simcord_env, channel):  # noqa: ARG001 - the channel's guild has to be there
    """Somebody who may manage the server."""
    guild = simcord_env.guild
    role = guild.create_role("manager", permissions=discord.Permissions(manage_guild=True, manage_messages=True))
    return guild.add_member(simcord_env.create_user("alice"), roles=[role])


@pytest.fixture
def bob(simcord_env, channel):  # noqa: ARG001 - the channel's guild has to be there
    """Anybody."""
    return simcord_env.guild.add_member(simcord_env.create_user("bob"))


SETTINGS = [
    ("prefix", {"prefix": "?"}, "prefix ?", "Prefix: ?"),
    ("language", {"language": "ja"}, "language ja", "言語: 日本語"),
    ("rows", {"rows": 4}, "rows 4", "Rows of a page: 4"),
    ("cooldown", {"seconds": 7.5}, "cooldown 7.5", "Cooldown: 7.5 s per command"),
    ("votes", {"switch": "off"}, "votes off", "Votes: off"),
    ("exploration", {"switch": "off"}, "exploration off", "Trying out rows from further below: off"),
    ("prefix-commands", {"switch": "off"}, "prefix-commands off", "Commands behind the prefix: off"),
]


@pytest.mark.parametrize(("name", "given", "typed", "line"), SETTINGS)
async def test_each_setting_is_saved_shown_and_outlives_a_restart(
    name, given, typed, line, alice, channel, simcord_env, answers
):
    result = await alice.slash(channel, f"settings {name}", **given)
    assert result.ephemeral
    assert line in shown(result.response)
    await simcord_env.restart_bot(SegueBot(answers, prefix="!", message_content=True, manners=QUIET))
    assert line in shown((await alice.slash(channel, "settings show")).response)
    await alice.slash(channel, "settings reset")
    assert line not in shown((await alice.slash(channel, "settings show")).response)
    await alice.send(channel, f"<@{simcord_env.bot.user.id}> settings {typed}")
    assert line in shown(channel.last_message)


@pytest.mark.parametrize(("name", "given", "typed", "line"), SETTINGS)
async def test_nobody_else_can_set_anything(name, given, typed, line, bob, channel, simcord_env):
    await bob.send(channel, f"!settings {typed}")
    assert shown(channel.last_message) == "Only people who may manage the server can do that."
    await bob.send(channel, "!settings")
    assert shown(channel.last_message) == "Only people who may manage the server can do that."
    assert not any(command.startswith("settings") for command in bob.available_commands(channel)), (name, given, line)
    assert len(simcord_env.errors) == 2


async def test_a_nonsensical_setting_is_refused_with_a_sentence(alice, channel, simcord_env):
    for typed in ("prefix " + "x" * 11, "prefix"):
        await alice.send(channel, f"!settings {typed}")
    assert shown(channel.last_message) == "That is used like this: `!settings prefix <prefix>`"
    for typed in ("rows 11", "rows many", "cooldown -1", "votes perhaps", "language tlh"):
        await alice.send(channel, f"!settings {typed}")
        assert shown(channel.last_message).startswith("That is used like this: `!settings "), typed
    assert len(simcord_env.errors) == 6


async def test_the_prefix_changes_for_this_server_alone(alice, channel, simcord_env):
    await alice.slash(channel, "settings prefix", prefix="?")
    before = channel.last_message
    await alice.send(channel, "!similar björk")
    assert channel.last_message.author.id == alice.id != before
    await alice.send(channel, "?similar björk")
    assert shown(channel.last_message).startswith("Similar to **Björk**")
    await alice.send(channel, "?help")
    assert "?similar arcade fire" in shown(channel.last_message)
    other = simcord_env.create_guild("elsewhere")
    there = other.create_text_channel("music")
    await other.add_member(simcord_env.create_user("dave")).send(there, "!similar björk")
    assert shown(there.last_message).startswith("Similar to **Björk**")


async def test_without_prefix_commands_mentions_and_slash_commands_still_work(alice, channel, simcord_env):
    await alice.slash(channel, "settings prefix-commands", switch="off")
    await alice.send(channel, "!similar björk")
    assert channel.last_message.author.id == alice.id
    await alice.send(channel, f"<@{simcord_env.bot.user.id}> similar björk")
    assert shown(channel.last_message).startswith("Similar to **Björk**")
    assert shown((await alice.slash(channel, "similar", artist="björk")).response).startswith("Similar to **Björk**")
    assert len(simcord_env.errors) == 1


async def test_rows_of_a_page(alice, channel):
    await alice.slash(channel, "settings rows", rows=2)
    await alice.send(channel, "!similar björk")
    assert len(options(channel.last_message, "rate")) == 4


async def test_outside_of_the_allowed_channels_a_pointer_and_nothing_else(alice, bob, channel, simcord_env):
    other = simcord_env.guild.create_text_channel("general")
    await alice.slash(channel, "settings allow-channel", channel=channel)
    result = await bob.slash(other, "similar", artist="björk")
    assert result.ephemeral
    assert shown(result.response) == f"Here I keep quiet; ask me in <#{channel.id}>."
    await bob.send(channel, "!similar björk")
    assert shown(channel.last_message).startswith("Similar to **Björk**")
    shown_there = await alice.slash(other, "settings show")
    assert f"<#{channel.id}>" in shown(shown_there.response), "settings work everywhere"
    await alice.slash(other, "settings disallow-channel", channel=channel)
    await bob.send(other, "!similar björk")
    assert shown(other.last_message).startswith("Similar to **Björk**")
    assert len(simcord_env.errors) == 1


async def test_behind_the_prefix_the_way_is_shown_once_an_hour_and_taken_away_again(
    alice, bob, channel, simcord_env, clock
):
    """Everybody reads it, and the prefix is other bots' too: it must neither stay nor come again and again."""
    other = simcord_env.guild.create_text_channel("general")
    await alice.slash(channel, "settings allow-channel", channel=channel)
    await alice.slash(channel, "settings language", language="de")
    me = simcord_env.bot.user.id
    await bob.send(other, f"<@{me}> similar björk")
    assert shown(other.last_message) == f"Hier bin ich still; frag mich in <#{channel.id}>."
    await bob.send(other, "!similar björk")
    assert other.last_message.author.id == bob.id
    await alice.send(other, "!similar björk")
    assert other.last_message.author.id == me, "each member is shown it once"
    await simcord_env.advance_time(POINTER_SECONDS + 1)
    assert {message.author.id for message in other.history()} == {alice.id, bob.id}
    clock.now += POINTED_AGAIN_SECONDS
    await bob.send(other, "!similar björk")
    assert other.last_message.author.id == me
    assert len(simcord_env.errors) == 4


async def test_who_asks_too_often_waits_and_is_told_how_long(alice, bob, channel, simcord_env, clock):
    await alice.slash(channel, "settings cooldown", seconds=10)
    for _ in range(BURST):
        await bob.send(channel, "!similar björk")
        assert shown(channel.last_message).startswith("Similar to **Björk**")
    result = await bob.slash(channel, "similar", artist="björk")
    assert result.ephemeral
    assert shown(result.response) == "That was a lot at once; ask again in 10 seconds."
    await bob.send(channel, "!similar björk")
    assert channel.last_message.author.id == bob.id, "whoever goes on is not told again and again"
    await bob.slash(channel, "privacy text")
    await alice.send(channel, "!similar björk")
    assert shown(channel.last_message).startswith("Similar to **Björk**"), "others need not wait"
    clock.now += 10
    await bob.send(channel, "!similar metallica")
    assert shown(channel.last_message).startswith("Similar to **Metallica**")
    assert len(simcord_env.errors) == 2


async def test_the_language_is_the_servers_choice_else_its_own(simcord_env, channel):  # noqa: ARG001 - syncs
    french = simcord_env.create_guild("chez nous", preferred_locale="fr")
    salon = french.create_text_channel("musique")
    role = french.create_role("manager", permissions=discord.Permissions(manage_guild=True))
    carla = french.add_member(simcord_env.create_user("carla"), roles=[role])
    await carla.send(salon, "!similar björk")
    assert shown(salon.last_message).startswith("Similaires à **Björk**")
    await carla.slash(salon, "settings language", language="pt-BR")
    await carla.send(salon, "!similar björk")
    assert shown(salon.last_message).startswith("Parecidos com **Björk**")
    assert "Não é este artista" in [item.get("label") for item in components(salon.last_message)]


@pytest.mark.parametrize(
    ("denied", "surface"),
    [({}, Surface.LAYOUT), ({"embed_links": False}, Surface.PLAIN)],
)
async def test_a_message_is_made_of_what_the_channel_allows(denied, surface, simcord_env, channel):  # noqa: ARG001
    guild = simcord_env.guild
    strict = guild.create_text_channel(
        "strict", overwrites={guild.default_role: discord.PermissionOverwrite(**denied)} if denied else None
    )
    bob = guild.add_member(simcord_env.create_user("bob"))
    await bob.send(strict, "!similar bjork")
    message = strict.last_message
    assert surface_of(message) is surface
    assert shown(message).startswith("Similar to **Björk** - read from “bjork”\n1. **")
    assert message.embeds == []
    voted = await bob.select(message, [options(message, "rate")[0]], custom_id="rate")
    assert shown(voted.response) == "Saved: 👍 for **Sigur Rós**."
    closer = await bob.select(message, [options(message, "closer")[0]], custom_id=button(message, "closer"))
    assert shown(closer.response).startswith("Why **Sigur Rós** for **Björk**?")


async def test_a_layout_that_discord_refuses_becomes_an_embed_and_then_text(simcord_env, channel, bob, alice):
    await alice.slash(channel, "settings rows", rows=3)
    for n_refusals, surface in ((1, Surface.EMBED), (2, Surface.PLAIN)):
        for _ in range(n_refusals):
            simcord_env.inject_error("POST", "/channels/*/messages", status=400)
        await bob.send(channel, "!similar björk")
        message = channel.last_message
        assert surface_of(message) is surface
        assert shown(message).startswith("Similar to **Björk**\n1. **")
        await bob.click(message, custom_id=button(message, "page:2"))
        assert surface_of(channel.last_message) is surface
        assert shown(channel.last_message).startswith("Similar to **Björk**\n4. **")


async def test_without_leave_to_attach_files_the_map_is_words(simcord_env, channel):  # noqa: ARG001 - syncs
    guild = simcord_env.guild
    strict = guild.create_text_channel(
        "strict", overwrites={guild.default_role: discord.PermissionOverwrite(attach_files=False)}
    )
    bob = guild.add_member(simcord_env.create_user("bob"))
    await bob.send(strict, "!map björk")
    assert strict.last_message.attachments == []
    assert "No picture can be shown here; the words say the same." in shown(strict.last_message)
    assert "Sigur Rós" in shown(strict.last_message)


async def test_where_it_may_not_write_it_is_silent(simcord_env, channel):  # noqa: ARG001 - syncs
    guild = simcord_env.guild
    role = guild.create_role("speaker", permissions=discord.Permissions(send_messages=True))
    strict = guild.create_text_channel(
        "strict",
        overwrites={
            guild.default_role: discord.PermissionOverwrite(send_messages=False),
            role: discord.PermissionOverwrite(send_messages=True),
        },
    )
    bob = guild.add_member(simcord_env.create_user("bob"), roles=[role])
    await bob.send(strict, "!similar björk")
    assert strict.last_message.author.id == bob.id
    assert len(simcord_env.errors) == 1


async def test_an_unsaved_setting_is_not_called_saved(alice, channel, feedback):
    feedback.close()
    result = await alice.slash(channel, "settings rows", rows=3)
    assert shown(result.response) == "That could not be saved. Try again in a moment."


async def test_settings_are_read_anew_after_a_while_and_survive_a_lost_database(feedback, clock):
    servers = Servers(feedback, QUIET, clock=clock)
    assert await servers.of("discord:1") == QUIET
    feedback.record_choices("discord:1", ServerChoices(prefix="?", language="de")).result()
    assert (await servers.of("discord:1")).prefix == "!"
    clock.now += KEPT_SECONDS + 1
    manners = await servers.of("discord:1")
    assert (manners.prefix, manners.speaks("ja").code) == ("?", "de")
    feedback.close()
    clock.now += KEPT_SECONDS + 1
    assert (await servers.of("discord:1")).prefix == "?"
    assert await servers.of(None) == QUIET
    with pytest.raises(FeedbackError):
        await servers.choices_of("discord:1")


def test_choices_replace_each_other_and_are_the_servers_own(feedback, database_url):
    first = ServerChoices("?", "de", ("1", "2"), 5, 0.5, False, True, False)
    feedback.record_choices("discord:1", first).result()
    assert feedback.choices_of("discord:1") == first
    assert feedback.choices_of("discord:2") == ServerChoices()
    feedback.record_choices("discord:1", ServerChoices()).result()
    assert feedback.choices_of("discord:1") == ServerChoices()
    with pytest.raises(FeedbackError):
        feedback.record_choices("discord:1", ServerChoices(rows_per_answer=99)).result()
    feedback.close()
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
        assert connection.execute("select count(*) from guild_settings").fetchone() == (1,)
    connection.close()


def test_the_gate_lets_in_so_many_and_then_one_for_each_pause(clock):
    gate, manners = Gate(clock=clock), Manners(cooldown_seconds=4.0)
    asked = [gate.ask("a", "g", ("1",), manners) for _ in range(BURST + 1)]
    assert asked == [Enter()] * BURST + [Later(4.0)]
    assert gate.ask("a", "g", ("1",), manners) == Later(4.0, told=True), "one sentence is enough"
    assert gate.ask("a", "other", ("1",), manners) == Enter()
    clock.now += 4.0
    assert gate.ask("a", "g", ("1",), manners) == Enter()
    assert gate.ask("a", "g", ("1",), manners) == Later(4.0)
    assert gate.ask("a", "g", ("1",), manners, costs=False) == Enter()
    assert gate.ask("a", "g", ("1",), Manners(cooldown_seconds=0)) == Enter()


def test_a_thread_counts_as_its_channel():
    manners = Manners(allowed_channels=("7",), cooldown_seconds=0)
    assert Gate().ask("a", "g", ("9", "7"), manners) == Enter()
    assert Gate().ask("a", "g", ("9", "8"), manners) == Elsewhere(("7",))


def test_what_may_be_sent_follows_the_permissions():
    assert surfaces_for(discord.Permissions.none()) == (Surface.PLAIN,)
    assert surfaces_for(discord.Permissions(embed_links=True)) == (Surface.LAYOUT, Surface.EMBED, Surface.PLAIN)


def test_manners_speak_the_servers_language_before_the_members():
    assert Manners().speaks("ja") is language_of("ja")
    assert Manners(language="fr").speaks("ja") is language_of("fr")


async def test_the_report_tells_moderators_counts_and_never_of_single_people(alice, bob, channel, simcord_env):
    await bob.send(channel, "!similar björk")
    await bob.select(channel.last_message, [options(channel.last_message, "rate")[0]], custom_id="rate")
    result = await alice.slash(channel, "report")
    assert result.ephemeral
    text = shown(result.response)
    assert text.startswith(
        "What members said here\nQuestions: 1; answered with rows: 1.\nFewer than 5 people rated rows"
    )
    assert "Rows shown" not in text
    assert "👍" not in text
    message = channel.last_message
    for number in range(5):
        voter = simcord_env.guild.add_member(simcord_env.create_user(f"voter{number}"))
        await voter.select(message, [options(message, "rate")[1 if number else 0]], custom_id="rate")
    text = shown((await alice.slash(channel, "report")).response)
    assert "Votes: 👍 2, 👎 4, by 6 people." in text
    assert "Rated as fitting: 33% (95% interval 10% to 70%)." in text
    assert "Too early to conclude anything: fewer than 100 votes." in text
    await bob.send(channel, "!report")
    assert shown(channel.last_message) == "Only people who may manage the server can do that."
    assert len(simcord_env.errors) == 1
