"""The resolver: layers of evidence, weighed by popularity, decide between an answer, a question and a refusal.

A wrong artist is worse than no artist. Layers, first hit wins: the name or its tight key; other names of an artist;
variants; stylised letters; guests and additions left out; word order; initials; parts; slips of the pen. Whatever
was hit, an artist that is heard far more and fits nearly as well outweighs it: lists made by people hold "arcad fire".
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from rapidfuzz.distance import OSA

from recommender.artists import artist_key
from recommender.naming.completing import most_heard, starts_with
from recommender.naming.index import (
    ALIAS,
    ENDS,
    INITIALS,
    ORDER,
    SKELETON,
    SPELLING,
    STYLISED,
    NameIndex,
    folded_words,
    groups_with_word,
    lookup_keys,
)
from recommender.naming.keys import (
    MAX_QUERY_CHARACTERS,
    MAX_TYPED_CHARACTERS,
    has_leet,
    order_key,
    skeleton_key,
    split_words,
    tight_key,
    tight_of,
    variant_keys,
    visible_text,
    without_accents,
    without_guests,
)
from recommender.naming.outcomes import MATCH_KIND, Ambiguous, Found, Layer, NotFound, Reason, Resolution
from recommender.naming.spelling import Spelt, measured, nearest, one_slip_away

MAX_CHOICES = 5
MAX_MEASURED = 12
MAX_SAME_KEY = 50

# Names that differ in signs alone are hardly ever two artists: "Blink 182" yields to blink-182 that so many more heard.
SAME_KEY_OUTWEIGHS = 10.0
# Of two artists whose names differ in signs alone, both well known, the one heard by so many times more is meant.
SAME_KEY_DECIDES = 2.0
# Of several artists that a layer finds, the one heard by so many times more is meant.
LAYER_DECIDES = 3.0
# An artist one slip away outweighs an entry to the letter that so many fewer heard; in a long name, where two artists
# are hardly ever so close by chance, fewer times do: from so many letters on, this factor.
SLIP_OUTWEIGHS = 25.0
LONG_SLIP_OUTWEIGHS = ((13, 4.0), (10, 10.0))
ALIAS_OUTWEIGHS = 25.0
# In a shorter word every slip makes another word: the member is asked.
SHORTEST_OUTWEIGHED = 6
# From this length on, two very likely slips do the same as one.
TWO_SLIPS_OUTWEIGH = 10
CHEAP_SLIPS = 1.5
# An artist that this share of the most-heard one's listeners heard may be called by a part of its name or initials.
WELL_KNOWN = 1 / 50
PART_SHARE = 0.6
SHORTEST_PART = 4
INITIALS_LENGTH = range(2, 7)
# Nats that one slip costs, and by how many the likeliest has to lead: chosen on made-up slips in other names than the
# labelled ones, where both more and less gave more wrong answers or more questions.
SLIP_NATS = 4.5
# What a space in another place adds to the slips in the letters.
MOVED_SPACE = 0.4
# A slip in another name of an artist, or in its transliteration, is rarer than one in the name.
OTHER_NAME = 0.3
SPELLING_MARGIN = math.log(2.5)
# In a shorter word a slip makes another name.
SHORTEST_SLIPPED = 4
# A word of so many artists' names was not typed by accident; a name of one word says so itself with fewer.
KNOWN_WORD = 3
KNOWN_SINGLE_WORD = 2

_MENTION = re.compile(r"<(?:@[!&]?|#|a?:\w+:|t:|/)[^<>]*>|@everyone|@here")
_QUOTED = re.compile(r"[\"“”„«»](.+)[\"“”«»]")
_LINK = re.compile(r"\w{2,}://|\bwww\.\w", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tried:
    """One layer that was asked, and how many artists it knew."""

    layer: Layer
    n_found: int


@dataclass(frozen=True, slots=True)
class Explained:
    """A resolution, and the layers that were asked for it, in order."""

    resolution: Resolution
    tried: tuple[Tried, ...]


@dataclass(slots=True)
class _Query:
    """A typed name in all the forms that the layers need."""

    name_key: str
    raw_tight: str
    key: str
    text: str
    words: list[str]
    tight: str
    tried: list[Tried] = field(default_factory=list)

    def note(self, layer: Layer, n_found: int) -> None:
        self.tried.append(Tried(layer, n_found))


class Resolver:
    """Resolves typed text against one catalogue of names; immutable, safe to share between threads.

    Parameters
    ----------
    index : of the catalogue's names.
    name_of : an artist's name by its row.
    other_names : more names of artists than the index has, such as a community's own: rows by :func:`artist_key`.
    """

    def __init__(
        self, index: NameIndex, name_of: Callable[[int], str], *, other_names: Mapping[str, int] | None = None
    ) -> None:
        self._index = index
        self._name_of = name_of
        self._other_names = dict(other_names or {})
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
        query = _read(text)
        if not isinstance(query, _Query):
            return Explained(NotFound((), query), ())
        resolution = self._quoted(text) or self._resolve(query)
        return Explained(resolution, tuple(query.tried))

    def is_name(self, text: str) -> bool:
        """Whether this is the name, or another name, of an artist; no guessing."""
        query = _read(text)
        if not isinstance(query, _Query):
            return False
        return bool(self._other_names.get(query.name_key, -1) >= 0 or self._same_key(query) or self._aliases(query))

    def _resolve(self, query: _Query) -> Resolution:
        given = self._other_names.get(query.name_key)
        if given is not None:
            query.note("alias", 1)
            return Found(given, "alias", 1.0, "alias")
        exact = self._same_key(query)
        query.note("key", len(exact))
        aliases = self._aliases(query)
        query.note("alias", len(aliases))
        if exact:
            return self._arbitrated(query, exact[0], aliases)
        if _refused(query) or len(query.key) > MAX_QUERY_CHARACTERS:
            return NotFound((), _refused(query) or "too_long")
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
        query = _read(inner[1]) if inner else None
        if not isinstance(query, _Query):
            return None
        for group in self._same_key(query):
            found = self._within_group(query, group, to_the_letter=True)
            if found.layer == "name":
                return found
        return None

    # Layers that know a key or do not.

    def _same_key(self, query: _Query) -> list[int]:
        # As typed too: a name may hold signs that are dropped from what people type.
        hits = (
            hit
            for key in dict.fromkeys((query.tight, query.raw_tight))
            for hit in lookup_keys(self._index, key, SPELLING)
        )
        return [group for group, layer in hits if layer == "key"]

    def _aliases(self, query: _Query) -> list[int]:
        return _groups(lookup_keys(self._index, query.tight, ALIAS))

    def _keyed(self, query: _Query) -> Iterable[tuple[Layer, list[int]]]:
        index, text = self._index, query.text
        variants = [query.tight, *variant_keys(query.key, text, query.words)]
        yield "variant", _groups(hit for key in variants for hit in lookup_keys(index, key, SPELLING))
        skeleton = skeleton_key(text)
        stylised = lookup_keys(index, skeleton, STYLISED)
        if has_leet(text):
            stylised += lookup_keys(index, skeleton, SKELETON) + lookup_keys(index, skeleton, SPELLING)
        yield "stylised", _groups(stylised)
        for short in without_guests(text):
            tight = tight_of(short)
            yield "featuring", _groups(lookup_keys(index, tight, SPELLING) or lookup_keys(index, tight, ALIAS))
        ordered = lookup_keys(index, order_key(query.words), ORDER)
        yield "order", _groups(ordered or lookup_keys(index, query.tight if len(query.words) == 2 else "", ENDS))

    # Decisions.

    def _arbitrated(self, query: _Query, exact: int, aliases: list[int]) -> Resolution:
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
        found = self._found(popular.group, "spelling", _similarity(query.tight, popular), others=[exact])
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

    def _within_group(self, query: _Query, group: int, *, to_the_letter: bool = False) -> Found:
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

    def _guessed(self, query: _Query) -> Resolution:
        """Initials, parts of names, slips of the pen: an answer only where no other artist comes near."""
        initials = self._initials(query)
        query.note("initials", len(initials))
        if initials and self._is_clear(initials, n_letters=len(query.tight)):
            return self._found(initials[0], "initials", 1.0, others=initials[1:])
        part, parts = self._part(query)
        query.note("part", len(parts))
        if part is not None:
            return self._found(part, "part", 1.0, others=[group for group in parts if group != part])
        spelt = self._spelt(query)
        query.note("spelling", len(spelt))
        chosen = self._surely_spelt(query, spelt)
        alike = [one.group for one in spelt]
        if chosen is not None:
            others = [group for group in alike if group != chosen.group]
            return self._found(chosen.group, "spelling", _similarity(query.tight, chosen), others=others)
        likely = [one.group for one in spelt if one.n_slips <= 1]
        ranked = list(dict.fromkeys([*likely[:2], *initials[:2], *parts[:2], *alike, *parts, *initials]))
        choices = self._choices(ranked)
        return Ambiguous(choices) if len(likely) > 1 else NotFound(choices)

    def _initials(self, query: _Query) -> list[int]:
        tight = query.tight
        looks_so = len(tight) in INITIALS_LENGTH and (len(query.words) == 1 or len(tight) == len(query.words))
        return _groups(lookup_keys(self._index, tight, INITIALS)) if looks_so else []

    def _is_clear(self, groups: list[int], *, n_letters: int) -> bool:
        listeners = [max(self._index.listeners(group), 1) for group in groups[:2]]
        far_ahead = len(groups) == 1 or listeners[0] >= LAYER_DECIDES * listeners[1]
        # Four letters are the initials of few names by chance.
        enough = WELL_KNOWN if n_letters < 4 else WELL_KNOWN / 6
        return n_letters > 2 and far_ahead and listeners[0] >= enough * self._most_listeners

    def _part(self, query: _Query) -> tuple[int | None, list[int]]:
        """Find whose name has this as a part: the one surely meant, and all, the most-heard first."""
        if len(query.tight) < (SHORTEST_PART if query.tight.isascii() else 2):
            return None, []
        groups, _ = starts_with(self._index, query.tight)
        top = most_heard(groups, 12)
        if not top:
            return None, []
        words = {group: folded_words(self._name_of(self._index.artist(group))) for group in top}
        whole = [group for group in top if _has_run(words[group], query.tight)]
        ranked = [*whole, *(group for group in top if group not in whole)]
        best = ranked[0]
        listeners = self._index.listeners(best)
        all_listeners = int(self._index.group_listeners[groups].sum())
        is_known = listeners >= WELL_KNOWN * self._most_listeners
        long_enough = bool(whole) or len(query.tight) > SHORTEST_PART
        return (best if is_known and long_enough and listeners >= PART_SHARE * all_listeners else None), ranked

    def _spelt(self, query: _Query) -> list[Spelt]:
        """Names spelt like the query, the likeliest first by slips and popularity."""
        near: list[Spelt] = []
        if len(query.tight) > 2:
            near = self._ranked(query, measured(query.tight, one_slip_away(self._index, query.tight)[:MAX_MEASURED]))
            # Nobody can outweigh a well-known artist that is one slip away; anybody else is compared with all names.
            if near and self._index.listeners(near[0].group) * SLIP_OUTWEIGHS >= self._most_listeners:
                return near
        known = {one.group for one in near}
        farther = nearest(self._index, query.tight, max_slips=max(2, min(len(query.tight) // 3, 5)))
        farther += self._without_article(query)
        return self._ranked(query, near + [one for one in farther if one.group not in known])

    def _ranked(self, query: _Query, spelt: list[Spelt]) -> list[Spelt]:
        weighed = [self._spaced(query, one) for one in spelt]
        return sorted(weighed, key=lambda one: -self._likelihood(one))

    def _without_article(self, query: _Query) -> list[Spelt]:
        """Names spelt like the query where its first word is a slip for "the", which keys leave out."""
        if len(query.words) < 2 or OSA.distance(query.words[0], "the") != 1:
            return []
        rest = tight_of(" ".join(query.words[1:]))
        found = nearest(self._index, rest, max_slips=1)
        return [replace(one, n_slips=one.n_slips + 1, cost=one.cost + 1) for one in found]

    def _spaced(self, query: _Query, one: Spelt) -> Spelt:
        """Weigh in where the words end, which keys leave out: "a ily" is A Lily, not Aly."""
        words = folded_words(self._name_of(self._index.artist(one.group)))
        if "".join(words) != one.text:  # spelt like another name of the artist
            return replace(one, cost=one.cost + OTHER_NAME)
        n_slips = OSA.distance(" ".join(query.words), " ".join(words))
        return replace(one, cost=one.cost + MOVED_SPACE * max(n_slips - one.n_slips, 0))

    def _likelihood(self, one: Spelt) -> float:
        """Nats: how likely this artist is meant, next to one that nobody hears and that is spelt so."""
        return math.log(max(self._index.listeners(one.group), 1)) - SLIP_NATS * one.cost

    def _surely_spelt(self, query: _Query, spelt: list[Spelt]) -> Spelt | None:
        """Choose the one that is meant beyond doubt, if there is."""
        if not spelt:
            return None
        best = spelt[0]
        if len(spelt) > 1 and self._likelihood(best) - self._likelihood(spelt[1]) < SPELLING_MARGIN:
            return None
        is_known = self._index.listeners(best.group) >= WELL_KNOWN * self._most_listeners
        if len(query.tight) < SHORTEST_SLIPPED:
            return None
        if best.n_slips > _allowed_slips(max(len(query.tight), len(best.text)), is_known=is_known):
            return None
        if self._is_deliberate(query.words):
            # Every word was meant as it stands, unless together they are all but a name, or that of a known artist.
            another_form = query.tight.removesuffix("s") == best.text.removesuffix("s")
            is_phrase = len(query.words) > 1 and best.n_slips == 1 and not another_form
            is_slip = is_known and best.n_slips <= 2 and len(query.tight) >= SHORTEST_OUTWEIGHED
            if not is_phrase and not is_slip:
                return None
        return best

    def _is_deliberate(self, words: list[str]) -> bool:
        """Whether every word is one that names have, so that hardly any is a slip."""
        needed = KNOWN_WORD if len(words) > 1 else KNOWN_SINGLE_WORD
        return all(groups_with_word(self._index, word) >= needed for word in words)

    def _found(self, group: int, layer: Layer, score: float, *, others: Iterable[int] = ()) -> Found:
        rest = self._choices([other for other in others if other != group])[: MAX_CHOICES - 1]
        return Found(self._index.artist(group), MATCH_KIND[layer], score, layer, rest)

    def _choices(self, groups: Iterable[int]) -> tuple[int, ...]:
        return tuple(self._index.artist(group) for group in list(dict.fromkeys(groups))[:MAX_CHOICES])


def _read(text: str) -> _Query | Reason:
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
    return _Query(artist_key(stripped), raw_tight, key, folded, words, tight)


def _refused(query: _Query) -> Reason | None:
    if _MENTION.search(query.key):
        return "mention"
    return "link" if _LINK.search(query.key) else None


def _groups(hits: Iterable[tuple[int, Layer]]) -> list[int]:
    return sorted({group for group, _ in hits})


def _has_run(words: list[str], tight: str) -> bool:
    """Whether neighbouring whole words make up the query."""
    for first in range(len(words)):
        joined = ""
        for word in words[first:]:
            joined += word
            if joined == tight:
                return True
            if not tight.startswith(joined):
                break
    return False


def _allowed_slips(length: int, *, is_known: bool) -> int:
    """How many slips a name of so many letters survives; in a long one one more where the artist is well known."""
    if length < 4:
        return 0
    if length < 7:
        return 1
    return 1 if length < 8 else 2 if length < (13 if is_known else 16) else 3


def _similarity(tight: str, one: Spelt) -> float:
    return max(0.0, 1.0 - one.n_slips / max(len(tight), len(one.text), 1))
