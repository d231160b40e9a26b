"""A typed text in all the forms that the layers need, or why it cannot be a name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from recommender.artists import artist_key
from recommender.naming.keys import (
    MAX_TYPED_CHARACTERS,
    split_words,
    tight_key,
    tight_of,
    visible_text,
    without_accents,
)
from recommender.naming.outcomes import Layer, Reason

_MENTION = re.compile(r"<(?:@[!&]?|#|a?:\w+:|t:|/)[^<>]*>|@everyone|@here")
_LINK = re.compile(r"\w{2,}://|\bwww\.\w", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tried:
    """One layer that was asked, and how many artists it knew."""

    layer: Layer
    n_found: int


@dataclass(slots=True)
class Query:
    """A typed name in all the forms that the layers need."""

    name_key: str
    raw_tight: str
    key: str
    text: str
    words: list[str]
    tight: str
    tried: list[Tried] = field(default_factory=list)

    def note(self, layer: Layer, n_found: int) -> None:
        """Remember that a layer was asked."""
        self.tried.append(Tried(layer, n_found))


def read_query(text: str) -> Query | Reason:
    """Read what was typed, or say why it cannot be a name; text of any length takes bounded time."""
    stripped = text.strip()
    if len(stripped) > MAX_TYPED_CHARACTERS:
        return "too_long"
    visible = visible_text(stripped)
    key = artist_key(visible)
    if not key:
        return "empty"
    folded = without_accents(key)
    words = split_words(folded)
    tight = tight_of(folded) or key
    raw_tight = tight if visible == stripped else tight_key(stripped)
    return Query(artist_key(stripped), raw_tight, key, folded, words, tight)


def refusal_of(query: Query) -> Reason | None:
    """Why a text that is nobody's name to the letter is not looked up any further."""
    if _MENTION.search(query.key):
        return "mention"
    return "link" if _LINK.search(query.key) else None


def groups_of(hits: Iterable[tuple[int, Layer]]) -> list[int]:
    """Groups among the hits of a look-up, each once, the most-heard first."""
    return sorted({group for group, _ in hits})
