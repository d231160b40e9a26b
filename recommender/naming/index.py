"""The index of names as plain arrays: built once, at training, kept in the artifact, memory-mapped by every process.

A *group* is all artists with one tight key; groups are numbered by popularity, the most-heard first, so that "smaller
number" means "more popular" everywhere. A *text* is a key that is compared letter by letter: the tight key of each
group (text number = group number), then transliterations and other names.

=====================  ==================  ==========================================================================
array                  shape, type         content
=====================  ==================  ==========================================================================
``group_offsets``      (n_groups + 1) i32  where each group begins in ``group_artists``
``group_artists``      (n_artists) i32     its artists, the most-heard first
``artist_listeners``   (n_artists) i32     listeners of each artist, in the order of ``group_artists``
``group_listeners``    (n_groups) i32      listeners of its most-heard artist
``key_hash``           (n_keys) u64        hashed keys of all kinds, ascending; equal ones by group
``key_group``          (n_keys) i32        the group that has the key
``key_layer``          (n_keys) u8         which habit of writing it stands for, see :data:`KEY_LAYERS`
``text_bytes``         (n_bytes) u8        all texts, UTF-8
``text_offsets``       (n_texts + 1) i32   where each begins
``text_group``         (n_texts) i32       whose it is
``deletion_hash``      (n_deletions) u32   texts with one letter left out, hashed, ascending
``deletion_text``      (n_deletions) i32   the text
``trigram``            (n_trigrams) u64    three code points of 21 bits, ascending
``trigram_offsets``    (n_trigrams+1) i64  where the texts with each begin in ``trigram_texts``
``trigram_texts``      (n_postings) i32    texts with the trigram, ascending
``text_norm``          (n_texts) f32       length of each text's vector of trigram weights
``start_text``         (n_starts) i32      texts in the order of what follows from each beginning of a word
``start_byte``         (n_starts) u16      where in the text that beginning is
``word_hash``          (n_words) u64       all words of names, hashed, ascending
``word_groups``        (n_words) i32       in how many groups each is
=====================  ==================  ==========================================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.naming.hashing import code_points, hash_text
from recommender.naming.keys import folded, split_words
from recommender.naming.outcomes import Layer

KEY_LAYERS: tuple[Layer, ...] = ("key", "alias", "variant", "stylised", "order", "initials")
"""``key_layer`` is an index into this."""

# Kinds of keys that must not meet: initials are no tight keys.
SPELLING, SKELETON, STYLISED, ORDER, ENDS, INITIALS, ALIAS, WORD = (hash_text(f"segue names {n}") for n in range(8))

LONGEST_STARTS = 48
"""Bytes of a text that decide its place among the word starts; two texts equal so far stand in any order."""
SHORTEST_FUZZY_ALIAS = 8

I32 = npt.NDArray[np.int32]

INDEX_TYPES: dict[str, str] = {
    "group_offsets": "<i4",
    "group_artists": "<i4",
    "artist_listeners": "<i4",
    "group_listeners": "<i4",
    "key_hash": "<u8",
    "key_group": "<i4",
    "key_layer": "|u1",
    "text_bytes": "|u1",
    "text_offsets": "<i4",
    "text_group": "<i4",
    "deletion_hash": "<u4",
    "deletion_text": "<i4",
    "trigram": "<u8",
    "trigram_offsets": "<i8",
    "trigram_texts": "<i4",
    "text_norm": "<f4",
    "start_text": "<i4",
    "start_byte": "<u2",
    "word_hash": "<u8",
    "word_groups": "<i4",
}
"""Type of each array, all of one dimension, as it is written to disk."""


@dataclass(frozen=True, slots=True, eq=False)
class NameIndex:
    """The arrays; see the module for each."""

    group_offsets: I32
    group_artists: I32
    artist_listeners: I32
    group_listeners: I32
    key_hash: npt.NDArray[np.uint64]
    key_group: I32
    key_layer: npt.NDArray[np.uint8]
    text_bytes: npt.NDArray[np.uint8]
    text_offsets: I32
    text_group: I32
    deletion_hash: npt.NDArray[np.uint32]
    deletion_text: I32
    trigram: npt.NDArray[np.uint64]
    trigram_offsets: npt.NDArray[np.int64]
    trigram_texts: I32
    text_norm: npt.NDArray[np.float32]
    start_text: I32
    start_byte: npt.NDArray[np.uint16]
    word_hash: npt.NDArray[np.uint64]
    word_groups: I32

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.group_listeners)

    @property
    def nbytes(self) -> int:
        """Size of all arrays."""
        return sum(array.nbytes for array in self.arrays().values())

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All arrays by name."""
        return {column.name: getattr(self, column.name) for column in fields(self)}

    def text(self, number: int) -> str:
        """One text."""
        begin, end = self.text_offsets[number : number + 2].tolist()
        return self.text_bytes[begin:end].tobytes().decode()

    def artists(self, group: int) -> list[int]:
        """Rows of a group's artists, the most-heard first."""
        begin, end = self.group_offsets[group : group + 2].tolist()
        rows: list[int] = self.group_artists[begin:end].tolist()
        return rows

    def is_split(self, group: int, *, at_least: float, factor: float) -> bool:
        """Whether a group's second artist has so many listeners, and the first not so many times more."""
        begin, end = self.group_offsets[group : group + 2].tolist()
        if end - begin < 2:
            return False
        first, second = self.artist_listeners[begin : begin + 2].tolist()
        return bool(second >= at_least and first < factor * second)

    def listeners_within(self, group: int) -> list[int]:
        """Listeners of a group's artists, in the order of :meth:`artists`."""
        begin, end = self.group_offsets[group : group + 2].tolist()
        listeners: list[int] = self.artist_listeners[begin:end].tolist()
        return listeners

    def artist(self, group: int) -> int:
        """Row of a group's most-heard artist."""
        return int(self.group_artists[self.group_offsets[group]])

    def listeners(self, group: int) -> int:
        """Listeners of a group's most-heard artist."""
        return int(self.group_listeners[group])


