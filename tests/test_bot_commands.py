"""Every command in all three ways of giving it says the same, in two languages; every button works after a restart."""

import json
import re

import discord
import pytest

from bot.client import SegueBot
from bot.servers import Manners
from recommender.artists import artist_id, format_artist_id
from simulated import button, components, ids, labels, options, shown

QUIET = Manners(cooldown_seconds=0)

# What is typed behind the prefix or the mention, the same as slash command, and how both languages begin.
WALK = [
    (
        "similar bjork --count 3",
        ("similar", {"artist": "bjork", "count": 3}),
        "Similar to **Björk** - read from “bjork”",
        "Ähnlich wie **Björk** - gelesen aus „bjork“",
    ),
    (
        "similar metallica --deep",
        ("similar", {"artist": "metallica", "familiarity": "deep"}),
        "Similar to **Metallica**",
        "Ähnlich wie **Metallica**",
    ),
    (
        "blend arcade fire + björk - metallica",
        ("blend", {"artists": "arcade fire + björk - metallica"}),
        "Between **Arcade Fire** and **Björk**, away from **Metallica**",
        "Zwischen **Arcade Fire** und **Björk**, weg von **Metallica**",
    ),
    (
        "path metallica | arcade fire",
        ("path", {"start": "metallica", "goal": "arcade fire"}),
        "From **Metallica** to **Arcade Fire**",
        "Von **Metallica** zu **Arcade Fire**",
    ),
    (
        "why metallica and iron maiden",
        ("why", {"artist": "metallica", "other": "iron maiden"}),
        "**Metallica** and **Iron Maiden**\n30 people listened to both: 75% of",
        "**Metallica** und **Iron Maiden**\n30 Menschen haben beide gehört: 75\xa0% der",
    ),
    (
        "dissimilar björk",
        ("dissimilar", {"artist": "björk"}),
        "Well known, and nothing like **Björk**",
        "Sehr bekannt, und ganz anders als **Björk**",
    ),
    (
        "artist bjork",
        ("artist", {"artist": "bjork"}),
        "**Björk** - read from “bjork”\n47 listeners in the data; place 1 of 13",
        "**Björk** - gelesen aus „bjork“\n47 Hörer in den Daten; Platz 1 von 13",
    ),
    (
        "map björk",
        ("map", {"artist": "björk"}),
        "The neighbourhood of **Björk**, the nearest first",
        "Die Nachbarschaft von **Björk**, die Nächsten zuerst",
    ),
    (
        "like björk",
        ("like", {"artist": "björk"}),
        "Already saved: you like **Björk**.",
        "Schon gespeichert: Dir gefällt",
    ),
    (
        "dislike metallica",
        ("dislike", {"artist": "metallica"}),
        "Already saved: you do not like **Metallica**.",
        "Schon gespeichert: Dir gefällt **Metallica** nicht.",
    ),
    ("recommend", ("recommend", {}), "For you, from what you rated and liked", "Für dich, aus dem"),
    ("about", ("about", {}), "Who is similar is learned from who listens", "Wer sich ähnelt, wird daraus gelernt"),
    ("privacy", ("privacy text", {}), "What is kept of you", "Was über dich gespeichert ist"),
    ("privacy opt-in", ("privacy opt-in", {}), "From now on your questions", "Ab jetzt werden deine Fragen"),
    ("settings", ("settings show", {}), "Set in this server:", "Auf diesem Server gilt:"),
]
ALONE_FOR_THE_MEMBER = {"like", "dislike", "recommend", "privacy text", "privacy opt-in", "settings show", "help"}


@pytest.fixture
def simcord_bot(answers):
    return SegueBot(answers, prefix="!", message_content=True, manners=QUIET)


@pytest.fixture
def alice(simcord_env, channel):  # noqa: ARG001 - the channel's guild has to be there
    """Somebody who may manage the server."""
    guild = simcord_env.guild
    role = guild.create_role("manager", permissions=discord.Permissions(manage_guild=True))
    return guild.add_member(simcord_env.create_user("alice"), roles=[role])


async def give_taste(alice, channel):
    await alice.slash(channel, "like", artist="björk")
    await alice.slash(channel, "dislike", artist="metallica")


