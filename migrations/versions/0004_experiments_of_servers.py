"""An experiment belongs to one server, or runs everywhere; one runs at a time in each.

Revision 0004, after 0003.

A server's moderators may compare models in their own server. Names are theirs alone, so nobody learns from a refusal
what another server calls its experiments. Going back to 0003 ends them and makes them experiments of everywhere, which
they stay after another upgrade.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# SQLite counts up only a column that is spelt INTEGER.
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
RUNNING = "started_at IS NOT NULL AND ended_at IS NULL"
SCOPE_KNOWN = "scope = 'everywhere' OR length(scope) = 32"


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        # Altering it means to build it anew, and what Alembic reads back of a table lacks its CHECK constraints.
        # Foreign keys are off during an upgrade, so that the requests keep their experiments.
        op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM experiment")
        op.drop_table("experiment")
        create_experiment(with_scope=True)
        op.execute(
            "INSERT INTO experiment (id, scope, name, model_a, model_b, explore_rate, salt, created_at, started_at,"
            " ended_at, archived_at) "
            "SELECT id, 'everywhere', name, model_a, model_b, explore_rate, salt, created_at, started_at,"
            " ended_at, archived_at FROM kept"
        )
        op.execute("DROP TABLE kept")
    else:
        op.add_column(
            "experiment", sa.Column("scope", sa.String(length=32), nullable=False, server_default="everywhere")
        )
        op.alter_column("experiment", "scope", server_default=None)
        op.create_check_constraint(op.f("ck_experiment_scope_known"), "experiment", SCOPE_KNOWN)
        op.drop_constraint(op.f("uq_experiment_name"), "experiment", type_="unique")
        op.create_unique_constraint(op.f("uq_experiment_scope_name"), "experiment", ["scope", "name"])
    op.create_index(
        "uq_experiment_running",
        "experiment",
        ["scope"],
        unique=True,
        sqlite_where=sa.text(RUNNING),
        postgresql_where=sa.text(RUNNING),
    )


def downgrade() -> None:
    # 0003 would run a server's experiment everywhere: it ends. Its name may be taken there, its salt is not.
    op.execute(
        "UPDATE experiment SET ended_at = started_at "
        "WHERE scope <> 'everywhere' AND started_at IS NOT NULL AND ended_at IS NULL"
    )
    op.execute("UPDATE experiment SET name = salt WHERE scope <> 'everywhere'")
    op.drop_index("uq_experiment_running", "experiment")
    if op.get_context().dialect.name == "sqlite":
        op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM experiment")
        op.drop_table("experiment")
        create_experiment(with_scope=False)
        op.execute(
            "INSERT INTO experiment (id, name, model_a, model_b, explore_rate, salt, created_at, started_at,"
            " ended_at, archived_at) "
            "SELECT id, name, model_a, model_b, explore_rate, salt, created_at, started_at,"
            " ended_at, archived_at FROM kept"
        )
        op.execute("DROP TABLE kept")
    else:
        op.drop_constraint(op.f("uq_experiment_scope_name"), "experiment", type_="unique")
        op.drop_constraint(op.f("ck_experiment_scope_known"), "experiment", type_="check")
        op.drop_column("experiment", "scope")
        op.create_unique_constraint(op.f("uq_experiment_name"), "experiment", ["name"])


def create_experiment(*, with_scope: bool) -> None:
    scope = [sa.Column("scope", sa.String(length=32), nullable=False)] if with_scope else []
    rules = (
        [
            sa.CheckConstraint(SCOPE_KNOWN, name=op.f("ck_experiment_scope_known")),
            sa.UniqueConstraint("scope", "name", name=op.f("uq_experiment_scope_name")),
        ]
        if with_scope
        else [sa.UniqueConstraint("name", name=op.f("uq_experiment_name"))]
    )
    op.create_table(
        "experiment",
        sa.Column("id", ROW_ID, nullable=False),
        *scope,
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
        *rules,
        sqlite_autoincrement=True,
    )
