"""Options behind what a member typed: ``50 cent --count 20 --deep``.

Only what stands at the end is an option, and only with two dashes: names may be numbers, and begin with signs.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

from bot.feedback.records import Familiarity
from bot.languages import later
from bot.replies import MOST_ROWS

# Phones turn two dashes into a long one.
_OPTION = re.compile(r"(?:--|—|–)([A-Za-z][A-Za-z-]*)(?:=(\S+))?")
_FAMILIARITIES: tuple[Familiarity, ...] = get_args(Familiarity)


@dataclass(frozen=True, slots=True)
class BadOption:
    """An option that a member typed cannot be; ``sentence`` with its places filled by ``values`` says why."""

    sentence: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Options:
    """How an answer is wanted: ``count`` rows over all pages (None: as many as there are), and how well known."""

    count: int | None = None
    familiarity: Familiarity = "balanced"


def split_options(text: str, given: Options) -> tuple[str, Options] | BadOption:
    """Split what was typed into the name and the options behind it; those typed go before those given."""
    words = text.split()
    begin = next((place for place, word in enumerate(words) if _begins_options(word, place)), len(words))
    name = text.strip()
    for word in reversed(words[begin:]):  # the name stays as it was typed
        name = name[: name.rindex(word)].rstrip()
    options = given
    rest = iter(words[begin:])
    for word in rest:
        option = _OPTION.fullmatch(word)
        if option is None:
            return BadOption(_UNEXPECTED, {"word": word})
        key, value = option[1].casefold(), option[2]
        if key in {"count", "familiarity"} and value is None:
            value = next(rest, "")
        read = _with(options, key, value)
        if isinstance(read, BadOption):
            return read
        options = read
    return name, options


def _begins_options(word: str, place: int) -> bool:
    """Whether the options begin here: at any behind the name, and at a known one where the name is missing."""
    option = _OPTION.fullmatch(word)
    return option is not None and (place > 0 or option[1].casefold() in {"count", "familiarity", *_FAMILIARITIES})


_UNKNOWN = later("There is no option --{option}; there are --count 20, --familiar, --balanced and --deep.")
_UNEXPECTED = later("“{word}” stands behind an option and is none; the name comes first, then --count 20 or --deep.")
_BAD_COUNT = later("--count takes a whole number from 1 to 50, not “{value}”.")
_NO_COUNT = later("--count takes a whole number from 1 to 50, such as --count 20.")
_NO_FAMILIARITY = later("--familiarity takes familiar, balanced or deep.")
_BAD_FAMILIARITY = later("“{value}” is not one of familiar, balanced and deep.")


def _with(options: Options, key: str, value: str | None) -> Options | BadOption:
    if key in {"count", "familiarity"} and not value:
        return BadOption(_NO_COUNT if key == "count" else _NO_FAMILIARITY, {})
    if key == "count":
        n = int(value) if value and value.isascii() and value.isdecimal() and len(value) <= 6 else 0
        return replace(options, count=n) if 1 <= n <= MOST_ROWS else BadOption(_BAD_COUNT, {"value": value or ""})
    if key != "familiarity" and key not in _FAMILIARITIES:
        return BadOption(_UNKNOWN, {"option": key})
    wanted = (value or "").casefold() if key == "familiarity" else key
    known = next((one for one in _FAMILIARITIES if one == wanted), None)
    return BadOption(_BAD_FAMILIARITY, {"value": value or ""}) if known is None else replace(options, familiarity=known)
