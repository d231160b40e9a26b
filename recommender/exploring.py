"""Music as a space to walk in: mixtures of artists, ways from one to another, opposites, how well known, and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

import numpy as np

from recommender.errors import ParameterError
from recommender.matrix import FloatMatrix
from recommender.space import ROUNDING, ArtistSpace, BoolArray, IndexArray, Near

Familiarity: TypeAlias = Literal["familiar", "balanced", "deep"]

# Percentiles of listening, not of artists: they mean the same however long the tail of the data is. "familiar" is 571
# of HetRec's 2,829 artists and "deep" 2,007; of the 119,271 of the twin of Last.fm-360K, 1,765 and 116,061.
FAMILIAR_SHARE = 2 / 3
DEEP_SHARE = 1 / 4
MIN_SHOWN_IN_COMMON = 5
"""Counts of people below this are never told: nobody shall be singled out."""
NEARER = 10 * ROUNDING
"""By how much each stop of a path is nearer to its goal at least; cosines are known to ``ROUNDING``."""


@dataclass(frozen=True, slots=True)
class InCommon:
    """What two artists share.

    ``common`` : listeners of both.
    ``share`` : of the first one's listeners, in (0, 1].
    ``times_chance`` : how many times more than if who hears one had nothing to do with who hears the other.
    """

    common: int
    share: float
    times_chance: float


@dataclass(frozen=True, slots=True)
class Overlapping:
    """Listeners whom three artists A, B and C share; None where they are too few to be told.

    ``pairs`` : of A and B, A and C, B and C. ``all_three`` : of all.
    """

    pairs: tuple[int | None, int | None, int | None]
    all_three: int | None


@dataclass(frozen=True, slots=True)
class Ingredient:
    """An artist of a mixture's answer, and the liked artist that it is nearest to."""

    near: Near
    nearest_liked: int


@dataclass(frozen=True, slots=True)
class Step:
    """A stop of a path: its cosine, and listeners in common, with the stop before, and its cosine with the goal."""

    artist_idx: int
    score: float
    support: int
    to_goal: float


@dataclass(frozen=True, slots=True)
class Opposite:
    """An artist of another world: its cosine, listeners in common, and how many chance alone would give."""

    artist_idx: int
    score: float
    support: int
    by_chance: float


def allowed_by(familiarity: Familiarity, space: ArtistSpace) -> BoolArray:
    """Mark the artists that a setting of the familiarity dial lets through.

    ``familiar`` is those most heard, to whom two thirds of all listening go; ``deep`` those least heard, to whom the
    last quarter goes; ``balanced`` is everybody. So for the same question the answers of ``familiar`` are never less
    known on average than those of ``balanced``, and these never less than those of ``deep``.

    Returns
    -------
    Shape (n_artists,).

    Raises
    ------
    ParameterError : there is no such setting.
    """
    if familiarity not in get_args(Familiarity):
        raise ParameterError(f"familiarity {familiarity!r} is unknown; use one of {', '.join(get_args(Familiarity))}")
    match familiarity:
        case "familiar":
            return np.greater_equal(space.listeners, space.listeners_at(1 - FAMILIAR_SHARE))
        case "deep":
            return np.less_equal(space.listeners, space.listeners_at(DEEP_SHARE))
        case "balanced":
            return np.ones(space.listeners.shape[0], dtype=np.bool_)


