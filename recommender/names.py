"""From what a person typed to one artist, a choice, or a refusal.

A wrong artist is worse than no artist. Layers, first hit wins: the name itself, its tight key (no accents, punctuation,
"the" or "and"), then edit distance to all tight keys.
"""

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA

from recommender.artists import artist_key

MAX_QUERY_CHARACTERS = 100
MAX_CHOICES = 5
# One artist is answered without asking only from this similarity on, and only this far ahead of the next one.
ACCEPT_SIMILARITY = 0.8
ACCEPT_MARGIN = 0.08
SHORTEST_ACCEPTED = 6
ASK_SIMILARITY = 0.6
# Of several artists with one tight key, the one heard by so many times more is meant.
POPULARITY_DECIDES = 10.0

MatchKind: TypeAlias = Literal["exact", "alias", "fuzzy", "chosen", "autocomplete"]


@dataclass(frozen=True, slots=True)
class Found:
    """One artist: its row, how it was matched, and how well (1 is a perfect match)."""

    artist_idx: int
    match_kind: MatchKind
    match_score: float


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several artists could be meant; best first, at least two."""

    choices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NotFound:
    """No artist is meant with any certainty; the nearest names, best first, may be none."""

    nearest: tuple[int, ...]


Resolution: TypeAlias = Found | Ambiguous | NotFound

_VOICING = "\u3099\u309a"
_WORDS_DROPPED = re.compile(r"^the\s+(?=\S)|(?<=\S)\s+the$|(?<=\s)and(?=\s)")


def clean_query(text: str) -> str:
    """Normalise what was typed: NFKC, no control, zero-width or direction characters, single spaces, capped length."""
    normal = unicodedata.normalize("NFKC", text[: 4 * MAX_QUERY_CHARACTERS])
    visible = "".join(" " if c.isspace() else c for c in normal if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(visible.split())[:MAX_QUERY_CHARACTERS].strip()


def tight_key(text: str) -> str:
    """Reduce a name to what people agree on: casefolded letters and digits, no accents, "the", "and", "&", "+".

    A name of symbols only ("!!!", "+44" has digits and is not one) keeps its symbols.
    """
    key = artist_key(text)
    letters = "".join(c for c in _WORDS_DROPPED.sub(" ", without_accents(key)) if c.isalnum())
    return letters or "".join(key.split())


def without_accents(text: str) -> str:
    """Drop the accents over letters; the marks that make ガ of カ are no accents."""
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in parts if c in _VOICING or not unicodedata.combining(c)))


class Resolver:
    """Resolves typed text against one catalogue of names; immutable, safe to share between threads.

    Parameters
    ----------
    names : all artists' names, in the order of the catalogue.
    listeners : shape (n_artists,), how many heard each.
    """

    def __init__(self, names: list[str], listeners: npt.NDArray[np.integer]) -> None:
        self._listeners = np.asarray(listeners, dtype=np.int64)
        self._by_name = {artist_key(name): idx for idx, name in enumerate(names)}
        by_tight: dict[str, list[int]] = defaultdict(list)
        for idx, name in enumerate(names):
            by_tight[tight_key(name)].append(idx)
        for indices in by_tight.values():
            indices.sort(key=self._popularity, reverse=True)
        self._by_tight = dict(by_tight)
        self._tight_keys = list(self._by_tight)
        # Each spaced word of a name opens it for completion, most-heard artists first.
        most_heard = np.argsort(-self._listeners, kind="stable")
        self._most_heard = [(int(idx), without_accents(artist_key(names[idx]))) for idx in most_heard]

    def resolve(self, text: str) -> Resolution:
        """Resolve what a person typed.

        Parameters
        ----------
        text : anything; only the first hundred visible characters count.

        Returns
        -------
        Found, Ambiguous or NotFound; never raises.
        """
        query = clean_query(text)
        if not query:
            return NotFound(())
        by_name = self._by_name.get(artist_key(query))
        if by_name is not None:
            return Found(by_name, "exact", 1.0)
        tight = tight_key(query)
        same = self._by_tight.get(tight)
        if same:
            if len(same) == 1 or self._listeners[same[0]] >= POPULARITY_DECIDES * self._listeners[same[1]]:
                return Found(same[0], "exact", 1.0)
            return Ambiguous(tuple(same[:MAX_CHOICES]))
        return self._resolve_fuzzy(without_accents(artist_key(query)), tight)

    def complete(self, text: str, *, limit: int = 25) -> list[int]:
        """Suggest artists while a person types: names that begin so, then names with such a word, then similar ones.

        Returns
        -------
        At most ``limit`` artist rows, the most-heard first within each group; without text the most-heard artists.
        """
        query = without_accents(artist_key(clean_query(text)))
        suggestions = self._beginning_with(query, limit)
        if len(suggestions) < limit and len(query) > 2:
            similar = (idx for key, _ in self._nearest_keys(tight_key(query)) for idx in self._by_tight[key][:1])
            suggestions += [idx for idx in similar if idx not in suggestions]
        return suggestions[:limit]

    def _beginning_with(self, query: str, limit: int) -> list[int]:
        """Artists whose name, then those of whose name a later word, begins so."""
        begins: list[int] = []
        has_word: list[int] = []
        for idx, key in self._most_heard:
            if key.startswith(query):
                begins.append(idx)
                if len(begins) == limit:
                    return begins
            elif len(has_word) < limit and f" {query}" in key:
                has_word.append(idx)
        return (begins + has_word)[:limit]

    def _popularity(self, idx: int) -> int:
        return int(self._listeners[idx])

    def _nearest_keys(self, tight: str) -> list[tuple[str, float]]:
        nearest = process.extract(
            tight, self._tight_keys, scorer=OSA.normalized_similarity, score_cutoff=ASK_SIMILARITY, limit=20
        )
        found = [(key, float(similarity)) for key, similarity, _ in nearest]
        return sorted(found, key=lambda pair: (-pair[1], -self._popularity(self._by_tight[pair[0]][0])))

    def _resolve_fuzzy(self, query: str, tight: str) -> Resolution:
        nearest = self._nearest_keys(tight)
        # Who types "elvis" means a part of a name more likely than the similar "Melvins".
        spelt_alike = [self._by_tight[key][0] for key, _ in nearest]
        parts = self._beginning_with(query, MAX_CHOICES) if len(query) > 2 else []
        choices = tuple(dict.fromkeys(parts + spelt_alike))[:MAX_CHOICES]
        best = nearest[0][1] if nearest else 0.0
        # In a short word every slip makes another name: "creep" is not Creed, "bowie" is not Zowie.
        if best < ACCEPT_SIMILARITY or len(tight) < SHORTEST_ACCEPTED:
            return NotFound(choices)
        if len(nearest) == 1 or best - nearest[1][1] >= ACCEPT_MARGIN:
            return Found(spelt_alike[0], "fuzzy", best)
        return Ambiguous(choices)
