"""What is asked and what is answered, as plain values: the same for Discord and the console."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from bot.feedback.records import Familiarity, Source
from recommender.confidence import Strength
from recommender.exploring import InCommon
from recommender.names import Layer, Reason
from recommender.outcomes import Artist, DissimilarArtist, Stop

ROWS_PER_PAGE = 10
MOST_ROWS = 50

Voting: TypeAlias = Literal["open", "switched_off", "opted_out", "unavailable"]
"""Whether rows can be voted on, else why not."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and from where.

    ``member`` and ``guild`` are outside ids such as ``discord:123``; the store replaces them by random keys.
    """

    member: str
    source: Source
    guild: str | None = None
    locale: str | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """How an answer is wanted.

    Parameters
    ----------
    size : rows of a page, 1 to 10.
    most : rows of all pages, 1 to 50.
    familiarity : how well known the artists shall be.
    votes, exploration : whether the server has them.
    """

    size: int = ROWS_PER_PAGE
    most: int = MOST_ROWS
    familiarity: Familiarity = "balanced"
    votes: bool = True
    exploration: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One shown artist.

    ``strength`` says how sure it is, None where another model than the one that serves drew it up. ``impression_id`` is
    what a vote refers to, None when the row could not be logged.
    """

    rank: int
    artist: Artist
    score: float
    support: int
    strength: Strength | None = None
    impression_id: int | None = None


@dataclass(frozen=True, slots=True)
class SimilarAnswer:
    """The similar artists.

    ``read_from`` is what was typed, where more than its case differs from the artist's name, and ``layer`` how it led
    to the artist; ``outweighed`` is an artist with just this name, whom far fewer heard. ``has_more`` tells of a
    further page.
    """

    seed: Artist
    rows: tuple[Row, ...]
    read_from: str | None
    synthetic: bool
    outweighed: Artist | None = None
    layer: Layer | None = None
    page: int = 1
    has_more: bool = False
    wish: Wish = Wish()
    voting: Voting = "open"
    surprise: bool = False

    @property
    def votable(self) -> bool:
        """Whether votes on the rows can be saved."""
        return self.voting == "open" and bool(self.rows) and all(row.impression_id is not None for row in self.rows)

    @property
    def anchor(self) -> int:
        """A row by which the answer is found on record, 0 when it is not."""
        return self.rows[0].impression_id or 0 if self.rows else 0


@dataclass(frozen=True, slots=True)
class TooFewAnswer:
    """The artist is known, but too few people in the data heard them; ``needed`` is the least."""

    seed: Artist
    needed: int
    read_from: str | None
    synthetic: bool
    layer: Layer | None = None


@dataclass(frozen=True, slots=True)
class ChoiceAnswer:
    """Several artists could be meant, or (``nearest``) none is and these are the nearest names, perhaps none at all."""

    typed: str
    choices: tuple[Artist, ...]
    nearest: bool
    reason: Reason = "unknown"


Answer: TypeAlias = SimilarAnswer | TooFewAnswer | ChoiceAnswer


@dataclass(frozen=True, slots=True)
class Closer:
    """A closer look at a row: ``artist`` was shown for ``seed``; ``evidence`` is what they share.

    Without it, fewer than ``needed`` people heard both, or too few heard one of the two.
    """

    seed: Artist
    artist: Artist
    evidence: InCommon | None
    needed: int


@dataclass(frozen=True, slots=True)
class Named:
    """An artist that a member named: what was typed for it, where that differs, and how it was read."""

    artist: Artist
    read_from: str | None = None
    layer: Layer | None = None


@dataclass(frozen=True, slots=True)
class MixedRow:
    """One row of a mixture or a recommendation: ``because`` are the liked artists that it is due to, at most two."""

    rank: int
    artist: Artist
    score: float
    support: int | None
    because: tuple[Artist, ...]
    impression_id: int | None = None


@dataclass(frozen=True, slots=True)
class BlendAnswer:
    """The artists nearest to a mixture; ``command`` says whether members mixed it or their own tastes did."""

    liked: tuple[Named, ...]
    disliked: tuple[Named, ...]
    rows: tuple[MixedRow, ...]
    synthetic: bool
    wish: Wish
    voting: Voting = "open"
    command: Literal["blend", "recommend"] = "blend"

    @property
    def votable(self) -> bool:
        """Whether votes on the rows can be saved."""
        return self.voting == "open" and bool(self.rows) and all(row.impression_id is not None for row in self.rows)


@dataclass(frozen=True, slots=True)
class PathAnswer:
    """The way from one artist to another; ``steps`` hold each stop's listeners in common with the one before."""

    start: Named
    goal: Named
    steps: tuple[Stop, ...]
    synthetic: bool


@dataclass(frozen=True, slots=True)
class DissimilarAnswer:
    """Well-known artists of another world."""

    seed: Named
    rows: tuple[DissimilarArtist, ...]
    synthetic: bool


@dataclass(frozen=True, slots=True)
class WhyAnswer:
    """What two artists share; without ``evidence`` fewer than ``needed`` people heard both."""

    one: Named
    other: Named
    evidence: InCommon | None
    needed: int
    synthetic: bool


@dataclass(frozen=True, slots=True)
class SameAnswer:
    """Two artists were needed, and both names mean the same one."""

    artist: Artist


@dataclass(frozen=True, slots=True)
class ArtistAnswer:
    """An artist's card: its place among ``n_artists`` by listeners, and who is nearest."""

    seed: Named
    place: int
    n_artists: int
    nearest: tuple[Row, ...]
    synthetic: bool


@dataclass(frozen=True, slots=True)
class NothingKnown:
    """There is nothing to recommend from: this member liked nothing yet."""


Exploration: TypeAlias = (
    BlendAnswer | PathAnswer | DissimilarAnswer | WhyAnswer | ArtistAnswer | TooFewAnswer | SameAnswer | NothingKnown
)
