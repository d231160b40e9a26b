"""The report: coverage first, then the comparison, then rates, positions and off-policy values, as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from bot.evidence.comparing import Comparison, compare, credit
from bot.evidence.offpolicy import OffPolicy, Position, off_policy, position_bias
from bot.evidence.rates import Rate, up_rates, voted_rows
from bot.feedback.log import OUTCOMES, TEAM_CODES, FeedbackLog


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much was asked, and how much of it anybody voted on.

    ``members`` asked, ``voters`` voted; ``answered`` : requests that got rows. ``top_voter_share`` and
    ``top_seed_share`` : of all votes, the busiest person's and the most-asked artist's.
    """

    requests: int
    answered: int
    members: int
    rows: int
    voters: int
    votes: int
    ups: int
    answers_with_a_vote: int
    rows_with_a_vote: int
    top_voter_share: float
    top_seed_share: float


@dataclass(frozen=True, slots=True)
class ModelMetrics:
    """A model's part in a comparison, with what it reached offline (None: never evaluated)."""

    side: str
    model_id: str
    metrics: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is reported; ``comparison`` is None where no models were compared.

    ``agreement`` : whether offline metrics and votes favour the same model, in words.
    """

    title: str
    coverage: Coverage
    comparison: Comparison | None
    up_rates: Mapping[str, tuple[Rate, ...]]
    positions: tuple[Position, ...]
    off_policy: tuple[OffPolicy, ...]
    models: tuple[ModelMetrics, ...] = field(default=())
    agreement: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values, for JSON; each rate with its coverage."""
        values = asdict(self)
        values["up_rates"] = {
            name: [asdict(rate) | {"coverage": rate.coverage} for rate in rates]
            for name, rates in self.up_rates.items()
        }
        return values


def report(log: FeedbackLog, *, title: str, models: tuple[ModelMetrics, ...] = (), compares: bool = True) -> Report:
    """Compute the report of a log.

    Parameters
    ----------
    log : the log.
    title : what it is about.
    models : those of the experiment, A first; none outside of one.
    compares : whether A and B are the same two models in all of the log.
    """
    teams = log.impressions.team
    drafted = bool(np.isin(teams, [TEAM_CODES[team] for team in ("a", "b", "both")]).any())
    comparison = compare(credit(log)) if compares and drafted else None
    return Report(
        title=title,
        coverage=coverage(log),
        comparison=comparison,
        up_rates=up_rates(log),
        positions=position_bias(log),
        off_policy=off_policy(log) if compares else (),
        models=models,
        agreement=agreement(models, comparison),
    )


def coverage(log: FeedbackLog) -> Coverage:
    """Count what was asked and what was voted on."""
    votes_on = voted_rows(log)
    answered = log.requests.outcome == OUTCOMES.index("answered")
    by_voter = np.bincount(log.votes.voter, minlength=1)
    seeds = log.requests.seed[log.impressions.request[log.votes.impression]]
    by_seed = np.unique(seeds, return_counts=True)[1]
    n_votes = int(log.votes.value.size)
    return Coverage(
        requests=int(log.requests.id.size),
        answered=int(answered.sum()),
        members=int(np.unique(log.requests.member).size),
        rows=int(log.impressions.id.size),
        voters=int(np.count_nonzero(by_voter)),
        votes=n_votes,
        ups=int((log.votes.value > 0).sum()),
        answers_with_a_vote=int(np.unique(log.impressions.request[votes_on > 0]).size),
        rows_with_a_vote=int(np.count_nonzero(votes_on)),
        top_voter_share=float(by_voter.max() / n_votes) if n_votes else 0.0,
        top_seed_share=float(by_seed.max() / n_votes) if n_votes else 0.0,
    )


def agreement(models: tuple[ModelMetrics, ...], comparison: Comparison | None) -> str:
    """Say whether the offline metrics and the votes favour the same of two models; "" where one of them is missing."""
    by_side = {model.side: model.metrics or {} for model in models}
    shared = shared_metrics(by_side.get("a", {}), by_side.get("b", {}))
    if not shared or comparison is None:
        return ""
    better = {name: "a" if of_a > of_b else "b" if of_b > of_a else "neither" for name, (of_a, of_b) in shared.items()}
    offline = ", ".join(f"{name}: {side.upper() if side != 'neither' else side}" for name, side in better.items())
    if comparison.verdict not in ("a", "b"):
        return f"Offline the better one is {offline}; the votes have not decided yet."
    agreeing = sum(side == comparison.verdict for side in better.values())
    return f"Offline the better one is {offline}; the votes agree with {agreeing} of {len(better)}."


def shared_metrics(of_a: Mapping[str, Any], of_b: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Pair the numbers that both models have under one name, in the order of A."""
    return {
        name: (float(value), float(of_b[name]))
        for name, value in of_a.items()
        if all(isinstance(one, int | float) and not isinstance(one, bool) for one in (value, of_b.get(name)))
    }
