"""What defines an experiment, from the command line and from a chat alike: two models of the store, by their ids."""

from bot.answers import model_record
from bot.feedback.experiments import ExperimentError, Experiments
from bot.feedback.records import ExperimentRecord
from bot.feedback.store import FeedbackStore
from recommender.artifact import read_manifest
from recommender.store import ModelStore, check_id


def define(
    feedback: FeedbackStore,
    models: ModelStore,
    name: str,
    *,
    model_a: str,
    model_b: str,
    explore_rate: float = 0.1,
    guild: str | None = None,
) -> ExperimentRecord:
    """Register two models of the store and define their comparison; blocks on the disk and the database.

    Parameters
    ----------
    model_a, model_b : ids in the store: running bots open them there, so a folder elsewhere is none.
    guild : outside id of the server in which alone it can run; None: everywhere.

    Raises
    ------
    ModelError : there is no such model.
    ExperimentError : only one of the two has synthetic listeners, or see
        :meth:`bot.feedback.experiments.Experiments.define`.
    FeedbackError : it could not be saved.
    """
    a, b = (read_manifest(models.folder(check_id(model))) for model in (model_a, model_b))
    if a.data.synthetic != b.data.synthetic:
        raise ExperimentError(
            "mixed_kinds",
            f"of {a.id} and {b.id} only one has synthetic listeners; answers could not say whose they are: "
            "compare two models of the same kind",
        )
    for card in (a, b):
        feedback.register_model(model_record(card))
    return Experiments(feedback).define(
        name, model_a=a.identity, model_b=b.identity, explore_rate=explore_rate, guild=guild
    )
