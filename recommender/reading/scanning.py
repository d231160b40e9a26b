"""The compiled loops over the bytes of a file: where fields begin and end, which texts are equal, which are numbers.

Why not polars, which reads the parquet: for the same plays, with what the report of broken rows needs, it took 10.8 s
and 1.07 GB by blocks, and 9.9 s and 2.2 GB as one stream, where these loops take 6.2 s and .75 GB (17.5 million rows,
one run, docs/performance.md). It makes a text of every field of every row, though few are distinct, and does not say
in which line what is wrong.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from recommender.kernels import kernel

_inline = cast("Callable[..., Any]", intrinsic)

_STEP = 8192  # bytes looked at together, which fit the first-level cache with their marks
_FACTOR = np.uint64(0xFF51AFD7ED558CCD)  # the multipliers of MurmurHash3's finalizer, which mix well
_OTHER_FACTOR = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT = np.uint64(32)
_NUMBER = np.uint64(0xFFFFFFFF)
_GROUP = 256
_TO_BYTE = np.uint64(56)
# A product with it moves bit 8 j of a word to bit 56 + j, for all j, without a carry between them.
_GATHER_MARKS = np.uint64(0x0102040810204080)
# For each set of marks among eight: where they are, as eight bytes of a number, and how many.
_PLACES_OF = np.array(
    [sum(j << 8 * k for k, j in enumerate(j for j in range(8) if marked >> j & 1)) for marked in range(256)], np.uint64
)
_COUNT_OF = np.array([marked.bit_count() for marked in range(256)], np.int64)
_HIGH_BITS = np.uint64(0x8080808080808080)
_NEWLINE, _ZERO, _NINE = np.uint8(0x0A), np.uint8(0x30), np.uint8(0x39)


@_inline
def _word_at(_typing, data, position):  # type: ignore[no-untyped-def]
    """Eight bytes from any position, as one number; views of slices took ten times as long."""

    def load(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        first = builder.gep(array.data, [arguments[1]])
        return builder.load(builder.bitcast(first, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(data, position), load


@_inline
def _put_eight(_typing, places, _position, _base, _offsets):  # type: ignore[no-untyped-def]
    """``places[position + j] = base + byte j of offsets``, j < 8, at once: a loop took twice as long."""

    def store(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        bytes_type, places_type = ir.VectorType(ir.IntType(8), 8), ir.VectorType(ir.IntType(32), 8)
        offset = builder.zext(builder.bitcast(arguments[3], bytes_type), places_type)
        nothing, first = ir.Constant(places_type, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        base = builder.insert_element(nothing, builder.trunc(arguments[2], ir.IntType(32)), first)
        base = builder.shuffle_vector(base, nothing, ir.Constant(places_type, [0] * 8))
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        where = builder.bitcast(builder.gep(array.data, [arguments[1]]), places_type.as_pointer())
        builder.store(builder.add(offset, base), where, align=1)
        return context.get_dummy_value()

    return types.void(places, types.int64, types.int64, types.uint64), store


@kernel()
def is_utf8(data):  # type: ignore[no-untyped-def]
    """Whether bytes are UTF-8 as Unicode defines it: shortest forms, no surrogates, nothing beyond U+10FFFF."""
    position, size = 0, data.shape[0]
    while position < size:
        if position + 8 <= size and _word_at(data, position) & _HIGH_BITS == 0:
            position += 8
            continue
        lead = data[position]
        position += 1
        if lead < 0x80:
            continue
        if lead < 0xC2 or lead > 0xF4:
            return False
        n_more = 1 + (lead >= 0xE0) + (lead >= 0xF0)
        if position + n_more > size:
            return False
        lowest, highest = 0x80, 0xBF
        if lead == 0xE0:
            lowest = 0xA0
        elif lead == 0xED:
            highest = 0x9F
        elif lead == 0xF0:
            lowest = 0x90
        elif lead == 0xF4:
            highest = 0x8F
        for i in range(n_more):
            if data[position + i] < lowest or data[position + i] > highest:
                return False
            lowest, highest = 0x80, 0xBF
        position += n_more
    return True


@kernel()
def find_delimiters(data, separator, places):  # type: ignore[no-untyped-def]
    """Find separators and newlines.

    Parameters
    ----------
    places : written: -1, then their positions; eight more places than are used.

    Returns
    -------
    How many there are (-1: more than there is room for), and whether all is ASCII.
    """
    marks = np.zeros(_STEP, np.uint8)
    places[0] = -1
    n, limit, all_bits = 1, places.shape[0] - 8, np.uint8(0)
    for begin in range(0, data.shape[0], _STEP):
        part = data[begin : begin + _STEP]
        size = part.shape[0]
        for i in range(size):
            marks[i] = (part[i] == separator) | (part[i] == _NEWLINE)
        for i in range(size):
            all_bits |= part[i]
        for i in range(size, (size + 7) // 8 * 8):
            marks[i] = 0
        for i in range(0, size, 8):
            if n > limit:
                return -1, False
            # Without asking which words have marks, which the processor could not foresee: all eight places of a word
            # are written, those of its marks first, and the next word overwrites the others.
            marked = _word_at(marks, i) * _GATHER_MARKS >> _TO_BYTE
            _put_eight(places, n, begin + i, _PLACES_OF[marked])
            n += _COUNT_OF[marked]
    return n - 1, all_bits < np.uint8(0x80)


@kernel()
def are_lines(data, places, n_fields):  # type: ignore[no-untyped-def]
    """Whether every ``n_fields``-th delimiter is a newline."""
    good = True
    for k in range(n_fields, places.shape[0], n_fields):
        good &= data[places[k]] == _NEWLINE
    return good


@kernel()
def _hash_of(data, begin, end):  # type: ignore[no-untyped-def]
    # The words are mixed one by one and summed, so that the multiplications do not wait for each other.
    hashed = np.uint64(end - begin) * _OTHER_FACTOR
    if end - begin >= 8:
        place = np.uint64(0)
        for position in range(begin, end - 8, 8):
            place += _OTHER_FACTOR
            word = _word_at(data, position) + place
            hashed += (word ^ (word >> _SHIFT)) * _FACTOR
        last = _word_at(data, end - 8)  # overlaps the one before
    else:
        last = np.uint64(0)
        for position in range(begin, end):
            last = (last << np.uint64(8)) | np.uint64(data[position])
    hashed = (hashed ^ (hashed >> _SHIFT) ^ last) * _FACTOR
    hashed = (hashed ^ (hashed >> _SHIFT)) * _OTHER_FACTOR
    return hashed ^ (hashed >> _SHIFT)


@kernel()
def _are_equal(data, begin, other, other_begin, size):  # type: ignore[no-untyped-def]
    if size < 8:
        differing = np.uint8(0)
        for i in range(size):
            differing |= data[begin + i] ^ other[other_begin + i]
        return differing == 0
    for i in range(0, size - 8, 8):
        if _word_at(data, begin + i) != _word_at(other, other_begin + i):
            return False
    return _word_at(data, begin + size - 8) == _word_at(other, other_begin + size - 8)


@kernel()
def _number_of(data, begin, size, hashed, slots, bounds, blob, n_known):  # type: ignore[no-untyped-def]
    """Look one text up slot by slot; a new one is entered as number ``n_known``."""
    mask = np.uint64(slots.shape[0] - 1)
    slot = hashed & mask
    while slots[slot]:
        if slots[slot] >> _SHIFT == hashed >> _SHIFT:
            number = np.int64(slots[slot] & _NUMBER) - 1
            if bounds[number + 1] - bounds[number] == size and _are_equal(data, begin, blob, bounds[number], size):
                return number
        slot = (slot + np.uint64(1)) & mask
    first = bounds[n_known]
    for i in range(size):
        blob[first + i] = data[begin + i]
    bounds[n_known + 1] = first + size
    slots[slot] = (hashed >> _SHIFT << _SHIFT) | np.uint64(n_known + 1)
    return n_known


@kernel()
def number_texts(data, places, first, step, slots, bounds, blob, n_known, numbers):  # type: ignore[no-untyped-def]
    """Number each row's text, and append texts that are new.

    Parameters
    ----------
    data, places, first, step : the texts.
    slots : hash table with open addressing, a power of two and never full: upper half of the hash << 32 | number + 1.
    bounds, blob : text i is ``blob[bounds[i]:bounds[i + 1]]``; both have room for all that may be new.
    n_known : texts known before.
    numbers : shape (n_rows,), written.

    Returns
    -------
    How many texts are known now.
    """
    mask = np.uint64(slots.shape[0] - 1)
    begins, sizes, is_same = np.empty(_GROUP, np.int64), np.empty(_GROUP, np.int64), np.empty(_GROUP, np.bool_)
    hashes, entries = np.empty(_GROUP, np.uint64), np.empty(_GROUP, np.uint64)
    known_begins, known_sizes = np.empty(_GROUP, np.int64), np.empty(_GROUP, np.int64)
    last_begin, last_size = 0, -1
    for group in range(0, numbers.shape[0], _GROUP):
        n = min(_GROUP, numbers.shape[0] - group)
        # Step by step for many rows: so the processor waits for the memory of all of them at once.
        for i in range(n):
            where = first + step * (group + i)
            begin = places[where] + 1
            size = places[where + 1] - begin
            # Most files are sorted by listener.
            is_same[i] = size == last_size and _are_equal(data, begin, data, last_begin, size)
            if not is_same[i]:
                hashes[i] = _hash_of(data, begin, begin + size)
            begins[i], sizes[i] = begin, size
            last_begin, last_size = begin, size
        for i in range(n):
            entries[i] = np.uint64(0) if is_same[i] else slots[hashes[i] & mask]
        for i in range(n):
            number = np.int64(max(entries[i] & _NUMBER, np.uint64(1))) - 1
            known_begins[i], known_sizes[i] = bounds[number], bounds[number + 1] - bounds[number]
        for i in range(n):
            row, entry, size = group + i, entries[i], sizes[i]
            if is_same[i]:
                numbers[row] = numbers[row - 1]
            elif (
                entry != np.uint64(0)
                and entry >> _SHIFT == hashes[i] >> _SHIFT
                and known_sizes[i] == size
                and _are_equal(data, begins[i], blob, known_begins[i], size)
            ):
                numbers[row] = np.int64(entry & _NUMBER) - 1
            else:
                numbers[row] = _number_of(data, begins[i], size, hashes[i], slots, bounds, blob, n_known)
                n_known = max(n_known, numbers[row] + 1)
    return n_known


@kernel()
def fill_slots(slots, bounds, blob, n_known):  # type: ignore[no-untyped-def]
    """Enter the known texts into a new table."""
    mask = np.uint64(slots.shape[0] - 1)
    for number in range(n_known):
        hashed = _hash_of(blob, bounds[number], bounds[number + 1])
        slot = hashed & mask
        while slots[slot]:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = (hashed >> _SHIFT << _SHIFT) | np.uint64(number + 1)


@kernel()
def _may_be_blank(blob, position):  # type: ignore[no-untyped-def]
    """Whether a character, given by its first byte, may be white space, which starts with few bytes beyond ASCII."""
    lead = blob[position]
    return lead == 0x20 or lead == 0xC2 or (0xE1 <= lead <= 0xE3)


@kernel()
def mark_plain(bounds, blob, first, plain):  # type: ignore[no-untyped-def]
    """Mark texts, from number ``first`` on, without ASCII control characters that surely begin and end visibly."""
    for i in range(plain.shape[0]):
        begin, end = bounds[first + i], bounds[first + i + 1]
        is_plain = end > begin
        for position in range(begin, end):
            is_plain &= (blob[position] >= 0x20) & (blob[position] != 0x7F)
        last = end - 1
        while last > begin and 0x80 <= blob[last] < 0xC0:
            last -= 1
        plain[i] = is_plain and not _may_be_blank(blob, begin) and not _may_be_blank(blob, last)


@kernel()
def give_codes(numbers, label_of, code_of, label_of_code, n_codes, codes):  # type: ignore[no-untyped-def]
    """Turn numbers of texts into codes of labels, which get theirs when a row first has them; returns how many have."""
    for row in range(numbers.shape[0]):
        label = label_of[numbers[row]]
        if code_of[label] < 0:
            code_of[label] = n_codes
            label_of_code[n_codes] = label
            n_codes += 1
        codes[row] = code_of[label]
    return n_codes


@kernel()
def compare_with_first(data, places, first, step, codes, first_hash, n_met, first_rows, other_rows):  # type: ignore[no-untyped-def]
    """Find the rows that meet a code first, and those whose text is not the one of their code's first row.

    Returns
    -------
    How many codes are met now, how many are in ``first_rows``, and in ``other_rows``.
    """
    n_first, n_other = 0, 0
    for row in range(codes.shape[0]):
        where, code = first + step * row, codes[row]
        hashed = _hash_of(data, np.int64(places[where]) + 1, np.int64(places[where + 1]))
        if code == n_met:
            first_hash[code] = hashed
            first_rows[n_first] = row
            n_first += 1
            n_met += 1
        elif first_hash[code] != hashed:
            other_rows[n_other] = row
            n_other += 1
    return n_met, n_first, n_other


@kernel()
def read_digits(data, places, first, step, numbers):  # type: ignore[no-untyped-def]
    """Read texts of one to ten digits; everything else becomes -1."""
    for row in range(numbers.shape[0]):
        begin, end = places[first + step * row] + 1, places[first + step * row + 1]
        number = np.int64(0) if 1 <= end - begin <= 10 else np.int64(-1)
        if number == 0:
            for position in range(begin, end):
                if data[position] < _ZERO or data[position] > _NINE:
                    number = np.int64(-1)
                    break
                number = 10 * number + np.int64(data[position] - _ZERO)
        numbers[row] = number


@kernel()
def lower_mbids(bounds, blob, lowered, is_mbid):  # type: ignore[no-untyped-def]
    """Write MusicBrainz ids, 8-4-4-4-12 hexadecimal digits, in lower case; mark which of the texts are such ids."""
    for i in range(is_mbid.shape[0]):
        is_mbid[i] = bounds[i + 1] - bounds[i] == 36
        for j in range(36):
            if not is_mbid[i]:
                break
            byte = blob[bounds[i] + j]
            if 0x41 <= byte <= 0x46:
                byte += 0x20
            if j in (8, 13, 18, 23):
                is_mbid[i] = byte == 0x2D
            else:
                is_mbid[i] = (0x30 <= byte <= 0x39) or (0x61 <= byte <= 0x66)
            lowered[i, j] = byte
