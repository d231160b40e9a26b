"""What makes two spellings the same artist, and the artist's stable number."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from recommender.errors import DataError, ParameterError

_HEX_ID = re.compile(r"[0-9a-fA-F]{16}")


def artist_key(name: str) -> str:
    """Fold the case, width and white space of a name, so that its spellings compare equal.

    Parameters
    ----------
    name : a name as people write it.

    Returns
    -------
    NFKC, case-folded, stripped, runs of white space as one space; ``artist_key(artist_key(x)) == artist_key(x)``.
    Empty when the name is nothing but white space.
    """
    if name.isascii():
        return " ".join(name.lower().split())
    # One pass is not a fixed point: folding can undo composition, and composing can create something to fold.
    while (folded := " ".join(unicodedata.normalize("NFKC", name).casefold().split())) != name:
        name = folded
    return name


def artist_keys(names: Sequence[str]) -> list[str]:
    """Return the key of each name, as :func:`artist_key` does, many times faster: all are folded as one text."""
    joined = "\n".join(names)
    if not names or joined.count("\n") != len(names) - 1:
        return [artist_key(name) for name in names]
    keys = list(names)
    while True:
        # Neither composition nor folding reaches across a line break, and nothing turns into one.
        joined = joined.lower() if joined.isascii() else unicodedata.normalize("NFKC", joined).casefold()
        folded = [" ".join(key.split()) for key in joined.split("\n")]
        if folded == keys:
            return keys
        keys, joined = folded, "\n".join(folded)


def artist_id(name: str) -> int:
    """Number an artist by its key, so that the number survives retraining and fits a button's id.

    Parameters
    ----------
    name : any spelling of the artist.

    Returns
    -------
    Signed 64-bit integer: BLAKE2b (8 bytes) of the key in UTF-8, big endian.
    """
    return _id_of_key(artist_key(name))


def _id_of_key(key: str) -> int:
    return int.from_bytes(_digest_of_key(key), "big", signed=True)


def _digest_of_key(key: str) -> bytes:
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def format_artist_id(number: int) -> str:
    """Write an artist's number as 16 hexadecimal digits.

    Parameters
    ----------
    number : signed 64-bit, as :func:`artist_id` returns it.

    Raises
    ------
    ParameterError : the number does not fit 64 bits.
    """
    if not -(2**63) <= number < 2**63:
        raise ParameterError(f"artist id {number} does not fit 64 bits; take it from artist_id()")
    return f"{number & (2**64 - 1):016x}"


def parse_artist_id(text: str) -> int:
    """Read what :func:`format_artist_id` wrote.

    Raises
    ------
    ParameterError : the text is not 16 hexadecimal digits.
    """
    if not _HEX_ID.fullmatch(text):
        raise ParameterError(f"artist id {text!r} is not 16 hexadecimal digits")
    return int.from_bytes(bytes.fromhex(text), "big", signed=True)


@dataclass(frozen=True, slots=True)
class ArtistColumns:
    """Spellings gathered into artists.

    Attributes
    ----------
    column_of_spelling : shape (n_spellings,), its artist's column; columns stand in order of first use.
    names : the most-heard spelling of each artist.
    mbids : the most frequent MusicBrainz id of each artist, "" where unknown.
    """

    column_of_spelling: NDArray[np.int32]
    names: list[str]
    mbids: list[str]


def merge_artists(
    spellings: Sequence[str],
    *,
    n_rows: NDArray[np.int64],
    n_plays: NDArray[np.float64],
    link_spelling: NDArray[np.int64],
    link_mbid: NDArray[np.int64],
    link_rows: NDArray[np.int64],
    mbids: Sequence[str],
    columns_known: Callable[[NDArray[np.int32], int], object] = lambda *_: None,
) -> ArtistColumns:
    """Make one artist of the spellings that share a key or, over any number of steps, a MusicBrainz id.

    Parameters
    ----------
    spellings : distinct names, in order of first use.
    n_rows, n_plays : shape (n_spellings,), how often each was heard, in rows and in plays.
    link_spelling, link_mbid, link_rows : shape (n_links,), pairs of a spelling and an id, and rows that have both.
    mbids : the ids; "" means unknown and links nothing.
    columns_known : called with the columns of the spellings and their number, long before their names are known.

    Raises
    ------
    DataError : two artists have the same 64-bit id.
    """
    known = np.array([mbid != "" for mbid in mbids], bool)[link_mbid]
    link_spelling, link_mbid, link_rows = link_spelling[known], link_mbid[known], link_rows[known]
    keys = artist_keys(spellings)
    column = _columns(keys, link_spelling, link_mbid, n_mbids=len(mbids))
    n_columns = int(column.max(initial=-1)) + 1
    columns_known(column, n_columns)

    # Most rows, then most plays, then the smallest text: the first of each column in this order.
    by_text = _text_ranks(spellings) if len(spellings) > n_columns else np.zeros(len(spellings), np.int64)
    order = np.lexsort((by_text, -n_plays, -n_rows, column))
    _, first = np.unique(column[order], return_index=True)
    most_heard = order[first].tolist()
    names = [spellings[idx] for idx in most_heard]
    _refuse_same_ids(names, [keys[idx] for idx in most_heard])

    pairs, where = np.unique(column[link_spelling].astype(np.int64) << 32 | link_mbid, return_inverse=True)
    pair_column, pair_mbid = pairs >> 32, pairs & 0xFFFFFFFF
    by_text = np.zeros(len(pairs), np.int64)
    choice = np.flatnonzero(np.bincount(pair_column)[pair_column] > 1)  # most artists have one id
    by_text[choice] = _text_ranks([mbids[idx] for idx in pair_mbid[choice].tolist()])
    order = np.lexsort((by_text, -np.bincount(where, weights=link_rows), pair_column))
    columns_with_id, first = np.unique(pair_column[order], return_index=True)
    shown_mbids = [""] * n_columns
    for column_idx, mbid_idx in zip(columns_with_id.tolist(), pair_mbid[order[first]].tolist(), strict=True):
        shown_mbids[column_idx] = mbids[mbid_idx]

    return ArtistColumns(column, names, shown_mbids)


def _refuse_same_ids(names: Sequence[str], keys: Sequence[str]) -> None:
    digests = b"".join([_digest_of_key(key) for key in keys])
    if len(np.unique(np.frombuffer(digests, np.int64))) < len(keys):
        refuse_collisions(names, [_id_of_key(key) for key in keys])


def refuse_collisions(names: Sequence[str], ids: Sequence[int]) -> None:
    """Make sure that ids tell artists apart; by chance two of a million collide once in 37 million data sets.

    Raises
    ------
    DataError : two names have the same id.
    """
    name_of: dict[int, str] = {}
    for name, number in zip(names, ids, strict=True):
        other = name_of.setdefault(number, name)
        if other is not name:
            raise DataError(
                f"artists {other!r} and {name!r} have the same id {format_artist_id(number)}; rename or drop one"
            )


def _columns(
    keys: Sequence[str], link_spelling: NDArray[np.int64], link_mbid: NDArray[np.int64], *, n_mbids: int
) -> NDArray[np.int32]:
    codes: dict[str, int] = {}
    key_code = np.array([codes.setdefault(key, len(codes)) for key in keys], np.int64)
    # A graph whose nodes are keys and ids: an artist is what hangs together.
    n_nodes = len(codes) + n_mbids
    edges = (np.ones(len(link_mbid), bool), (key_code[link_spelling], len(codes) + link_mbid))
    _, component = connected_components(coo_array(edges, shape=(n_nodes, n_nodes)), directed=False)
    _, first, inverse = np.unique(component[key_code], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first)).astype(np.int32)[inverse]


def _text_ranks(texts: Sequence[str]) -> NDArray[np.int64]:
    ranks = np.empty(len(texts), np.int64)
    ranks[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
    return ranks
