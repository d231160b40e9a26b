"""Options behind what a member typed: ``50 cent --count 20 --deep``.

Only what stands at the end is an option, and only with two dashes: names may be numbers, and begin with signs.
"""

import re
from dataclasses import dataclass
from typing import get_args

from bot.feedback.records import Familiarity
from recommender.errors import ParameterError

MOST_ROWS = 50

# Phones turn two dashes into a long one.
_OPTION = re.compile(r"(?:--|—|–)([A-Za-z][A-Za-z-]*)(?:=(\S+))?")
_FAMILIARITIES: tuple[Familiarity, ...] = get_args(Familiarity)


class OptionError(ParameterError):
    """An option that a member typed cannot be; ``sentence`` with its places filled by ``values`` says why."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence.format(**values))
        self.sentence = sentence
        self.values = values


@dataclass(frozen=True, slots=True)
class Options:
    """How an answer is wanted: ``count`` rows over all pages (None: as many as there are), and how well known."""

    count: int | None = None
    familiarity: Familiarity = "balanced"


def options_of(count: int | None, familiarity: str | None) -> Options:
    """Make options of what a slash command gives.

    Raises
    ------
    OptionError : one of them cannot be.
    """
    return Options(
        None if count is None else _count(str(count)), "balanced" if familiarity is None else _familiarity(familiarity)
    )


def split_options(text: str, given: Options) -> tuple[str, Options]:
    """Split what was typed into the name and the options behind it; those typed go before those given.

    Raises
    ------
    OptionError : an option is unknown, lacks its value, or has one that cannot be.
    """
    words = text.split()
    begin = next((place for place, word in enumerate(words) if place and _OPTION.fullmatch(word)), len(words))
    if begin == len(words):
        return text.strip(), given
    # The name as typed, but for what is behind it.
    name = text.strip()
    for word in reversed(words[begin:]):
        name = name[: name.rindex(word)].rstrip()
    count, familiarity = given.count, given.familiarity
    rest = iter(words[begin:])
    for word in rest:
        option = _OPTION.fullmatch(word)
        if option is None:
            raise OptionError(_UNEXPECTED, word=word)
        key, value = option[1].casefold(), option[2]
        if key in _FAMILIARITIES:
            familiarity = _familiarity(key)
        elif key == "familiarity":
            familiarity = _familiarity(value or next(rest, ""))
        elif key in {"count", "n", "k"}:
            count = _count(value or next(rest, ""))
        else:
            raise OptionError(_UNKNOWN, option=option[1])
    return name, Options(count, familiarity)


_UNKNOWN = "There is no option --{option}; there are --count 20, --familiar, --balanced and --deep."
_UNEXPECTED = "“{word}” stands behind an option and is none; the name comes first, then --count 20 or --deep."
_BAD_COUNT = "--count takes a whole number from 1 to 50, not “{value}”."
_BAD_FAMILIARITY = "“{value}” is not one of familiar, balanced and deep."
OPTION_SENTENCES = (_UNKNOWN, _UNEXPECTED, _BAD_COUNT, _BAD_FAMILIARITY)


def _count(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= 6 and 1 <= int(value) <= MOST_ROWS):
        raise OptionError(_BAD_COUNT, value=value)
    return int(value)


def _familiarity(value: str) -> Familiarity:
    for known in _FAMILIARITIES:
        if value.casefold() == known:
            return known
    raise OptionError(_BAD_FAMILIARITY, value=value)
