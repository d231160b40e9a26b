"""An accepted alias leads to its artist in its server, at once, on Discord and in the terminal, and fails softly."""

import asyncio
import io
import logging
import sqlite3
from datetime import UTC, datetime

from rich.console import Console

from bot.answers import Asker, ChoiceAnswer, SimilarAnswer
from bot.community import CommunityNames
from bot.console import Chat
from bot.feedback.store import FeedbackStore
from recommender.artists import artist_id, format_artist_id
from recommender.errors import FeedbackError

HERE, THERE = "discord:9000", "discord:9001"


def decided(store, text, artist, *, guild, verdict="accepted"):
    """Propose an alias and decide it, as a member and a moderator do."""
    outcome = store.propose_alias(
        text, artist_id=artist_id(artist), artist_name=artist, member="discord:1", guild=guild
    ).result()
    store.decide_alias(outcome.alias.id, verdict, by="discord:7").result()
    return outcome.alias.id


def asker(guild):
    return Asker(member="discord:5", source="slash", guild=guild)


async def seed_of(answers, text, guild=HERE):
    answer = await answers.similar(text, asker(guild))
    return answer.seed.name if isinstance(answer, SimilarAnswer) else None


async def test_an_alias_counts_from_its_acceptance_to_its_withdrawal(answers, feedback):
    assert await seed_of(answers, "the swan") is None
    alias_id = decided(feedback, "The Swan", "Björk", guild=HERE)
    assert await seed_of(answers, "the  SWAN") == "Björk"
    assert await seed_of(answers, "the swan!") == "Björk"
    assert await seed_of(answers, "the swan", THERE) is None
    assert await seed_of(answers, "the swan", None) is None
    feedback.decide_alias(alias_id, "rejected", by="discord:7").result()
    assert await seed_of(answers, "the swan") is None


async def test_an_alias_for_everywhere_yields_to_the_server_s_own(answers, feedback):
    decided(feedback, "the swan", "Björk", guild=None)
    decided(feedback, "the swan", "múm", guild=HERE)
    assert await seed_of(answers, "the swan") == "múm"
    assert await seed_of(answers, "the swan", THERE) == "Björk"
    assert await seed_of(answers, "the swan", None) == "Björk"


async def test_a_decision_of_another_process_counts_too(answers, database_url):
    assert await seed_of(answers, "the swan") is None
    with FeedbackStore(database_url, now=lambda: datetime(2001, 1, 1, tzinfo=UTC)) as console:  # its clock is wrong
        decided(console, "the swan", "Björk", guild=HERE)
    assert await seed_of(answers, "the swan") == "Björk"


async def test_an_alias_of_an_artist_that_the_model_lacks_leads_nowhere(answers, feedback):
    decided(feedback, "the swan", "Nobody Whatsoever", guild=HERE)
    assert isinstance(await answers.similar("the swan", asker(HERE)), ChoiceAnswer)


async def test_the_moderators_word_goes_before_a_name_of_the_catalogue_which_quotes_still_reach(answers, feedback):
    decided(feedback, "metallica", "Iron Maiden", guild=HERE)
    assert await seed_of(answers, "metallica") == "Iron Maiden"
    assert await seed_of(answers, '"metallica"') == "Metallica"


async def test_aliases_are_suggested_while_typing(answers, feedback):
    decided(feedback, "the swan", "Björk", guild=HERE)
    bjork = ("Björk", f"artist:{format_artist_id(artist_id('Björk'))}")
    assert (await answers.suggest("the sw", "discord:5", HERE))[0] == bjork
    assert bjork not in await answers.suggest("the sw", "discord:5", THERE)


async def test_aliases_are_read_once_for_all_requests(catalogue, feedback, monkeypatch):
    decided(feedback, "the swan", "Björk", guild=HERE)
    read = []
    accepted = FeedbackStore.accepted_aliases
    monkeypatch.setattr(
        FeedbackStore, "accepted_aliases", lambda self, guild: read.append(guild) or accepted(self, guild)
    )
    names = CommunityNames(catalogue, feedback)
    for _ in range(5):
        await asyncio.gather(*(names.of(HERE) for _ in range(3)))
        await names.of(THERE)
    assert len(read) <= 4  # three at once may each read; none does again
    before = len(read)
    decided(feedback, "le cygne", "Björk", guild=THERE)
    assert (await names.of(HERE)).artist("the swan", "swan") is not None
    assert len(read) == before + 1


async def test_a_name_read_while_a_decision_falls_is_not_kept(catalogue, feedback, monkeypatch):
    names = CommunityNames(catalogue, feedback)
    accepted = FeedbackStore.accepted_aliases

    def read_then_decided(store, guild):
        found = accepted(store, guild)
        monkeypatch.setattr(FeedbackStore, "accepted_aliases", accepted)
        decided(feedback, "the swan", "Björk", guild=HERE)
        return found

    monkeypatch.setattr(FeedbackStore, "accepted_aliases", read_then_decided)
    await names.of(HERE)
    assert (await names.of(HERE)).artist("the swan", "swan") is not None


async def test_without_the_database_names_stay_as_they_were_read(answers, feedback, monkeypatch, caplog):
    decided(feedback, "the swan", "Björk", guild=HERE)
    assert await seed_of(answers, "the swan") == "Björk"

    def gone(_store):
        raise FeedbackError("the disk is gone")

    monkeypatch.setattr(FeedbackStore, "alias_state", gone)
    with caplog.at_level(logging.WARNING, "bot.community"):
        assert await seed_of(answers, "the swan") == "Björk"
        assert await seed_of(answers, "metallica") == "Metallica"
    assert [record.message for record in caplog.records] == ["aliases were not read: the disk is gone"]


async def test_alias_on_discord_in_every_way_to_ask(simcord_env, feedback):
    await simcord_env.bot.tree.sync()
    channel = simcord_env.create_guild().create_text_channel("music")
    alice = simcord_env.guild.add_member(simcord_env.create_user("alice"))
    decided(feedback, "the swan", "Björk", guild=f"discord:{simcord_env.guild.id}")
    for text in ("!similar the swan", f"<@{simcord_env.bot.user.id}> similar The Swan"):
        await alice.send(channel, text)
        assert "Similar to **Björk**" in str(channel.last_message.components)
    result = await alice.slash(channel, "similar", artist="the swan")
    assert "Similar to **Björk**" in str(result.response.components)
    (first, *_) = await alice.autocomplete(channel, "similar", "artist", "the sw")
    assert first["name"] == "Björk"


def test_alias_for_everywhere_in_the_terminal(answers, feedback, database_url):
    decided(feedback, "the swan", "Björk", guild=None)
    printed = io.StringIO()
    chat = Chat(answers, Console(file=printed, width=200), prefix="!")
    chat.hold(["similar the swan"], echo=False)
    assert "Similar to Björk - read from “the swan”" in printed.getvalue()
    # What was typed is nowhere but in the alias that members proposed themselves.
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
        (kinds,) = zip(*connection.execute("select match_kind from request"), strict=True)
    connection.close()
    assert kinds == ("alias",)
