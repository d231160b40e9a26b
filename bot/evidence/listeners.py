"""Whether voters as further listeners made a model better: held-out votes in its order, with them and without.

A person's say about one seed is judged by nDCG: the artists that they liked should stand above those that they did not.
Where a model gives several the same score (also: has none of them), each of their orders is as likely.
"""

from dataclasses import dataclass

import numpy as np

from bot.evidence.comparing import ALPHA
from bot.feedback.log import Flags, Floats, Ints, VotedPairs
from recommender.intervals import paired

# Fewer people decide nothing; below 40 the interval alone would cover about 90 % instead of 95.
MIN_JUDGES = 20


@dataclass(frozen=True, slots=True)
class Judged:
    """nDCG of held-out people's votes, averaged over people: ``before`` without voters as listeners, ``after`` with.

    ``low``, ``high`` : of the difference, 95 %, people resampled; what another seed of the training would change is not
    in it. ``p`` : its sign flipped for whole people.
    """

    judges: int
    before: float
    after: float
    low: float
    high: float
    p: float
    helps: bool
    words: str


def judge(votes: VotedPairs, before: Floats, after: Floats, *, rng: np.random.Generator) -> Judged:
    """Compare two models on votes that neither has seen.

    Parameters
    ----------
    votes : in the order in which they were given; each person counts once per pair, with the last word.
    before, after : shape (n_votes,), the models' scores of the pairs, 0 where a model does not name the artist.
    rng : resamples people, and flips them.
    """
    people: dict[int, list[tuple[float, float]]] = {}
    for voter, places in _groups(votes):
        liked = votes.value[places] > 0
        if liked.any() and not liked.all():
            pair = (tied_ndcg(liked, before[places]), tied_ndcg(liked, after[places]))
            people.setdefault(voter, []).append(pair)
    if not people:
        return Judged(0, 0.0, 0.0, 0.0, 0.0, 1.0, False, "Too early to say: nobody liked one artist and not another.")
    means = np.array([np.mean(pairs, axis=0) for pairs in people.values()])
    found = paired(means[:, 1], means[:, 0], rng=rng)
    enough = len(people) >= MIN_JUDGES
    helps = bool(enough and found.mean > 0 and found.low > 0 and found.p <= ALPHA)
    words = "It helps: " if helps else "It is not shown to help: " if enough else "Too early to say: "
    nothing, something = means.mean(axis=0).tolist()
    words += f"nDCG of held-out votes is {something:.3f} with voters as listeners, {nothing:.3f} without."
    return Judged(len(people), nothing, something, found.low, found.high, found.p, helps, words)


def tied_ndcg(liked: Flags, scores: Floats) -> float:
    """Compute nDCG of likes in the order of scores, the mean over all orders of equal scores.

    Parameters
    ----------
    liked : shape (n,), at least one of them.
    scores : same shape.

    References
    ----------
    McSherry & Najork (2008), Computing information retrieval performance measures efficiently in the presence of tied
    scores, ECIR.
    """
    order = np.argsort(-scores, kind="stable")
    gains, ranked = liked[order].astype(np.float64), scores[order]
    group = np.concatenate(([0], np.cumsum(ranked[1:] != ranked[:-1])))
    mean_gain = np.bincount(group, weights=gains) / np.bincount(group)
    discounts = 1 / np.log2(np.arange(2, liked.size + 2))
    return float((mean_gain[group] * discounts).sum() / discounts[: int(liked.sum())].sum())


def _groups(votes: VotedPairs) -> list[tuple[int, Ints]]:
    """Group the last words by person and seed."""
    if not votes.value.size:
        return []
    last = votes.last_words()
    _, group = np.unique(np.stack((votes.voter[last], votes.seed[last])), axis=1, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    starts = np.flatnonzero(np.diff(group.ravel()[order], prepend=-1))
    return [(int(votes.voter[last[places[0]]]), last[places]) for places in np.split(order, starts[1:])]
