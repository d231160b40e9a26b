"""What the ids of buttons and selects hold: all that is needed to answer them after a restart, in 100 characters."""

import re
from dataclasses import dataclass
from typing import Self

from bot.feedback.records import Familiarity
from bot.replies import MOST_ROWS, ROWS_PER_PAGE, SimilarAnswer, Wish
from recommender.artists import format_artist_id, parse_artist_id

_LETTERS: dict[Familiarity, str] = {"familiar": "f", "balanced": "b", "deep": "d"}
_FAMILIARITIES = {letter: familiarity for familiarity, letter in _LETTERS.items()}

ARTIST = r"[0-9a-f]{16}"
NUMBER = r"[0-9]{1,19}"
ROW = rf"(?P<seed>{ARTIST}):(?P<artist>{ARTIST}):(?P<impression_id>{NUMBER})"
TYPED = r"(?P<typed>(?s:.*))"
PLACE = (
    rf"(?P<anchor>{NUMBER}):(?P<artist>{ARTIST}):(?P<familiarity>[fbd]):(?P<size>[0-9]{{1,2}}):(?P<most>[0-9]{{1,2}})"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer is found again: a row of it on record (0: none), its artist, and how it was wanted."""

    anchor: int
    artist_id: int
    wish: Wish

    @classmethod
    def of(cls, answer: SimilarAnswer) -> Self:
        """The place of an answer."""
        return cls(answer.anchor, answer.seed.artist_id, answer.wish)

    @classmethod
    def read(cls, match: re.Match[str], *, votes: bool = True, exploration: bool = True) -> Self:
        """Read what :meth:`written` wrote; numbers that cannot be are brought into their range."""
        most = min(max(int(match["most"]), 1), MOST_ROWS)
        wish = Wish(
            size=min(max(int(match["size"]), 1), ROWS_PER_PAGE, most),
            most=most,
            familiarity=_FAMILIARITIES[match["familiarity"]],
            votes=votes,
            exploration=exploration,
        )
        return cls(int(match["anchor"]), parse_artist_id(match["artist"]), wish)

    def written(self) -> str:
        """As it stands in an id."""
        letter = _LETTERS[self.wish.familiarity]
        return f"{self.anchor}:{format_artist_id(self.artist_id)}:{letter}:{self.wish.size}:{self.wish.most}"
