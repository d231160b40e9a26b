"""Several names in one text: "a | b", "a and b", "from a to b", "a + b - c"; names hold such words themselves."""

import re
from collections.abc import Callable

from recommender.naming.phrases import Blend, Journey, NoPhrase, parse_phrase

# A bar or an arrow stands in no name; the others may.
_SURE = re.compile(r"\s*(?:\||->|→)\s*")
_PERHAPS = re.compile(r"\s+(?:to|and|vs\.?|und|et|y|e|bis|&|/)\s+|\s*[,;]\s+", re.IGNORECASE)
_FROM = re.compile(r"from\s+(?=.+\sto\s)", re.IGNORECASE)
MOST_CUTS = 8


def split_pair(text: str, is_name: Callable[[str], bool]) -> tuple[str, str] | None:
    """Split a text into two names; of several ways the one that leaves the fewest unknown names.

    Parameters
    ----------
    text : what was typed.
    is_name : whether a text is an artist's name without guessing.

    Returns
    -------
    None when nothing in it parts two names.
    """
    line = " ".join(text.split())
    line = line[found.end() :] if (found := _FROM.match(line)) else line
    cuts = _cuts(_SURE, line) or _cuts(_PERHAPS, line)
    if not cuts:
        return None
    return max(cuts, key=lambda cut: is_name(cut[0]) + is_name(cut[1]))


def _cuts(joint: re.Pattern[str], line: str) -> list[tuple[str, str]]:
    pairs = [
        (line[: found.start()].strip(), line[found.end() :].strip()) for found in list(joint.finditer(line))[:MOST_CUTS]
    ]
    return [pair for pair in pairs if all(pair)]


def split_mixture(text: str, is_name: Callable[[str], bool]) -> list[tuple[str, int]] | str:
    """Split a text into names to mix, each wanted (1) or not (-1); a sentence says why it is none."""
    match parse_phrase(text, is_name=is_name):
        case Blend(wanted, unwanted):
            return [*((name, 1) for name in wanted), *((name, -1) for name in unwanted)]
        case Journey(start, end):
            return [(start, 1), (end, 1)]
        case NoPhrase(sentence):
            return sentence
        case phrase:
            return [(phrase.name, 1)]
