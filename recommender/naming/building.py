"""Building the index of names, at training: the keys of every name, hashed and sorted into arrays."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.artists import artist_keys
from recommender.naming.hashing import deletion_hashes, hash_texts
from recommender.naming.index import (
    ALIAS,
    ENDS,
    INITIALS,
    KEY_LAYERS,
    LONGEST_STARTS,
    ORDER,
    SHORTEST_FUZZY_ALIAS,
    SKELETON,
    SPELLING,
    STYLISED,
    WORD,
    NameIndex,
    trigram_weights,
    trigrams_of,
)
from recommender.naming.keys import (
    MAX_QUERY_CHARACTERS,
    all_without_accents,
    ends_key,
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
)
from recommender.naming.outcomes import Layer


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
    name_keys = artist_keys(names)
    folded = all_without_accents(name_keys)
    groups = _groups(name_keys, folded, heard)
    number_of = {tight: group for group, (tight, _) in enumerate(groups)}
    keys = _Keys()
    texts = [tight for tight, _ in groups]
    text_group = list(range(len(groups)))
    spoken: list[tuple[str, int]] = []  # texts for completion alone
    starts: list[list[int]] = []
    words_seen: Counter[str] = Counter()
    for group, (tight, members) in enumerate(groups):
        key, text = name_keys[members[0]], folded[members[0]]
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


def _groups(
    name_keys: Sequence[str], folded: Sequence[str], heard: npt.NDArray[np.int64]
) -> list[tuple[str, list[int]]]:
    """Tight keys and their artists; the most-heard first, both the groups and the artists in each."""
    by_tight: dict[str, list[int]] = defaultdict(list)
    for idx in np.argsort(-heard, kind="stable").tolist():
        by_tight[tight_of(folded[idx]) or name_keys[idx]].append(idx)
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
