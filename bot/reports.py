"""The report of what is in a feedback database: the log as arrays, the models of the experiment, and the evidence."""

from datetime import datetime

from bot.evidence.reporting import ModelMetrics, Report, report
from bot.feedback.promotions import metrics_of
from bot.feedback.reading import read_log
from bot.feedback.records import ExperimentRecord
from bot.feedback.store import FeedbackStore


def report_of(
    store: FeedbackStore,
    experiment: ExperimentRecord | None,
    *,
    since: datetime | None = None,
    guild: str | None = None,
) -> Report:
    """Compute the report of one experiment, or of all answers.

    Parameters
    ----------
    store : open.
    experiment : None reports everything, without a comparison: teams of two experiments are not the same.
    since : only requests of this time (aware) or later.
    guild : outside id of the server whose answers alone are reported; None: all.
    """
    with store.reading() as connection:
        number = None if experiment is None else experiment.id
        log = read_log(connection, experiment_id=number, since=since, guild=guild)
    if experiment is None:
        return report(log, title="All answers", compares=False)
    models = tuple(
        ModelMetrics(side, model_id, metrics_of(store, model_id))
        for side, model_id in (("a", experiment.model_a), ("b", experiment.model_b))
    )
    return report(log, title=f"Experiment {experiment.name} ({experiment.state})", models=models)