@pytest.mark.parametrize("language", ["en", "de"])
async def test_every_command_says_the_same_by_prefix_mention_and_slash(language, alice, channel, simcord_env):
    await alice.slash(channel, "settings language", language=language)
    await give_taste(alice, channel)
    for typed, (name, given), english, german in WALK:
        beginning = english if language == "en" else german
        await alice.send(channel, f"!{typed}")
        by_prefix = channel.last_message
        await alice.send(channel, f"<@{simcord_env.bot.user.id}> {typed}")
        by_mention = channel.last_message
        result = await alice.slash(channel, name, **given)
        assert shown(by_prefix).startswith(beginning), typed
        assert shown(by_mention) == shown(by_prefix), typed
        assert shown(result.response) == shown(by_prefix), typed
        assert result.ephemeral is (name in ALONE_FOR_THE_MEMBER), typed
        assert by_prefix.mention_everyone is False
        assert len(components(by_prefix)) <= 40


async def test_help_names_every_command_in_the_way_it_was_asked_for(alice, channel, simcord_env):
    await alice.send(channel, "!help")
    text = shown(channel.last_message)
    names = {command.name for command in simcord_env.bot.commands if not command.hidden} - {"help", "dislike"}
    assert {name for name in names if f"!{name}" not in text} == set()
    assert "dislike" in text
    result = await alice.slash(channel, "help")
    assert "/similar arcade fire" in shown(result.response)
    assert result.ephemeral


async def test_a_surprise_is_an_answer_like_any_other(alice, channel):
    for _ in range(3):
        await alice.send(channel, "!surprise")
        assert shown(channel.last_message).startswith("A surprise: similar to **")
        assert "rate" in ids(channel.last_message)
    result = await alice.slash(channel, "surprise")
    assert shown(result.response).startswith("A surprise: similar to **")


async def test_a_map_says_in_words_what_it_shows(alice, channel):
    await alice.send(channel, "!map björk")
    (attachment,) = channel.last_message.attachments
    assert attachment.filename == "map.png"
    assert attachment.description.startswith("A map with Björk in the middle")
    for name in ("Sigur Rós", "múm", "The Sugarcubes"):
        assert name in attachment.description
        assert name in shown(channel.last_message)


async def test_options_stand_behind_names_that_are_numbers_too(alice, channel):
    await alice.send(channel, "!similar 50 cent --count 20 --deep")
    assert shown(channel.last_message).startswith("No artist here is called “50 cent”")
    await alice.send(channel, "!similar björk --count 2")
    assert len(options(channel.last_message, "rate")) == 4
    await alice.send(channel, "!similar björk --count 51")
    assert shown(channel.last_message) == "--count takes a whole number from 1 to 50, not “51”."
    await alice.send(channel, "!similar björk --best")
    assert shown(channel.last_message).startswith("There is no option --best; there are --count 20")
    await alice.send(channel, "!recommend --count 0")
    assert shown(channel.last_message) == "--count takes a whole number from 1 to 50, not “0”."


async def test_two_names_that_mean_one_artist_and_one_name_alone_are_refused(alice, channel):
    await alice.send(channel, "!why metallica | Metallica")
    assert shown(channel.last_message) == "Both are **Metallica**; name two artists."
    await alice.send(channel, "!path metallica")
    assert shown(channel.last_message) == "Name two artists, for example: `path metallica | abba`"


async def test_an_unclear_name_of_several_is_asked_about_and_the_command_goes_on(alice, channel):
    await alice.send(channel, "!why metallica | arcade fore fire")
    asked = channel.last_message
    assert shown(asked) == "No artist here is called “arcade fore fire”. Did you mean:"
    result = await alice.click(asked, label="Arcade Fire")
    assert shown(result.response).startswith("**Metallica** and **Arcade Fire**")
    await alice.send(channel, "!like arcade fore fire")
    result = await alice.click(channel.last_message, label="Arcade Fire")
    assert shown(result.response) == "Saved: you like **Arcade Fire**."
    assert result.ephemeral
    await alice.send(channel, "!blend metallica - arcade fore fire")
    result = await alice.click(channel.last_message, label="Arcade Fire")
    assert shown(result.response).startswith("Between **Metallica**, away from **Arcade Fire**")


