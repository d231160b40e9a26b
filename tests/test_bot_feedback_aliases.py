"""What members call an artist: proposed once per server, decided by a moderator, leading to one artist."""

import re
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from bot.feedback.database import upgrade_database
from bot.feedback.records import AliasTaken, AlreadyDecided, AlreadyProposed, Decided, Proposed, UnknownAlias
from bot.feedback.store import FeedbackStore
from recommender.artists import artist_id
from recommender.errors import FeedbackError

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
HERE, THERE = "discord:9000", "discord:9001"
MODERATOR = "discord:7"


@pytest.fixture
def path(tmp_path):
    upgrade_database(f"sqlite:///{tmp_path / 'feedback.sqlite3'}")
    return tmp_path / "feedback.sqlite3"


@pytest.fixture
def clock():
    """Time that a test moves on by hand."""
    return [NOON]


@pytest.fixture
def store(path, clock):
    with FeedbackStore(f"sqlite:///{path}", now=lambda: clock[0]) as store:
        yield store


def propose(store, text="the boys", artist="Radiohead", member="discord:1", guild=HERE, **options):
    return store.propose_alias(
        text, artist_id=artist_id(artist), artist_name=artist, member=member, guild=guild, **options
    ).result()


def decide(store, outcome, verdict="accepted"):
    return store.decide_alias(outcome.alias.id, verdict, by=MODERATOR).result()


def test_a_proposal_waits_and_leads_nowhere(store):
    outcome = propose(store, "  The  BOYS ")
    assert isinstance(outcome, Proposed)
    (alias,) = store.list_aliases(status="proposed")
    assert outcome.alias == alias
    assert (alias.alias, alias.artist_id, alias.artist_name) == ("the boys", artist_id("Radiohead"), "Radiohead")
    assert (alias.source, alias.proposed_at, alias.decided_at, alias.decided_by) == ("member", NOON, None, None)
    assert store.accepted_aliases(HERE) == []


def test_the_same_proposal_again_changes_nothing(store, clock):
    first = propose(store)
    clock[0] += timedelta(days=1)
    for again in (propose(store), propose(store, "THE BOYS", member="discord:2")):
        assert again == AlreadyProposed(first.alias)
    assert len(store.list_aliases()) == 1
    everywhere = propose(store, guild=None)
    assert propose(store, guild=None) == AlreadyProposed(everywhere.alias)
    assert len(store.list_aliases()) == 2


def test_a_rejected_proposal_stays_rejected_however_often_it_is_made(store):
    first = propose(store)
    decide(store, first, "rejected")
    again = propose(store)
    assert isinstance(again, AlreadyProposed)
    assert again.alias.status == "rejected"
    assert store.list_aliases(status="proposed") == []


def test_an_accepted_alias_leads_to_its_artist_in_its_server_only(store, clock):
    proposed = propose(store)
    clock[0] += timedelta(hours=1)
    outcome = decide(store, proposed)
    assert isinstance(outcome, Decided)
    assert outcome.previous == "proposed"
    assert (outcome.alias.status, outcome.alias.decided_at) == ("accepted", clock[0])
    assert (outcome.alias.proposed_at, outcome.alias.proposed_by) == (NOON, proposed.alias.proposed_by)
    assert store.accepted_aliases(HERE) == [("the boys", artist_id("Radiohead"))]
    assert store.accepted_aliases(THERE) == store.accepted_aliases(None) == []


def test_a_servers_own_alias_goes_before_one_for_everywhere(store):
    for guild, artist in ((HERE, "Radiohead"), (None, "Blur"), (THERE, "Pulp")):
        decide(store, propose(store, artist=artist, guild=guild))
    decide(store, propose(store, "a band", "Muse", guild=None))
    muse = ("a band", artist_id("Muse"))
    assert store.accepted_aliases(HERE) == [muse, ("the boys", artist_id("Radiohead"))]
    assert store.accepted_aliases(THERE) == [muse, ("the boys", artist_id("Pulp"))]
    assert store.accepted_aliases("discord:never-seen") == [muse, ("the boys", artist_id("Blur"))]
    assert store.accepted_aliases(None) == [muse, ("the boys", artist_id("Blur"))]


@pytest.mark.parametrize("guild", [HERE, None])
def test_an_alias_leads_to_one_artist_until_that_is_rejected(store, guild):
    holder, other = propose(store, artist="Radiohead", guild=guild), propose(store, artist="Blur", guild=guild)
    accepted = decide(store, holder)
    assert decide(store, other) == AliasTaken(other.alias, accepted.alias)
    assert store.accepted_aliases(guild) == [("the boys", artist_id("Radiohead"))]
    assert decide(store, holder, "rejected").previous == "accepted"
    assert store.accepted_aliases(guild) == []
    assert isinstance(decide(store, other), Decided)
    assert store.accepted_aliases(guild) == [("the boys", artist_id("Blur"))]


def test_the_same_decision_again_keeps_who_made_it_and_when(store, clock):
    proposed = propose(store)
    first = decide(store, proposed)
    clock[0] += timedelta(days=1)
    assert store.decide_alias(proposed.alias.id, "accepted", by="discord:8").result() == AlreadyDecided(first.alias)
    assert store.list_aliases(status="accepted") == [first.alias]


@pytest.mark.parametrize("alias_id", [0, -1, 1, 2**63, 10**30])
def test_deciding_an_unknown_alias_is_an_outcome(store, alias_id):
    assert store.decide_alias(alias_id, "accepted", by=MODERATOR).result() == UnknownAlias(alias_id)


def test_nonsense_is_refused_and_the_writer_goes_on(store):
    with pytest.raises(FeedbackError, match="the alias has 0 characters; use 1 to 200"):
        propose(store, "   ")
    with pytest.raises(FeedbackError, match="the alias has 201 characters"):
        propose(store, "a" * 201)
    with pytest.raises(FeedbackError, match="the artist's name has 256 characters"):
        propose(store, artist="a" * 256)
    with pytest.raises(FeedbackError, match="a row was refused"):
        propose(store, source="rumour")
    proposed = propose(store)
    with pytest.raises(FeedbackError, match="a row was refused"):
        decide(store, proposed, "perhaps")
    assert store.list_aliases() == [proposed.alias]


def test_only_the_subject_knows_who_proposed_and_decided(store, path):
    decide(store, propose(store))
    (alias,) = store.list_aliases()
    for key in (alias.guild_key, alias.proposed_by, alias.decided_by):
        assert re.fullmatch("[0-9a-f]{32}", key)
    connection = sqlite3.connect(path)
    known = dict(connection.execute("SELECT random_key, discord_id FROM subject"))
    assert [known[key] for key in (alias.guild_key, alias.proposed_by, alias.decided_by)] == [
        HERE, "discord:1", MODERATOR,
    ]  # fmt: skip
    # Without its subject the alias is nobody's, and still serves.
    connection.execute("DELETE FROM subject WHERE kind = 'member'")
    connection.commit()
    connection.close()
    assert store.accepted_aliases(HERE) == [("the boys", artist_id("Radiohead"))]
