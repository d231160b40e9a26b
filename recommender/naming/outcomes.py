"""What a typed name can mean: one artist, several, or none, each its own value."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

MatchKind: TypeAlias = Literal["exact", "alias", "fuzzy", "chosen", "autocomplete"]
"""How sure a match is by its kind; stored in the feedback log."""

Layer: TypeAlias = Literal[
    "name", "key", "alias", "variant", "stylised", "featuring", "order", "initials", "part", "spelling"
]
"""Which layer found the artist; :data:`LAYER_WORDS` says each in words."""

LAYER_WORDS: dict[Layer, str] = {
    "name": "the name itself",
    "key": 'the same name but for case, accents, punctuation, "the" and "and"',
    "alias": "another name of the artist",
    "variant": "a variant: transliterated, numbers in words, joining words",
    "stylised": "letters written as digits or signs",
    "featuring": "the name without guests or an addition in brackets",
    "order": "the same words in another order, or the first and the last",
    "initials": "initials",
    "part": "a part of the name",
    "spelling": "a slip of the pen",
}

MATCH_KIND: dict[Layer, MatchKind] = {
    "name": "exact",
    "key": "exact",
    "alias": "alias",
    "variant": "fuzzy",
    "stylised": "fuzzy",
    "featuring": "fuzzy",
    "order": "fuzzy",
    "initials": "fuzzy",
    "part": "fuzzy",
    "spelling": "fuzzy",
}

Reason: TypeAlias = Literal["unknown", "empty", "too_long", "mention", "link"]
"""Why nothing was found: no such name, or a text that cannot be one."""


REFUSALS: dict[Reason, str] = {
    "empty": "Which artist? Type a name, for example: similar arcade fire",
    "too_long": "That is too long for an artist's name; type the name alone.",
    "mention": "That mentions somebody on Discord; type an artist's name.",
    "link": "That is a link; type an artist's name.",
}
"""A sentence for each text that cannot be a name; "unknown" has none, its nearest names say more."""


@dataclass(frozen=True, slots=True)
class Found:
    """One artist.

    Attributes
    ----------
    artist_idx : its row.
    match_kind, match_score : how it was matched, and how well (1 is a perfect match).
    layer : the layer that found it; None when nothing was typed, but chosen.
    others : who else could be meant, best first.
    outweighed : an artist with this very name, whom the far more popular ``artist_idx`` outweighed; quotes around the
        name ask for exactly this one.
    """

    artist_idx: int
    match_kind: MatchKind
    match_score: float
    layer: Layer | None = None
    others: tuple[int, ...] = ()
    outweighed: int | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several artists could be meant; best first, at least two."""

    choices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NotFound:
    """No artist is meant with any certainty; the nearest names, best first, may be none."""

    nearest: tuple[int, ...]
    reason: Reason = "unknown"


Resolution: TypeAlias = Found | Ambiguous | NotFound
