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

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.artists import artist_key
from recommender.naming.hashing import code_points, deletion_hashes, hash_text, hash_texts
from recommender.naming.keys import (
    MAX_QUERY_CHARACTERS,
    ends_key,
    folded,
    full_key,
    has_leet,
    initials_keys,
    order_key,
    skeleton_key,
    split_words,
    tight_key,
    tight_of,
    transliterated,
    variant_keys,
    without_accents,
)
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


@dataclass(slots=True)
class _Keys:
    """Keys gathered for hashing."""

    texts: list[str] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    salts: list[int] = field(default_factory=list)
    layers: list[int] = field(default_factory=list)

    def add(self, text: str, group: int, salt: int, layer: Layer) -> None:
        if text:
            self.texts.append(text)
            self.groups.append(group)
            self.salts.append(salt)
            self.layers.append(KEY_LAYERS.index(layer))


def build_index(
    names: Sequence[str], listeners: npt.NDArray[np.integer], aliases: Iterable[tuple[str, str]] = ()
) -> NameIndex:
    """Build the index of a catalogue.

    Parameters
    ----------
    names : of all artists, in the order of the catalogue.
    listeners : shape (n_artists,), how many heard each.
    aliases : pairs of another name and an artist's name; those whose artist is not here are left out.
    """
    heard = np.asarray(listeners, dtype=np.int64)
    groups = _groups(names, heard)
    number_of = {tight: group for group, (tight, _) in enumerate(groups)}
    keys = _Keys()
    texts = [tight for tight, _ in groups]
    text_group = list(range(len(groups)))
    spoken: list[tuple[str, int]] = []  # texts for completion alone
    starts: list[list[int]] = []
    words_seen: Counter[str] = Counter()
    for group, (tight, members) in enumerate(groups):
        key = artist_key(names[members[0]])
        text = without_accents(key)
        words = split_words(text)
        words_seen.update(set(words))
        starts.append(_word_starts(tight, words))
        extra = _add_keys(keys, group, tight=tight, key=key, text=text, words=words)
        texts += extra
        text_group += [group] * len(extra)
        if (full := full_key(text)) != tight:
            spoken.append((full, group))
    for alias, artist in aliases:
        target = number_of.get(tight_key(artist))
        alias_key = tight_key(alias)
        if target is not None and alias_key and alias_key != texts[target]:
            keys.add(alias_key, target, ALIAS, "alias")
            if len(alias_key) >= SHORTEST_FUZZY_ALIAS:
                texts.append(alias_key)
                text_group.append(target)
            else:
                spoken.append((alias_key, target))
    n_compared = len(texts)
    texts += [text for text, _ in spoken]
    text_group += [group for _, group in spoken]
    starts += [[0] for _ in range(len(texts) - len(starts))]
    return NameIndex(
        **_group_arrays(groups, heard),
        **_key_arrays(keys),
        **_text_arrays(texts, text_group),
        **_deletion_arrays(texts[:n_compared]),
        **_trigram_arrays(texts[:n_compared], n_texts=len(texts)),
        **_start_arrays(texts, starts),
        **_word_arrays(words_seen),
    )


def _groups(names: Sequence[str], heard: npt.NDArray[np.int64]) -> list[tuple[str, list[int]]]:
    """Tight keys and their artists; the most-heard first, both the groups and the artists in each."""
    by_tight: dict[str, list[int]] = defaultdict(list)
    for idx in np.argsort(-heard, kind="stable").tolist():
        by_tight[tight_key(names[idx])].append(idx)
    return list(by_tight.items())


def _add_keys(keys: _Keys, group: int, *, tight: str, key: str, text: str, words: list[str]) -> list[str]:
    """Gather the keys of a name; return the texts, besides its tight key, that it is compared by."""
    keys.add(tight, group, SPELLING, "key")
    variants = {variant for variant in variant_keys(key, text, words) if variant != tight}
    for variant in sorted(variants):
        keys.add(variant, group, SPELLING, "variant")
    skeleton = skeleton_key(text)
    if skeleton != tight:
        keys.add(skeleton, group, SKELETON, "stylised")
    if has_leet(text):
        keys.add(skeleton, group, STYLISED, "stylised")
    keys.add(order_key(words), group, ORDER, "order")
    keys.add(ends_key(words), group, ENDS, "order")
    for initials in sorted(initials_keys(words)):
        keys.add(initials, group, INITIALS, "initials")
    if text.isascii():
        return []
    latin = tight_of(transliterated(text))
    return [latin] if latin and latin != tight else []


