"""What a position does to a vote, and what each model's own list would have earned: from propensities, not guesses."""

from dataclasses import dataclass

import numpy as np

from bot.evidence.comparing import effective_number
from bot.evidence.drafting import MAX_PAGE_ROWS
from bot.evidence.rates import voted_rows, wilson
from bot.feedback.log import Codes, FeedbackLog, Flags, Floats, Side

# A row that had one chance in a hundred to stand where it stood would count for a hundred others.
MAX_WEIGHT = 20.0


@dataclass(frozen=True, slots=True)
class Position:
    """How often a row at this rank of a shuffled answer gets a vote: ``gamma`` relative to the first rank."""

    rank: int
    shown: int
    voted: int
    gamma: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OffPolicy:
    """What one model's first page, in its own order, earns per row: ups less downs, from -1 to 1.

    ``ips`` : by inverse propensity, weights clipped; ``snips`` : divided by the sum of the weights instead of their
    expectation. ``effective_n`` : rows that the weights are worth. ``support`` : share of the model's rows that the
    logs could show where the model puts them; far from 1, ``ips`` is too small and neither grades what was not shown.
    """

    model: Side
    ips: float
    snips: float
    effective_n: float
    support: float
    clipped: int


def position_bias(log: FeedbackLog) -> tuple[Position, ...]:
    """Estimate the examination of each rank from the answers whose rows came in random order.

    References
    ----------
    Joachims, Swaminathan & Schnabel (2017), Unbiased learning-to-rank with biased feedback, WSDM.
    """
    shuffled = _first_page(log) & _of_requests(log, log.requests.shuffled)
    ranks = log.impressions.rank[shuffled].astype(np.int64)
    shown = np.bincount(ranks, minlength=MAX_PAGE_ROWS + 1)[1:]
    voted = np.bincount(ranks[voted_rows(log)[shuffled] > 0], minlength=MAX_PAGE_ROWS + 1)[1:]
    if not voted.any():
        return ()
    low, high = wilson(voted, shown)
    first = voted[0] / max(shown[0], 1)
    scale = 1 / first if first else 0.0  # without a vote at the first rank there is nothing to relate to
    return tuple(
        Position(
            rank=rank + 1,
            shown=int(shown[rank]),
            voted=int(voted[rank]),
            gamma=float(voted[rank] / shown[rank] * scale),
            low=float(low[rank] * scale),
            high=float(high[rank] * scale),
        )
        for rank in np.flatnonzero(shown).tolist()
    )


def off_policy(log: FeedbackLog) -> tuple[OffPolicy, ...]:
    """Grade both models' own lists from interleaved answers; none when nothing was interleaved."""
    shown = log.impressions
    # Also rows that one model alone had left: they are nobody's in the comparison, but their chances are exact.
    drafted = _first_page(log) & ((shown.rank_in_a > 0) | (shown.rank_in_b > 0))
    if not drafted.any():
        return ()
    # As many rows as the answers had: a server may want pages of four.
    n_rows = int((_first_page(log) & np.isin(shown.request, shown.request[drafted])).sum())
    reward = _mean_votes(log)
    return (
        _graded("a", log, log.impressions.rank_in_a, drafted, reward, n_rows),
        _graded("b", log, log.impressions.rank_in_b, drafted, reward, n_rows),
    )


def _graded(model: Side, log: FeedbackLog, own_rank: Codes, drafted: Flags, reward: Floats, n_rows: int) -> OffPolicy:
    in_place = drafted & (own_rank == log.impressions.rank)
    weights = 1.0 / log.impressions.propensity[in_place]
    clipped = np.minimum(weights, MAX_WEIGHT)
    earned, total = float(clipped @ reward[in_place]), float(clipped.sum())
    return OffPolicy(
        model=model,
        ips=earned / n_rows,
        snips=earned / total if total else 0.0,
        effective_n=effective_number(clipped),
        support=float(weights.sum()) / n_rows,
        clipped=int((weights > MAX_WEIGHT).sum()),
    )


def _mean_votes(log: FeedbackLog) -> Floats:
    """Mean of the votes on each row, 0 where nobody voted."""
    votes = voted_rows(log)
    total = np.bincount(log.votes.impression, weights=log.votes.value, minlength=votes.size)
    return total / np.maximum(votes, 1)


def _first_page(log: FeedbackLog) -> Flags:
    """Rows that are shown without a further click: whether somebody turns the page is not part of a propensity."""
    first: Flags = (log.impressions.page == 1) & (log.impressions.rank <= MAX_PAGE_ROWS)
    return first


def _of_requests(log: FeedbackLog, flags: Flags) -> Flags:
    return flags[log.impressions.request] if flags.size else np.zeros(log.impressions.id.size, dtype=bool)
