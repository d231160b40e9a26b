"""Which of two interleaved models is better: credit, exact tests, and what one person may not decide.

The unit is one person's say about one answer: d = (up - down) of the rows of A minus the same of B. Under "no
difference" the coins of the draft make each d != 0 positive or negative alike.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaln
from scipy.stats import binomtest, bootstrap, norm

from bot.feedback.log import TEAM_CODES, FeedbackLog, Floats, Ints

PRIOR = 10.0
ALPHA = 0.05
MIN_VOTES = 100
# Of fewer people, no outcome at all is rarer than one in twenty when whole voters are flipped: 2 / 2**5 = 0.06.
MIN_VOTERS = 6
# Below, resampling voters covers about 90 % instead of 95 (design/feedback.md).
MIN_VOTERS_TO_RESAMPLE = 40
N_DRAWS = 2_000
MAX_VOTERS_TO_FLIP = 5_000
MAX_VOTERS_TO_ENUMERATE = 10


@dataclass(frozen=True, slots=True, eq=False)
class Credit:
    """What votes say of A against B: per unit of request and voter, shape (n_units,), in the order of the requests.

    ``d`` : (up - down) of A minus of B, whole numbers, 0 included. ``seed`` : id of the artist that was asked about.
    """

    request: Ints
    voter: Ints
    d: Ints
    seed: Ints
    n_votes: int

    def without(self, voter: int) -> "Credit":
        """Leave one person out."""
        kept = self.voter != voter
        return Credit(self.request[kept], self.voter[kept], self.d[kept], self.seed[kept], self.n_votes)

    def per_request(self) -> Ints:
        """Sum over the voters of each request, in the order of the requests."""
        if not self.request.size:
            return self.d
        _, place = np.unique(self.request, return_inverse=True)
        return np.bincount(place, weights=self.d).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Tally:
    """Wins of A and of B among the answers that decided for one; ``ties`` got votes that did not."""

    wins: int
    losses: int
    ties: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The live comparison of A with B.

    ``win_rate`` : share of decided units that A won, with its interval of 95 %, 0.5 where nothing was decided.
    ``method`` : how the interval was made: "voters flipped" or "voters resampled".
    ``voter_p`` : of no difference, whole voters flipped. ``seed_p`` : the same, flipping whole artists asked about,
    where the same two lists are compared again and again. ``sign_p`` : exact, per request, for a size fixed in advance.
    ``always_valid_p`` : may be looked at after every request; the larger of that of all and that without the one
    person who moved it most, so that no single person decides.
    ``effective_voters`` : Kish's; ``top_share`` : of all decided units, the busiest person's.
    """

    requests: Tally
    units: Tally
    votes: int
    voters: int
    effective_voters: float
    top_share: float
    win_rate: float
    low: float
    high: float
    method: str
    voter_p: float
    seed_p: float
    sign_p: float
    always_valid_p: float
    verdict: str
    words: str


def credit(log: FeedbackLog) -> Credit:
    """Add up the votes on drafted rows by request and voter."""
    team = log.impressions.team[log.votes.impression]
    side = (team == TEAM_CODES["a"]).astype(np.int64) - (team == TEAM_CODES["b"])
    drafted = side != 0
    request = log.impressions.request[log.votes.impression[drafted]]
    voter = log.votes.voter[drafted]
    value = (log.votes.value[drafted] * side[drafted]).astype(np.int64)
    key = request * max(log.n_people, 1) + voter
    unit, place = np.unique(key, return_inverse=True)
    d = np.bincount(place, weights=value, minlength=unit.size).astype(np.int64)
    people = max(log.n_people, 1)
    of_request = unit // people
    return Credit(of_request, unit % people, d, log.requests.seed[of_request], int(drafted.sum()))


