"""Beginnings of words in sorted order: what completes a query, and whose name has it as a part."""

from bisect import bisect_left

import numpy as np
import numpy.typing as npt

from recommender.naming.index import LONGEST_STARTS, NameIndex


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