async def test_what_the_model_cannot_say_is_said(alice, channel):
    for command in ("similar", "dissimilar", "map"):
        await alice.send(channel, f"!{command} unheard of")
        assert "it takes 5 to say who is similar" in shown(channel.last_message)
    await alice.send(channel, "!why unheard of | björk")
    assert "it takes 5 to say who is similar" in shown(channel.last_message)
    await alice.send(channel, "!recommend")
    assert shown(channel.last_message).startswith("I know nothing yet that you like.")


async def test_recommendations_follow_likes_dislikes_and_votes(alice, channel):
    await alice.send(channel, "!similar arcade fire")
    await alice.select(channel.last_message, [options(channel.last_message, "rate")[0]], custom_id="rate")
    await alice.send(channel, "!recommend")
    by_vote = shown(channel.last_message)
    assert "because of Wolf Parade" in by_vote
    await alice.slash(channel, "like", artist="metallica")
    await alice.send(channel, "!recommend")
    lines = [line for line in shown(channel.last_message).splitlines() if "because of Metallica" in line]
    assert any(name in line for line in lines for name in ("Iron Maiden", "Judas Priest", "Motörhead"))
    assert "Metallica](" not in shown(channel.last_message)


async def test_the_menu_answers_for_the_artist_that_a_message_names(alice, channel, database):
    await alice.send(channel, "tonight we hear Sigur Ros and nobody else")
    result = await alice.context_menu(channel, "Similar artists", channel.last_message)
    assert shown(result.response).startswith("Similar to **Sigur Rós**")
    assert database("select source, match_kind from request") == [{"source": "context_menu", "match_kind": "chosen"}]
    await alice.send(channel, "Metallica or Björk?")
    asked = await alice.context_menu(channel, "Similar artists", channel.last_message)
    assert shown(asked.response) == "That message names several artists. Which one?"
    result = await alice.click(asked.response, label="Björk")
    assert shown(result.response).startswith("Similar to **Björk**")
    await alice.send(channel, "good morning")
    result = await alice.context_menu(channel, "Similar artists", channel.last_message)
    assert shown(result.response) == "I know no artist that this message names."


async def test_direct_messages_have_everything_but_settings(simcord_env, channel):  # noqa: ARG001 - syncs
    carol = simcord_env.create_user("carol")
    for typed, (name, given), english, _ in WALK:
        if typed.startswith(("settings", "like", "dislike", "recommend")):
            continue
        await carol.send_dm(f"!{typed}")
        assert shown(carol.dm_channel.last_message).startswith(english), typed
        result = await carol.slash(name, **given)
        assert shown(result.response) == shown(carol.dm_channel.last_message), typed
    await carol.send_dm("!settings")
    assert shown(carol.dm_channel.last_message) == "That works only in a server."
    assert len(simcord_env.errors) == 1


async def test_every_button_works_before_and_after_a_restart(alice, channel, simcord_env, answers, database):
    """A closer look, digging and back, voting there, pages, another artist, a name to learn, a taste taken back."""
    await alice.slash(channel, "settings rows", rows=3)
    await alice.send(channel, "!similar bjork")
    answer = channel.last_message
    await alice.send(channel, "!similar arcade fore fire")
    asked = channel.last_message
    liked = (await alice.slash(channel, "like", artist="björk")).response
    card = (await alice.slash(channel, "artist", artist="björk")).response
    for restart in (False, True):
        if restart:
            await simcord_env.restart_bot(SegueBot(answers, prefix="!", message_content=True, manners=QUIET))
        closer = await alice.select(answer, [options(answer, "closer")[0]], custom_id=button(answer, "closer"))
        assert closer.ephemeral
        assert shown(closer.response).startswith("Why **Sigur Rós** for **Björk**?\n28 people listened to both")
        dug = await alice.click(closer.response, custom_id=button(closer.response, "dig:"))
        assert shown(dug.response).startswith("Similar to **Sigur Rós**")
        back = await alice.click(dug.response, custom_id=button(dug.response, "look:"))
        assert shown(back.response) == shown(closer.response)
        voted = await alice.click(back.response, custom_id=button(back.response, "vote:"))
        assert shown(voted.response) == "Saved: 👍 for **Sigur Rós**."
        taken = await alice.click(voted.response, custom_id=button(voted.response, "vote:"))
        assert shown(taken.response).startswith("Taken back")
        others = await alice.click(answer, custom_id=button(answer, "other:"))
        assert others.ephemeral
        assert shown(others.response).startswith(("Who was meant?", "No other artist here has a name like that."))
        chosen = await alice.click(asked, label="Arcade Fire")
        assert shown(chosen.response).startswith("Similar to **Arcade Fire**")
        proposed = await alice.click(chosen.response, custom_id=button(chosen.response, "name:"))
        first = "Proposed: “arcade fore fire” means **Arcade Fire**"
        again = "“arcade fore fire” was proposed for **Arcade Fire** before."
        assert shown(proposed.response).startswith(again if restart else first)
        untasted = await alice.click(liked, custom_id=button(liked, "untaste:"))
        assert shown(untasted.response).startswith("Nothing was kept" if restart else "Taken back: nothing is kept")
        similar = await alice.click(card, custom_id=button(card, "similar:"))
        assert shown(similar.response).startswith("Similar to **Björk**")
    events = {row["event"] for row in database("select distinct event from vote")}
    assert events == {"vote", "retract", "drill_down", "not_this_artist"}
    (alias,) = database("select alias_norm, artist_id, status from alias")
    assert alias == {"alias_norm": "arcade fore fire", "artist_id": artist_id("Arcade Fire"), "status": "proposed"}


