"""Text labels -> codes 0, 1, 2 ... in the order of their first use; and which ids stand beside which labels."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from recommender.reading.scanning import compare_with_first, give_codes, lower_mbids, mark_plain
from recommender.reading.texts import Numbering, Texts, grown, joined_texts, texts_of

# What ``_label_of`` holds beside labels >= 0; a bad text of kind k is _BAD - k.
_BAD = -10
_MBID_CHARACTERS = 36


class Labels:
    """The distinct labels of a column; each distinct text is looked at once, however many rows have it."""

    def __init__(self, check: Callable[[str], str | int], *, plain_are_good: bool = True) -> None:
        """Begin without labels.

        Parameters
        ----------
        check : turns a text into the label to use, or into the number, > 0, of what is wrong with it.
        plain_are_good : ``check`` returns a label itself, and so it does every text without control characters that
            neither begins nor ends with white space: these need not be given to it.
        """
        self._check = check
        self._plain_are_good = plain_are_good
        self._texts = Numbering()
        self._labels = self._texts if plain_are_good else Numbering()
        self._label_of: NDArray[np.int32] = np.empty(1024, np.int32)  # by number of a text, for the first _n_seen
        self._n_seen = 0
        self._code_of: NDArray[np.int32] = np.full(1024, -1, np.int32)  # by number of a label
        self._label_of_code: NDArray[np.int32] = np.empty(1024, np.int32)
        self._n_codes = 0
        self._any_bad = False
        self._n_numbered = 0  # rows of the last column
        self._numbers_are_codes = plain_are_good  # every text so far is a label, in order of first use

    def __len__(self) -> int:
        return self._n_codes

    def in_order(self) -> list[str]:
        """Return the labels in use, in the order of their codes."""
        return self._labels.texts(self._label_of_code[: self._n_codes])

    def numbers(self, column: Texts) -> NDArray[np.int32]:
        """Number texts: equal texts have equal numbers, over all calls."""
        numbers = self._texts.numbers(column)
        self._n_numbered = len(numbers)
        if len(self._texts) > self._n_seen:
            self._look_at_new()
        return numbers

    def kinds(self, numbers: NDArray[np.int32]) -> NDArray[np.uint8] | None:
        """Say for each row what is wrong with its label, 0: nothing; None: nothing is wrong with any."""
        if not self._any_bad:
            return None
        label = self._label_of.take(numbers)
        return np.where(label < _BAD, _BAD - label, 0).astype(np.uint8) if (label < 0).any() else None

    def codes(self, numbers: NDArray[np.int32]) -> NDArray[np.int32]:
        """Turn the numbers of good labels into codes; labels used for the first time get the next ones.

        Parameters
        ----------
        numbers : what the last call of :meth:`numbers` returned, or those of the good rows among it.
        """
        # True of clean files, and saves them three looks into memory for each row.
        self._numbers_are_codes &= len(numbers) == self._n_numbered
        if self._numbers_are_codes:
            new = np.arange(self._n_codes, len(self._texts), dtype=np.int32)
            self._code_of[new] = self._label_of_code[new] = new
            self._n_codes = len(self._texts)
            return numbers
        codes = np.empty(len(numbers), np.int32)
        self._n_codes = give_codes(numbers, self._label_of, self._code_of, self._label_of_code, self._n_codes, codes)
        return codes

    def _look_at_new(self) -> None:
        first, n_texts = self._n_seen, len(self._texts)
        self._label_of = grown(self._label_of, n_texts)
        self._label_of[first:n_texts] = np.arange(first, n_texts)
        unclear = np.arange(first, n_texts)
        if self._plain_are_good:
            plain = np.empty(n_texts - first, np.bool_)
            mark_plain(self._texts.bounds, self._texts.blob, first, plain)
            unclear = unclear[~plain]
        checked = [self._check(text) for text in self._texts.texts(unclear)]
        good = np.array([isinstance(label, str) for label in checked], bool)
        self._label_of[unclear[~good]] = [_BAD - kind for kind in checked if isinstance(kind, int)]
        self._any_bad |= not good.all()
        self._numbers_are_codes &= bool(good.all())
        labels = self._labels.numbers(texts_of([label for label in checked if isinstance(label, str)]))
        self._label_of = grown(self._label_of, len(self._texts))
        # Labels that are no row's text.
        self._label_of[n_texts : len(self._texts)] = np.arange(n_texts, len(self._texts))
        self._numbers_are_codes &= len(self._texts) == n_texts and bool((labels == unclear[good]).all())
        self._label_of[unclear[good]] = labels
        self._n_seen = len(self._texts)
        self._code_of = grown(self._code_of, len(self._labels), fill=-1)
        self._label_of_code = grown(self._label_of_code, len(self._labels))


class Links:
    """Which MusicBrainz ids stand beside which spellings, and in how many rows.

    Almost every spelling has one id throughout, so rows are only compared with the spelling's first one, by hash: two
    ids of one spelling with the same 64-bit hash would be taken for one, which is rarer than a broken disk.
    """

    def __init__(self) -> None:
        self._texts = Numbering()
        self._n_met = 0
        self._first_hash: NDArray[np.uint64] = np.empty(1024, np.uint64)  # by spelling
        self._first_number: NDArray[np.int32] = np.empty(1024, np.int32)
        self._others: list[NDArray[np.int64]] = []  # spelling << 32 | number of the text, one for each row

    def add(self, spelling: NDArray[np.int32], column: Texts) -> None:
        """Note rows; spellings are coded in order of first use."""
        self._first_hash = grown(self._first_hash, self._n_met + len(spelling))
        self._first_number = grown(self._first_number, self._n_met + len(spelling))
        first_rows, other_rows = np.empty((2, len(spelling)), np.int64)
        n_met, n_first, n_other = compare_with_first(
            column.data,
            column.places,
            column.first,
            column.step,
            spelling,
            self._first_hash,
            self._n_met,
            first_rows,
            other_rows,
        )
        self._first_number[self._n_met : n_met] = self._texts.numbers(column.some(first_rows[:n_first]))
        self._n_met = n_met
        if n_other:
            other = other_rows[:n_other]
            pairs = spelling[other].astype(np.int64) << 32 | self._texts.numbers(column.some(other))
            self._others.append(pairs)

    def triples(
        self, n_rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], list[str]]:
        """Return spellings, ids, the rows that have both, and what the ids are; a pair may come twice.

        Parameters
        ----------
        n_rows : shape (n_spellings,), rows of each spelling.

        Returns
        -------
        Three arrays of one length, of which the second points into the list; in that "" stands for no id.
        """
        others = np.concatenate([np.empty(0, np.int64), *self._others])
        n_same = n_rows - np.bincount(others >> 32, minlength=len(n_rows))
        pairs, n_others = np.unique(others, return_counts=True)
        code_of, mbids = self._normalized()
        spelling = np.concatenate((np.arange(len(n_rows)), pairs >> 32))
        number = np.concatenate((self._first_number[: self._n_met].astype(np.int64), pairs & 0xFFFFFFFF))
        return spelling, code_of[number], np.concatenate((n_same, n_others)), mbids

    def _normalized(self) -> tuple[NDArray[np.int64], list[str]]:
        """Return the code of each text, and the id of each code: in lower case, "" for what is no id."""
        lowered = np.empty((len(self._texts), _MBID_CHARACTERS), np.uint8)
        is_mbid = np.empty(len(self._texts), np.bool_)
        lower_mbids(self._texts.bounds, self._texts.blob, lowered, is_mbid)
        distinct = Numbering()
        column = joined_texts(lowered[is_mbid].tobytes(), np.full(is_mbid.sum(), _MBID_CHARACTERS))
        code_of = np.zeros(len(self._texts), np.int64)
        code_of[is_mbid] = 1 + distinct.numbers(column)
        return code_of, ["", *distinct.texts(np.arange(len(distinct)))]
