"""The whole feedback log, from the first day.

Revision 0001, the first.

Written out in full and importing nothing of the bot: what was released here never changes, whatever the code becomes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# SQLite counts up only a column that is spelt INTEGER.
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TABLES = (
    "subject",
    "model",
    "experiment",
    "request",
    "seed",
    "impression",
    "vote",
    "taste",
    "guild_settings",
    "member_preference",
    "alias",
)

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


def upgrade() -> None:
    create_subject()
    create_model()
    create_experiment()
    create_request()
    create_seed()
    create_impression()
    create_vote()
    create_taste()
    create_guild_settings()
    create_member_preference()
    create_alias()
    op.execute(CREATE_CURRENT_VOTE)


def downgrade() -> None:
    op.execute("DROP VIEW current_vote")
    for name in reversed(TABLES):
        op.drop_table(name)  # and its indices with it


def create_subject() -> None:
    op.create_table(
        "subject",
        sa.Column("random_key", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("discord_id", sa.String(length=64), nullable=False),
        sa.CheckConstraint("kind IN ('member', 'guild')", name=op.f("ck_subject_kind_known")),
        sa.CheckConstraint("length(discord_id) BETWEEN 1 AND 64", name=op.f("ck_subject_discord_id_length")),
        sa.CheckConstraint("length(random_key) BETWEEN 32 AND 32", name=op.f("ck_subject_random_key_length")),
        sa.PrimaryKeyConstraint("random_key", name=op.f("pk_subject")),
        sa.UniqueConstraint("kind", "discord_id", name=op.f("uq_subject_kind_discord_id")),
    )


def create_model() -> None:
    op.create_table(
        "model",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("algorithm", sa.String(length=64), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("dataset", sa.String(length=255), nullable=False),
        sa.Column("data_hash", sa.String(length=128), nullable=True),
        sa.Column("synthetic", sa.Boolean(create_constraint=True, name="synthetic"), nullable=False),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=True),
        sa.CheckConstraint("length(id) BETWEEN 1 AND 128", name=op.f("ck_model_id_length")),
        sa.CheckConstraint("length(sha256) = 64 AND sha256 = lower(sha256)", name=op.f("ck_model_sha256_is_hex")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model")),
    )


def create_experiment() -> None:
    op.create_table(
        "experiment",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("model_a", sa.String(length=128), nullable=False),
        sa.Column("model_b", sa.String(length=128), nullable=False),
        sa.Column("explore_rate", sa.Double(), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "ended_at IS NULL OR (started_at IS NOT NULL AND ended_at >= started_at)",
            name=op.f("ck_experiment_ends_after_it_starts"),
        ),
        sa.CheckConstraint("explore_rate >= 0 AND explore_rate <= 1", name=op.f("ck_experiment_explore_rate_in_range")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 64", name=op.f("ck_experiment_name_length")),
        sa.CheckConstraint("length(salt) BETWEEN 1 AND 64", name=op.f("ck_experiment_salt_length")),
        sa.ForeignKeyConstraint(["model_a"], ["model.id"], name=op.f("fk_experiment_model_a_model")),
        sa.ForeignKeyConstraint(["model_b"], ["model.id"], name=op.f("fk_experiment_model_b_model")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment")),
        sa.UniqueConstraint("name", name=op.f("uq_experiment_name")),
        sqlite_autoincrement=True,
    )


def create_request() -> None:
    op.create_table(
        "request",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("guild_key", sa.String(length=32), nullable=True),
        sa.Column("member_key", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("command", sa.String(length=64), nullable=False),
        sa.Column("k", sa.Integer(), nullable=False),
        sa.Column("familiarity", sa.String(length=16), nullable=True),
        sa.Column("locale", sa.String(length=16), nullable=True),
        sa.Column("seed_artist_id", sa.BigInteger(), nullable=True),
        sa.Column("match_kind", sa.String(length=16), nullable=True),
        sa.Column("match_score", sa.Double(), nullable=True),
        sa.Column("experiment_id", ROW_ID, nullable=True),
        sa.Column("assignment_seed", sa.BigInteger(), nullable=True),
        sa.Column("shuffled", sa.Boolean(create_constraint=True, name="shuffled"), nullable=False),
        sa.Column("latency_ms", sa.Double(), nullable=True),
        sa.Column("n_candidates", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("abstained", sa.Boolean(create_constraint=True, name="abstained"), nullable=False),
        sa.Column("undelivered", sa.Boolean(create_constraint=True, name="undelivered"), nullable=False),
        sa.Column("is_test", sa.Boolean(create_constraint=True, name="is_test"), nullable=False),
        sa.CheckConstraint(
            "familiarity IS NULL OR familiarity IN ('familiar', 'balanced', 'deep')",
            name=op.f("ck_request_familiarity_known"),
        ),
        sa.CheckConstraint(
            "match_kind IS NULL OR match_kind IN ('exact', 'alias', 'fuzzy', 'chosen', 'autocomplete')",
            name=op.f("ck_request_match_kind_known"),
        ),
        sa.CheckConstraint(
            "outcome IN ('answered', 'too_few', 'ambiguous', 'not_found')", name=op.f("ck_request_outcome_known")
        ),
        sa.CheckConstraint(
            "outcome NOT IN ('ambiguous', 'not_found') OR seed_artist_id IS NULL",
            name=op.f("ck_request_nothing_understood_has_no_seed"),
        ),
        sa.CheckConstraint(
            "source IN ('prefix', 'slash', 'mention', 'button', 'context_menu', 'console', 'api')",
            name=op.f("ck_request_source_known"),
        ),
        sa.CheckConstraint("k >= 1", name=op.f("ck_request_k_in_range")),
        sa.CheckConstraint(
            "latency_ms >= 0 AND latency_ms <= 1000000000.0", name=op.f("ck_request_latency_ms_in_range")
        ),
        sa.CheckConstraint("length(command) BETWEEN 1 AND 64", name=op.f("ck_request_command_length")),
        sa.CheckConstraint("length(guild_key) BETWEEN 32 AND 32", name=op.f("ck_request_guild_key_length")),
        sa.CheckConstraint("length(locale) BETWEEN 1 AND 16", name=op.f("ck_request_locale_length")),
        sa.CheckConstraint("length(member_key) BETWEEN 32 AND 32", name=op.f("ck_request_member_key_length")),
        sa.CheckConstraint("match_kind IS NULL OR seed_artist_id IS NOT NULL", name=op.f("ck_request_match_has_seed")),
        sa.CheckConstraint("match_score >= 0 AND match_score <= 1", name=op.f("ck_request_match_score_in_range")),
        sa.CheckConstraint("match_score IS NULL OR match_kind IS NOT NULL", name=op.f("ck_request_score_has_match")),
        sa.CheckConstraint("n_candidates >= 0", name=op.f("ck_request_n_candidates_in_range")),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_request_experiment_id_experiment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_request_created_at"), "request", ["created_at"])
    op.create_index(op.f("ix_request_experiment_id"), "request", ["experiment_id"])
    op.create_index(op.f("ix_request_guild_key"), "request", ["guild_key"])
    op.create_index(op.f("ix_request_member_key"), "request", ["member_key"])


def create_seed() -> None:
    op.create_table(
        "seed",
        sa.Column("request_id", ROW_ID, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("artist_id", sa.BigInteger(), nullable=False),
        sa.Column("sign", sa.Integer(), nullable=False),
        sa.CheckConstraint("position >= 1", name=op.f("ck_seed_position_in_range")),
        sa.CheckConstraint("sign IN (-1, 1)", name=op.f("ck_seed_sign_known")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_seed_request_id_request"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("request_id", "position", name=op.f("pk_seed")),
    )


def create_impression() -> None:
    op.create_table(
        "impression",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("request_id", ROW_ID, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("artist_id", sa.BigInteger(), nullable=False),
        sa.Column("model_id", sa.String(length=128), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("rank_in_a", sa.Integer(), nullable=True),
        sa.Column("rank_in_b", sa.Integer(), nullable=True),
        sa.Column("propensity", sa.Double(), nullable=False),
        sa.Column("support", sa.Integer(), nullable=True),
        sa.Column("popularity_bucket", sa.Integer(), nullable=True),
        sa.CheckConstraint("team IN ('a', 'b', 'both', 'explore', 'none')", name=op.f("ck_impression_team_known")),
        sa.CheckConstraint(
            "team NOT IN ('a', 'both') OR rank_in_a IS NOT NULL", name=op.f("ck_impression_team_a_ranked_it")
        ),
        sa.CheckConstraint(
            "team NOT IN ('b', 'both') OR rank_in_b IS NOT NULL", name=op.f("ck_impression_team_b_ranked_it")
        ),
        sa.CheckConstraint("page >= 1", name=op.f("ck_impression_page_in_range")),
        sa.CheckConstraint("popularity_bucket >= 0", name=op.f("ck_impression_popularity_bucket_in_range")),
        sa.CheckConstraint("propensity > 0 AND propensity <= 1", name=op.f("ck_impression_propensity_in_0_1")),
        sa.CheckConstraint("rank >= 1", name=op.f("ck_impression_rank_in_range")),
        sa.CheckConstraint("rank_in_a >= 1", name=op.f("ck_impression_rank_in_a_in_range")),
        sa.CheckConstraint("rank_in_b >= 1", name=op.f("ck_impression_rank_in_b_in_range")),
        sa.CheckConstraint("score >= -1e+300 AND score <= 1e+300", name=op.f("ck_impression_score_in_range")),
        sa.CheckConstraint("support >= 0", name=op.f("ck_impression_support_in_range")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_impression_model_id_model")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["request.id"], name=op.f("fk_impression_request_id_request"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_impression")),
        sa.UniqueConstraint("request_id", "rank", name=op.f("uq_impression_request_id_rank")),
        sqlite_autoincrement=True,
    )


def create_vote() -> None:
    op.create_table(
        "vote",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("impression_id", ROW_ID, nullable=False),
        sa.Column("voter_key", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("interaction_id", sa.String(length=128), nullable=False),
        sa.CheckConstraint("(event = 'vote') = (value <> 0)", name=op.f("ck_vote_only_a_vote_has_a_value")),
        sa.CheckConstraint(
            "event IN ('vote', 'retract', 'drill_down', 'page', 'not_this_artist')", name=op.f("ck_vote_event_known")
        ),
        sa.CheckConstraint("length(interaction_id) BETWEEN 1 AND 128", name=op.f("ck_vote_interaction_id_length")),
        sa.CheckConstraint("length(voter_key) BETWEEN 32 AND 32", name=op.f("ck_vote_voter_key_length")),
        sa.CheckConstraint("value IN (-1, 0, 1)", name=op.f("ck_vote_value_known")),
        sa.ForeignKeyConstraint(
            ["impression_id"], ["impression.id"], name=op.f("fk_vote_impression_id_impression"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote")),
        sa.UniqueConstraint("interaction_id", name=op.f("uq_vote_interaction_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_vote_impression_id_voter_key_id"), "vote", ["impression_id", "voter_key", "id"])
    op.create_index(op.f("ix_vote_voter_key"), "vote", ["voter_key"])


def create_taste() -> None:
    op.create_table(
        "taste",
        sa.Column("member_key", sa.String(length=32), nullable=False),
        sa.Column("artist_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("verdict IN ('like', 'dislike')", name=op.f("ck_taste_verdict_known")),
        sa.CheckConstraint("length(member_key) BETWEEN 32 AND 32", name=op.f("ck_taste_member_key_length")),
        sa.PrimaryKeyConstraint("member_key", "artist_id", name=op.f("pk_taste")),
    )


def create_guild_settings() -> None:
    op.create_table(
        "guild_settings",
        sa.Column("guild_key", sa.String(length=32), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("allowed_channels", sa.JSON(), nullable=True),
        sa.Column("rows_per_answer", sa.Integer(), nullable=True),
        sa.Column("cooldown_seconds", sa.Double(), nullable=True),
        sa.Column("votes_enabled", sa.Boolean(create_constraint=True, name="votes_enabled"), nullable=True),
        sa.Column("exploration_enabled", sa.Boolean(create_constraint=True, name="exploration_enabled"), nullable=True),
        sa.Column(
            "prefix_commands_enabled", sa.Boolean(create_constraint=True, name="prefix_commands_enabled"), nullable=True
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "cooldown_seconds >= 0 AND cooldown_seconds <= 86400",
            name=op.f("ck_guild_settings_cooldown_seconds_in_range"),
        ),
        sa.CheckConstraint("length(language) BETWEEN 2 AND 16", name=op.f("ck_guild_settings_language_length")),
        sa.CheckConstraint("length(prefix) BETWEEN 1 AND 16", name=op.f("ck_guild_settings_prefix_length")),
        sa.CheckConstraint(
            "rows_per_answer >= 1 AND rows_per_answer <= 25", name=op.f("ck_guild_settings_rows_per_answer_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["guild_key"], ["subject.random_key"], name=op.f("fk_guild_settings_guild_key_subject"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("guild_key", name=op.f("pk_guild_settings")),
    )


def create_member_preference() -> None:
    op.create_table(
        "member_preference",
        sa.Column("member_key", sa.String(length=32), nullable=False),
        sa.Column("opt_out", sa.Boolean(create_constraint=True, name="opt_out"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_key"],
            ["subject.random_key"],
            name=op.f("fk_member_preference_member_key_subject"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_key", name=op.f("pk_member_preference")),
    )


def create_alias() -> None:
    op.create_table(
        "alias",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("alias_norm", sa.String(length=200), nullable=False),
        sa.Column("artist_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("proposed_by", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'proposed') = (decided_at IS NULL)", name=op.f("ck_alias_decided_when_not_proposed")
        ),
        sa.CheckConstraint("source IN ('member', 'moderator', 'operator')", name=op.f("ck_alias_source_known")),
        sa.CheckConstraint("status IN ('proposed', 'accepted', 'rejected')", name=op.f("ck_alias_status_known")),
        sa.CheckConstraint("length(alias_norm) BETWEEN 1 AND 200", name=op.f("ck_alias_alias_norm_length")),
        sa.CheckConstraint("length(proposed_by) BETWEEN 32 AND 32", name=op.f("ck_alias_proposed_by_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alias")),
        sa.UniqueConstraint("alias_norm", "artist_id", name=op.f("uq_alias_alias_norm_artist_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_alias_accepted",
        "alias",
        ["alias_norm"],
        unique=True,
        sqlite_where=sa.text("status = 'accepted'"),
        postgresql_where=sa.text("status = 'accepted'"),
    )
