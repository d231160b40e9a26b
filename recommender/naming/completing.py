"""Completion while a person types: names that begin so, then names with such a word, then names one slip away."""

from bisect import bisect_left
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA

from recommender.artists import artist_key
from recommender.naming.index import LONGEST_STARTS, SPELLING, NameIndex, folded_words, lookup_keys
from recommender.naming.keys import clean_query, folded, full_key, tight_of
from recommender.naming.others import NO_OTHER_NAMES, OtherNames
from recommender.naming.spelling import like_trigrams

# With fewer suggestions than this, names one slip away are looked for.
ENOUGH = 5
SHORTEST_SLIP = 4
OUTWEIGHS = 25
# Names that a community gave stand first, but leave room for the rest.
MAX_OTHER_NAMES = 5


def starts_with(index: NameIndex, key: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Find the names that have a word, or several to the end of the key, beginning so.

    Parameters
    ----------
    key : letters and digits of a query, not empty.

    Returns
    -------
    Groups, in no order and perhaps repeated, and for each whether the whole name begins so.
    """
    prefix = key.encode("utf-8", "surrogatepass")[:LONGEST_STARTS]
    texts, start_byte = index.start_text, index.start_byte
    blob, offsets = index.text_bytes, index.text_offsets

    def tail(row: int) -> bytes:
        begin = int(offsets[texts[row]]) + int(start_byte[row])
        end = min(int(offsets[texts[row] + 1]), begin + LONGEST_STARTS)
        return blob[begin:end].tobytes()

    rows = range(len(texts))
    low = bisect_left(rows, prefix, key=tail)
    high = bisect_left(rows, prefix + b"\xff", lo=low, key=tail)
    return index.text_group[texts[low:high]], start_byte[low:high] == 0


def most_heard(groups: npt.NDArray[np.int32], n: int) -> list[int]:
    """The n smallest group numbers: the most-heard groups, each once."""
    n_kept = 3 * n  # a group may be there by several texts
    if len(groups) > n_kept:
        groups = np.partition(groups, n_kept)[:n_kept]
    unique: list[int] = np.unique(groups)[:n].tolist()
    return unique


class Completer:
    """Suggests artists from one catalogue of names; immutable, safe to share between threads.

    Parameters
    ----------
    index : of the catalogue's names.
    name_of : an artist's name by its row.
    other_names : more names of artists than the index has, such as a community's own.
    """

    def __init__(
        self, index: NameIndex, name_of: Callable[[int], str], *, other_names: OtherNames = NO_OTHER_NAMES
    ) -> None:
        self._index = index
        self._name_of = name_of
        self._other_names = other_names

    def complete(self, text: str, *, limit: int = 25, recent: Sequence[int] = ()) -> list[int]:
        """Suggest artists for what was typed so far.

        Parameters
        ----------
        text : anything; only the first hundred visible characters count.
        limit : suggestions wanted at most, >= 1.
        recent : rows of artists that this person was shown lately, the latest first; those that fit come first.

        Returns
        -------
        Artist rows: recent ones, those whom a community calls so, the name to the letter, names that begin so, names
        with such a word, names one slip away; the most-heard first within each. Without text the recent and the
        most-heard artists.
        """
        query = folded(clean_query(text))
        if not query:
            popular = [self._index.artist(group) for group in range(min(limit, self._index.n_groups))]
            return list(dict.fromkeys([*recent, *popular]))[:limit]
        full, tight = full_key(query), tight_of(query)
        keys = [key for key in dict.fromkeys((full, tight)) if key] or [artist_key(text)]
        groups = self._beginning(keys, limit)
        if len(groups) < min(ENOUGH, limit) and len(tight) >= SHORTEST_SLIP:
            groups += self._one_slip_away(tight, limit)
        fitting = [artist for artist in recent if self._fits(artist, keys)]
        given = [artist for key in keys for artist in self._other_names.beginning(key, limit=MAX_OTHER_NAMES)]
        found = [self._index.artist(group) for group in groups]
        return list(dict.fromkeys([*fitting, *given[:MAX_OTHER_NAMES], *found]))[:limit]

    def _beginning(self, keys: list[str], limit: int) -> list[int]:
        begins: list[int] = []
        has_word: list[int] = []
        for key in keys:  # all that was typed first: "the lo" is The Loved Ones before it is Los Hermanos
            groups, is_whole = starts_with(self._index, key)
            begins += most_heard(groups[is_whole], limit)
            has_word += most_heard(groups[~is_whole], limit)
        ranked = list(dict.fromkeys([*begins, *has_word]))
        # Whoever typed all of a name means it, however many longer ones are heard more; only a far more popular one is
        # likelier.
        for group in self._to_the_letter(keys):
            top = self._index.listeners(ranked[0]) if ranked else 0
            place = 1 if top >= OUTWEIGHS * self._index.listeners(group) else 0
            ranked = [other for other in ranked if other != group]
            ranked.insert(place, group)
        return ranked

    def _to_the_letter(self, keys: list[str]) -> list[int]:
        hits = (hit for key in keys for hit in lookup_keys(self._index, key, SPELLING))
        return [group for group, layer in hits if layer == "key"][:1]

    def _one_slip_away(self, tight: str, limit: int) -> list[int]:
        """Groups whose text begins with the query but for one slip, the most-heard first."""
        near = set()
        for number in like_trigrams(self._index, tight, is_whole=False).tolist():
            text = self._index.text(number)
            beginnings = (text[: len(tight) + more] for more in (-1, 0, 1))
            if any(OSA.distance(tight, beginning, score_cutoff=1) <= 1 for beginning in beginnings):
                near.add(int(self._index.text_group[number]))
        return sorted(near)[:limit]

    def _fits(self, artist: int, keys: list[str]) -> bool:
        words = folded_words(self._name_of(artist))
        tails = ("".join(words[first:]) for first in range(len(words)))
        return any(tail.startswith(key) for tail in tails for key in keys)
