"""The tables of the feedback log. What is not logged when it happens can never be evaluated.

``subject`` alone knows who is who: every other table holds its random keys, and refers to it by value rather than by
foreign key, so that deleting the subject leaves rows that nobody can attribute. The exceptions are settings and
preferences, which mean nothing without their subject, and go with it.

A change here needs a new file in ``migrations/versions``; a released one never changes. ``tests/test_migrations.py``
holds the two together, CHECK constraints and the view included, which Alembic does not compare.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    UniqueConstraint,
    column,
    event,
    table,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bot.feedback.columns import NEVER_REUSE_IDS, Id64, Real, RowId, UtcDateTime, Whole, flag, length, one_of, within
from bot.feedback.records import (
    EVERYWHERE,
    AliasSource,
    AliasStatus,
    Familiarity,
    Outcome,
    PromotionKind,
    Source,
    Team,
    VoteEvent,
)
from recommender.names import MatchKind

MAX_ALIAS_CHARACTERS = 200
MAX_ARTIST_NAME_CHARACTERS = 255
MAX_REASON_CHARACTERS = 500


def _unique_where(name: str, *columns: str, condition: str) -> Index:
    return Index(name, *columns, unique=True, sqlite_where=text(condition), postgresql_where=text(condition))


class Base(DeclarativeBase):
    """Common naming of constraints, so that a later migration can name the one it drops."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {int: Whole, float: Real}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Subject(Base):
    """The only place that knows whose key is whose; without this row its key is nobody's."""

    __tablename__ = "subject"
    __table_args__ = (
        UniqueConstraint("kind", "discord_id"),
        CheckConstraint("kind IN ('member', 'guild')", name="kind_known"),
        length("discord_id", 1, 64),
        length("random_key", 32, 32),
    )

    random_key: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    discord_id: Mapped[str] = mapped_column(String(64))


