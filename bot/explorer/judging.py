"""The evaluation page's figures: what each table is like, how far models agree, and a report made elsewhere."""

import json
import math
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from bot.explorer.replies import AgreementReply, EstimateReply, EvaluationReply, FiguresReply, ReportFigure
from bot.explorer.shelf import Shelf
from recommender.agreement import Estimate, agreement, table_figures
from recommender.artifact import open_artifact
from recommender.errors import DataError

SAID = (
    "Computed from the models alone, over the first ten rows of each list; intervals are 95 %, by the bootstrap over "
    "artists. They say how the tables differ, not which one people like better."
)
MAX_REPORT_BYTES = 5_000_000


def judge(shelf: Shelf, report: list[ReportFigure], *, seed: int = 0) -> EvaluationReply:
    """Compute the figures of all models on the shelf.

    Parameters
    ----------
    shelf : the models.
    report : figures from elsewhere, shown beside.
    seed : of the bootstrap.
    """
    artifacts = [(model.model_id, open_artifact(model.folder, verify=False)) for model in shelf]
    figures = []
    for model_id, artifact in artifacts:
        found = table_figures(
            artifact.neighbour_idx, artifact.support, artifact.listeners, rng=np.random.default_rng(seed)
        )
        figures.append(
            FiguresReply(
                model=model_id,
                answered=round(found.answered, 4),
                coverage=round(found.coverage, 4),
                hub_skew=round(found.hub_skew, 3),
                largest_hub=found.largest_hub,
                shared=_reply(found.shared),
                familiarity=_reply(found.familiarity),
            )
        )
    agreements = []
    for (id_a, a), (id_b, b) in combinations(artifacts, 2):
        share = agreement(a.artist_ids, a.neighbour_idx, b.artist_ids, b.neighbour_idx, rng=np.random.default_rng(seed))
        if share.n:
            agreements.append(AgreementReply(first=id_a, second=id_b, share=_reply(share)))
    return EvaluationReply(figures=figures, agreements=agreements, report=report, said=SAID)


def read_report(path: Path) -> list[ReportFigure]:
    """Read figures of models: what ``segue evaluate --json`` printed, or ``{system: {metric: value}}``.

    A value is a number or an object with ``mean`` and, where known, ``low`` and ``high``; what is neither is left out.

    Raises
    ------
    DataError : it cannot be read, or holds no figure.
    """
    try:
        if path.stat().st_size > MAX_REPORT_BYTES:
            raise DataError(f"{path} is larger than {MAX_REPORT_BYTES:,} bytes; name the JSON of an evaluation")
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as err:
        raise DataError(f"{path} cannot be read as JSON: {err}; name the JSON of an evaluation") from err
    systems = content.get("systems", content) if isinstance(content, dict) else {}
    figures = [
        figure
        for system, metrics in systems.items()
        if isinstance(metrics, dict)
        for metric, value in metrics.items()
        if (figure := _figure(str(system), str(metric), value)) is not None
    ]
    if not figures:
        raise DataError(f"{path} holds no figures; write {{system: {{metric: number or mean, low, high}}}}")
    return figures


def _figure(system: str, metric: str, value: object) -> ReportFigure | None:
    parts: Mapping[str, Any] = value if isinstance(value, dict) else {"mean": value}
    numbers = {name: _number(parts.get(name)) for name in ("mean", "low", "high")}
    mean = numbers["mean"]
    if mean is None:
        return None
    return ReportFigure(system=system[:80], metric=metric[:80], value=mean, low=numbers["low"], high=numbers["high"])


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number and isinstance(value, int | float) else None


def _reply(estimate: Estimate) -> EstimateReply:
    if estimate.n == 0:
        return EstimateReply(mean=0.0, low=0.0, high=0.0, n=0)
    return EstimateReply(
        mean=round(estimate.mean, 4), low=round(estimate.low, 4), high=round(estimate.high, 4), n=estimate.n
    )
