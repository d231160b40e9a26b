"""The resolver: layers of evidence, weighed by popularity, decide between an answer, a question and a refusal.

A wrong artist is worse than no artist. Layers, first hit wins: the name or its tight key; other names of an artist;
variants; stylised letters; guests and additions left out; word order; initials; parts; slips of the pen. Whatever
was hit, an artist that is heard far more and fits nearly as well outweighs it: lists made by people hold "arcad fire".
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import cast

from recommender.artists import artist_key
from recommender.naming.guessing import (
    LAYER_DECIDES,
    SHORTEST_OUTWEIGHED,
    SLIP_OUTWEIGHS,
    WELL_KNOWN,
    Guesser,
    similarity_of,
)
from recommender.naming.index import ALIAS, ENDS, ORDER, SKELETON, SPELLING, STYLISED, NameIndex, lookup_keys
from recommender.naming.keys import (
    MAX_QUERY_CHARACTERS,
    MAX_TYPED_CHARACTERS,
    has_leet,
    order_key,
    skeleton_key,
    tight_of,
    variant_keys,
    without_guests,
)
from recommender.naming.others import NO_OTHER_NAMES, OtherNames
from recommender.naming.outcomes import MATCH_KIND, Ambiguous, Found, Layer, NotFound, Resolution
from recommender.naming.queries import Query, Tried, groups_of, read_query, refusal_of
from recommender.naming.spelling import Spelt, measured, nearest, one_slip_away

MAX_CHOICES = 5
MAX_SAME_KEY = 50
# Names that differ in signs alone are hardly ever two artists: "Blink 182" yields to blink-182 that so many more heard.
SAME_KEY_OUTWEIGHS = 10.0
# Of two artists whose names differ in signs alone, both well known, the one heard by so many times more is meant.
SAME_KEY_DECIDES = 2.0
# In a long name, where two artists are hardly ever one slip apart by chance, this factor does from so many letters on.
LONG_SLIP_OUTWEIGHS = ((13, 4.0), (10, 10.0))
# An artist with this as another name outweighs an entry to the letter that so many fewer heard.
ALIAS_OUTWEIGHS = 25.0
# From this length on, two very likely slips do the same as one.
TWO_SLIPS_OUTWEIGH = 10
CHEAP_SLIPS = 1.5
_QUOTED = re.compile(r"[\"“”„«»](.+)[\"“”«»]")


@dataclass(frozen=True, slots=True)
class Explained:
    """A resolution, and the layers that were asked for it, in order."""

    resolution: Resolution
    tried: tuple[Tried, ...]


class Resolver:
    """Resolves typed text against one catalogue of names; immutable, safe to share between threads.

    Parameters
    ----------
    index : of the catalogue's names.
    name_of : an artist's name by its row.
    other_names : more names of artists than the index has, such as a community's own; they go before all others.
    """

    def __init__(
        self, index: NameIndex, name_of: Callable[[int], str], *, other_names: OtherNames = NO_OTHER_NAMES
    ) -> None:
        self._index = index
        self._name_of = name_of
        self._other_names = other_names
        self._guesser = Guesser(index, name_of)
        self._most_listeners = int(index.group_listeners[0]) if index.n_groups else 0

    @property
    def index(self) -> NameIndex:
        """The index that it reads."""
        return self._index

    def resolve(self, text: str) -> Resolution:
        """Resolve what a person typed.

        Parameters
        ----------
        text : anything.

        Returns
        -------
        Found, Ambiguous or NotFound; never raises.
        """
        return self.explain(text).resolution

    def explain(self, text: str) -> Explained:
        """Resolve what a person typed, and say which layers were asked."""
        query = read_query(text)
        if not isinstance(query, Query):
            return Explained(NotFound((), query), ())
        resolution = self._quoted(text) or self._resolve(query)
        return Explained(resolution, tuple(query.tried))

    def is_name(self, text: str) -> bool:
        """Whether this is the name, or another name, of an artist; no guessing."""
        query = read_query(text)
        if not isinstance(query, Query):
            return False
        is_given = self._other_names.artist(query.name_key, query.tight) is not None
        return bool(is_given or self._same_key(query) or self._aliases(query))

    def _resolve(self, query: Query) -> Resolution:
        exact = self._same_key(query)
        given = self._other_names.artist(query.name_key, query.tight)
        if given is not None:
            query.note("alias", 1)
            others = tuple(artist for artist in self._choices(exact) if artist != given)
            return Found(given, "alias", 1.0, "alias", others)
        query.note("key", len(exact))
        aliases = self._aliases(query)
        query.note("alias", len(aliases))
        if exact:
            return self._arbitrated(query, exact[0], aliases)
        if refusal_of(query) or len(query.key) > MAX_QUERY_CHARACTERS:
            return NotFound((), refusal_of(query) or "too_long")
        if aliases:
            return self._by_popularity(aliases, "alias")
        for layer, groups in self._keyed(query):
            query.note(layer, len(groups))
            if groups:
                return self._by_popularity(groups, layer)
        return self._guessed(query)

    def _quoted(self, text: str) -> Found | None:
        """Take a name in quotes to the letter: no popularity outweighs it."""
        inner = _QUOTED.fullmatch(text.strip()[:MAX_TYPED_CHARACTERS])
        query = read_query(inner[1]) if inner else None
        if not isinstance(query, Query):
            return None
        for group in self._same_key(query):
            found = self._within_group(query, group, to_the_letter=True)
            if found.layer == "name":
                return found
        return None

    # Layers that know a key or do not.

    def _same_key(self, query: Query) -> list[int]:
        # As typed too: a name may hold signs that are dropped from what people type.
        hits = (
            hit
            for key in dict.fromkeys((query.tight, query.raw_tight))
            for hit in lookup_keys(self._index, key, SPELLING)
        )
        return [group for group, layer in hits if layer == "key"]

    def _aliases(self, query: Query) -> list[int]:
        return groups_of(lookup_keys(self._index, query.tight, ALIAS))

    def _keyed(self, query: Query) -> Iterable[tuple[Layer, list[int]]]:
        index, text = self._index, query.text
        variants = [query.tight, *variant_keys(query.key, text, query.words)]
        yield "variant", groups_of(hit for key in variants for hit in lookup_keys(index, key, SPELLING))
        skeleton = skeleton_key(text)
        stylised = lookup_keys(index, skeleton, STYLISED)
        if has_leet(text):
            stylised += lookup_keys(index, skeleton, SKELETON) + lookup_keys(index, skeleton, SPELLING)
        yield "stylised", groups_of(stylised)
        for short in without_guests(text):
            tight = tight_of(short)
            yield "featuring", groups_of(lookup_keys(index, tight, SPELLING) or lookup_keys(index, tight, ALIAS))
        yield "order", groups_of(lookup_keys(index, order_key(query.words), ORDER))
        ends = groups_of(lookup_keys(index, query.tight if len(query.words) == 2 else "", ENDS))
        # Any two words are the first and the last of some name that hardly anybody knows.
        is_known = bool(ends) and index.listeners(ends[0]) >= WELL_KNOWN * self._most_listeners
        yield "order", ends if is_known else []

    # Decisions.

    def _arbitrated(self, query: Query, exact: int, aliases: list[int]) -> Resolution:
        """Answer an entry to the letter, unless an artist heard far more is nearly as likely meant."""
        listeners = self._index.listeners
        within = self._within_group(query, exact)
        here: Resolution = within
        at_least = max(WELL_KNOWN * self._most_listeners, 1.0)
        if (
            within.layer == "key"
            and within.others
            and self._index.is_split(exact, at_least=at_least, factor=SAME_KEY_DECIDES)
        ):
            # Two artists that many people heard, whose names differ in signs alone; neither was typed to the letter.
            here = Ambiguous((within.artist_idx, *within.others))
        if aliases and listeners(aliases[0]) >= ALIAS_OUTWEIGHS * listeners(exact):
            meant = self._by_popularity(aliases, "alias")
            if isinstance(meant, Found):
                others = self._choices([exact, *aliases[1:]])[: MAX_CHOICES - 1]
                return replace(meant, others=others, outweighed=self._index.artist(exact))
            return Ambiguous(self._choices([*aliases, exact]))
        if len(query.tight) <= 2:
            return here
        near = self._outweighing(query.tight, exact)
        query.note("spelling", len(near))
        if not near:
            return here
        popular = min(near, key=lambda one: one.group)
        if len(query.tight) < SHORTEST_OUTWEIGHED:
            return Ambiguous(self._choices([popular.group, exact]))
        found = self._found(popular.group, "spelling", similarity_of(query.tight, popular), others=[exact])
        return replace(found, outweighed=self._index.artist(exact))

    def _outweighing(self, tight: str, exact: int) -> list[Spelt]:
        """Names that a likely slip leads to and that far more people heard than the one to the letter."""
        factor = next((factor for length, factor in LONG_SLIP_OUTWEIGHS if len(tight) >= length), SLIP_OUTWEIGHS)
        enough = factor * max(self._index.listeners(exact), 1)
        if enough > self._most_listeners:
            return []
        if len(tight) < TWO_SLIPS_OUTWEIGH:
            near = measured(tight, one_slip_away(self._index, tight)[:3])
        else:
            near = nearest(self._index, tight, max_slips=2)
        return [
            one
            for one in near
            if one.group != exact and one.cost <= CHEAP_SLIPS and self._index.listeners(one.group) >= enough
        ]

    def _within_group(self, query: Query, group: int, *, to_the_letter: bool = False) -> Found:
        """Choose among artists whose names differ in punctuation, accents or "the" alone."""
        artists = self._index.artists(group)[:MAX_SAME_KEY]
        names = {artist: artist_key(self._name_of(artist)) for artist in artists}
        same = [artist for artist, name in names.items() if name in {query.name_key, query.key}]
        outweighed = None
        if same and not to_the_letter:
            heard = dict(zip(artists, self._index.listeners_within(group), strict=False))
            if heard[artists[0]] >= SAME_KEY_OUTWEIGHS * max(heard[same[0]], 1):
                outweighed = same[0]
        chosen, layer = (same[0], "name") if same and outweighed is None else (artists[0], "key")
        others = tuple(artist for artist, name in names.items() if name != names[chosen])[: MAX_CHOICES - 1]
        return Found(chosen, "exact", 1.0, cast("Layer", layer), others, outweighed)

    def _by_popularity(self, groups: list[int], layer: Layer) -> Resolution:
        """Answer the most-heard of several artists, if it is far ahead; else ask."""
        listeners = [max(self._index.listeners(group), 1) for group in groups[:2]]
        if len(groups) == 1 or listeners[0] >= LAYER_DECIDES * listeners[1]:
            return self._found(groups[0], layer, 1.0, others=groups[1:])
        return Ambiguous(self._choices(groups))

    def _guessed(self, query: Query) -> Resolution:
        """Initials, parts of names, slips of the pen: an answer only where no other artist comes near."""
        initials = self._guesser.initials(query)
        query.note("initials", len(initials))
        if initials and self._guesser.is_clear(initials, n_letters=len(query.tight)):
            return self._found(initials[0], "initials", 1.0, others=initials[1:])
        part, parts = self._guesser.part(query)
        query.note("part", len(parts))
        if part is not None:
            return self._found(part, "part", 1.0, others=[group for group in parts if group != part])
        spelt = self._guesser.spelt(query)
        query.note("spelling", len(spelt))
        chosen = self._guesser.surely_spelt(query, spelt)
        alike = [one.group for one in spelt]
        if chosen is not None:
            others = [group for group in alike if group != chosen.group]
            return self._found(chosen.group, "spelling", similarity_of(query.tight, chosen), others=others)
        likely = [one.group for one in spelt if one.n_slips <= 1]
        ranked = list(dict.fromkeys([*likely[:2], *initials[:2], *parts[:2], *alike, *parts, *initials]))
        choices = self._choices(ranked)
        return Ambiguous(choices) if len(likely) > 1 else NotFound(choices)

    def _found(self, group: int, layer: Layer, score: float, *, others: Iterable[int] = ()) -> Found:
        rest = self._choices([other for other in others if other != group])[: MAX_CHOICES - 1]
        return Found(self._index.artist(group), MATCH_KIND[layer], score, layer, rest)

    def _choices(self, groups: Iterable[int]) -> tuple[int, ...]:
        return tuple(self._index.artist(group) for group in list(dict.fromkeys(groups))[:MAX_CHOICES])
