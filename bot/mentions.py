"""Artists that a message names: for the menu on other people's messages, in whose text names stand anywhere."""

import re
from collections.abc import Callable, Iterator

MAX_WORDS = 80
MAX_NAME_WORDS = 6
# A message so short may be nothing but a name, however it is written.
SHORT_MESSAGE_WORDS = 4

_QUOTED = re.compile(r"\"([^\"\n]{1,80})\"|“([^”\n]{1,80})”|\*\*([^*\n]{1,80})\*\*|\[([^\]\n]{1,80})\]\(")
_NOT_A_NAME = re.compile(r"https?://\S+|<[@#:a][^>]*>")
_EDGES = " \t.,;:!?()[]{}\"'“”*_`~|>-–—"


def artists_named(text: str, is_name: Callable[[str], bool], *, most: int = 5) -> list[str]:
    """Find the names in a text that are artists' for certain: the marked ones first, then the longest.

    Parameters
    ----------
    text : a message, anything.
    is_name : whether a text is an artist's name without guessing.
    most : names wanted, >= 1.

    Returns
    -------
    The names as they are written; none is part of another.
    """
    clean = _NOT_A_NAME.sub("\n", text)
    marked = [next(filter(None, found.groups())).strip() for found in _QUOTED.finditer(clean)]
    names = [name for name in dict.fromkeys(marked) if name and is_name(name)]
    taken: list[str] = list(names)
    for name in _candidates(clean):
        if len(names) >= most:
            break
        if not any(name.casefold() in one.casefold() for one in taken) and is_name(name):
            names.append(name)
            taken.append(name)
    return names[:most]


def _candidates(text: str) -> Iterator[str]:
    """Yield runs of words of one line, the longest first."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    n_words = 0
    kept: list[list[str]] = []
    for line in lines:
        kept.append(line[: MAX_WORDS - n_words])
        n_words += len(kept[-1])
        if n_words >= MAX_WORDS:
            break
    any_case = n_words <= SHORT_MESSAGE_WORDS
    for length in range(MAX_NAME_WORDS, 0, -1):
        for line in kept:
            for begin in range(len(line) - length + 1):
                run = " ".join(line[begin : begin + length]).strip(_EDGES)
                # In running text a name begins with a capital letter, a digit, or in a script without either.
                if run and (any_case or not run[0].islower()) and len(run) > 1:
                    yield run