def blend(space: ArtistSpace, weights: Mapping[int, float], k: int, *, allowed: BoolArray) -> list[Ingredient]:
    """Find the artists nearest to a weighted sum of artists' directions.

    Parameters
    ----------
    weights : of each artist, above 0 for a liked one, below 0 for a disliked one; none of them is in the answer.
    k : rows wanted, >= 1.
    allowed : shape (n_artists,); others are left out.

    Returns
    -------
    At most ``k``, best first, each heard by somebody who hears a liked artist (its support counts these); none when the
    sum cancels out.

    Raises
    ------
    ParameterError : nothing is liked, or a weight is not a number.
    """
    if not all(np.isfinite(weight) for weight in weights.values()):
        raise ParameterError("the weight of an artist is not a number; use 1 for liked, -1 for disliked")
    liked = [artist_idx for artist_idx, weight in weights.items() if weight > 0]
    if not liked:
        raise ParameterError("nothing to start from: name at least one artist that is liked")
    mixture = np.sum([weight * space.direction(artist_idx) for artist_idx, weight in weights.items()], axis=0)
    length = float(np.linalg.norm(mixture))
    if length < NEARER:
        return []
    others = allowed.copy()
    others[list(weights)] = False
    nearest = space.nearest(mixture / length, k, allowed=others, marked=space.listening.of_any(liked))
    directions = np.array([space.direction(artist_idx) for artist_idx in liked])
    return [Ingredient(near, liked[int((directions @ space.direction(near.artist_idx)).argmax())]) for near in nearest]


def path(space: ArtistSpace, start: int, goal: int, n_between: int) -> list[Step]:
    """Lead from one artist to another in short steps, each of which comes nearer to the goal.

    The longest step is split again and again, by the artist whose lower cosine with its two ends is highest, among
    those that are nearer to the goal than the step's beginning and further than its end, and share listeners with both.
    A split that would make no shorter steps is not made, so there may be fewer stops than wanted.

    Parameters
    ----------
    n_between : stops wanted between start and goal, >= 0.

    Returns
    -------
    The stops after ``start``, ``goal`` last.
    """
    walk = _Walk(space, start, goal)
    stops = [start, goal]
    splittable = [True]
    while len(stops) - 2 < n_between and any(splittable):
        steps = [walk.cosine(a, b) if may else np.inf for (a, b), may in zip(pairwise(stops), splittable, strict=True)]
        longest = int(np.argmin(steps))
        middle = walk.middle(stops[longest], stops[longest + 1])
        if middle is None:
            splittable[longest] = False
        else:
            stops.insert(longest + 1, middle)
            splittable[longest : longest + 1] = [True, True]
    return [Step(b, walk.cosine(a, b), walk.in_common(a, b), walk.cosine(b, goal)) for a, b in pairwise(stops)]


class _Walk:
    """What is known of a path's stops, each computed once.

    With the goal the cosines of all artists are computed. They leave few that may be a stop, and fewer that may split a
    step, so that of start and stops the cosines with these suffice.
    """

    def __init__(self, space: ArtistSpace, start: int, goal: int) -> None:
        self._space, self._start, self._goal = space, start, goal
        to_goal = space.cosines(space.direction(goal))
        self._nearness = {start: float(to_goal[start]), goal: 1.0}
        self._ahead = np.flatnonzero(space.answerable & (to_goal > self._nearness[start] + NEARER))
        self._to_goal = to_goal[self._ahead]
        self._to_start = space.cosines_of(space.direction(start), self._ahead)
        self._cosines: dict[tuple[int, int], float] = {}
        self._marked: dict[int, BoolArray] = {}

    def cosine(self, a: int, b: int) -> float:
        """Exact cosine of two artists."""
        if (a, b) not in self._cosines:
            exact = self._space.exact_cosines(self._space.direction(a), np.array([b]))
            self._cosines[a, b] = float(exact[0])
        return self._cosines[a, b]

    def in_common(self, a: int, b: int) -> int:
        """Listeners of both."""
        return int(self._space.listening.in_common(self._listeners_of(a), np.array([b]))[0])

    def middle(self, a: int, b: int) -> int | None:
        """The best stop between two, None when there is none that makes both steps shorter."""
        space, shorter = self._space, max(self.cosine(a, b) + NEARER, 0.0)
        least = self._nearness[a] + NEARER
        is_between = self._to_goal > (max(least, shorter) if b == self._goal else least)
        is_between &= self._to_goal < self._nearness[b] - NEARER
        if a == self._start:
            is_between &= self._to_start > shorter
        between = np.flatnonzero(is_between)
        to_a = self._to(a, between)
        between, to_a = between[to_a > shorter], to_a[to_a > shorter]
        to_b = self._to(b, between)
        between, lower = between[to_b > shorter], np.minimum(to_a, to_b)[to_b > shorter]
        directions = space.direction(a), space.direction(b)
        found = space.best(
            self._ahead[between],
            lower,
            1,
            exact=lambda artists: np.minimum(*(space.exact_cosines(direction, artists) for direction in directions)),
            marked=(self._listeners_of(a), self._listeners_of(b)),
        )
        if not found:
            return None
        middle = found[0].artist_idx
        self._nearness[middle] = float(self._to_goal[np.searchsorted(self._ahead, middle)])
        return middle

    def _listeners_of(self, artist_idx: int) -> BoolArray:
        if artist_idx not in self._marked:
            self._marked[artist_idx] = self._space.listening.of_any([artist_idx])
        return self._marked[artist_idx]

    def _to(self, stop: int, places: IndexArray) -> FloatMatrix:
        if stop == self._goal:
            return self._to_goal[places]
        if stop == self._start:
            return self._to_start[places]
        return self._space.cosines_of(self._space.direction(stop), self._ahead[places])