def trigrams_of(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Pack every three neighbouring code points of each text, one sign before and one after it, into 64 bits.

    Returns
    -------
    The trigrams, and for each the number of its text.
    """
    codes, offsets = code_points([f"\x01{text}\x02" for text in texts])
    wide = codes.astype(np.uint64)
    packed = wide[:-2] << np.uint64(42) | wide[1:-1] << np.uint64(21) | wide[2:]
    text_of = np.repeat(np.arange(len(texts)), np.diff(offsets))
    within = text_of[:-2] == text_of[2:]
    return packed[within], text_of[:-2][within]


def trigram_weights(n_with: npt.NDArray[np.integer], *, n_texts: int) -> npt.NDArray[np.float64]:
    """Squared inverse document frequency: what a trigram in common adds to the product of two vectors."""
    weights: npt.NDArray[np.float64] = np.log((n_texts + 1) / n_with) ** 2
    return weights


def is_sound(index: NameIndex, *, n_artists: int) -> bool:
    """Whether all numbers in an index point to something, so that no query can fail on it."""
    n_texts = len(index.text_group)
    offsets = (
        (index.group_offsets, n_artists, index.n_groups),
        (index.text_offsets, len(index.text_bytes), n_texts),
        (index.trigram_offsets, len(index.trigram_texts), len(index.trigram)),
    )
    numbers = (
        (index.group_artists, n_artists),
        (index.key_group, index.n_groups),
        (index.key_layer, len(KEY_LAYERS)),
        (index.text_group, index.n_groups),
        (index.deletion_text, n_texts),
        (index.trigram_texts, n_texts),
        (index.start_text, n_texts),
    )
    pairs = (
        (index.artist_listeners, index.group_artists),
        (index.key_hash, index.key_group),
        (index.key_hash, index.key_layer),
        (index.deletion_hash, index.deletion_text),
        (index.text_norm, index.text_group),
        (index.start_byte, index.start_text),
        (index.word_hash, index.word_groups),
    )
    return (
        all(_cuts(one, end=end, n=n) for one, end, n in offsets)
        and all(not len(one) or (one.min() >= 0 and one.max() < n) for one, n in numbers)
        and all(len(one) == len(other) for one, other in pairs)
        and bool(np.isfinite(index.text_norm).all() and (index.text_norm > 0).all())
    )


def _cuts(offsets: npt.NDArray[np.integer], *, end: int, n: int) -> bool:
    """Whether offsets cut something of this length into n pieces."""
    return len(offsets) == n + 1 and offsets[0] == 0 and offsets[-1] == end and bool((np.diff(offsets) >= 0).all())


def lookup_keys(index: NameIndex, text: str, salt: int, *, limit: int = 20) -> list[tuple[int, Layer]]:
    """Groups that have a key, the most-heard first, and what kind of key it is for them."""
    if not text:
        return []
    wanted = np.uint64(hash_text(text, salt))
    begin = int(np.searchsorted(index.key_hash, wanted))
    end = begin
    while end < len(index.key_hash) and end - begin < limit and index.key_hash[end] == wanted:
        end += 1
    groups, layers = index.key_group[begin:end].tolist(), index.key_layer[begin:end].tolist()
    return [(group, KEY_LAYERS[layer]) for group, layer in zip(groups, layers, strict=True)]


def groups_with_word(index: NameIndex, word: str) -> int:
    """In how many groups a folded word is."""
    wanted = np.uint64(hash_text(word, WORD))
    place = int(np.searchsorted(index.word_hash, wanted))
    if place < len(index.word_hash) and index.word_hash[place] == wanted:
        return int(index.word_groups[place])
    return 0


def folded_words(name: str) -> list[str]:
    """Words of a name, folded."""
    return split_words(folded(name))
