"""Columns of text that stay the bytes they were read as, and the numbering of distinct ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.errors import DataError
from recommender.reading.scanning import fill_slots, number_texts

Number = TypeVar("Number", np.uint8, np.int32, np.int64, np.uint64)

_FEWEST_SLOTS = 1 << 10
_MAX_BYTES = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """A column: text i is ``data[places[first + step * i] + 1:places[first + step * i + 1]]``, valid UTF-8.

    Attributes
    ----------
    data : read-only bytes, as uint8.
    places : int32, the delimiters before and behind the texts.
    first, step : which of them belong to this column.
    n_rows : how many texts there are.
    """

    data: NDArray[np.uint8]
    places: NDArray[np.int32]
    first: int
    step: int
    n_rows: int

    def __len__(self) -> int:
        return self.n_rows

    def __getitem__(self, idx: int) -> str:
        before, behind = self.places[self.first + self.step * idx :][:2]
        return self.data[before + 1 : behind].tobytes().decode()

    def some(self, rows: NDArray[np.integer]) -> "Texts":
        """Return the texts of some rows, by their numbers."""
        where = self.first + self.step * rows
        return Texts(self.data, np.stack((self.places[where], self.places[where + 1]), 1).ravel(), 0, 2, len(rows))


def joined_texts(joined: bytes, sizes: NDArray[np.integer]) -> Texts:
    """Make a column of texts that stand one behind the other.

    Raises
    ------
    DataError : it holds 2 GiB.
    """
    if len(joined) > _MAX_BYTES:
        raise DataError(f"a column holds {len(joined):,} bytes of text in {len(sizes):,} rows: these are no names")
    ends = np.cumsum(sizes, dtype=np.int64)
    places = np.stack((ends - sizes - 1, ends), 1).astype(np.int32).ravel()
    return Texts(np.frombuffer(joined, np.uint8), places, 0, 2, len(sizes))


def empty_texts(n_rows: int) -> Texts:
    """Return a column of empty texts."""
    return joined_texts(b"", np.zeros(n_rows, np.int64))


def texts_of(column: Sequence[str] | pl.Series) -> Texts:
    """Make a column of strings; null is the empty text.

    Raises
    ------
    DataError : it holds 2 GiB of text.
    """
    if isinstance(column, pl.Series):
        column = column.cast(pl.String).fill_null("")
        return joined_texts(
            (column.str.join("").item() or "").encode(), column.str.len_bytes().to_numpy().astype(np.int64)
        )
    encoded = [text.encode() for text in column]
    return joined_texts(b"".join(encoded), np.array([len(text) for text in encoded], np.int64))


class Numbering:
    """Distinct texts, numbered 0, 1, 2 ... as they are met."""

    def __init__(self) -> None:
        self._n = 0
        self._blob: NDArray[np.uint8] = np.empty(1 << 12, np.uint8)
        self._bounds: NDArray[np.int64] = np.zeros(_FEWEST_SLOTS, np.int64)
        self._slots: NDArray[np.uint64] = np.zeros(_FEWEST_SLOTS, np.uint64)

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
            texts.data, texts.places, texts.first, texts.step, self._slots, self._bounds, self._blob, self._n, numbers
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


def grown(array: NDArray[Number], size: int, fill: int = 0) -> NDArray[Number]:
    """Return the array, or one that is at least twice as long when ``size`` values would not fit."""
    if size <= len(array):
        return array
    larger = np.empty(max(2 * len(array), size), array.dtype)
    larger[: len(array)] = array
    larger[len(array) :] = fill
    return larger
