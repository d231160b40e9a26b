"""The corners that other walks leave out: every command is walked somewhere, every button in other languages too."""

import discord
import pytest

from bot.client import SegueBot
from bot.languages import language_of
from bot.servers import Manners
from bot.views.controls import ALL_CONTROLS
from simulated import button, options, shown
from test_bot_commands import WALK
from test_bot_servers import SETTINGS

QUIET = Manners(cooldown_seconds=0)

# What is typed, and how it is answered; each the same by prefix, mention and slash command, in both languages.
ALSO = [
    ("help", "Name an artist and get artists that the same people listen to."),
    ("surprise", "A surprise: similar to {artist}"),
    ("report", "What members said here"),
    ("privacy forget", "What you ask from now on is logged again, unless you opt out with privacy opt-out."),
    (
        "privacy opt-out",
        "From now on nothing is written down about you. What was kept before goes with privacy forget.",
    ),
    ("settings reset", "Saved. Now set here:"),
]
# These are walked where their own behaviour is tested.
ELSEWHERE = {
    "privacy export", "settings allow-channel", "settings disallow-channel",  # test_bot_commands, test_bot_servers
    "experiment define", "experiment start", "experiment stop", "experiment archive", "experiment show",
}  # fmt: skip


@pytest.fixture
def simcord_bot(answers):
    return SegueBot(answers, prefix="!", message_content=True, manners=QUIET)


@pytest.fixture
def alice(simcord_env, channel):  # noqa: ARG001 - the channel's guild has to be there
    """Somebody who may see every command."""
    role = simcord_env.guild.create_role(
        "admin", permissions=discord.Permissions(manage_guild=True, manage_messages=True)
    )
    return simcord_env.guild.add_member(simcord_env.create_user("alice"), roles=[role])


def test_every_slash_command_is_walked(simcord_env):
    given = {name for _, (name, _), _, _ in WALK} | {typed for typed, _ in ALSO} | ELSEWHERE
    given |= {f"settings {name}" for name, _, _, _ in SETTINGS}
    commands = {one.qualified_name for one in simcord_env.bot.tree.walk_commands() if hasattr(one, "callback")}
    assert commands - given == set()


@pytest.mark.parametrize("code", ["en", "fr", "zh-CN"])
async def test_the_other_commands_in_all_three_ways(code, alice, channel, simcord_env):
    language = language_of(code)
    for typed, sentence in ALSO:
        await alice.slash(channel, "settings language", language=code)
        # What is forgotten by the reset is the language too: English is the server's own.
        spoken = language_of("en") if typed == "settings reset" else language
        said = spoken.say(sentence, artist="|").split("|")[0]
        await alice.send(channel, f"!{typed}")
        assert said in shown(channel.last_message), typed
        await alice.send(channel, f"<@{simcord_env.bot.user.id}> {typed}")
        assert said in shown(channel.last_message), typed
        result = await alice.slash(channel, typed)
        assert said in shown(result.response), typed
        assert result.ephemeral is (typed != "surprise")
        await alice.slash(channel, "privacy opt-in")


@pytest.mark.parametrize("code", ["de", "ja"])
async def test_every_button_speaks_the_language_before_and_after_a_restart(
    code, alice, channel, simcord_env, answers
):  # fmt: skip
    """Each kind of control that there is gets pressed, so a new one has to be added here."""
    language = language_of(code)
    await alice.slash(channel, "settings language", language=code)
    await alice.slash(channel, "settings rows", rows=3)
    given = []
    for _ in range(2):  # one for before and one for after the restart, which turns its page
        await alice.send(channel, "!similar bjork")
        given.append(channel.last_message)
    await alice.send(channel, "!similar arcade fore fire")
    asked = channel.last_message
    await alice.send(channel, "!path arcade fore fire | björk")
    again = channel.last_message
    liked = (await alice.slash(channel, "like", artist="björk")).response
    card = (await alice.slash(channel, "artist", artist="björk")).response
    pressed: set[str] = set()

    async def press(message, kind, sentence, *, select=None, **values):
        custom_id = button(message, kind)
        pressed.add(custom_id)
        if select is None:
            result = await alice.click(message, custom_id=custom_id)
        else:
            result = await alice.select(message, [options(message, kind)[select]], custom_id=custom_id)
        wanted = language.say(sentence, **values)
        assert wanted in shown(result.response or message), kind
        return result.response

    for restart, answer in zip((False, True), given, strict=True):
        if restart:
            await simcord_env.restart_bot(SegueBot(answers, prefix="!", message_content=True, manners=QUIET))
        björk, ros, fire = "**Björk**", "**Sigur Rós**", "**Arcade Fire**"
        saved = "Saved: {vote} for {artist}."
        await press(answer, "rate", saved, select=0, vote="👍", artist=ros)
        closer = await press(answer, "closer:", "Why {artist} for {seed}?", select=1, artist="**múm**", seed=björk)
        dug = await press(closer, "dig:", "Similar to {artist}", artist="**múm**")
        looked = await press(dug, "look:", "Why {artist} for {seed}?", artist="**múm**", seed=björk)
        await press(
            answer, "other:", "No other artist here has a name like that. Type more of the name, or the name in quotes."
        )
        chosen = await press(asked, "choose:", "Similar to {artist}", artist=fire)
        proposed = (
            "“{typed}” was proposed for {artist} before."
            if restart
            else "Proposed: “{typed}” means {artist}. Whoever runs the bot decides."
        )
        await press(chosen, "name:", proposed, typed="arcade fore fire", artist=fire)
        await press(again, "again:", "From {start} to {goal}", start=fire, goal=björk)
        taken = (
            "Nothing was kept of what you think of {artist}."
            if restart
            else "Taken back: nothing is kept of what you think of {artist}."
        )
        await press(liked, "untaste:", taken, artist=björk)
        await press(card, "similar:", "Similar to {artist}", artist=björk)
        await press(looked, "vote:", saved, vote="👍", artist="**múm**")
        await press(answer, "page:", "{rank}. {artist}", rank="4", artist="**[")
    kinds = {
        control: [one for one in pressed if control.__discord_ui_compiled_template__.fullmatch(one)]
        for control in ALL_CONTROLS
    }
    assert {control.__name__ for control, found in kinds.items() if not found} == set()
