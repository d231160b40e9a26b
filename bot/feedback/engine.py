"""The engine of the feedback database: settings that keep an acknowledged vote, and a sentence for each failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from recommender.errors import FeedbackError
from recommender.folders import at_home

# By the beginning of SQLite's own name of the error: SQLITE_BUSY also covers SQLITE_BUSY_SNAPSHOT.
_SQLITE_FAILURES = {
    "SQLITE_FULL": "the disk is full; free some space and try again",
    "SQLITE_BUSY": "another program keeps the database locked; stop that program, or try again later",
    "SQLITE_LOCKED": "another program keeps the database locked; stop that program, or try again later",
    "SQLITE_NOTADB": "this file is not a database; move it away, or set SEGUE_DATABASE_URL to another file",
    "SQLITE_CORRUPT": "the database is damaged; put a backup in its place",
    "SQLITE_READONLY": "the database cannot be written; check the permissions of the file and of its folder",
    "SQLITE_CANTOPEN": "the database cannot be opened; check that the file and its folder exist and can be written",
    "SQLITE_IOERR": "the disk cannot be read or written; check that it is healthy and has free space",
}


def open_engine(url: str, *, busy_timeout: float = 5.0, foreign_keys: bool = True) -> Engine:
    """Make the engine of a feedback database, without touching the database yet.

    Parameters
    ----------
    url : SQLAlchemy address of an SQLite file or of a PostgreSQL database.
    busy_timeout : seconds that SQLite waits for a lock, >= 0.
    foreign_keys : switched off only while migrations rebuild tables.

    Raises
    ------
    FeedbackError : the address is malformed, or names a database or a driver that cannot be used.
    """
    parsed = _parse(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    try:
        # A server may have been restarted meanwhile: a connection that is gone is found before a vote is lost on it.
        options: dict[str, Any] = {"connect_args": {"timeout": busy_timeout}} if is_sqlite else {"pool_pre_ping": True}
        engine = create_engine(parsed, **options)
    except NoSuchModuleError as err:
        raise FeedbackError(f"the driver {parsed.drivername!r} in SEGUE_DATABASE_URL is unknown; use sqlite") from err
    except ImportError as err:
        raise FeedbackError(
            f"SEGUE_DATABASE_URL needs the Python package {err.name!r}, which is missing; install it, or use sqlite"
        ) from err
    except ArgumentError as err:
        raise FeedbackError(_malformed()) from err
    if engine.dialect.is_async:
        raise FeedbackError(
            f"the driver {parsed.drivername!r} in SEGUE_DATABASE_URL is an asynchronous one; use the plain one"
        )
    if is_sqlite:
        _listen_sqlite(engine, foreign_keys=foreign_keys)
    return engine


def database_name(url: URL) -> str:
    """Name a database to a person: the file's path, or the address without its password."""
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def sqlite_file(url: URL) -> Path | None:
    """Return the file of an SQLite database, None for a database server."""
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


def explain(url: URL, err: Exception) -> FeedbackError:
    """Turn what a driver or the file system reported into a sentence that says what to do.

    The parameters of the statement stay out of it: they name members.
    """
    where = f"feedback database {database_name(url)}"
    if isinstance(err, IntegrityError):
        return FeedbackError(f"{where}: a row was refused ({err.orig}); nothing of it was saved")
    if isinstance(err, DBAPIError):
        reported = str(getattr(err.orig, "sqlite_errorname", ""))
        for failure, sentence in _SQLITE_FAILURES.items():
            if reported.startswith(failure):
                return FeedbackError(f"{where}: {sentence}")
        return FeedbackError(f"{where}: {str(err.orig).strip() or type(err.orig).__name__}")
    if isinstance(err, OSError):
        return FeedbackError(f"{where}: {err.strerror or err}; check the folder, its permissions and the free space")
    detail = err.orig if hasattr(err, "orig") else err  # StatementError: a value that its column's type refuses
    return FeedbackError(f"{where}: {detail}")


@contextmanager
def failures_explained(url: URL) -> Iterator[None]:
    """Raise whatever the database or the file system reports as :class:`FeedbackError`."""
    try:
        yield
    except (SQLAlchemyError, OSError) as err:
        raise explain(url, err) from err


def is_locked(err: BaseException | None) -> bool:
    """Tell whether SQLite gave up only because another connection held the lock."""
    orig = getattr(err, "orig", None)
    return str(getattr(orig, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def for_writing(engine: Engine) -> Engine:
    """Return the same engine whose transactions take SQLite's write lock at once.

    A transaction that reads first and asks for the lock later fails without waiting when another one wrote meanwhile.
    """
    return engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as err:
        raise FeedbackError(_malformed()) from err
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise FeedbackError(f"SEGUE_DATABASE_URL names {backend!r}; feedback is kept in sqlite or postgresql")
    if backend == "sqlite" and (
        parsed.query or parsed.database in (None, "", ":memory:") or "\0" in str(parsed.database)
    ):
        raise FeedbackError("SEGUE_DATABASE_URL has to name a file, such as sqlite:////folder/feedback.sqlite3")
    if backend == "sqlite":
        parsed = parsed.set(database=str(at_home(str(parsed.database))))  # .env expands no ~
    return parsed


def _malformed() -> str:
    # Not the address itself: it may hold a password.
    return "SEGUE_DATABASE_URL is malformed; write it like sqlite:////folder/feedback.sqlite3"


def _listen_sqlite(engine: Engine, *, foreign_keys: bool) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # Python's sqlite3 would begin transactions by itself, but not before SELECT, SAVEPOINT or CREATE TABLE.
        connection.isolation_level = None
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise FeedbackError(
                f"feedback database {engine.url.database}: the folder does not allow SQLite's WAL mode; "
                "choose one on a local disk"
            )
        # NORMAL lost 13 % of acknowledged votes in simulated power losses, FULL none (design/reliability.md).
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")
        # What a member had deleted is overwritten, not only unlinked.
        connection.execute("PRAGMA secure_delete = ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
