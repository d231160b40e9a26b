"""What votes say of single pairs of artists: a rate with a prior, pairs to hide, and whether re-ranking by it helps.

Re-ranking multiplies a model's score of a pair by ``posterior / mean``: the pair's up-rate, drawn towards the mean of
all votes as if ``prior_votes`` votes of that mean had been given before. Without votes nothing changes. Each person
counts once per pair, with the last word.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bot.evidence.comparing import ALPHA, MIN_VOTERS, flip_voters
from bot.evidence.rates import wilson
from bot.feedback.log import Flags, Floats, Ints, VotedPairs

# Fewer comparisons than that decide nothing.
MIN_COMPARISONS = 100


@dataclass(frozen=True, slots=True)
class RerankParams:
    """How votes change a list.

    ``prior_votes`` : weight of the mean, 5 to 10. A pair is hidden when at least ``hide_voters`` people voted on it and
    Wilson's upper bound of its up-rate is below ``hide_below``.
    """

    prior_votes: float = 8.0
    hide_below: float = 0.3
    hide_voters: int = 5


@dataclass(frozen=True, slots=True, eq=False)
class PairRates:
    """Votes by pair; all arrays of shape (n_pairs,), rising by seed, then artist. ``mean`` is the up-rate of all."""

    seed: Ints
    artist: Ints
    ups: Ints
    voters: Ints
    mean: float

    def factors(self, seed: npt.ArrayLike, artist: npt.ArrayLike, params: RerankParams) -> Floats:
        """Compute what the scores of these pairs are multiplied by: 1 without votes, 0 for a hidden pair."""
        wanted_seed, wanted_artist = np.asarray(seed, np.int64), np.asarray(artist, np.int64)
        factors = np.ones(wanted_seed.shape)
        if not self.seed.size:
            return factors
        known = {pair: place for place, pair in enumerate(zip(self.seed.tolist(), self.artist.tolist(), strict=True))}
        pairs = zip(wanted_seed.tolist(), wanted_artist.tolist(), strict=True)
        place = np.array([known.get(pair, -1) for pair in pairs], dtype=np.int64)
        posterior = (self.ups + params.prior_votes * self.mean) / (self.voters + params.prior_votes)
        of_pair = np.where(self.hidden(params), 0.0, posterior / self.mean if self.mean else 1.0)
        factors[place >= 0] = of_pair[place[place >= 0]]
        return factors

    def hidden(self, params: RerankParams) -> Flags:
        """Tell which pairs are so unpopular, with so many people, that they are not shown."""
        _, high = wilson(self.ups, self.voters)
        return (self.voters >= params.hide_voters) & (high < params.hide_below)


@dataclass(frozen=True, slots=True)
class Helped:
    """Whether re-ranking by the votes of some people agrees better with the votes of others.

    ``comparisons`` : an up and a down of one person on one answer, on whose order the model and the re-ranking differ.
    ``right`` : share of these in which the re-ranking is right, with its interval of 95 %, whole voters flipped.
    """

    comparisons: int
    voters: int
    right: float
    low: float
    high: float
    p: float
    helps: bool
    words: str


def pair_rates(votes: VotedPairs) -> PairRates:
    """Add up votes by pair, each person once per pair."""
    if not votes.value.size:
        nothing = np.zeros(0, dtype=np.int64)
        return PairRates(nothing, nothing, nothing, nothing, 0.5)
    last = votes.last_words()
    pairs, place = np.unique(np.stack((votes.seed, votes.artist))[:, last], axis=1, return_inverse=True)
    up = (votes.value[last] > 0).astype(np.int64)
    ups = np.bincount(place.ravel(), weights=up, minlength=pairs.shape[1]).astype(np.int64)
    voters = np.bincount(place.ravel(), minlength=pairs.shape[1]).astype(np.int64)
    return PairRates(pairs[0], pairs[1], ups, voters, float(up.mean()))


def whether_it_helps(votes: VotedPairs, params: RerankParams, *, rng: np.random.Generator) -> Helped:
    """Re-rank by half of the people and ask the other half, both ways round.

    Parameters
    ----------
    votes : in the order in which they were given.
    params : of the re-ranking.
    rng : splits the people, and flips them for the interval.
    """
    n_people = int(votes.voter.max(initial=-1)) + 1
    half = rng.permutation(n_people) % 2 if n_people else np.zeros(0, dtype=np.int64)
    right, decided = np.zeros(n_people), np.zeros(n_people)
    for asked in (0, 1):
        is_asked = half[votes.voter] == asked
        factors = pair_rates(votes.chosen(~is_asked))
        held_out = votes.chosen(is_asked)
        after = held_out.score * factors.factors(held_out.seed, held_out.artist, params)
        for voter, ups, downs in _by_answer(held_out):
            before = np.sign(held_out.score[ups][:, None] - held_out.score[downs][None, :])
            now = np.sign(after[ups][:, None] - after[downs][None, :])
            differs = before * now < 0
            right[voter] += (now[differs] > 0).sum()
            decided[voter] += differs.sum()
    voters = decided > 0
    low, high, p = flip_voters(right[voters], decided[voters], rng=rng)
    n = int(decided.sum())
    share = float(right.sum() / n) if n else 0.5
    enough = n >= MIN_COMPARISONS and voters.sum() >= MIN_VOTERS
    helps = bool(enough and p <= ALPHA and share > 0.5)
    figures = f"right in {100 * share:.1f} % of {n:,} comparisons on which it differs from the model"
    words = "It helps: " if helps else "It is not shown to help: " if enough else "Too early to say: "
    return Helped(n, int(voters.sum()), share, low, high, p, helps, f"{words}{figures}.")


def _by_answer(votes: VotedPairs) -> list[tuple[int, Ints, Ints]]:
    """Group votes by person, answer and model: places of the ups and of the downs, where there are both."""
    if not votes.value.size:
        return []
    _, group = np.unique(np.stack((votes.voter, votes.request, votes.model)), axis=1, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    starts = np.flatnonzero(np.diff(group.ravel()[order], prepend=-1))
    found = []
    for places in np.split(order, starts[1:]):
        ups, downs = places[votes.value[places] > 0], places[votes.value[places] < 0]
        if ups.size and downs.size:
            found.append((int(votes.voter[places[0]]), ups, downs))
    return found
