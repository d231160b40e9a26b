"""What a catalogue answers: values, one for each case that needs its own sentence."""

from dataclasses import dataclass
from typing import TypeAlias

from recommender.confidence import Strength
from recommender.exploring import InCommon


@dataclass(frozen=True, slots=True)
class Artist:
    """One artist of the catalogue: ``artist_idx`` is its row, ``artist_id`` stays over retraining."""

    artist_idx: int
    artist_id: int
    name: str
    listeners: int
    mbid: str | None


@dataclass(frozen=True, slots=True)
class SimilarArtist:
    """One row of an answer.

    ``score`` is the similarity that the model's manifest names; ``support`` the listeners that heard both; ``strength``
    how sure it is, in a word; ``rank`` counts from 1.
    """

    rank: int
    artist: Artist
    score: float
    support: int
    strength: Strength


@dataclass(frozen=True, slots=True)
class Similar:
    """The artists most similar to ``seed``, best first (none in a tiny catalogue), and of how many they were chosen.

    ``is_cut`` : there may be more, but the model keeps no more and has no factors to find them by.
    """

    seed: Artist
    rows: tuple[SimilarArtist, ...]
    n_candidates: int
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class TooFewListeners:
    """Too few people in the data heard ``seed`` to say who is similar; ``needed`` is the model's floor.

    ``guesses`` : what there is all the same, when similar artists were asked for: whom these few point to, best first.
    """

    seed: Artist
    needed: int
    guesses: tuple[Artist, ...] = ()


@dataclass(frozen=True, slots=True)
class BlendedArtist:
    """One row of a mixture's answer.

    ``score`` is its cosine with the mixture, ``support`` its listeners that heard something liked, ``nearest`` the
    liked artist that it is most like.
    """

    rank: int
    artist: Artist
    score: float
    support: int
    nearest: Artist


@dataclass(frozen=True, slots=True)
class Blend:
    """The artists nearest to a mixture, best first; none when likes and dislikes cancel out."""

    liked: tuple[Artist, ...]
    disliked: tuple[Artist, ...]
    rows: tuple[BlendedArtist, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop of a path: its cosine, and listeners in common, with the stop before it, and its cosine with the goal."""

    artist: Artist
    score: float
    support: int
    to_goal: float


NOTHING = 0.005
"""A similarity that reads 0.00."""


@dataclass(frozen=True, slots=True)
class ArtistPath:
    """The way from ``start``; each stop is nearer to the last one, the goal."""

    start: Artist
    stops: tuple[Stop, ...]

    @property
    def is_leap(self) -> bool:
        """Whether it is a single step between artists that have nothing to do with each other, so no way at all."""
        return len(self.stops) == 1 and (self.stops[0].support == 0 or self.stops[0].score < NOTHING)


@dataclass(frozen=True, slots=True)
class DissimilarArtist:
    """A well-known artist of another world.

    ``support`` : listeners in common; ``by_chance`` : how many there were if neither had to do with the other.
    """

    rank: int
    artist: Artist
    score: float
    support: int
    by_chance: float


@dataclass(frozen=True, slots=True)
class Dissimilar:
    """The well-known artists least like ``seed``, the furthest first."""

    seed: Artist
    rows: tuple[DissimilarArtist, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """What two artists share in the data."""

    artist: Artist
    other: Artist
    evidence: InCommon


@dataclass(frozen=True, slots=True)
class TooFewInCommon:
    """Fewer than ``needed`` people heard both, so nothing is told of them."""

    artist: Artist
    other: Artist
    needed: int


SimilarOutcome: TypeAlias = Similar | TooFewListeners
BlendOutcome: TypeAlias = Blend | TooFewListeners
PathOutcome: TypeAlias = ArtistPath | TooFewListeners
DissimilarOutcome: TypeAlias = Dissimilar | TooFewListeners
WhyOutcome: TypeAlias = Why | TooFewInCommon | TooFewListeners