def compare(given: Credit, *, seed: int = 0) -> Comparison:
    """Compare A with B by everything at once.

    Parameters
    ----------
    given : from :func:`credit`.
    seed : of the random flips and resamples; the same report twice says the same.
    """
    rng = np.random.default_rng(seed)
    per_request = given.per_request()
    wins, units = wins_by_voter(given)
    n, effective = float(units.sum()), effective_number(units)
    win_rate = float(wins.sum() / n) if n else 0.5
    low, high, voter_p = flip_voters(wins, units, rng=rng)
    # Coins of their own: what the others say shall not depend on this one.
    *_, seed_p = flip_voters(*wins_by(given, given.seed), rng=np.random.default_rng([seed, 1]))
    method = "voters flipped"
    if effective >= MIN_VOTERS_TO_RESAMPLE:
        low, high = resample_voters(wins, units, rng=rng)
        method = "voters resampled"
    requests = _tally(per_request)
    sign_p = sign_test(requests.wins, requests.losses)
    mover = _mover(given)
    without = given if mover is None else given.without(mover)
    always_valid_p = max(always_valid(given.per_request()), always_valid(without.per_request()))
    verdict, words = _verdict(
        given,
        without,
        n_voters=units.size,
        win_rate=win_rate,
        voter_p=voter_p,
        seed_p=seed_p,
        always_valid_p=always_valid_p,
    )
    return Comparison(
        requests=requests,
        units=_tally(given.d),
        votes=given.n_votes,
        voters=int(units.size),
        effective_voters=effective,
        top_share=float(units.max() / n) if n else 0.0,
        win_rate=win_rate,
        low=low,
        high=high,
        method=method,
        voter_p=voter_p,
        seed_p=seed_p,
        sign_p=sign_p,
        always_valid_p=always_valid_p,
        verdict=verdict,
        words=words,
    )


def sign_test(wins: int, losses: int) -> float:
    """Exact two-sided p-value of a fair coin; 1 where nothing was decided."""
    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def always_valid(d: Ints) -> float:
    """P-value that holds whenever it is looked at, however often: 1 / the greatest E_n so far, at most 1.

    ``E_n = 2**n B(w + a, l + a) / B(a, a)`` is the likelihood ratio of a Beta(a, a) mixture against a fair coin, a
    martingale under it (Robbins 1970); Ville's inequality bounds the chance that it ever reaches 1 / alpha by alpha.

    Parameters
    ----------
    d : credit per request in order; zeros are skipped.
    """
    decided = d[d != 0]
    if not decided.size:
        return 1.0
    wins = np.cumsum(decided > 0)
    n = np.arange(1, decided.size + 1)
    log_e = n * np.log(2) + betaln(wins + PRIOR, n - wins + PRIOR) - betaln(PRIOR, PRIOR)
    return float(min(1.0, np.exp(-log_e.max())))


def wins_by_voter(given: Credit) -> tuple[Floats, Floats]:
    """Return the units that A won and all decided ones, for each voter who decided any; shape (n_voters,) each."""
    return wins_by(given, given.voter)


def wins_by(given: Credit, group: Ints) -> tuple[Floats, Floats]:
    """Return the units that A won and all decided ones, for each group that decided any; shape (n_groups,) each.

    In the order in which they first decided one: the random flips shall not depend on how people are numbered.
    """
    decided = given.d != 0
    voters, first, place = np.unique(group[decided], return_index=True, return_inverse=True)
    won = (given.d[decided] > 0).astype(np.float64)
    wins: Floats = np.bincount(place, weights=won, minlength=voters.size).astype(np.float64)
    units: Floats = np.bincount(place, minlength=voters.size).astype(np.float64)
    order = np.argsort(first)
    return wins[order], units[order]


def effective_number(weights: npt.ArrayLike) -> float:
    """Kish's effective number, ``(sum w)**2 / sum w**2``; 0 of nothing."""
    weights = np.asarray(weights, dtype=np.float64)
    squares = float((weights**2).sum())
    return float(weights.sum() ** 2 / squares) if squares else 0.0


def flip_voters(wins: Floats, units: Floats, *, rng: np.random.Generator) -> tuple[float, float, float]:
    """Test and bound the win rate by flipping whole voters.

    For a win rate p, the residuals ``wins - p * units`` of the voters are given random signs together; p is rejected
    where the observed sum is rarer than one in twenty. At p = 1/2 this is the exact permutation test of swapping A and
    B for a whole person. The bounds follow in closed form, without trying values of p. One voter who outweighs all
    others cannot be significant: half of all flips are as extreme.

    Returns
    -------
    Low and high end of the interval of 95 %, and the p-value of 1/2.

    References
    ----------
    Cameron, Gelbach & Miller (2008), Bootstrap-based improvements for inference with clustered errors.
    """
    n = float(units.sum())
    if not n:
        return 0.0, 1.0, 1.0
    rate = float(wins.sum() / n)
    if units.size > MAX_VOTERS_TO_FLIP:
        return _by_normal(wins, units, rate)
    signs = _signs(units.size, rng)
    a, c = signs @ wins, signs @ units
    # |a - p c| >= n |rate - p| holds between these two values of p; where a denominator is 0, for all on one side.
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (n * rate + a) / (n + c), (n * rate - a) / (n - c)
    one, other = np.where(n + c == 0, rate, one), np.where(n - c == 0, rate, other)
    everything = np.abs(c) == n  # all flipped alike is as extreme at every p
    lows = np.where(everything, 0.0, np.minimum(one, other))
    highs = np.where(everything, 1.0, np.maximum(one, other))
    low = np.quantile(lows, ALPHA, method="lower")
    high = np.quantile(highs, 1 - ALPHA, method="higher")
    difference = 2 * wins - units
    extreme = np.abs(signs @ difference) >= abs(difference.sum()) - 1e-9
    p = extreme.mean() if units.size <= MAX_VOTERS_TO_ENUMERATE else (1 + extreme.sum()) / (1 + extreme.size)
    return float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1)), float(p)