async def test_pages_are_logged_once_and_stand_after_a_restart(alice, channel, simcord_env, answers, database):
    await alice.slash(channel, "settings rows", rows=3)
    await alice.send(channel, "!similar arcade fire")
    message = channel.last_message
    first = shown(message)
    assert labels(message) == ["More", "Not this artist"]
    await alice.click(message, custom_id=button(message, "page:2"))
    second = channel.last_message
    assert [line[0] for line in shown(second).splitlines()[1:4]] == ["4", "5", "6"]
    await simcord_env.restart_bot(SegueBot(answers, prefix="!", message_content=True, manners=QUIET))
    await alice.click(second, custom_id=button(second, "page:1"))
    assert shown(channel.last_message) == first
    await alice.click(channel.last_message, custom_id=button(channel.last_message, "page:2"))
    assert shown(channel.last_message) == shown(second)
    up = options(channel.last_message, "rate")[0]
    await alice.select(channel.last_message, [up], custom_id="rate")
    rows = database("select rank, page, artist_id from impression order by rank")
    assert [(row["rank"], row["page"]) for row in rows] == [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2)]
    assert len({row["artist_id"] for row in rows}) == 6
    assert database("select count(*) as n from request where command = 'similar'") == [{"n": 1}]
    assert database("select rank, value from vote join impression i on i.id = impression_id where value <> 0") == [
        {"rank": 4, "value": 1}
    ]


async def test_the_pages_end_and_never_repeat_an_artist(alice, channel):
    await alice.slash(channel, "settings rows", rows=3)
    await alice.send(channel, "!similar arcade fire --count 7")
    seen = re.findall(r"\[([^]]+)\]", shown(channel.last_message))
    while more := [one for one in ids(channel.last_message) if one.startswith("page:")][-1:]:
        page = int(more[0].split(":")[1])
        if page * 3 - 3 < len(seen):
            break
        await alice.click(channel.last_message, custom_id=more[0])
        seen += re.findall(r"\[([^]]+)\]", shown(channel.last_message))
    assert len(seen) == len(set(seen)) == 7
    assert "More" not in labels(channel.last_message)


async def test_without_a_database_pages_still_turn(alice, channel, feedback):
    await alice.slash(channel, "settings rows", rows=3)
    feedback.close()
    await alice.send(channel, "!similar arcade fire")
    message = channel.last_message
    await alice.click(message, custom_id=button(message, "page:2"))
    assert [line[0] for line in shown(channel.last_message).splitlines()[1:4]] == ["4", "5", "6"]
    assert "Votes cannot be saved at the moment." in shown(channel.last_message)


async def test_a_vote_is_refused_where_votes_were_switched_off_meanwhile(alice, channel, database):
    await alice.send(channel, "!similar arcade fire")
    message = channel.last_message
    await alice.slash(channel, "settings votes", switch="off")
    result = await alice.select(message, [options(message, "rate")[0]], custom_id="rate")
    assert shown(result.response) == "Votes are switched off in this server."
    assert database("select * from vote") == []
    await alice.send(channel, "!similar arcade fire")
    assert "rate" not in ids(channel.last_message)