class Model(Base):
    """A trained model; ties each shown row to the checksum of the artifact that ranked it."""

    __tablename__ = "model"
    __table_args__ = (
        length("id", 1, 128),
        CheckConstraint("length(sha256) = 64 AND sha256 = lower(sha256)", name="sha256_is_hex"),
    )

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    # Not unique: the same seed on the same data gives the same bits under a second id.
    sha256: Mapped[str] = mapped_column(String(64))
    algorithm: Mapped[str] = mapped_column(String(64))
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    dataset: Mapped[str] = mapped_column(String(255))
    data_hash: Mapped[str | None] = mapped_column(String(128))
    synthetic: Mapped[bool] = mapped_column(flag("synthetic"))
    trained_at: Mapped[datetime] = mapped_column(UtcDateTime)
    metrics: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class Experiment(Base):
    """A live comparison of two models; defined, started, ended and archived, each at its time.

    ``scope`` is 'everywhere' or a server's random key: what a server's moderators start touches no other server.
    """

    __tablename__ = "experiment"
    __table_args__ = (
        UniqueConstraint("scope", "name"),
        _unique_where("uq_experiment_running", "scope", condition="started_at IS NOT NULL AND ended_at IS NULL"),
        CheckConstraint(f"scope = '{EVERYWHERE}' OR length(scope) = 32", name="scope_known"),
        length("name", 1, 64),
        length("salt", 1, 64),
        within("explore_rate", 0, 1),
        CheckConstraint(
            "ended_at IS NULL OR (started_at IS NOT NULL AND ended_at >= started_at)", name="ends_after_it_starts"
        ),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    scope: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(64))
    model_a: Mapped[str] = mapped_column(ForeignKey("model.id"))
    model_b: Mapped[str] = mapped_column(ForeignKey("model.id"))
    explore_rate: Mapped[float]
    salt: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Request(Base):
    """One thing a member asked for. There is no column for what they typed."""

    __tablename__ = "request"
    __table_args__ = (
        one_of("source", Source),
        one_of("match_kind", MatchKind, nullable=True),
        one_of("outcome", Outcome),
        one_of("familiarity", Familiarity, nullable=True),
        length("command", 1, 64),
        length("member_key", 32, 32),
        length("guild_key", 32, 32),
        length("locale", 1, 16),
        within("k", 1),
        within("match_score", 0, 1),
        within("latency_ms", 0, 1e9),
        within("n_candidates", 0),
        CheckConstraint("match_kind IS NULL OR seed_artist_id IS NOT NULL", name="match_has_seed"),
        CheckConstraint("match_score IS NULL OR match_kind IS NOT NULL", name="score_has_match"),
        CheckConstraint(
            "outcome NOT IN ('ambiguous', 'not_found') OR seed_artist_id IS NULL", name="nothing_understood_has_no_seed"
        ),
        Index(None, "created_at"),
        Index(None, "member_key"),
        Index(None, "guild_key"),
        Index(None, "experiment_id"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    guild_key: Mapped[str | None] = mapped_column(String(32))
    member_key: Mapped[str] = mapped_column(String(32))
    source: Mapped[str] = mapped_column(String(16))
    command: Mapped[str] = mapped_column(String(64))
    k: Mapped[int]
    familiarity: Mapped[str | None] = mapped_column(String(16))
    locale: Mapped[str | None] = mapped_column(String(16))
    seed_artist_id: Mapped[int | None] = mapped_column(Id64)
    match_kind: Mapped[str | None] = mapped_column(String(16))
    match_score: Mapped[float | None]
    experiment_id: Mapped[int | None] = mapped_column(ForeignKey("experiment.id"))
    assignment_seed: Mapped[int | None] = mapped_column(Id64)
    shuffled: Mapped[bool] = mapped_column(flag("shuffled"))
    latency_ms: Mapped[float | None]
    n_candidates: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(String(16))
    abstained: Mapped[bool] = mapped_column(flag("abstained"))
    # Logged before it is sent: an answer that Discord then refused was not shown, and its rows count for nothing.
    undelivered: Mapped[bool] = mapped_column(flag("undelivered"))
    is_test: Mapped[bool] = mapped_column(flag("is_test"))


class Seed(Base):
    """The artists a blend adds (+1) and takes away (-1), or a path joins, in the order given."""

    __tablename__ = "seed"
    __table_args__ = (within("position", 1), CheckConstraint("sign IN (-1, 1)", name="sign_known"))

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    artist_id: Mapped[int] = mapped_column(Id64)
    sign: Mapped[int]


class Impression(Base):
    """One row of an answer, as sent; Discord does not tell whether anybody looked."""

    __tablename__ = "impression"
    __table_args__ = (
        UniqueConstraint("request_id", "rank"),
        one_of("team", Team),
        within("rank", 1),
        within("page", 1),
        within("rank_in_a", 1),
        within("rank_in_b", 1),
        within("support", 0),
        within("popularity_bucket", 0),
        within("score", -1e300, 1e300),  # no infinity, and no NaN, which PostgreSQL sorts above every number
        CheckConstraint("propensity > 0 AND propensity <= 1", name="propensity_in_0_1"),
        CheckConstraint("team NOT IN ('a', 'both') OR rank_in_a IS NOT NULL", name="team_a_ranked_it"),
        CheckConstraint("team NOT IN ('b', 'both') OR rank_in_b IS NOT NULL", name="team_b_ranked_it"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id", ondelete="CASCADE"))
    rank: Mapped[int]
    page: Mapped[int]
    artist_id: Mapped[int] = mapped_column(Id64)
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"))
    score: Mapped[float]
    team: Mapped[str] = mapped_column(String(16))
    rank_in_a: Mapped[int | None]
    rank_in_b: Mapped[int | None]
    propensity: Mapped[float]
    support: Mapped[int | None]
    popularity_bucket: Mapped[int | None]


class Vote(Base):
    """Append-only: a change of mind is a further row, and ``current_vote`` says which one stands."""

    __tablename__ = "vote"
    __table_args__ = (
        UniqueConstraint("interaction_id"),
        one_of("event", VoteEvent),
        length("voter_key", 32, 32),
        length("interaction_id", 1, 128),
        CheckConstraint("value IN (-1, 0, 1)", name="value_known"),
        CheckConstraint("(event = 'vote') = (value <> 0)", name="only_a_vote_has_a_value"),
        Index(None, "impression_id", "voter_key", "id"),
        Index(None, "voter_key"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    impression_id: Mapped[int] = mapped_column(ForeignKey("impression.id", ondelete="CASCADE"))
    voter_key: Mapped[str] = mapped_column(String(32))
    value: Mapped[int]
    event: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    interaction_id: Mapped[str] = mapped_column(String(128))


class Taste(Base):
    """What a member said of an artist outside of any answer; the last word stands."""

    __tablename__ = "taste"
    __table_args__ = (
        length("member_key", 32, 32),
        CheckConstraint("verdict IN ('like', 'dislike')", name="verdict_known"),
    )

    member_key: Mapped[str] = mapped_column(String(32), primary_key=True)
    artist_id: Mapped[int] = mapped_column(Id64, primary_key=True, autoincrement=False)
    verdict: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class GuildSettings(Base):
    """What a server's admins chose; NULL leaves it to the bot's own default, which is written once, in the bot."""

    __tablename__ = "guild_settings"
    __table_args__ = (
        length("prefix", 1, 16),
        length("language", 2, 16),
        within("rows_per_answer", 1, 25),
        within("cooldown_seconds", 0, 86_400),
    )

    # The allow-list names channels, and so the server: it has to go with the subject.
    guild_key: Mapped[str] = mapped_column(ForeignKey("subject.random_key", ondelete="CASCADE"), primary_key=True)
    prefix: Mapped[str | None] = mapped_column(String(16))
    language: Mapped[str | None] = mapped_column(String(16))
    allowed_channels: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    rows_per_answer: Mapped[int | None]
    cooldown_seconds: Mapped[float | None]
    votes_enabled: Mapped[bool | None] = mapped_column(flag("votes_enabled"))
    exploration_enabled: Mapped[bool | None] = mapped_column(flag("exploration_enabled"))
    prefix_commands_enabled: Mapped[bool | None] = mapped_column(flag("prefix_commands_enabled"))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MemberPreference(Base):
    """What a member decided about being logged."""

    __tablename__ = "member_preference"

    member_key: Mapped[str] = mapped_column(ForeignKey("subject.random_key", ondelete="CASCADE"), primary_key=True)
    opt_out: Mapped[bool] = mapped_column(flag("opt_out"))
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Alias(Base):
    """A further name of an artist in one server (NULL: everywhere), proposed by members, decided by a moderator."""

    __tablename__ = "alias"
    __table_args__ = (
        UniqueConstraint("guild_key", "alias_norm", "artist_id"),
        # NULL is never equal to NULL: what holds per server has to be said once more for everywhere.
        _unique_where("uq_alias_everywhere", "alias_norm", "artist_id", condition="guild_key IS NULL"),
        # Proposals may disagree; an accepted alias leads to one artist.
        _unique_where("uq_alias_accepted", "guild_key", "alias_norm", condition="status = 'accepted'"),
        _unique_where(
            "uq_alias_accepted_everywhere", "alias_norm", condition="status = 'accepted' AND guild_key IS NULL"
        ),
        one_of("source", AliasSource),
        one_of("status", AliasStatus),
        length("alias_norm", 1, MAX_ALIAS_CHARACTERS),
        length("artist_name", 1, MAX_ARTIST_NAME_CHARACTERS),
        length("guild_key", 32, 32),
        length("proposed_by", 32, 32),
        length("decided_by", 32, 32),
        CheckConstraint("(status = 'proposed') = (decided_at IS NULL)", name="decided_when_not_proposed"),
        CheckConstraint("decided_by IS NULL OR decided_at IS NOT NULL", name="decider_decided"),
        Index(None, "proposed_by"),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    guild_key: Mapped[str | None] = mapped_column(String(32))
    alias_norm: Mapped[str] = mapped_column(String(MAX_ALIAS_CHARACTERS))
    artist_id: Mapped[int] = mapped_column(Id64)
    # For the moderator who reads the list; a model trained anew may write it otherwise.
    artist_name: Mapped[str] = mapped_column(String(MAX_ARTIST_NAME_CHARACTERS))
    source: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    proposed_by: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str | None] = mapped_column(String(32))


class Promotion(Base):
    """A change of the serving model: what it was before, on what evidence, and why where the gate was overridden."""

    __tablename__ = "promotion"
    __table_args__ = (
        one_of("kind", PromotionKind),
        CheckConstraint("NOT is_override OR reason IS NOT NULL", name="override_has_reason"),
        length("reason", 1, MAX_REASON_CHARACTERS),
        NEVER_REUSE_IDS,
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    model_id: Mapped[str] = mapped_column(ForeignKey("model.id"))
    previous_id: Mapped[str | None] = mapped_column(ForeignKey("model.id"))
    kind: Mapped[str] = mapped_column(String(16))
    is_override: Mapped[bool] = mapped_column(flag("is_override"))
    reason: Mapped[str | None] = mapped_column(String(MAX_REASON_CHARACTERS))
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


# The order of ids decides, not the clock: clocks step back. A migration that rebuilds `vote` on SQLite has to drop this
# view first, and create it again.
CREATE_CURRENT_VOTE = """\
CREATE VIEW current_vote AS
SELECT vote.id AS vote_id, vote.impression_id, vote.voter_key, vote.value, vote.created_at
FROM vote
WHERE vote.event IN ('vote', 'retract')
AND NOT EXISTS (
    SELECT 1 FROM vote AS later
    WHERE later.impression_id = vote.impression_id
    AND later.voter_key = vote.voter_key
    AND later.event IN ('vote', 'retract')
    AND later.id > vote.id
)"""


@event.listens_for(Base.metadata, "after_create")
def _create_view(_metadata: MetaData, connection: Connection, **_options: Any) -> None:
    connection.exec_driver_sql(CREATE_CURRENT_VOTE)


@event.listens_for(Base.metadata, "before_drop")
def _drop_view(_metadata: MetaData, connection: Connection, **_options: Any) -> None:
    connection.exec_driver_sql("DROP VIEW IF EXISTS current_vote")


# Outside of the metadata, which would create it as a table.
current_vote = table(
    "current_vote",
    column("vote_id", RowId),
    column("impression_id", RowId),
    column("voter_key", String(32)),
    column("value", Integer),
    column("created_at", UtcDateTime),
)
