"""The version of the feedback database: which one it has, and the way to the one this code needs."""

import logging
import os
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import inspect
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import OperationalError

from bot.feedback.engine import database_name, failures_explained, for_writing, is_locked, open_engine, sqlite_file
from recommender.errors import FeedbackError

log = logging.getLogger(__name__)

# Two instances on one PostgreSQL upgrade one after the other; the number only has to be the same in both.
_ADVISORY_LOCK = 0x5E60E
_RETRY_SECONDS = 0.05


def migrations_folder() -> Path:
    """Find Alembic's folder: inside the package in an installed wheel, beside it in a checkout.

    Raises
    ------
    FeedbackError : it is in neither place.
    """
    package = Path(__file__).resolve().parents[1]
    # The wheel's place first: site-packages may hold somebody else's `migrations`.
    for folder in (package / "migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise FeedbackError(f"the migrations are missing beside {package}; install Segue again")


def alembic_config(connection: Connection | None = None) -> Config:
    """Configure Alembic's commands without a file; they run in the given connection's transaction."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return config


def upgrade_database(url: str, *, busy_timeout: float = 30.0) -> tuple[str | None, str]:
    """Bring a feedback database to the version that this code needs; create it when there is none.

    All of it happens in one transaction: it is upgraded, or it is as before. Several processes may do it at once.

    Parameters
    ----------
    url : SQLAlchemy address.
    busy_timeout : seconds to wait for another process, >= 0.

    Returns
    -------
    The revision before (None for a new database) and the revision now.

    Raises
    ------
    FeedbackError : the address, the file, the disk or a newer Segue stands in the way; says which.
    """
    # A migration that rebuilds a table drops the old one: with foreign keys on, that would delete what refers to it.
    engine = open_engine(url, busy_timeout=busy_timeout, foreign_keys=False)
    give_up_at = time.monotonic() + busy_timeout
    try:
        with failures_explained(engine.url):
            _create_file(engine.url)
            while True:
                try:
                    return _upgrade(engine)
                except OperationalError as err:
                    # Switching a new file to WAL fails at once, whatever the busy timeout, when two do it together.
                    if not is_locked(err) or time.monotonic() >= give_up_at:
                        raise
                time.sleep(_RETRY_SECONDS)
    finally:
        engine.dispose()


def database_revision(url: str) -> str | None:
    """Return the version of a feedback database, None when it is missing or empty; creates nothing.

    Raises
    ------
    FeedbackError : the address is malformed, or the database cannot be read.
    """
    engine = open_engine(url)
    try:
        return _revision_of(engine)
    finally:
        engine.dispose()


def upgrade_ahead(url: str) -> tuple[str | None, str]:
    """Say what :func:`upgrade_database` would do, and change nothing.

    Returns
    -------
    The revision that is there (None: no database, or an empty one) and the one that it would be brought to.

    Raises
    ------
    FeedbackError : the address, the file or a newer Segue would stand in the way; says which.
    """
    engine = open_engine(url)
    try:
        script = ScriptDirectory.from_config(alembic_config())
        before = _revision_of(engine)
        _refuse_unknown(engine.url, before, script)
        file = sqlite_file(engine.url)
        if before is None and file is not None and file.exists():
            with failures_explained(engine.url), engine.connect() as connection:
                _refuse_foreign_tables(connection)
        return before, str(script.get_current_head())
    finally:
        engine.dispose()


def require_current(engine: Engine) -> None:
    """Refuse a database that this code does not fit.

    Raises
    ------
    FeedbackError : it is missing, older, or newer; says what to do.
    """
    found, script = _revision_of(engine), ScriptDirectory.from_config(alembic_config())
    _refuse_unknown(engine.url, found, script)
    if found != script.get_current_head():
        state = "is not set up" if found is None else f"has the older version {found}"
        raise FeedbackError(f"feedback database {database_name(engine.url)} {state}; run `segue db upgrade`")


def _upgrade(engine: Engine) -> tuple[str | None, str]:
    with for_writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        config = alembic_config(connection)
        script = ScriptDirectory.from_config(config)
        before = MigrationContext.configure(connection).get_current_revision()
        _refuse_unknown(engine.url, before, script)
        if before is None:
            _refuse_foreign_tables(connection)
        command.upgrade(config, "head")
        _refuse_broken_references(connection)
        after = str(script.get_current_head())
    if before != after:
        log.info("upgraded the feedback database: from=%s to=%s", before, after)
    return before, after


def _revision_of(engine: Engine) -> str | None:
    file = sqlite_file(engine.url)
    with failures_explained(engine.url):
        if file is not None and not file.exists():
            return None  # SQLite would create it
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()


def _create_file(url: URL) -> None:
    """Create an SQLite file that only its owner can read; SQLite gives its WAL the same permissions."""
    file = sqlite_file(url)
    if file is None or file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        log.debug("another process created the feedback database meanwhile")


def _refuse_unknown(url: URL, revision: str | None, script: ScriptDirectory) -> None:
    if revision is None:
        return
    try:
        script.get_revision(revision)
    except CommandError as err:
        raise FeedbackError(
            f"feedback database {database_name(url)} has version {revision}, which this Segue does not know: "
            "it was made by a newer one; install that, or set SEGUE_DATABASE_URL to another database"
        ) from err


def _refuse_foreign_tables(connection: Connection) -> None:
    # On a server, other tables in the same schema are normal; an SQLite file belongs to one program.
    if connection.dialect.name != "sqlite":
        return
    tables = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
    if tables:
        raise FeedbackError(
            f"{database_name(connection.engine.url)} holds another program's tables ({', '.join(tables[:3])}); "
            "set SEGUE_DATABASE_URL to another file"
        )


def _refuse_broken_references(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
        raise FeedbackError(
            f"the upgrade of {database_name(connection.engine.url)} would leave {len(broken)} rows without what they "
            f"refer to (the first in {broken[0][0]}); nothing was changed: please report it"
        )
