"""Columns of text that stay the bytes they were read as, and the numbering of distinct ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.errors import DataError
from recommender.reading.scanning import fill_slots, number_texts

_FEWEST_SLOTS = 1 << 10
_MAX_BYTES = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """A column: text i is ``data[begins[i]:ends[i]]``, valid UTF-8.

    Attributes
    ----------
    data : read-only bytes, as uint8.
    begins, ends : shape (n_rows,).
    """

    data: NDArray[np.uint8]
    begins: NDArray[np.int32]
    ends: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.begins)

    def __getitem__(self, idx: int) -> str:
        return self.data[self.begins[idx] : self.ends[idx]].tobytes().decode()

    def some(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> "Texts":
        """Return the texts of some rows."""
        return Texts(self.data, self.begins[rows], self.ends[rows])


def empty_texts(n_rows: int) -> Texts:
    """Return a column of empty texts."""
    nowhere = np.zeros(n_rows, np.int32)
    return Texts(np.frombuffer(b"", np.uint8), nowhere, nowhere)


def texts_of(column: Sequence[str] | pl.Series) -> Texts:
    """Make a column of strings; null is the empty text.

    Raises
    ------
    DataError : it holds 2 GiB of text.
    """
    if isinstance(column, pl.Series):
        column = column.cast(pl.String).fill_null("")
        data, sizes = column.str.join("").item(), column.str.len_bytes().to_numpy().astype(np.int64)
        joined = (data or "").encode()
    else:
        encoded = [text.encode() for text in column]
        joined, sizes = b"".join(encoded), np.array([len(text) for text in encoded], np.int64)
    if len(joined) > _MAX_BYTES:
        raise DataError(f"a column holds {len(joined):,} bytes of text in {len(sizes):,} rows: these are no names")
    ends = np.cumsum(sizes)
    return Texts(np.frombuffer(joined, np.uint8), (ends - sizes).astype(np.int32), ends.astype(np.int32))


class Numbering:
    """Distinct texts, numbered 0, 1, 2 ... as they are met."""

    def __init__(self) -> None:
        self._n = 0
        self._blob = np.empty(1 << 12, np.uint8)
        self._bounds = np.zeros(_FEWEST_SLOTS, np.int64)
        self._slots = np.zeros(_FEWEST_SLOTS, np.uint64)

    def __len__(self) -> int:
        return self._n

    @property
    def bounds(self) -> NDArray[np.int64]:
        """Where texts begin and end in :attr:`blob`, shape (n + 1,)."""
        return self._bounds[: self._n + 1]

    @property
    def blob(self) -> NDArray[np.uint8]:
        """All texts, one behind the other."""
        return self._blob[: self._bounds[self._n]]

    def numbers(self, texts: Texts) -> NDArray[np.int32]:
        """Return the number of each text; new ones get the next."""
        self._make_room(len(texts), len(texts.data))
        numbers = np.empty(len(texts), np.int32)
        self._n = number_texts(
            texts.data, texts.begins, texts.ends, self._slots, self._bounds, self._blob, self._n, numbers
        )
        return numbers

    def texts(self, numbers: NDArray[np.integer]) -> list[str]:
        """Return the texts of numbers."""
        if not len(numbers):
            return []
        begins, ends = self._bounds[numbers], self._bounds[numbers + 1]
        first = int(begins.min())
        blob = self._blob[first : int(ends.max())].tobytes()
        spans = zip((begins - first).tolist(), (ends - first).tolist(), strict=True)
        if blob.isascii():  # slices of one string take half the time
            joined = blob.decode("ascii")
            return [joined[begin:end] for begin, end in spans]
        return [blob[begin:end].decode() for begin, end in spans]

    def _make_room(self, n_new: int, n_bytes: int) -> None:
        """Make sure that so many new texts would fit."""
        self._blob = grown(self._blob, int(self._bounds[self._n]) + n_bytes)
        self._bounds = grown(self._bounds, self._n + n_new + 1)
        if 2 * (self._n + n_new) > len(self._slots):
            self._slots = np.zeros(1 << (4 * (self._n + n_new) - 1).bit_length(), np.uint64)
            fill_slots(self._slots, self._bounds, self._blob, self._n)


def grown(array: NDArray[np.generic], size: int, fill: int = 0) -> NDArray[np.generic]:
    """Return the array, or one that is at least twice as long when ``size`` values would not fit."""
    if size <= len(array):
        return array
    larger = np.full(max(2 * len(array), size), fill, array.dtype)
    larger[: len(array)] = array
    return larger
