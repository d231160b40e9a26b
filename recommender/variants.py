"""Names in the data that may be one artist spelt in two ways: found with their evidence, merged only where reviewed.

A variant splits an artist's listeners. Whether two like names are one artist is no matter of letters alone ("Bush" and
"BUSH!"), so that only pairs that a rule calls safe are proposed for merging, and the rest wait for a person.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from recommender.artists import artist_key
from recommender.errors import DataError
from recommender.matrix import CSR
from recommender.naming.keys import folded, full_key, tight_key
from recommender.play_counts import PlayCounts

Rule: TypeAlias = Literal["accents", "the", "punctuation", "and", "several"]
"""In what alone two names differ; punctuation includes spaces, "and" the signs & and +."""
Decision: TypeAlias = Literal["merge", "keep", "?"]

COLUMNS = ("decision", "variant", "artist", "rule", "variant_listeners", "artist_listeners", "common_listeners")
# Shorter names that are alike are often two artists: "w-inds." and Winds, "The Band" and "Band". Accents tell
# fewer apart.
SHORTEST_SAFE: dict[str, int] = {"accents": 5, "the": 8, "punctuation": 8, "and": 8}
# Where both spellings are heard so much, and so alike, it may be two artists: a person has to look.
BOTH_HEARD = 10
BOTH_HEARD_SHARE = 0.2
_THE = re.compile(r"^the\s+(?=\S)|(?<=\S),?\s+the$")


@dataclass(frozen=True, slots=True)
class Variant:
    """A name that may be another spelling of an artist.

    Attributes
    ----------
    variant, artist : the less and the more heard spelling.
    rule : in what they differ.
    variant_listeners, artist_listeners, common_listeners : who heard each, and both. Two artists with like names tend
        to share listeners as any two do; spellings of one share few, for most libraries keep to one spelling.
    decision : merge where the rule is safe, else "?"; a person may write merge or keep.
    """

    variant: str
    artist: str
    rule: Rule
    variant_listeners: int
    artist_listeners: int
    common_listeners: int
    decision: Decision


def find_variants(counts: PlayCounts) -> list[Variant]:
    """List the names that differ from a more-heard one in accents, "the", "and" or punctuation alone.

    Returns
    -------
    The most-heard artists first; nothing is merged.
    """
    heard = np.bincount(counts.plays.indices, minlength=len(counts.artist_names))
    groups: dict[str, list[int]] = {}
    for idx in np.argsort(-heard, kind="stable").tolist():
        groups.setdefault(tight_key(counts.artist_names[idx]), []).append(idx)
    alike = [group for group in groups.values() if len(group) > 1]
    columns = sorted({idx for group in alike for idx in group})
    place = {idx: number for number, idx in enumerate(columns)}
    listened = (counts.plays.tocsc()[:, columns] > 0).astype(np.int32)
    common = (listened.T @ listened).tocsr()
    return [
        _variant(
            counts.artist_names[other],
            counts.artist_names[main],
            (int(heard[other]), int(heard[main]), int(common[place[other], place[main]])),
        )
        for main, *others in alike
        for other in others
    ]


def _variant(name: str, artist: str, numbers: tuple[int, int, int]) -> Variant:
    rule = rule_of(name, artist)
    listeners, artist_listeners, _ = numbers
    letters = full_key(tight_key(artist))
    both_heard = listeners >= BOTH_HEARD and listeners > BOTH_HEARD_SHARE * artist_listeners
    is_safe = rule in SHORTEST_SAFE and len(letters) >= SHORTEST_SAFE[rule] and not both_heard
    return Variant(name, artist, rule, *numbers, decision="merge" if is_safe else "?")


def rule_of(name: str, other: str) -> Rule:
    """Say in what two names with one tight key differ."""
    a, b = folded(name), folded(other)
    if a == b:
        return "accents"
    if _THE.sub("", a) == _THE.sub("", b):
        return "the"
    if full_key(a) == full_key(b):
        return "punctuation"
    without_and = [re.sub(r"(?<=\s)(?:and|&|\+)(?=\s)|[&+]", "", one) for one in (a, b)]
    return "and" if full_key(without_and[0]) == full_key(without_and[1]) else "several"


def variant_lines(variants: Iterable[Variant]) -> list[str]:
    """Write variants as the rows of a TSV, its header first, for a person to go through."""
    rows = [[str(getattr(one, column)) for column in COLUMNS] for one in variants]
    return ["\t".join(fields) for fields in [list(COLUMNS), *rows]]


def read_decisions(path: Path) -> list[tuple[Decision, str, str]]:
    """Read a reviewed file: the decision, the variant and the artist of each row; further columns are for people.

    Raises
    ------
    DataError : it cannot be read, a row is malformed, or one variant leads to two artists; says where.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as err:
        raise DataError(f"{path} cannot be read: {err}; write it with `segue data variants --output`") from err
    if not lines or tuple(lines[0].split("\t")[:3]) != COLUMNS[:3]:
        raise DataError(f"{path}:1: the first columns have to be {', '.join(COLUMNS[:3])}, separated by tabs")
    decisions: list[tuple[Decision, str, str]] = []
    merged_into: dict[str, str] = {}
    for number, line in enumerate(lines[1:], start=2):
        fields = line.split("\t")
        if len(fields) < 3 or fields[0] not in get_args(Decision) or not (fields[1].strip() and fields[2].strip()):
            raise DataError(f"{path}:{number}: {line[:60]!r} is not merge, keep or ?, a variant and an artist; fix it")
        decision, variant, artist = cast("Decision", fields[0]), fields[1], fields[2]
        target = artist_key(artist)
        if decision == "merge" and merged_into.setdefault(artist_key(variant), target) != target:
            raise DataError(f"{path}:{number}: {variant!r} leads to two artists; keep one row")
        decisions.append((decision, variant, artist))
    return decisions


