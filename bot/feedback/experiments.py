"""Experiments: defined, started, stopped and archived, one at a time."""

import secrets
from collections.abc import Callable
from typing import Any, Literal

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.engine import Connection

from bot.feedback.records import ExperimentRecord
from bot.feedback.store import FeedbackStore
from bot.feedback.tables import Experiment, Model
from recommender.errors import FeedbackError, ParameterError

MAX_NAME_CHARACTERS = 64
Step = Literal["start", "stop", "archive"]

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
).order_by(Experiment.id)
# What has to hold before a step, and what the step sets.
_STEPS: dict[Step, tuple[tuple[str, ...], str]] = {
    "start": (("defined",), "started_at"),
    "stop": (("running",), "ended_at"),
    "archive": (("defined", "stopped"), "archived_at"),
}


class Experiments:
    """The experiments in a feedback database.

    Parameters
    ----------
    store : open.
    """

    def __init__(self, store: FeedbackStore) -> None:
        self._store = store

    def define(self, name: str, *, model_a: str, model_b: str, explore_rate: float = 0.1) -> ExperimentRecord:
        """Define a comparison of two registered models; nothing is shown otherwise until it is started.

        Raises
        ------
        ParameterError : the name is taken or unusable, the rate is no share, or the models are the same.
        FeedbackError : a model is not registered, or nothing could be saved.
        """
        if not 0 < len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
            raise ParameterError(f"experiment name {name!r} is not usable; use 1 to {MAX_NAME_CHARACTERS} characters")
        if not 0 <= explore_rate <= 1:
            raise ParameterError(f"the exploration rate is {explore_rate}; use a share from 0 to 1, such as 0.1")
        if model_a == model_b:
            raise ParameterError(f"both models are {model_a}; an experiment compares two different ones")
        row = {
            "name": name,
            "model_a": model_a,
            "model_b": model_b,
            "explore_rate": explore_rate,
            "salt": secrets.token_hex(16),
            "created_at": self._store.now,
        }

        def job(connection: Connection) -> ExperimentRecord | str:
            if connection.scalar(select(Experiment.id).where(Experiment.name == name)) is not None:
                return f"there is an experiment {name!r} already; choose another name"
            for model in (model_a, model_b):
                if connection.scalar(select(Model.id).where(Model.id == model)) is None:
                    raise FeedbackError(f"model {model} was never registered in this database")
            experiment_id = connection.execute(insert(Experiment).returning(Experiment.id), row).scalar_one()
            return _one(connection, _COLUMNS.where(Experiment.id == experiment_id))

        return self._run(job)

    def take(self, name: str, step: Step) -> ExperimentRecord:
        """Start, stop or archive an experiment.

        Raises
        ------
        ParameterError : there is none of this name, it is not in a state for that, or another one is running.
        """
        now = self._store.now

        def job(connection: Connection) -> ExperimentRecord | str:
            found = connection.execute(_COLUMNS.where(Experiment.name == name)).one_or_none()
            if found is None:
                return _no_such(name)
            experiment = _record(found)
            before, column = _STEPS[step]
            if experiment.state not in before:
                return f"experiment {name!r} is {experiment.state}; {step} takes one that is {' or '.join(before)}"
            running = _running(connection)
            if step == "start" and running is not None:
                return f"experiment {running.name!r} is running; stop it first, one runs at a time"
            connection.execute(update(Experiment).where(Experiment.id == experiment.id).values({column: now}))
            return _one(connection, _COLUMNS.where(Experiment.id == experiment.id))

        return self._run(job)

    def running(self) -> ExperimentRecord | None:
        """Read the experiment that runs now."""
        with self._store.reading() as connection:
            return _running(connection)

    def by_id(self, experiment_id: int) -> ExperimentRecord | None:
        """Read an experiment that an answer was logged with."""
        with self._store.reading() as connection:
            found = connection.execute(_COLUMNS.where(Experiment.id == experiment_id)).one_or_none()
            return None if found is None else _record(found)

    def named(self, name: str) -> ExperimentRecord:
        """Read an experiment.

        Raises
        ------
        ParameterError : there is none of this name.
        """
        for experiment in self.all():
            if experiment.name == name:
                return experiment
        raise ParameterError(_no_such(name))

    def all(self) -> list[ExperimentRecord]:
        """Read all experiments, oldest first."""
        with self._store.reading() as connection:
            return [_record(row) for row in connection.execute(_COLUMNS)]

    def _run(self, job: Callable[[Connection], ExperimentRecord | str]) -> ExperimentRecord:
        outcome = self._store.write(job).result()
        if isinstance(outcome, str):
            raise ParameterError(outcome)
        return outcome


def _no_such(name: str) -> str:
    return f"there is no experiment {name!r}; `segue experiment list` shows all"


def _running(connection: Connection) -> ExperimentRecord | None:
    runs = _COLUMNS.where(
        Experiment.started_at.is_not(None), Experiment.ended_at.is_(None), Experiment.archived_at.is_(None)
    )
    found = connection.execute(runs.limit(1)).one_or_none()
    return None if found is None else _record(found)


def _one(connection: Connection, query: Select[*tuple[Any, ...]]) -> ExperimentRecord:
    return _record(connection.execute(query).one())


def _record(row: Row[*tuple[Any, ...]]) -> ExperimentRecord:
    return ExperimentRecord(*row)
