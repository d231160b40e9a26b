"""Aliases belong to a server, name their artist, and say who decided.

Revision 0002, after 0001.

What one server's members call an artist is not what the next one's do: an alias is unique per server, and NULL stands
for everywhere.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# SQLite counts up only a column that is spelt INTEGER.
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# NULL is never equal to NULL: without these, an alias could be accepted twice for everywhere.
EVERYWHERE = "guild_key IS NULL"
ACCEPTED = "status = 'accepted'"


def upgrade() -> None:
    # Altering it on SQLite means to build it anew, and what Alembic reads back of a table lacks its CHECK constraints.
    op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM alias")
    op.drop_table("alias")
    create_alias()
    # Nobody noted the names of the artists before.
    op.execute(
        "INSERT INTO alias (id, alias_norm, artist_id, source, status, proposed_by, created_at, decided_at,"
        " artist_name) "
        "SELECT id, alias_norm, artist_id, source, status, proposed_by, created_at, decided_at,"
        " 'artist ' || artist_id FROM kept"
    )
    op.execute("DROP TABLE kept")
    set_next_id()


def downgrade() -> None:
    # 0001 knows no servers: of an alias that several had, the oldest row stays.
    op.execute(
        "CREATE TEMPORARY TABLE kept AS SELECT * FROM alias WHERE NOT EXISTS ("
        "SELECT 1 FROM alias AS older WHERE older.alias_norm = alias.alias_norm AND older.id < alias.id "
        "AND (older.artist_id = alias.artist_id OR (older.status = 'accepted' AND alias.status = 'accepted')))"
    )
    op.drop_table("alias")
    create_alias_0001()
    op.execute(
        "INSERT INTO alias (id, alias_norm, artist_id, source, status, proposed_by, created_at, decided_at) "
        "SELECT id, alias_norm, artist_id, source, status, proposed_by, created_at, decided_at FROM kept"
    )
    op.execute("DROP TABLE kept")
    set_next_id()


def set_next_id() -> None:
    # SQLite counts on from the greatest id by itself.
    if op.get_context().dialect.name == "postgresql":
        op.execute("SELECT setval(pg_get_serial_sequence('alias', 'id'), max(id)) FROM alias")


def create_alias() -> None:
    op.create_table(
        "alias",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("guild_key", sa.String(length=32), nullable=True),
        sa.Column("alias_norm", sa.String(length=200), nullable=False),
        sa.Column("artist_id", sa.BigInteger(), nullable=False),
        sa.Column("artist_name", sa.String(length=255), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("proposed_by", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.CheckConstraint(
            "(status = 'proposed') = (decided_at IS NULL)", name=op.f("ck_alias_decided_when_not_proposed")
        ),
        sa.CheckConstraint("decided_by IS NULL OR decided_at IS NOT NULL", name=op.f("ck_alias_decider_decided")),
        sa.CheckConstraint("source IN ('member', 'moderator', 'operator')", name=op.f("ck_alias_source_known")),
        sa.CheckConstraint("status IN ('proposed', 'accepted', 'rejected')", name=op.f("ck_alias_status_known")),
        sa.CheckConstraint("length(alias_norm) BETWEEN 1 AND 200", name=op.f("ck_alias_alias_norm_length")),
        sa.CheckConstraint("length(artist_name) BETWEEN 1 AND 255", name=op.f("ck_alias_artist_name_length")),
        sa.CheckConstraint("length(decided_by) BETWEEN 32 AND 32", name=op.f("ck_alias_decided_by_length")),
        sa.CheckConstraint("length(guild_key) BETWEEN 32 AND 32", name=op.f("ck_alias_guild_key_length")),
        sa.CheckConstraint("length(proposed_by) BETWEEN 32 AND 32", name=op.f("ck_alias_proposed_by_length")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alias")),
        sa.UniqueConstraint(
            "guild_key", "alias_norm", "artist_id", name=op.f("uq_alias_guild_key_alias_norm_artist_id")
        ),
        sqlite_autoincrement=True,
    )
    create_partial_index("uq_alias_everywhere", ["alias_norm", "artist_id"], EVERYWHERE)
    create_partial_index("uq_alias_accepted", ["guild_key", "alias_norm"], ACCEPTED)
    create_partial_index("uq_alias_accepted_everywhere", ["alias_norm"], f"{ACCEPTED} AND {EVERYWHERE}")
    op.create_index(op.f("ix_alias_proposed_by"), "alias", ["proposed_by"], unique=False)


def create_alias_0001() -> None:
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
    create_partial_index("uq_alias_accepted", ["alias_norm"], ACCEPTED)


def create_partial_index(name: str, columns: list[str], condition: str) -> None:
    op.create_index(
        name, "alias", columns, unique=True, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition)
    )
