"""Hashes of short texts, of one at a time or of hundreds of thousands at once, and of each with one letter left out.

A text with code points c is hashed as the polynomial sum(c[i] * BASE**i) modulo 2**64: without its letter i it is known
from two partial sums, so that all one-letter deletions of all names take a few passes over one array.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 2**64)
_MIX = 0xD6E8FEB86659FD93
_MASK = 2**64 - 1

U64 = npt.NDArray[np.uint64]


def code_points(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64]]:
    """Lay texts out one after the other: their code points, and where each begins (one more than there are texts)."""
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    return np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4"), offsets


def hash_text(text: str, salt: int = 0) -> int:
    """Hash one text; the same as :func:`hash_texts` without the overhead of arrays."""
    total = 0
    for character in reversed(text):
        total = (total * _BASE + ord(character)) & _MASK
    total = ((total ^ salt) * _MIX) & _MASK
    return total ^ (total >> 32)


def hash_texts(texts: Sequence[str], salts: U64) -> U64:
    """Hash many texts, each with its salt, which keeps keys of different kinds apart.

    Parameters
    ----------
    texts : none of them empty.
    salts : shape (n_texts,).
    """
    if not texts:
        return np.zeros(0, dtype=np.uint64)
    codes, offsets = code_points(texts)
    terms = codes * _powers(_places(offsets))
    return _mixed(np.add.reduceat(terms, offsets[:-1]) ^ salts)


def deletion_hashes(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32]]:
    """Hash every text as it is and with each of its letters left out.

    Two texts that share a hash are, but for a chance of 2**-32 for each pair, at most one letter dropped, added,
    replaced or swapped apart, or two (one dropped from each, in different places).

    Returns
    -------
    The hashes, and for each the number of its text.
    """
    if not texts:
        return np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.int32)
    codes, offsets = code_points(texts)
    lengths = np.diff(offsets)
    terms = codes * _powers(_places(offsets))
    # Sums run over all texts at once; what stood before a text is taken off, modulo 2**64.
    sums = np.concatenate((np.zeros(1, dtype=np.uint64), np.cumsum(terms, dtype=np.uint64)))
    begin, end = sums[offsets[:-1]], sums[offsets[1:]]
    text_of = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    before = sums[:-1] - begin[text_of]
    after = (end[text_of] - sums[1:]) * np.uint64(_INVERSE)
    hashes = np.concatenate((_mixed(end - begin), _mixed(before + after)))
    return (hashes >> np.uint64(32)).astype(np.uint32), np.concatenate((np.arange(len(texts), dtype=np.int32), text_of))


def _places(offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets))


def _powers(places: npt.NDArray[np.int64]) -> U64:
    table = np.ones(int(places.max(initial=0)) + 1, dtype=np.uint64)
    table[1:] = _BASE
    result: U64 = np.multiply.accumulate(table)[places]
    return result


def _mixed(sums: U64) -> U64:
    mixed = sums * np.uint64(_MIX)
    result: U64 = mixed ^ (mixed >> np.uint64(32))
    return result
