"""Which model became the serving one, when, on what evidence, and by whose override.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# SQLite counts up only a column that is spelt INTEGER.
ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "promotion",
        sa.Column("id", ROW_ID, nullable=False),
        sa.Column("model_id", sa.String(length=128), nullable=False),
        sa.Column("previous_id", sa.String(length=128), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("is_override", sa.Boolean(create_constraint=True, name="is_override"), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('promote', 'rollback')", name=op.f("ck_promotion_kind_known")),
        sa.CheckConstraint("NOT is_override OR reason IS NOT NULL", name=op.f("ck_promotion_override_has_reason")),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 500", name=op.f("ck_promotion_reason_length")),
        sa.ForeignKeyConstraint(["model_id"], ["model.id"], name=op.f("fk_promotion_model_id_model")),
        sa.ForeignKeyConstraint(["previous_id"], ["model.id"], name=op.f("fk_promotion_previous_id_model")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("promotion")
