"""More names of artists than the index has, such as a community's own: prepared once, looked up often."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from recommender.artists import artist_key
from recommender.naming.keys import folded, full_key, tight_key


@dataclass(frozen=True, slots=True)
class OtherNames:
    """Names that lead to artists before any layer of the index is asked; see :func:`prepared`.

    Attributes
    ----------
    by_key : artist rows by :func:`recommender.artists.artist_key`.
    by_tight : artist rows by tight key, where all names that share one agree.
    beginnings : letters and digits of each name and its artist's row, sorted, for completion.
    """

    by_key: Mapping[str, int]
    by_tight: Mapping[str, int]
    beginnings: tuple[tuple[str, int], ...]

    def __bool__(self) -> bool:
        return bool(self.by_key)

    def artist(self, key: str, tight: str) -> int | None:
        """Row of the artist that is called so: to the letter, else but for accents and punctuation."""
        found = self.by_key.get(key)
        return self.by_tight.get(tight) if found is None else found

    def beginning(self, letters: str, *, limit: int) -> list[int]:
        """Rows of artists with a name that begins so, the shortest such name first."""
        begin = bisect_left(self.beginnings, (letters, -1))
        end = bisect_left(self.beginnings, (letters + "\U0010ffff", -1), lo=begin)
        shortest_first = sorted(self.beginnings[begin:end], key=lambda one: len(one[0]))
        return list(dict.fromkeys(row for _, row in shortest_first))[:limit]


def prepared(names: Mapping[str, int]) -> OtherNames:
    """Prepare names for looking up.

    Parameters
    ----------
    names : artist rows by name, of any case and spacing.
    """
    by_key = {key: row for name, row in names.items() if (key := artist_key(name))}
    rows_of: dict[str, set[int]] = {}
    beginnings = set()
    for key, row in by_key.items():
        rows_of.setdefault(tight_key(key), set()).add(row)
        beginnings |= {(letters, row) for letters in (full_key(folded(key)), tight_key(key)) if letters}
    by_tight = {tight: rows.pop() for tight, rows in rows_of.items() if len(rows) == 1}
    return OtherNames(by_key, by_tight, tuple(sorted(beginnings)))


NO_OTHER_NAMES = prepared({})
