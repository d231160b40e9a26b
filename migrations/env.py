"""Alembic's entry point, for `segue db upgrade` and for developers.

Segue hands over its own connection. Developers name a database::

    alembic -x url=sqlite:///tmp.sqlite3 revision --autogenerate --rev-id 0002 -m "what changes"
    alembic -x url=postgresql:// upgrade head --sql
"""

from typing import Any, Literal

from alembic import context
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.types import TypeDecorator

from bot.feedback import columns
from bot.feedback.engine import for_writing, open_engine
from bot.feedback.tables import Base


def render_item(_kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """Write our own column types as what they are in the database: a released migration imports nothing of the bot."""
    if isinstance(item, TypeDecorator) and type(item).__module__ == columns.__name__:
        return f"sa.{item.impl_instance!r}"
    return False


def migrate(connection: Connection) -> None:
    """Run the migrations in the transaction of the connection, or in one of their own."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,  # SQLite alters a table only by building it anew
        render_item=render_item,
        transactional_ddl=True,  # Alembic believes that SQLite cannot; with a real BEGIN it can
    )
    with context.begin_transaction():
        context.run_migrations()


def print_sql(url: str) -> None:
    """Print what would be run, for the kind of database that the address names."""
    context.configure(
        dialect_name=make_url(url).get_backend_name(),
        target_metadata=Base.metadata,
        literal_binds=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
elif context.is_offline_mode():
    print_sql(context.get_x_argument(as_dictionary=True)["url"])
else:
    engine = open_engine(context.get_x_argument(as_dictionary=True)["url"], foreign_keys=False)
    with for_writing(engine).begin() as own:
        migrate(own)
    engine.dispose()
