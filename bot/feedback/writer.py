"""The one thread that writes: what waits is committed together, and nobody hears "saved" before that.

One commit with synchronous=FULL costs a flush of the disk. Threads that each commit their own row share about 200 of
them a second; a group shares one (design/reliability.md: 206/s against 10,808/s).
"""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, ProgrammingError

from bot.feedback.engine import explain, for_writing
from recommender.errors import FeedbackError

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_BATCH = 256


@dataclass(slots=True)
class _Entry:
    job: Callable[[Connection], Any]
    future: Future[Any] = field(default_factory=Future)
    result: Any = None
    error: Exception | None = None


class Writer:
    """Runs jobs one after the other in grouped transactions.

    A job is a function of a connection. It may run twice, so it does nothing but SQL.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = for_writing(engine)
        self._waiting: SimpleQueue[_Entry | None] = SimpleQueue()
        self._lock = threading.Lock()  # nothing enters behind the mark that ends the thread
        self._closed = False
        # Not a daemon: the interpreter waits at exit until what was accepted is committed.
        self._thread = threading.Thread(target=self._run, name="feedback-writer")
        self._thread.start()

    def submit(self, job: Callable[[Connection], T]) -> Future[T]:
        """Queue a job; its future resolves after COMMIT, or fails with :class:`FeedbackError`.

        A future that is cancelled before its turn is not run; afterwards cancelling changes nothing.
        """
        entry = _Entry(job)
        with self._lock:
            if self._closed:
                raise FeedbackError("the feedback database is closed; nothing was saved")
            self._waiting.put(entry)
        return entry.future

    @property
    def n_waiting(self) -> int:
        """About how many jobs wait for their turn."""
        return self._waiting.qsize()

    @property
    def is_alive(self) -> bool:
        """Whether jobs are taken and done."""
        return self._thread.is_alive() and not self._closed

    def close(self) -> None:
        """Commit everything that was accepted, then end the thread."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            self._write(first)

    def _write(self, first: _Entry) -> None:
        entries = self._batch(first)
        batch: list[_Entry] = []
        try:
            with self._engine.begin() as connection:
                for entry in entries:
                    batch.append(entry)
                    self._attempt(connection, entry)
        except Exception as err:  # noqa: BLE001 - whatever it is, each caller hears of it and the thread goes on
            batch.extend(entries)  # the lock is not waited for again by each of those who waited meanwhile
            log.warning("lost a batch of feedback: rows=%d reason=%s", len(batch), explain(self._engine.url, err))
            for entry in batch:
                entry.error = err
        for entry in batch:
            self._resolve(entry)

    def _batch(self, first: _Entry) -> Iterator[_Entry]:
        """Yield an entry and what waits behind it, also what comes in while the batch runs."""
        entry: _Entry | None = first
        n_taken = 0
        while entry is not None:
            if entry.future.set_running_or_notify_cancel():
                yield entry
            n_taken += 1
            if n_taken == MAX_BATCH:
                return
            try:
                entry = self._waiting.get_nowait()
            except Empty:
                return
        self._waiting.put(None)  # the mark that ends the thread, for after this batch

    def _attempt(self, connection: Connection, entry: _Entry) -> None:
        try:
            try:
                entry.result = _run_alone(connection, entry.job)
            except IntegrityError:
                # A second instance may have written the same key or click in between: a second look will see it.
                entry.result = _run_alone(connection, entry.job)
        except Exception as err:
            if _loses_transaction(err):
                raise
            entry.error = err

    def _resolve(self, entry: _Entry) -> None:
        if entry.error is None:
            entry.future.set_result(entry.result)
            return
        failure = entry.error
        if not isinstance(failure, FeedbackError):
            failure = explain(self._engine.url, entry.error)
            failure.__cause__ = entry.error
        entry.future.set_exception(failure)


def _run_alone(connection: Connection, job: Callable[[Connection], T]) -> T:
    """Run a job in a savepoint, so that a bad row takes back itself and not its neighbours."""
    # The driver's cursor: Connection.begin_nested compiles three statements each time, 210 of a vote's 420 us.
    cursor = connection.connection.cursor()
    cursor.execute("SAVEPOINT job")
    try:
        result = job(connection)
    except Exception as err:
        if not _loses_transaction(err):
            cursor.execute("ROLLBACK TO SAVEPOINT job")
        raise
    cursor.execute("RELEASE SAVEPOINT job")
    return result


def _loses_transaction(err: Exception) -> bool:
    # Disk full, disk error: SQLite may have rolled back everything, and what follows would commit row by row. Only what
    # is surely about the one row stays with that row.
    return isinstance(err, DBAPIError) and (not isinstance(err, _ABOUT_ONE_ROW) or err.connection_invalidated)


_ABOUT_ONE_ROW = (IntegrityError, DataError, ProgrammingError, InterfaceError)
