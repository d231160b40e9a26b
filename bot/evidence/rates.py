"""Up-rates of groups of shown rows, each with its Wilson interval and with how many of its rows got a vote at all."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from bot.feedback.log import MATCH_KINDS, SOURCES, TEAMS, FeedbackLog, Floats, Ints

Z = float(norm.isf(0.025))


@dataclass(frozen=True, slots=True)
class Rate:
    """Votes of one group of rows.

    ``shown`` : rows sent; ``voted`` : of these, rows with any vote; ``rate`` : ups among ``votes``, 0 of none, with its
    Wilson interval of 95 %. Silence is no down-vote.
    """

    group: str
    shown: int
    voted: int
    votes: int
    ups: int
    rate: float
    low: float
    high: float

    @property
    def coverage(self) -> float:
        """Share of the shown rows with a vote."""
        return self.voted / self.shown if self.shown else 0.0


def wilson(ups: npt.ArrayLike, votes: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Bound shares by Wilson's interval of 95 %, elementwise; from 0 to 1 where there are no votes.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
    """
    k, n = np.asarray(ups, dtype=np.float64), np.asarray(votes, dtype=np.float64)
    safe = np.maximum(n, 1)
    share = k / safe
    middle = (share + Z**2 / (2 * safe)) / (1 + Z**2 / safe)
    reach = Z / (1 + Z**2 / safe) * np.sqrt(share * (1 - share) / safe + Z**2 / (4 * safe**2))
    nothing = n == 0
    return np.where(nothing, 0.0, np.maximum(middle - reach, 0)), np.where(nothing, 1.0, np.minimum(middle + reach, 1))


def up_rates(log: FeedbackLog) -> dict[str, tuple[Rate, ...]]:
    """Compute up-rates by team, rank, source, match kind and popularity, each group that was shown."""
    shown, of_request = log.impressions, log.requests
    source, kind = of_request.source[shown.request], of_request.match_kind[shown.request]
    return {
        "team": _grouped(log, shown.team.astype(np.int64), [team or "unknown" for team in TEAMS]),
        "rank": _grouped(log, shown.rank.astype(np.int64), None),
        "source": _grouped(log, source.astype(np.int64), [name or "unknown" for name in SOURCES]),
        "match": _grouped(log, kind.astype(np.int64), [name or "no name typed" for name in MATCH_KINDS]),
        "popularity": _by_popularity(log),
    }


def voted_rows(log: FeedbackLog) -> Ints:
    """Count the votes on each shown row, shape (n_impressions,)."""
    return np.bincount(log.votes.impression, minlength=log.impressions.id.size).astype(np.int64)


def _by_popularity(log: FeedbackLog) -> tuple[Rate, ...]:
    # Octaves of listeners: shifted by one, so that "unknown" is a group too.
    groups = log.impressions.bucket.astype(np.int64) + 1
    top = int(groups.max(initial=0))
    names = ["unknown"] + [f"{2**octave:,}-{2 ** (octave + 1) - 1:,} listeners" for octave in range(top)]
    return _grouped(log, groups, names)


def _grouped(log: FeedbackLog, groups: Ints, names: list[str] | None) -> tuple[Rate, ...]:
    if not groups.size:
        return ()
    n_groups = int(groups.max()) + 1
    votes_on = voted_rows(log)
    of_vote = groups[log.votes.impression]
    shown = np.bincount(groups, minlength=n_groups)
    voted = np.bincount(groups[votes_on > 0], minlength=n_groups)
    votes = np.bincount(of_vote, minlength=n_groups)
    ups = np.bincount(of_vote[log.votes.value > 0], minlength=n_groups)
    low, high = wilson(ups, votes)
    return tuple(
        Rate(
            group=str(group) if names is None else names[group],
            shown=int(shown[group]),
            voted=int(voted[group]),
            votes=int(votes[group]),
            ups=int(ups[group]),
            rate=float(ups[group] / votes[group]) if votes[group] else 0.0,
            low=float(low[group]),
            high=float(high[group]),
        )
        for group in np.flatnonzero(shown)
    )