def dissimilar(space: ArtistSpace, artist_idx: int, k: int) -> list[Opposite]:
    """Find the well-known artists least like one.

    Only among the ``familiar``: the furthest of all would be artists about whom too little is known to say so.

    Returns
    -------
    At most ``k``, the lowest cosine first; equal cosines come in the order of the artists.
    """
    candidates = np.flatnonzero(space.answerable & allowed_by("familiar", space))
    candidates = candidates[candidates != artist_idx]
    cosines = space.exact_cosines(space.direction(artist_idx), candidates)
    furthest = np.lexsort((candidates, cosines))[:k]
    artists = candidates[furthest]
    support = space.listening.in_common(space.listening.of_any([artist_idx]), artists)
    by_chance = space.listeners[artists] * (int(space.listeners[artist_idx]) / max(space.listening.n_listeners, 1))
    columns = (artists.tolist(), cosines[furthest].tolist(), support.tolist(), by_chance.tolist())
    return [Opposite(*row) for row in zip(*columns, strict=True)]


def nearest(space: ArtistSpace, artist_idx: int, k: int) -> list[int]:
    """Find the artists with the highest cosine, above 0, whoever heard them; for an artist with hardly any listeners.

    Returns
    -------
    At most ``k`` artist numbers, best first; equal cosines come in the order of the artists.
    """
    direction = space.direction(artist_idx)
    cosines = np.where(space.answerable, space.cosines(direction), 0)
    cosines[artist_idx] = 0
    short = np.argpartition(-cosines, min(4 * k, cosines.size - 1))[: 4 * k]
    exact = space.exact_cosines(direction, short)
    order = np.lexsort((short, -exact))
    return [int(short[place]) for place in order if cosines[short[place]] > 0][:k]


def in_common(space: ArtistSpace, a: int, b: int) -> InCommon | None:
    """Say what two artists share; None when it is fewer than ``MIN_SHOWN_IN_COMMON`` listeners."""
    common = int(space.listening.in_common(space.listening.of_any([a]), np.array([b]))[0])
    if common < MIN_SHOWN_IN_COMMON:
        return None
    n_a, n_b = int(space.listeners[a]), int(space.listeners[b])
    return InCommon(common, common / n_a, common * space.listening.n_listeners / (n_a * n_b))


def overlap(space: ArtistSpace, a: int, b: int, c: int) -> Overlapping:
    """Count the listeners whom three artists share; a count below ``MIN_SHOWN_IN_COMMON`` is None."""
    of_a, of_b = (space.listening.of_any([artist_idx]) for artist_idx in (a, b))
    counts = (
        *space.listening.in_common(of_a, np.array([b, c])).tolist(),
        *space.listening.in_common(of_b, np.array([c])).tolist(),
        *space.listening.in_common(of_a & of_b, np.array([c])).tolist(),
    )
    ab, ac, bc, abc = (count if count >= MIN_SHOWN_IN_COMMON else None for count in counts)
    return Overlapping((ab, ac, bc), abc)