def merge_variants(counts: PlayCounts, pairs: Sequence[tuple[str, str]]) -> PlayCounts:
    """Make one artist of each variant and its artist; pairs of which the data lack a name change nothing.

    Parameters
    ----------
    counts : as loaded.
    pairs : variant and artist, reviewed.

    Returns
    -------
    The plays summed under the most-heard spelling; ``variants`` holds the pairs of names that became one.
    """
    number_of = {artist_key(name): idx for idx, name in enumerate(counts.artist_names)}
    known = [(number_of.get(artist_key(a), -1), number_of.get(artist_key(b), -1)) for a, b in pairs]
    edges = np.array([pair for pair in known if min(pair) >= 0 and pair[0] != pair[1]], dtype=np.int64).reshape(-1, 2)
    if not len(edges):
        return counts
    n_artists = len(counts.artist_names)
    graph = coo_array((np.ones(len(edges), bool), (edges[:, 0], edges[:, 1])), shape=(n_artists, n_artists))
    _, component = connected_components(graph, directed=False)
    column = _in_order(component)
    heard = np.bincount(counts.plays.indices, minlength=n_artists)
    main = np.zeros(int(column.max()) + 1, np.int64)
    for idx in np.argsort(heard, kind="stable").tolist():  # the most-heard is written last
        main[column[idx]] = idx
    into = coo_array((np.ones(n_artists), (np.arange(n_artists), column)), shape=(n_artists, len(main))).tocsr()
    plays = CSR((counts.plays.astype(np.float64) @ into).astype(np.float32))
    plays.sort_indices()
    gone = [idx for idx in range(n_artists) if main[column[idx]] != idx]
    return replace(
        counts,
        plays=plays,
        artist_names=[counts.artist_names[idx] for idx in main.tolist()],
        artist_mbids=[_mbid(counts.artist_mbids, column, idx) for idx in main.tolist()],
        variants=tuple((counts.artist_names[idx], counts.artist_names[main[column[idx]]]) for idx in gone),
    )


def _in_order(component: NDArray[np.int32]) -> NDArray[np.int64]:
    """Number components in the order of their first member."""
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    order: NDArray[np.int64] = np.argsort(np.argsort(first))[inverse]
    return order


def _mbid(mbids: Sequence[str], column: NDArray[np.int64], main: int) -> str:
    """The most-heard spelling's id, or where it has none the first that another has."""
    if mbids[main]:
        return mbids[main]
    members: list[int] = np.flatnonzero(column == column[main]).tolist() if any(mbids) else []
    return next((mbids[idx] for idx in members if mbids[idx]), "")
