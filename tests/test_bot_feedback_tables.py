"""The database itself refuses nonsense, whoever writes it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, StatementError

from bot.feedback.database import upgrade_database
from bot.feedback.engine import open_engine
from bot.feedback.tables import (
    Alias,
    Base,
    Experiment,
    GuildSettings,
    Impression,
    MemberPreference,
    Model,
    Promotion,
    Request,
    Seed,
    Subject,
    Taste,
    Vote,
)

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
MEMBER, GUILD = "b" * 32, "c" * 32
GOOD = {
    Subject: {"random_key": "d" * 32, "kind": "member", "discord_id": "discord:2"},
    Model: {
        "id": "m2", "sha256": "e" * 64, "algorithm": "lsa", "params": {}, "dataset": "demo", "data_hash": None,
        "synthetic": False, "trained_at": NOON, "metrics": None,
    },
    Experiment: {
        "scope": "everywhere", "name": "e1", "model_a": "m", "model_b": "m", "explore_rate": 0.1, "salt": "s",
        "created_at": NOON, "started_at": NOON, "ended_at": NOON,
    },
    Request: {
        "created_at": NOON, "guild_key": GUILD, "member_key": MEMBER, "source": "slash", "command": "similar", "k": 10,
        "familiarity": "deep", "locale": "de", "seed_artist_id": 1, "match_kind": "exact", "match_score": 1.0,
        "experiment_id": None, "assignment_seed": 1, "shuffled": False, "latency_ms": 1.0, "n_candidates": 1,
        "outcome": "answered", "abstained": False, "undelivered": False, "is_test": False,
    },
    Seed: {"request_id": 1, "position": 2, "artist_id": 1, "sign": -1},
    Impression: {
        "request_id": 1, "rank": 2, "page": 1, "artist_id": 1, "model_id": "m", "score": 0.5, "team": "both",
        "rank_in_a": 1, "rank_in_b": 1, "propensity": 1.0, "support": 0, "popularity_bucket": 0,
    },
    Vote: {
        "impression_id": 1, "voter_key": MEMBER, "value": 1, "event": "vote", "created_at": NOON,
        "interaction_id": "i2",
    },
    Taste: {"member_key": MEMBER, "artist_id": 2, "verdict": "like", "created_at": NOON},
    GuildSettings: {
        "guild_key": GUILD, "rows_per_answer": 5, "prefix": "!", "allowed_channels": ["1"], "updated_at": NOON,
    },
    MemberPreference: {"member_key": MEMBER, "opt_out": True, "updated_at": NOON},
    Alias: {
        "guild_key": GUILD, "alias_norm": "rhcp", "artist_id": 2, "artist_name": "Red Hot Chili Peppers",
        "source": "member", "status": "accepted", "proposed_by": MEMBER, "created_at": NOON, "decided_at": NOON,
        "decided_by": MEMBER,
    },
    Promotion: {
        "model_id": "m", "previous_id": "m", "kind": "promote", "is_override": True, "reason": "because",
        "evidence": {"p": 0.01}, "created_at": NOON,
    },
}  # fmt: skip
NONSENSE = [
    (Subject, {"kind": "channel"}),
    (Subject, {"discord_id": ""}),
    (Subject, {"discord_id": "discord:1"}),  # taken
    (Subject, {"random_key": "short"}),
    (Model, {"id": "m"}),  # taken
    (Model, {"sha256": "E" * 64}),
    (Model, {"sha256": "e"}),
    (Experiment, {"explore_rate": 1.1}),
    (Experiment, {"explore_rate": -0.1}),
    (Experiment, {"model_a": "unknown"}),
    (Experiment, {"ended_at": NOON - timedelta(seconds=1)}),
    (Experiment, {"started_at": None}),
    (Request, {"source": "telepathy"}),
    (Request, {"command": ""}),
    (Request, {"command": "what somebody typed " * 5}),
    (Request, {"k": 0}),
    (Request, {"match_kind": "guess"}),
    (Request, {"match_score": 1.01}),
    (Request, {"match_score": -0.01}),
    (Request, {"match_kind": None}),
    (Request, {"seed_artist_id": None}),
    (Request, {"familiarity": "somewhat"}),
    (Request, {"latency_ms": -1.0}),
    (Request, {"latency_ms": float("inf")}),
    (Request, {"n_candidates": -1}),
    (Request, {"member_key": "discord:1"}),
    (Request, {"guild_key": "discord:1"}),
    (Request, {"member_key": None}),
    (Experiment, {"scope": "nowhere"}),
    (Request, {"experiment_id": 99}),
    (Seed, {"sign": 0}),
    (Seed, {"request_id": 99}),
    (Seed, {"position": 1}),  # taken
    (Impression, {"propensity": 0.0}),
    (Impression, {"propensity": -0.5}),
    (Impression, {"propensity": 1.0000001}),
    (Impression, {"propensity": float("nan")}),
    (Impression, {"rank": 0}),
    (Impression, {"rank": 1}),  # taken
    (Impression, {"page": 0}),
    (Impression, {"score": float("inf")}),
    (Impression, {"score": float("nan")}),
    (Impression, {"team": "c"}),
    (Impression, {"rank_in_a": None}),
    (Impression, {"rank_in_b": None}),
    (Impression, {"rank_in_a": 0}),
    (Impression, {"support": -1}),
    (Impression, {"popularity_bucket": -1}),
    (Impression, {"request_id": 99}),
    (Impression, {"model_id": "unknown"}),
    (Vote, {"value": 2}),
    (Vote, {"value": 0}),
    (Vote, {"event": "retract"}),
    (Vote, {"event": "shrug", "value": 0}),
    (Vote, {"interaction_id": "i1"}),  # taken
    (Vote, {"interaction_id": ""}),
    (Vote, {"impression_id": 99}),
    (Vote, {"voter_key": "discord:1"}),
    (Taste, {"verdict": "meh"}),
    (Taste, {"artist_id": 1}),  # taken
    (GuildSettings, {"rows_per_answer": 0}),
    (GuildSettings, {"rows_per_answer": 26}),
    (GuildSettings, {"prefix": ""}),
    (GuildSettings, {"language": "x"}),
    (GuildSettings, {"cooldown_seconds": -1.0}),
    (GuildSettings, {"guild_key": "9" * 32}),
    (MemberPreference, {"member_key": "9" * 32}),
    (MemberPreference, {"opt_out": None}),
    (Alias, {"status": "maybe"}),
    (Alias, {"source": "rumour"}),
    (Alias, {"status": "proposed"}),
    (Alias, {"decided_at": None}),
    (Alias, {"status": "proposed", "decided_at": None}),  # by somebody, but not decided
    (Alias, {"alias_norm": "gybe", "artist_id": 1, "status": "rejected"}),  # taken
    (Alias, {"alias_norm": "gybe", "artist_id": 2}),  # accepted for another artist
    (Promotion, {"kind": "demote"}),
    (Promotion, {"reason": None}),  # an override says why
    (Promotion, {"reason": ""}),
    (Promotion, {"model_id": "never registered"}),
    (Alias, {"alias_norm": "nin", "artist_id": 1, "guild_key": None, "status": "rejected"}),  # taken everywhere
    (Alias, {"alias_norm": "nin", "artist_id": 2, "guild_key": None}),  # accepted everywhere for another artist
    (Alias, {"alias_norm": ""}),
    (Alias, {"alias_norm": "a" * 201}),
    (Alias, {"artist_name": ""}),
    (Alias, {"guild_key": "discord:9000"}),
    (Alias, {"proposed_by": "discord:1"}),
    (Alias, {"decided_by": "discord:1"}),
]


def fill_with_good_rows(connection):
    """Insert one good row of what the others refer to."""
    for table, change in [
        (Subject, {"random_key": MEMBER, "discord_id": "discord:1"}),
        (Subject, {"random_key": GUILD, "kind": "guild", "discord_id": "discord:1"}),
        (Model, {"id": "m"}),
        (Request, {}),
        (Seed, {"position": 1}),
        (Impression, {"rank": 1}),
        (Vote, {"interaction_id": "i1"}),
        (Taste, {"artist_id": 1}),
        (Alias, {"alias_norm": "gybe", "artist_id": 1}),
        (Alias, {"alias_norm": "nin", "artist_id": 1, "guild_key": None}),
    ]:
        connection.execute(insert(table), GOOD[table] | change)


@pytest.fixture
def filled(tmp_path):
    """A connection whose database holds one good row of what the others refer to."""
    url = f"sqlite:///{tmp_path / 'feedback.sqlite3'}"
    upgrade_database(url)
    engine = open_engine(url)
    with engine.connect() as connection:
        fill_with_good_rows(connection)
        yield connection
    engine.dispose()


@pytest.mark.parametrize("table", Base.__subclasses__(), ids=lambda table: table.__tablename__)
def test_a_good_row_is_taken(filled, table):
    filled.execute(insert(table), GOOD[table])


@pytest.mark.parametrize(("table", "change"), NONSENSE, ids=lambda value: getattr(value, "__tablename__", str(value)))
def test_nonsense_is_refused(filled, table, change):
    with pytest.raises(IntegrityError):
        filled.execute(insert(table), GOOD[table] | change)


@pytest.mark.parametrize(
    "change",
    [
        {"created_at": NOON.replace(tzinfo=None)},
        {"shuffled": 7},
        {"shuffled": "yes"},
        {"k": 1.5},
        {"seed_artist_id": "björk"},
        {"match_score": "good"},
    ],
)
def test_a_value_of_the_wrong_type_is_refused(filled, change):
    with pytest.raises(StatementError):
        filled.execute(insert(Request), GOOD[Request] | change)


def test_settings_go_with_their_subject_and_the_log_stays(filled):
    filled.execute(insert(GuildSettings), GOOD[GuildSettings])
    filled.execute(insert(MemberPreference), GOOD[MemberPreference])
    filled.execute(Subject.__table__.delete())
    assert filled.execute(select(GuildSettings)).all() == filled.execute(select(MemberPreference)).all() == []
    assert len(filled.execute(select(Vote)).all()) == 1


def test_deleting_a_request_takes_its_answer_along_and_no_id_comes_back(filled):
    """The buttons of an old message must not vote on a newer answer."""
    filled.execute(Request.__table__.delete())
    assert filled.execute(select(Impression)).all() == filled.execute(select(Vote)).all() == []
    filled.execute(insert(Request), GOOD[Request])
    filled.execute(insert(Impression), GOOD[Impression] | {"request_id": 2})
    assert filled.scalars(select(Request.id)).all() == filled.scalars(select(Impression.id)).all() == [2]