def _word_starts(tight: str, words: list[str]) -> list[int]:
    """Where the words of a name begin in its tight key, as positions in characters."""
    starts, place = [0], 0
    for word in words:
        # "the" and "and" may have been left out of the key; then the next word begins where they would.
        if tight.startswith(word, place):
            if place:
                starts.append(place)
            place += len(word)
    return starts


def _group_arrays(groups: list[tuple[str, list[int]]], heard: npt.NDArray[np.int64]) -> dict[str, Any]:
    offsets = np.zeros(len(groups) + 1, dtype=np.int32)
    np.cumsum([len(members) for _, members in groups], out=offsets[1:])
    artists = np.array([idx for _, members in groups for idx in members], dtype=np.int32)
    return {
        "group_offsets": offsets,
        "group_artists": artists,
        "artist_listeners": heard[artists].astype(np.int32),
        "group_listeners": heard[artists[offsets[:-1]]].astype(np.int32),
    }


def _key_arrays(keys: _Keys) -> dict[str, Any]:
    hashes = hash_texts(keys.texts, np.array(keys.salts, dtype=np.uint64))
    groups = np.array(keys.groups, dtype=np.int32)
    order = np.lexsort((groups, hashes))
    return {
        "key_hash": hashes[order],
        "key_group": groups[order],
        "key_layer": np.array(keys.layers, dtype=np.uint8)[order],
    }


def _text_arrays(texts: list[str], text_group: list[int]) -> dict[str, Any]:
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(texts) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return {
        "text_bytes": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        "text_offsets": offsets,
        "text_group": np.array(text_group, dtype=np.int32),
    }


def _deletion_arrays(texts: list[str]) -> dict[str, Any]:
    short = [number for number, text in enumerate(texts) if 2 < len(text) <= MAX_QUERY_CHARACTERS]
    hashes, place = deletion_hashes([texts[number] for number in short])
    numbers = np.array(short, dtype=np.int32)[place]
    order = np.lexsort((numbers, hashes))
    return {"deletion_hash": hashes[order], "deletion_text": numbers[order]}


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


def _trigram_arrays(texts: list[str], *, n_texts: int) -> dict[str, Any]:
    short = [number for number, text in enumerate(texts) if len(text) <= MAX_QUERY_CHARACTERS]
    packed, place = trigrams_of([texts[number] for number in short])
    numbers = np.array(short, dtype=np.int32)[place]
    order = np.lexsort((numbers, packed))
    packed, numbers = packed[order], numbers[order]
    is_new = np.ones(len(packed), dtype=bool)
    is_new[1:] = (packed[1:] != packed[:-1]) | (numbers[1:] != numbers[:-1])
    packed, numbers = packed[is_new], numbers[is_new]
    trigram, first, counts = np.unique(packed, return_index=True, return_counts=True)
    weight = np.repeat(trigram_weights(counts, n_texts=n_texts), counts)
    norm = np.sqrt(np.bincount(numbers, weights=weight, minlength=n_texts))
    return {
        "trigram": trigram,
        "trigram_offsets": np.append(first, len(packed)).astype(np.int64),
        "trigram_texts": numbers,
        "text_norm": np.maximum(norm, 1e-6).astype(np.float32),
    }


def trigram_weights(n_with: npt.NDArray[np.integer], *, n_texts: int) -> npt.NDArray[np.float64]:
    """Squared inverse document frequency: what a trigram in common adds to the product of two vectors."""
    weights: npt.NDArray[np.float64] = np.log((n_texts + 1) / n_with) ** 2
    return weights


def _start_arrays(texts: list[str], starts: list[list[int]]) -> dict[str, Any]:
    tails: list[tuple[bytes, int, int]] = []
    for number, (text, places) in enumerate(zip(texts, starts, strict=True)):
        for place in places:
            at_byte = place if text.isascii() else len(text[:place].encode())
            if at_byte < 2**16:
                tails.append((text[place : place + LONGEST_STARTS].encode()[:LONGEST_STARTS], number, at_byte))
    tails.sort()
    return {
        "start_text": np.array([number for _, number, _ in tails], dtype=np.int32),
        "start_byte": np.array([at_byte for _, _, at_byte in tails], dtype=np.uint16),
    }


def _word_arrays(words_seen: Counter[str]) -> dict[str, Any]:
    common = [(word, n_groups) for word, n_groups in words_seen.items() if word]
    hashes = hash_texts([word for word, _ in common], np.full(len(common), WORD, dtype=np.uint64))
    order = np.argsort(hashes)
    return {
        "word_hash": hashes[order],
        "word_groups": np.array([n_groups for _, n_groups in common], dtype=np.int32)[order],
    }


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
