"""Text labels -> codes 0, 1, 2 ... in the order of their first use; and which ids stand beside which labels."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

# What ``_state`` holds beside codes >= 0; a bad label of kind k is _BAD - k.
_UNSEEN, _UNUSED, _BAD = -1, -2, -10


class Labels:
    """The distinct labels of a column; each distinct text is looked at once, however many rows have it.

    Attributes
    ----------
    codes_by_label : label -> code, in the order of the codes.
    dtype : the polars type that numbers these texts.
    """

    def __init__(self, check: Callable[[str], str | int]) -> None:
        """``check`` turns a text into the label to use, or into the number, > 0, of what is wrong with it."""
        self.codes_by_label: dict[str, int] = {}
        self._check = check
        # polars keeps the mapping text -> number inside Categories, but only while some series uses it: the anchor.
        self.dtype = pl.Categorical(pl.Categories.random())
        self._anchor = pl.Series([""], dtype=pl.String).cast(self.dtype)
        self._state = np.full(1024, _UNSEEN, np.int32)
        self._unused: dict[int, str] = {}
        self._any_bad = False

    def __len__(self) -> int:
        return len(self.codes_by_label)

    def kinds(self, numbers: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Say for each row what is wrong with its label, 0: nothing."""
        if not self._any_bad:
            return np.zeros(len(numbers), np.uint8)
        state = self._state.take(numbers)
        return np.where(state < _BAD, _BAD - state, 0).astype(np.uint8)

    def codes(self, numbers: NDArray[np.intp]) -> NDArray[np.int32]:
        """Turn the numbers of good labels into codes; labels used for the first time get the next ones."""
        codes = self._state.take(numbers)
        if self._unused:
            unused = np.flatnonzero(codes == _UNUSED)
            new, first = np.unique(numbers[unused], return_index=True)
            in_order, known = new[np.argsort(first)], self.codes_by_label
            labels = [self._unused.pop(number) for number in in_order.tolist()]
            self._state[in_order] = [known.setdefault(label, len(known)) for label in labels]
            codes = self._state.take(numbers)
        return codes

    def look_at_new(self, numbers: NDArray[np.intp], column: pl.Series) -> None:
        """Check the texts whose numbers were not met before."""
        self._make_room(int(numbers.max(initial=0)))
        unseen = np.flatnonzero(self._state.take(numbers) == _UNSEEN)
        new, first = np.unique(numbers[unseen], return_index=True)
        checked = [self._check(text) for text in column.gather(unseen[first]).fill_null("").to_list()]
        self._state[new] = [_UNUSED if isinstance(label, str) else _BAD - label for label in checked]
        for number, label in zip(new.tolist(), checked, strict=True):
            if isinstance(label, str):
                self._unused[number] = label
            else:
                self._any_bad = True

    def _make_room(self, number: int) -> None:
        if number >= len(self._state):
            grown = np.full(max(2 * len(self._state), number + 1), _UNSEEN, np.int32)
            grown[: len(self._state)] = self._state
            self._state = grown


def number_columns(columns: Sequence[tuple[Labels, pl.Series]]) -> list[NDArray[np.intp]]:
    """Number the texts of several columns at once, which polars does in parallel.

    Parameters
    ----------
    columns : the labels to number by, and a text column; all of one length. Null is the empty text.

    Returns
    -------
    For each column its numbers: equal texts have equal ones, in no order, over all calls with the same labels.
    """
    frame = pl.DataFrame({str(idx): column for idx, (_, column) in enumerate(columns)}).select(
        pl.col(str(idx)).fill_null("").cast(labels.dtype).to_physical() for idx, (labels, _) in enumerate(columns)
    )
    numbered = [frame.to_series(idx).to_numpy().astype(np.intp) for idx in range(len(columns))]
    for (labels, column), numbers in zip(columns, numbered, strict=True):
        labels.look_at_new(numbers, column)
    return numbered


class Links:
    """Which MusicBrainz ids stand beside which spellings, and in how many rows.

    Almost every spelling has one id throughout, so rows are only compared with the spelling's first one, by hash: two
    ids of one spelling with the same 64-bit hash would be taken for one, which is rarer than a broken disk.

    Attributes
    ----------
    codes_by_mbid : id -> code, in the order of the codes.
    """

    def __init__(self, normalized: Callable[[str], str]) -> None:
        """``normalized`` turns a text into the id to use, "" for none."""
        self.codes_by_mbid: dict[str, int] = {}
        self._normalized = normalized
        self._first_hash = np.empty(0, np.uint64)  # by spelling
        self._first_code: list[int] = []
        self._others: list[NDArray[np.int64]] = []  # spelling << 32 | id, one for each row unlike the first

    def add(self, spelling: NDArray[np.int32], mbid: pl.Series) -> None:
        """Note rows; spellings are coded in order of first use."""
        hashes = mbid.hash().to_numpy()
        unmet = np.flatnonzero(spelling >= len(self._first_code))
        _, first = np.unique(spelling[unmet], return_index=True)
        self._first_hash = np.concatenate((self._first_hash, hashes[unmet[first]]))
        self._first_code.extend(self._codes(mbid, unmet[first]))
        other = np.flatnonzero(hashes != self._first_hash[spelling])
        if len(other):
            self._others.append(spelling[other].astype(np.int64) << 32 | np.array(self._codes(mbid, other), np.int64))

    def _codes(self, mbid: pl.Series, rows: NDArray[np.intp]) -> list[int]:
        known = self.codes_by_mbid
        texts = mbid.gather(rows).fill_null("").to_list()
        return [known.setdefault(self._normalized(text), len(known)) for text in texts]

    def triples(self, n_rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return spellings, ids and the rows that have both; a pair may come twice.

        Parameters
        ----------
        n_rows : shape (n_spellings,), rows of each spelling.
        """
        others = np.concatenate([np.empty(0, np.int64), *self._others])
        n_same = n_rows - np.bincount(others >> 32, minlength=len(n_rows))
        pairs, n_others = np.unique(others, return_counts=True)
        spelling = np.concatenate((np.arange(len(n_rows)), pairs >> 32))
        mbid = np.concatenate((np.array(self._first_code, np.int64), pairs & 0xFFFFFFFF))
        return spelling, mbid, np.concatenate((n_same, n_others))
