"""Slow and obvious versions of what the project does fast."""

import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix, csr_matrix


def pandas_plays(path: Path) -> tuple[csr_matrix, list[str], list[str]]:
    """Read Last.fm-360K's layout as the article does: pandas, no quoting, category codes, COO to CSR.

    Returns
    -------
    Plays (listeners x artists), labels of the rows, labels of the columns; in alphabetical order, names as written.
    """
    table = pd.read_csv(
        path,
        sep="\t",
        header=None,
        names=["listener", "mbid", "artist", "plays"],
        quoting=3,
        keep_default_na=False,
        dtype={"listener": str, "mbid": str, "artist": str, "plays": np.int64},
    )
    listener, artist = table["listener"].astype("category"), table["artist"].astype("category")
    triples = (table["plays"].astype(np.float64), (listener.cat.codes, artist.cat.codes))
    shape = (len(listener.cat.categories), len(artist.cat.categories))
    plays = coo_matrix(triples, shape=shape).tocsr()
    return plays, list(listener.cat.categories), list(artist.cat.categories)


def pair_counts(plays: csr_matrix, listeners: list[str], artists: list[str]) -> Counter[tuple[str, str]]:
    """Spell a matrix out as (listener, artist) -> plays, which does not depend on any order."""
    triples = plays.tocoo()
    counts: Counter[tuple[str, str]] = Counter()
    for row, column, count in zip(triples.row.tolist(), triples.col.tolist(), triples.data.tolist(), strict=True):
        counts[listeners[row], artists[column]] += int(count)
    return counts


def counted_by_hand(text: bytes) -> tuple[Counter[tuple[str, str]], dict[str, list[int]]]:
    """Read Last.fm-360K's layout line by line, following the rules as they are written down.

    Returns
    -------
    (listener, artist name without outer blanks) -> plays, spellings not yet merged; kind of bad row -> its lines.
    """
    counts: Counter[tuple[str, str]] = Counter()
    bad: dict[str, list[int]] = {}
    lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    for line_no, line in enumerate(lines[:-1] if not lines[-1] else lines, start=1):
        # What ends the file has no newline after it, but its CR belongs to the line's end all the same.
        kind, fields = _judged(line.removesuffix(b"\r"))
        if kind:
            bad.setdefault(kind, []).append(line_no)
        else:
            counts[fields[0], fields[2].strip()] += int(fields[3].strip().partition(".")[0])
    return counts, bad


def _judged(line: bytes) -> tuple[str, list[str]]:
    try:
        fields = line.decode().split("\t")
    except UnicodeDecodeError:
        return "not UTF-8", []
    control = re.compile(r"[\x00-\x1f\x7f]")
    if "\r" in line.decode():
        return "control character in a field", []
    if not line:
        return "empty line", []
    if len(fields) != 4:
        return "wrong number of fields", []
    for field, kind in ((fields[0], "empty listener"), (fields[2], "empty artist name")):
        if control.search(field):
            return "control character in a field", []
        if not field.strip():
            return kind, []
    if not re.fullmatch(r"[+-]?[0-9]+(\.0*)?", fields[3].strip()):
        return "play count is not a whole number", []
    number = Decimal(fields[3].strip())  # int() refuses thousands of digits
    if number < 1:
        return "play count is not positive", []
    return ("play count is too large", []) if number > 2**31 - 1 else ("", fields)
