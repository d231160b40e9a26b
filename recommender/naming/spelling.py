"""Names spelt like a query: found by shared deletions and trigrams, measured by the slips that lead to it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA

from recommender.naming.hashing import deletion_hashes
from recommender.naming.index import NameIndex, trigram_weights, trigrams_of

MAX_POSTINGS = 150_000
"""Texts looked at for one query at most; its rarest trigrams come first."""
MAX_SAME_DELETION = 400
_N_NEAREST = 300
_N_MEASURED = 12

# What one slip of each kind costs, in units of an arbitrary wrong letter. Chosen from how people type, not fitted.
_SWAPPED, _DOUBLED, _NEIGHBOUR_KEY, _ALIKE, _OTHER, _FIRST_LETTER = 0.7, 0.6, 0.8, 0.8, 1.0, 0.25
_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_ALIKE_LETTERS = ("aeiouy", "ckqx", "sz", "fv", "bp", "dt", "mn", "gj", "vw")


def _neighbour_keys() -> frozenset[tuple[str, str]]:
    place = {letter: (row, column + row / 2) for row, keys in enumerate(_ROWS) for column, letter in enumerate(keys)}
    return frozenset(
        (a, b)
        for a, (row, column) in place.items()
        for b, (other_row, other_column) in place.items()
        if a != b and abs(row - other_row) <= 1 and abs(column - other_column) <= 1
    )


_NEIGHBOURS = _neighbour_keys()
_SOUND_ALIKE = frozenset((a, b) for letters in _ALIKE_LETTERS for a in letters for b in letters if a != b)


@dataclass(frozen=True, slots=True)
class Spelt:
    """A text like the query.

    Attributes
    ----------
    group : whose text it is.
    text : the text.
    n_slips : letters dropped, added, replaced or swapped with their neighbour (optimal string alignment).
    cost : the same, weighted by how likely each slip is.
    """

    group: int
    text: str
    n_slips: int
    cost: float


def one_slip_away(index: NameIndex, tight: str) -> list[tuple[int, str]]:
    """Find every text at most one slip away, none missed: its group and itself, the most-heard first."""
    hashes, _ = deletion_hashes([tight])
    wanted = np.unique(hashes)
    begin = np.searchsorted(index.deletion_hash, wanted, side="left")
    end = np.minimum(np.searchsorted(index.deletion_hash, wanted, side="right"), begin + MAX_SAME_DELETION)
    ranges = zip(begin.tolist(), end.tolist(), strict=True)
    found = {number for a, b in ranges for number in index.deletion_text[a:b].tolist()}
    near: dict[int, str] = {}
    for number in sorted(found):
        text = index.text(number)
        if OSA.distance(tight, text, score_cutoff=1) <= 1:
            near.setdefault(int(index.text_group[number]), text)
    return sorted(near.items())


def like_trigrams(index: NameIndex, tight: str, *, n: int = _N_NEAREST, is_whole: bool = True) -> npt.NDArray[np.int32]:
    """Find the texts with the most, and the rarest, trigrams in common with a query.

    Parameters
    ----------
    tight : the query's key.
    n : texts wanted at most.
    is_whole : compare whole texts, by cosine; else the query is only the beginning of a name, and a text's length does
        not count against it.
    """
    if not len(index.trigram):
        return np.zeros(0, dtype=np.int32)
    packed, _ = trigrams_of([tight])
    if not is_whole:
        packed = packed[:-1]
    wanted = np.unique(packed)
    place = np.searchsorted(index.trigram, wanted)
    place = place[index.trigram[np.minimum(place, len(index.trigram) - 1)] == wanted]
    begin, end = index.trigram_offsets[place], index.trigram_offsets[place + 1]
    n_with = end - begin
    rarest_first = np.argsort(n_with, kind="stable")
    n_looked_up = max(int(np.searchsorted(np.cumsum(n_with[rarest_first]), MAX_POSTINGS, side="right")), 1)
    chosen = rarest_first[:n_looked_up]
    if not len(chosen):
        return np.zeros(0, dtype=np.int32)
    texts = np.concatenate([index.trigram_texts[begin[row] : end[row]] for row in chosen.tolist()])
    weights = np.repeat(trigram_weights(n_with[chosen], n_texts=len(index.text_norm)), n_with[chosen])
    in_common = np.bincount(texts, weights=weights, minlength=len(index.text_norm))
    likeness = in_common / index.text_norm if is_whole else in_common
    touched = np.flatnonzero(likeness > 0.2 * likeness.max())
    if len(touched) > n:
        touched = touched[np.argpartition(-likeness[touched], n)[:n]]
    return touched.astype(np.int32)


def nearest(index: NameIndex, tight: str, *, max_slips: int) -> list[Spelt]:
    """Names within a number of slips, the fewest first; ties by popularity."""
    numbers = np.sort(like_trigrams(index, tight))
    texts = [index.text(number) for number in numbers.tolist()]
    slips = process.cdist([tight], texts, scorer=OSA.distance, score_cutoff=max_slips, dtype=np.int32)[0]
    near: dict[int, str] = {}
    for row in np.argsort(slips, kind="stable").tolist():
        if slips[row] > max_slips or len(near) == _N_MEASURED:
            break
        near.setdefault(int(index.text_group[numbers[row]]), texts[row])
    return measured(tight, list(near.items()))


def measured(tight: str, texts: list[tuple[int, str]]) -> list[Spelt]:
    """Measure the slips from each text to the query."""
    spelt = [Spelt(group, text, int(OSA.distance(tight, text)), slip_cost(tight, text)) for group, text in texts]
    return sorted(spelt, key=lambda one: (one.n_slips, one.cost, one.group))


def slip_cost(typed: str, meant: str) -> float:
    """Weigh the cheapest slips that lead from what was meant to what was typed.

    Returns
    -------
    0 for equal texts; about 1 for each slip, less for likely ones (a neighbouring key, a doubled letter, two letters
    swapped, letters that sound alike), more in the first letter, which people rarely get wrong.
    """
    same = 0
    while same < min(len(typed), len(meant)) and typed[same] == meant[same]:
        same += 1
    while len(typed) > same and len(meant) > same and typed[-1] == meant[-1]:
        typed, meant = typed[:-1], meant[:-1]
    same = max(same - 1, 0)  # a doubled letter is recognised by the one before it
    return _weighted_alignment(typed[same:], meant[same:], at_beginning=same == 0)


def _weighted_alignment(typed: str, meant: str, *, at_beginning: bool) -> float:
    rows = [[0.0] * (len(meant) + 1) for _ in range(len(typed) + 1)]
    for i in range(len(typed) + 1):
        for j in range(len(meant) + 1):
            if i == j == 0:
                continue
            first = _FIRST_LETTER if at_beginning and i <= 1 and j <= 1 else 0.0
            best = float("inf")
            if i:
                best = rows[i - 1][j] + _one_letter(typed, i, meant[j - 1] if j else "") + first
            if j:
                best = min(best, rows[i][j - 1] + _one_letter(meant, j, typed[i - 1] if i else "") + first)
            if i and j:
                a, b = typed[i - 1], meant[j - 1]
                best = min(best, rows[i - 1][j - 1] + (0.0 if a == b else _replaced(a, b) + first))
                if i > 1 and j > 1 and a == meant[j - 2] and typed[i - 2] == b:
                    best = min(best, rows[i - 2][j - 2] + _SWAPPED)
            rows[i][j] = best
    return rows[-1][-1]


def _one_letter(longer: str, place: int, beside: str) -> float:
    """A letter too many or too few: cheap when it doubles its neighbour or lies beside it on the keyboard."""
    letter = longer[place - 1]
    if letter == beside or (place > 1 and longer[place - 2] == letter):
        return _DOUBLED
    return _NEIGHBOUR_KEY if (letter, beside) in _NEIGHBOURS else _OTHER


def _replaced(a: str, b: str) -> float:
    if (a, b) in _NEIGHBOURS:
        return _NEIGHBOUR_KEY
    return _ALIKE if (a, b) in _SOUND_ALIKE else _OTHER
