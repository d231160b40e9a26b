"""A list of names with their popularity, for measuring without a model."""

import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recommender.errors import DataError


def read_names(path: Path) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Read a TSV of name and popularity without a header; further columns are ignored, ``.gz`` is unpacked.

    Returns
    -------
    The names, and how many listeners each has.

    Raises
    ------
    DataError : it cannot be read, is empty, or a popularity is not a whole number >= 0; says where.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = content.decode("utf-8").rstrip("\n").split("\n")
    except (OSError, EOFError, UnicodeDecodeError) as err:
        raise DataError(f"{path} cannot be read: {err}; name a TSV file in UTF-8, plain or .gz") from err
    names, popularity = [], []
    for number, line in enumerate(lines, start=1):
        name, tab, rest = line.removesuffix("\r").partition("\t")
        count = rest.partition("\t")[0]
        if not name.strip() or not tab or not (count.isascii() and count.isdigit() and len(count) < 10):
            raise DataError(
                f"{path}:{number}: {line[:60]!r} is not a name, a tab and a whole number; fix or drop the line"
            )
        names.append(name)
        popularity.append(int(count))
    return names, np.array(popularity, dtype=np.int64)
