"""Experiments: defined, started, stopped and archived; one at a time in each server, and one everywhere else.

What a server's moderators start draws the answers of that server alone, and goes there before what runs everywhere.
"""

import secrets
from collections.abc import Callable
from typing import Any, Literal

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.engine import Connection

from bot.feedback.records import EVERYWHERE, ExperimentRecord, ExperimentState
from bot.feedback.store import FeedbackStore
from bot.feedback.subjects import key_for, known_key
from bot.feedback.tables import Experiment, Model, Subject
from recommender.errors import FeedbackError, ParameterError

MAX_NAME_CHARACTERS = 64
Step = Literal["start", "stop", "archive"]
Why = Literal["bad_name", "bad_rate", "same_model", "mixed_kinds", "name_taken", "unknown", "other_state", "one_runs"]

_COLUMNS = select(
    Experiment.id,
    Experiment.name,
    Experiment.model_a,
    Experiment.model_b,
    Experiment.explore_rate,
    Experiment.salt,
    Experiment.created_at,
    Experiment.started_at,
    Experiment.ended_at,
    Experiment.archived_at,
    Experiment.scope,
).order_by(Experiment.id)
# What has to hold before a step, and what the step sets.
STEPS: dict[Step, tuple[tuple[ExperimentState, ...], str]] = {
    "start": (("defined",), "started_at"),
    "stop": (("running",), "ended_at"),
    "archive": (("defined", "stopped"), "archived_at"),
}
_IS_RUNNING = Experiment.started_at.is_not(None) & Experiment.ended_at.is_(None)


class ExperimentError(ParameterError):
    """What was asked of an experiment cannot be; ``why`` for programs, ``name`` of the one that stands in the way."""

    def __init__(self, why: Why, sentence: str, *, name: str = "", state: ExperimentState | None = None) -> None:
        super().__init__(sentence)
        self.why = why
        self.name = name
        self.state = state


