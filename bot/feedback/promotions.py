"""What is logged of models: their offline metrics, and each change of the one that serves."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from bot.feedback.records import PromotionRecord
from bot.feedback.store import FeedbackStore
from bot.feedback.tables import Model, Promotion
from recommender.errors import FeedbackError


def metrics_of(store: FeedbackStore, model_id: str) -> Mapping[str, Any] | None:
    """Read a model's offline metrics; None when it is unknown here or was never evaluated."""
    with store.reading() as connection:
        return connection.scalar(select(Model.metrics).where(Model.id == model_id))


def record_metrics(store: FeedbackStore, model_id: str, metrics: Mapping[str, Any]) -> None:
    """Keep a registered model's offline metrics in the place of earlier ones.

    Raises
    ------
    FeedbackError : the model is not registered, or nothing could be saved.
    """

    def job(connection: Connection) -> None:
        done = connection.execute(update(Model).where(Model.id == model_id).values(metrics=dict(metrics)))
        if not done.rowcount:
            raise FeedbackError(f"model {model_id} was never registered in this database")

    store.write(job).result()


def record_promotion(store: FeedbackStore, promotion: PromotionRecord) -> None:
    """Log a change of the serving model; waits for the commit."""
    row = asdict(promotion) | {"evidence": dict(promotion.evidence)}
    store.write(lambda connection: connection.execute(insert(Promotion), row)).result()


def promotions(store: FeedbackStore) -> list[PromotionRecord]:
    """Read all changes of the serving model, oldest first."""
    query = select(
        Promotion.model_id,
        Promotion.previous_id,
        Promotion.kind,
        Promotion.is_override,
        Promotion.reason,
        Promotion.evidence,
        Promotion.created_at,
    ).order_by(Promotion.id)
    with store.reading() as connection:
        return [PromotionRecord(*row) for row in connection.execute(query)]