async def test_export_forget_and_opting_out(alice, channel, database, simcord_env):
    await alice.send(channel, "!similar arcade fire")
    await alice.select(channel.last_message, [options(channel.last_message, "rate")[1]], custom_id="rate")
    await alice.slash(channel, "like", artist="björk")
    result = await alice.slash(channel, "privacy export")
    assert result.ephemeral
    (attachment,) = result.response.attachments
    document = json.loads(await attachment.read())
    assert [row["value"] for row in document["votes"]] == [-1]
    assert document["tastes"][0]["verdict"] == "like"
    assert document["names_of_artists"][str(artist_id("Björk"))] == "Björk"
    assert [row["command"] for row in document["requests"]] == ["similar"]
    assert str(alice.id) not in json.dumps(document)
    result = await alice.slash(channel, "privacy forget")
    assert shown(result.response).startswith("Deleted: ")
    assert "at most 30 days" in shown(result.response)
    for query in (
        "select * from request",
        "select * from impression",
        "select * from vote",
        "select * from taste",
    ):
        assert database(query) == [], query
    assert database("select * from subject where kind = 'member'") == []
    await alice.slash(channel, "privacy opt-out")
    await alice.send(channel, "!similar arcade fire")
    assert "You opted out of logging" in shown(channel.last_message)
    assert "rate" not in ids(channel.last_message)
    await alice.slash(channel, "like", artist="björk")
    assert database("select * from request") == []
    assert database("select * from taste") == []
    bob = simcord_env.guild.add_member(simcord_env.create_user("bob"))
    await bob.send(channel, "!similar arcade fire")
    up = options(channel.last_message, "rate")[0]
    refused = await alice.select(channel.last_message, [up], custom_id="rate")
    assert shown(refused.response) == "You opted out of logging, so the vote was not saved."
    await alice.slash(channel, "privacy forget")
    await alice.send(channel, "!similar arcade fire")
    assert "You opted out of logging" in shown(channel.last_message), "the wish outlives forgetting"
    await alice.slash(channel, "privacy opt-in")
    await alice.send(channel, "!similar arcade fire")
    assert "rate" in ids(channel.last_message)


async def test_an_export_by_prefix_goes_to_the_member_alone(alice, channel):
    await alice.send(channel, "!privacy export")
    assert shown(channel.last_message) == "It is in your direct messages."
    assert channel.last_message.attachments == []
    assert alice.user.dm_channel.last_message.attachments[0].filename == "segue-export.json"


async def test_autocomplete_of_a_blend_completes_its_last_name(alice, channel):
    choices = await alice.autocomplete(channel, "blend", "artists", "arcade fire + bj")
    assert choices[0] == {"name": "arcade fire + Björk", "value": "arcade fire + Björk"}
    choices = await alice.autocomplete(channel, "path", "goal", "metallica", start="björk")
    assert choices[0]["value"] == f"artist:{format_artist_id(artist_id('Metallica'))}"


async def test_recommendations_heed_how_well_known_they_shall_be(alice, channel):
    await alice.slash(channel, "like", artist="arcade fire")
    everybody = shown((await alice.slash(channel, "recommend")).response).splitlines()[1:]
    deep = await alice.slash(channel, "recommend", familiarity="deep")
    await alice.send(channel, "!recommend --deep")
    assert shown(channel.last_message) == shown(deep.response)
    named = [line.split("](")[0] for line in shown(deep.response).splitlines()[1:] if "](" in line]
    assert 0 < len(named) < len(everybody)
    assert "Only little-known artists." in shown(deep.response)


async def test_a_name_that_a_member_taught_is_understood_once_it_was_accepted(alice, channel, feedback):
    await alice.send(channel, "!similar arcade fore fire")
    chosen = await alice.click(channel.last_message, label="Arcade Fire")
    await alice.click(chosen.response, custom_id=button(chosen.response, "name:"))
    (proposal,) = feedback.list_aliases(status="proposed")
    feedback.decide_alias(proposal.id, "accepted", by="operator").result()
    await alice.send(channel, "!similar arcade fore fire")
    assert shown(channel.last_message).startswith(
        "Similar to **Arcade Fire** - read from “arcade fore fire” (another name of the artist)"
    )
