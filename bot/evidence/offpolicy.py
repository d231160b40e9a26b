"""What a position does to a vote, and what each model's own list would have earned: from propensities, not guesses."""

from dataclasses import dataclass

import numpy as np

from bot.evidence.comparing import effective_number
from bot.evidence.drafting import MAX_PAGE_ROWS
from bot.evidence.rates import Z, voted_rows
from bot.feedback.log import Codes, FeedbackLog, Flags, Floats, Ints, Side

# A row that had one chance in a hundred to stand where it stood would count for a hundred others.
MAX_WEIGHT = 20.0


@dataclass(frozen=True, slots=True)
class Position:
    """How often a row at this rank of a shuffled answer gets a vote: ``gamma`` relative to the first rank.

    ``low``, ``high`` : of the ratio, 95 %; the first rank's own votes are as much chance as the others'.
    """

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
    Katz, Baptista, Azen & Pike (1978), Obtaining confidence intervals for the risk ratio, Biometrics 34; with half a
    vote added (Walter 1975), so that a rank without votes has one too.
    """
    shuffled = _first_page(log) & _of_requests(log, log.requests.shuffled)
    ranks = log.impressions.rank[shuffled].astype(np.int64)
    shown = np.bincount(ranks, minlength=MAX_PAGE_ROWS + 1)[1:]
    voted = np.bincount(ranks[voted_rows(log)[shuffled] > 0], minlength=MAX_PAGE_ROWS + 1)[1:]
    if not voted[0]:
        return ()  # without a vote at the first rank there is nothing to relate to
    first = voted[0] / shown[0]
    low, high = ratio_interval(voted, shown, int(voted[0]), int(shown[0]))
    return tuple(
        Position(
            rank=rank + 1,
            shown=int(shown[rank]),
            voted=int(voted[rank]),
            gamma=float(voted[rank] / shown[rank] / first),
            low=float(low[rank]) if rank else 1.0,  # the first rank, by itself
            high=float(high[rank]) if rank else 1.0,
        )
        for rank in np.flatnonzero(shown).tolist()
    )


def ratio_interval(voted: Ints, shown: Ints, voted_first: int, shown_first: int) -> tuple[Floats, Floats]:
    """Bound the ratios of shares to another share, 95 %, elementwise; from 0 where nothing was voted on."""
    x, n, x_first, n_first = voted + 0.5, shown + 0.5, voted_first + 0.5, shown_first + 0.5
    middle = np.log(x / n * n_first / x_first)
    reach = Z * np.sqrt(1 / x - 1 / n + 1 / x_first - 1 / n_first)
    return np.where(voted == 0, 0.0, np.exp(middle - reach)), np.exp(middle + reach)


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
