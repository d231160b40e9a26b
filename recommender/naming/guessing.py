"""Guesses where no key is known: initials, parts of names, slips of the pen; each is sure only far ahead of others."""

import math
from collections.abc import Callable
from dataclasses import replace

from rapidfuzz.distance import OSA

from recommender.naming.completing import most_heard, starts_with
from recommender.naming.index import INITIALS, NameIndex, folded_words, lookup_keys
from recommender.naming.keys import tight_of
from recommender.naming.queries import Query, groups_of
from recommender.naming.spelling import Spelt, measured, nearest, one_slip_away
from recommender.naming.weighing import SURE, slip_log_odds

MAX_MEASURED = 12
# Of several artists that a layer finds, the one heard by so many times more is meant.
LAYER_DECIDES = 3.0
# An artist one slip away outweighs an entry to the letter that so many fewer heard.
SLIP_OUTWEIGHS = 25.0
# In a shorter word every slip makes another word: the member is asked.
SHORTEST_OUTWEIGHED = 6
# An artist that this share of the most-heard one's listeners heard may be called by a part of its name or initials.
WELL_KNOWN = 1 / 50
PART_SHARE = 0.6
SHORTEST_PART = 4
INITIALS_LENGTH = range(2, 7)
# Nats that one slip costs: chosen on made-up slips in other names than the labelled ones, where both more and less gave
# more wrong answers or more questions.
SLIP_NATS = 4.5
# What a space in another place adds to the slips in the letters.
MOVED_SPACE = 0.4
# A slip in another name of an artist, or in its transliteration, is rarer than one in the name.
OTHER_NAME = 0.3
# Two names this many nats apart are equally likely: the member is asked.
EQUALLY_LIKELY = 0.05
# In a shorter word a slip makes another name.
SHORTEST_SLIPPED = 4


class Guesser:
    """Guesses against one catalogue of names.

    Parameters
    ----------
    index : of the catalogue's names.
    name_of : an artist's name by its row.
    """

    def __init__(self, index: NameIndex, name_of: Callable[[int], str]) -> None:
        self._index = index
        self._name_of = name_of
        self._most_listeners = int(index.group_listeners[0]) if index.n_groups else 0

    def initials(self, query: Query) -> list[int]:
        """Groups with these initials, the most-heard first; none for a text that does not look like initials."""
        tight = query.tight
        looks_so = len(tight) in INITIALS_LENGTH and (len(query.words) == 1 or len(tight) == len(query.words))
        return groups_of(lookup_keys(self._index, tight, INITIALS)) if looks_so else []

    def is_clear(self, groups: list[int], *, n_letters: int) -> bool:
        """Whether the first of the groups with some initials is surely meant."""
        listeners = [max(self._index.listeners(group), 1) for group in groups[:2]]
        far_ahead = len(groups) == 1 or listeners[0] >= LAYER_DECIDES * listeners[1]
        # Four letters are the initials of few names by chance.
        enough = WELL_KNOWN if n_letters < 4 else WELL_KNOWN / 6
        return n_letters > 2 and far_ahead and listeners[0] >= enough * self._most_listeners

    def part(self, query: Query) -> tuple[int | None, list[int]]:
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

    def spelt(self, query: Query) -> list[Spelt]:
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

    def _ranked(self, query: Query, spelt: list[Spelt]) -> list[Spelt]:
        weighed = [self._spaced(query, one) for one in spelt]
        return sorted(weighed, key=lambda one: -self._likelihood(one))

    def _without_article(self, query: Query) -> list[Spelt]:
        """Names spelt like the query where its first word is a slip for "the", which keys leave out."""
        if len(query.words) < 2 or OSA.distance(query.words[0], "the") != 1:
            return []
        rest = tight_of(" ".join(query.words[1:]))
        found = nearest(self._index, rest, max_slips=1)
        return [replace(one, n_slips=one.n_slips + 1, cost=one.cost + 1) for one in found]

    def _spaced(self, query: Query, one: Spelt) -> Spelt:
        """Weigh in where the words end, which keys leave out: "a ily" is A Lily, not Aly."""
        words = folded_words(self._name_of(self._index.artist(one.group)))
        if "".join(words) != one.text:  # spelt like another name of the artist
            return replace(one, cost=one.cost + OTHER_NAME)
        n_slips = OSA.distance(" ".join(query.words), " ".join(words))
        return replace(one, cost=one.cost + MOVED_SPACE * max(n_slips - one.n_slips, 0))

    def _likelihood(self, one: Spelt) -> float:
        """Nats: how likely this artist is meant, next to one that nobody hears and that is spelt so."""
        return math.log(max(self._index.listeners(one.group), 1)) - SLIP_NATS * one.cost

    def surely_spelt(self, query: Query, spelt: list[Spelt]) -> Spelt | None:
        """Choose the one that is meant beyond doubt, if there is."""
        if not spelt:
            return None
        best = spelt[0]
        lead = self._likelihood(best) - self._likelihood(spelt[1]) if len(spelt) > 1 else math.inf
        if lead < EQUALLY_LIKELY or len(query.tight) < SHORTEST_SLIPPED:
            return None
        if best.n_slips > _allowed_slips(max(len(query.tight), len(best.text))):
            return None
        name_words = folded_words(self._name_of(self._index.artist(best.group)))
        odds = slip_log_odds(
            self._index, query.tight, best, words=query.words, name_words=name_words, lead=lead, n_near=len(spelt)
        )
        return best if odds >= SURE else None


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


def _allowed_slips(length: int) -> int:
    """How many slips a name of so many letters survives, however odd they look."""
    return 1 if length < 7 else 2 if length < 13 else 3


def similarity_of(tight: str, one: Spelt) -> float:
    """How like a query a text is, from 0 to 1: the share of its letters without a slip."""
    return max(0.0, 1.0 - one.n_slips / max(len(tight), len(one.text), 1))