def resample_voters(wins: Floats, units: Floats, *, rng: np.random.Generator) -> tuple[float, float]:
    """Bound the win rate by a bootstrap of whole voters, 95 %."""

    def rate(wins: Floats, units: Floats, axis: int = -1) -> Floats:
        shares: Floats = wins.sum(axis=axis) / units.sum(axis=axis)
        return shares

    interval = bootstrap(
        (wins, units), rate, paired=True, vectorized=True, method="percentile", n_resamples=N_DRAWS, batch=100, rng=rng
    ).confidence_interval
    return float(interval.low), float(interval.high)


def _by_normal(wins: Floats, units: Floats, rate: float) -> tuple[float, float, float]:
    difference = 2 * wins - units
    error = float(np.sqrt(((wins - rate * units) ** 2).sum()) / units.sum())
    reach = float(norm.isf(ALPHA / 2)) * error
    spread = float(np.sqrt((difference**2).sum()))
    p = float(2 * norm.sf(abs(difference.sum()) / spread)) if spread else 1.0
    return max(rate - reach, 0.0), min(rate + reach, 1.0), p


def _signs(n_voters: int, rng: np.random.Generator) -> Floats:
    if n_voters <= MAX_VOTERS_TO_ENUMERATE:
        bits = (np.arange(2**n_voters)[:, None] >> np.arange(n_voters)) & 1
    else:
        bits = rng.integers(0, 2, size=(N_DRAWS, n_voters))
    return (1 - 2 * bits).astype(np.float64)


def _tally(d: Ints) -> Tally:
    return Tally(int((d > 0).sum()), int((d < 0).sum()), int((d == 0).sum()))


def _mover(given: Credit) -> int | None:
    """Find the person with the greatest surplus of decided units, for A or for B."""
    decided = given.d != 0
    if not decided.any():
        return None
    voters, first, place = np.unique(given.voter[decided], return_index=True, return_inverse=True)
    surplus = np.abs(np.bincount(place, weights=np.sign(given.d[decided])))
    # Of equals the one who came first, however people are numbered.
    return int(voters[np.lexsort((first, -surplus))[0]])


def _verdict(
    given: Credit,
    without: Credit,
    *,
    n_voters: int,
    win_rate: float,
    voter_p: float,
    seed_p: float,
    always_valid_p: float,
) -> tuple[str, str]:
    """Say what may be concluded, as a word for programs and a sentence for people."""
    if given.n_votes < MIN_VOTES or n_voters < MIN_VOTERS:
        people = f"{n_voters} {'person' if n_voters == 1 else 'people'} whose votes decide"
        return "too_early", (
            f"Too early: {given.n_votes} votes on drafted rows and {people}; nothing is said below {MIN_VOTES} votes "
            f"and {MIN_VOTERS} people."
        )
    rest = _tally(without.d)
    same_way = (rest.wins - rest.losses) * (win_rate - 0.5) > 0
    if always_valid_p <= ALPHA and voter_p <= ALPHA and same_way:
        if seed_p > ALPHA:
            return "few_artists", "Undecided: it would be decided only with the answers about a few artists."
        better = "a" if win_rate > 0.5 else "b"
        return better, f"{better.upper()} is better; the evidence holds at every look and without any one person."
    if sign_test(*_decided(given)) <= ALPHA < sign_test(*_decided(without)):
        return "one_person", "Undecided: it would be decided only with the votes of one person."
    return "undecided", "Undecided: the votes so far go together with no difference."


def _decided(given: Credit) -> tuple[int, int]:
    tally = _tally(given.per_request())
    return tally.wins, tally.losses