class Experiments:
    """The experiments in a feedback database.

    In all methods ``guild`` is the outside id of the server whose experiments are meant; None: those that run
    everywhere.

    Parameters
    ----------
    store : open.
    """

    def __init__(self, store: FeedbackStore) -> None:
        self._store = store

    def define(
        self, name: str, *, model_a: str, model_b: str, explore_rate: float = 0.1, guild: str | None = None
    ) -> ExperimentRecord:
        """Define a comparison of two registered models; nothing is shown otherwise until it is started.

        Raises
        ------
        ExperimentError : the name is taken or unusable, the rate is no share, or the models are the same.
        FeedbackError : a model is not registered, or nothing could be saved.
        """
        if not 0 < len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
            raise ExperimentError(
                "bad_name", f"experiment name {name!r} is not usable; use 1 to {MAX_NAME_CHARACTERS} characters"
            )
        if not 0 <= explore_rate <= 1:
            raise ExperimentError(
                "bad_rate", f"the exploration rate is {explore_rate}; use a share from 0 to 1, such as 0.1"
            )
        if model_a == model_b:
            raise ExperimentError("same_model", f"both models are {model_a}; an experiment compares two different ones")
        row = {
            "name": name,
            "model_a": model_a,
            "model_b": model_b,
            "explore_rate": explore_rate,
            "salt": secrets.token_hex(16),
            "created_at": self._store.now,
        }

        def job(connection: Connection) -> ExperimentRecord | ExperimentError:
            scope = EVERYWHERE if guild is None else key_for(connection, "guild", guild)
            if connection.execute(_named(scope, name)).one_or_none() is not None:
                sentence = f"there is an experiment {name!r} already; choose another name"
                return ExperimentError("name_taken", sentence, name=name)
            for model in (model_a, model_b):
                if connection.scalar(select(Model.id).where(Model.id == model)) is None:
                    raise FeedbackError(f"model {model} was never registered in this database")
            experiment_id = connection.execute(
                insert(Experiment).returning(Experiment.id), {**row, "scope": scope}
            ).scalar_one()
            return _one(connection, _COLUMNS.where(Experiment.id == experiment_id))

        return self._run(job)

    def take(self, name: str, step: Step, *, guild: str | None = None) -> ExperimentRecord:
        """Start, stop or archive an experiment.

        Raises
        ------
        ExperimentError : there is none of this name, it is not in a state for that, or another one is running.
        """
        now = self._store.now

        def job(connection: Connection) -> ExperimentRecord | ExperimentError:
            scope = _scope(connection, guild)
            found = connection.execute(_named(scope, name)).one_or_none()
            if found is None:
                return _no_such(name)
            experiment = _record(found)
            before, column = STEPS[step]
            if experiment.state not in before:
                sentence = f"experiment {name!r} is {experiment.state}; {step} takes one that is {' or '.join(before)}"
                return ExperimentError("other_state", sentence, name=name, state=experiment.state)
            running = _running(connection, scope)
            if step == "start" and running is not None:
                sentence = f"experiment {running.name!r} is running; stop it first, one runs at a time"
                return ExperimentError("one_runs", sentence, name=running.name)
            connection.execute(update(Experiment).where(Experiment.id == experiment.id).values({column: now}))
            return _one(connection, _COLUMNS.where(Experiment.id == experiment.id))

        return self._run(job)

    def running(self, guild: str | None = None) -> ExperimentRecord | None:
        """Read the experiment of this server, or of everywhere, that runs now."""
        with self._store.reading() as connection:
            return _running(connection, _scope(connection, guild))

    def all_running(self) -> dict[str | None, ExperimentRecord]:
        """Read what runs now, by the outside id of its server; None: everywhere."""
        query = _COLUMNS.add_columns(Subject.discord_id).outerjoin(
            Subject, (Subject.random_key == Experiment.scope) & (Subject.kind == "guild")
        )
        with self._store.reading() as connection:
            found = [(_record(row[:-1]), row[-1]) for row in connection.execute(query.where(_IS_RUNNING))]
        # Nobody can be asked in a server whose subject was deleted.
        return {guild: one for one, guild in found if guild is not None or one.scope == EVERYWHERE}

    def by_id(self, experiment_id: int) -> ExperimentRecord | None:
        """Read an experiment that an answer was logged with."""
        with self._store.reading() as connection:
            found = connection.execute(_COLUMNS.where(Experiment.id == experiment_id)).one_or_none()
            return None if found is None else _record(found)

    def named(self, name: str, *, guild: str | None = None) -> ExperimentRecord:
        """Read an experiment.

        Raises
        ------
        ExperimentError : there is none of this name.
        """
        with self._store.reading() as connection:
            found = connection.execute(_named(_scope(connection, guild), name)).one_or_none()
        if found is None:
            raise _no_such(name)
        return _record(found)

    def of(self, guild: str | None) -> list[ExperimentRecord]:
        """Read the experiments of this server, or of everywhere, oldest first."""
        with self._store.reading() as connection:
            scope = _scope(connection, guild)
            return [_record(row) for row in connection.execute(_COLUMNS.where(Experiment.scope == scope))]

    def all(self) -> list[ExperimentRecord]:
        """Read the experiments of all servers and of everywhere, oldest first."""
        with self._store.reading() as connection:
            return [_record(row) for row in connection.execute(_COLUMNS)]

    def _run(self, job: Callable[[Connection], ExperimentRecord | ExperimentError]) -> ExperimentRecord:
        outcome = self._store.write(job).result()
        if isinstance(outcome, ExperimentError):
            raise outcome
        return outcome


def _scope(connection: Connection, guild: str | None) -> str:
    """Return the scope of a server; of one that was never logged one that matches nothing."""
    return EVERYWHERE if guild is None else known_key(connection, "guild", guild) or ""


def _no_such(name: str) -> ExperimentError:
    return ExperimentError(
        "unknown",
        f"there is no experiment {name!r}; `segue experiment list` shows all, those of one server need --server",
        name=name,
    )


def _named(scope: str, name: str) -> Select[*tuple[Any, ...]]:
    return _COLUMNS.where(Experiment.scope == scope, Experiment.name == name)


def _running(connection: Connection, scope: str) -> ExperimentRecord | None:
    found = connection.execute(_COLUMNS.where(Experiment.scope == scope, _IS_RUNNING)).one_or_none()
    return None if found is None else _record(found)


def _one(connection: Connection, query: Select[*tuple[Any, ...]]) -> ExperimentRecord:
    return _record(connection.execute(query).one())


def _record(row: Row[*tuple[Any, ...]] | tuple[Any, ...]) -> ExperimentRecord:
    return ExperimentRecord(*row)
