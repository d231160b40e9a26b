"""Phrases of several names: "radiohead + björk - coldplay", "from bach to aphex twin", and names that look like one.

Plus, minus and commas join names, "&" and "and" only where both sides are known; but all of them also stand inside
names ("Florence + the Machine", "Belle & Sebastian", "Tyler, the Creator"). Of all ways to cut a phrase, the one that
leaves the fewest unknown names is meant, and among these the one with the fewest cuts. Quotes keep a name whole.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from recommender.artists import artist_key
from recommender.naming.keys import visible_text

MAX_PHRASE_CHARACTERS = 300
MAX_NAMES = 10
_MAX_JOINTS = 16

# A sign surely joins only with white space before it and after it, so that "+44", "blink-182" and "a-ha" stay names;
# without, it joins where there are known names on both sides.
_JOINT = re.compile(
    r"(?P<sure>\s+[+＋−–—-]\s+|\s*[,;]\s+)"
    r"|(?P<maybe>\s+(?:&|and|plus|with|minus|without)\s+|(?<=\S)\s?[+＋&,;−–—-](?=\S)|(?<=\S)[+＋&−–—-]\s)",
    re.IGNORECASE,
)
_MINUS = frozenset({"-", "−", "–", "—", "minus", "without"})
# What somebody began or left over: "radiohead +", ", abba".
_DANGLING = re.compile(r"^(?:[+＋,;]\s+)+|(?:\s+[+＋−–—-]|\s*[,;])+\s*$")
_MINUS_FIRST = re.compile(r"^[−–—-]\s+")
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»")
_JOURNEY = re.compile(r"(?P<begin>from\s+)?(?P<rest>.+)", re.IGNORECASE | re.DOTALL)
_TO = re.compile(r"\s+to\s+|\s*(?:->|→)\s*", re.IGNORECASE)
_NOWHERE = "Name at least one artist to go towards, for example: radiohead + björk - coldplay"


@dataclass(frozen=True, slots=True)
class OneName:
    """A single name, not looked up yet."""

    name: str


@dataclass(frozen=True, slots=True)
class Blend:
    """Names to mix, and names to stay away from; at least two together, and at least one wanted."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Journey:
    """From one name to another."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class NoPhrase:
    """What was typed is no phrase of names; ``sentence`` says why."""

    sentence: str


Phrase: TypeAlias = OneName | Blend | Journey | NoPhrase


@dataclass(frozen=True, slots=True)
class _Joint:
    begin: int
    end: int
    is_minus: bool
    is_sure: bool


def parse_phrase(text: str, *, is_name: Callable[[str], bool]) -> Phrase:
    """Read a phrase of one or several names.

    Parameters
    ----------
    text : anything.
    is_name : whether a text is an artist's name without guessing, as :meth:`Resolver.is_name` tells.

    Returns
    -------
    What was meant; never raises. The names are as typed, without quotes, to be resolved one by one.
    """
    if len(text) > 4 * MAX_PHRASE_CHARACTERS or len(line := visible_text(text)) > MAX_PHRASE_CHARACTERS:
        return NoPhrase(f"That is too long; name at most {MAX_NAMES} artists.")
    begins_with_minus = False
    if any(map(str.isalnum, line)):
        line = _DANGLING.sub("", line).strip()
        begins_with_minus = _MINUS_FIRST.match(line) is not None
        line = _MINUS_FIRST.sub("", line)
    elif not is_name(line):
        return NoPhrase("Which artists? For example: radiohead + björk - coldplay")
    if is_name(line):
        if begins_with_minus:
            return NoPhrase(_NOWHERE)
        whole = _QUOTED.fullmatch(line)
        return OneName(next(filter(None, whole.groups())) if whole else line)
    journey = _journey(line, is_name)
    if journey is not None and is_name(journey.start) and is_name(journey.end):
        return journey
    hidden, quoted = _hide_quotes(line)
    joints = [
        _Joint(found.start(), found.end(), found[0].strip().casefold() in _MINUS, found["sure"] is not None)
        for found in _JOINT.finditer(hidden)
    ]
    if len(joints) > _MAX_JOINTS:
        joints = [joint for joint in joints if joint.is_sure]
    if len(joints) > _MAX_JOINTS:
        return NoPhrase(f"Those are too many names; name at most {MAX_NAMES} artists.")
    cuts = _best_cuts(hidden, joints, lambda part: is_name(_shown(part, quoted)))
    blend = _blend(hidden, cuts, quoted, begins_with_minus=begins_with_minus)
    if journey is not None and not (isinstance(blend, Blend) and all(map(is_name, blend.wanted + blend.unwanted))):
        return journey
    return blend


def _journey(line: str, is_name: Callable[[str], bool]) -> Journey | None:
    whole = _JOURNEY.fullmatch(line)
    if whole is None:
        return None
    hidden, quoted = _hide_quotes(whole["rest"])
    pairs = []
    for found in list(_TO.finditer(hidden))[:_MAX_JOINTS]:
        start, end = _shown(hidden[: found.start()], quoted), _shown(hidden[found.end() :], quoted)
        # "to" alone is in many a name: without "from" it leads somewhere only between two known names.
        says_so = whole["begin"] or found[0].strip() in {"->", "→"} or (is_name(start) and is_name(end))
        if start and end and says_so:
            pairs.append((start, end))
    if not pairs:
        return None
    # "from a day to remember to converge": the cut with the most known names; of equal ones the first.
    start, end = max(pairs, key=lambda pair: is_name(pair[0]) + is_name(pair[1]))
    return Journey(start, end)


def _hide_quotes(line: str) -> tuple[str, list[str]]:
    """Put one private sign in the place of each quoted name, so that no joint is seen in it."""
    quoted: list[str] = []

    def hide(found: re.Match[str]) -> str:
        quoted.append(next(group for group in found.groups() if group is not None))
        return chr(0xE000 + len(quoted) - 1)

    return _QUOTED.sub(hide, line), quoted


def _shown(part: str, quoted: list[str]) -> str:
    return "".join(quoted[ord(c) - 0xE000] if 0 <= ord(c) - 0xE000 < len(quoted) else c for c in part).strip()


def _best_cuts(line: str, joints: list[_Joint], is_name: Callable[[str], bool]) -> list[_Joint]:
    """Choose the joints to cut at: the fewest unknown names, then the fewest cuts."""
    # best[j]: cost and cuts of the phrase up to joint j, cut there; the last entry is the whole phrase.
    begins = [0, *(joint.end for joint in joints)]
    ends = [*(joint.begin for joint in joints), len(line)]
    best: list[tuple[float, list[_Joint]]] = []
    for j, end in enumerate(ends):
        options = []
        for i in range(j + 1):
            part = line[begins[i] : end].strip()
            known = is_name(part)
            inner = joints[i:j]
            # A sure joint inside an unknown part would be two names; "and" between unknown words joins nothing.
            cost = 0.0 if known else 1.0 + 1.5 * sum(joint.is_sure for joint in inner)
            before, cuts = best[i - 1] if i else (0.0, [])
            beside_and = (i > 0 and not joints[i - 1].is_sure) or (j < len(joints) and not joints[j].is_sure)
            if beside_and and not known:
                cost += 1.0
            here = [*cuts, joints[i - 1]] if i else cuts
            options.append((before + cost, len(here), here))
        cost, _, cuts = min(options, key=lambda option: option[:2])
        best.append((cost, cuts))
    return best[-1][1]


def _blend(line: str, cuts: list[_Joint], quoted: list[str], *, begins_with_minus: bool) -> Phrase:
    begins, ends = [0, *(joint.end for joint in cuts)], [*(joint.begin for joint in cuts), len(line)]
    parts = [_shown(line[begin:end], quoted) for begin, end in zip(begins, ends, strict=True)]
    is_minus = [begins_with_minus, *(joint.is_minus for joint in cuts)]
    wanted = tuple(dict.fromkeys(part for part, minus in zip(parts, is_minus, strict=True) if part and not minus))
    unwanted = tuple(dict.fromkeys(part for part, minus in zip(parts, is_minus, strict=True) if part and minus))
    if len(wanted) + len(unwanted) > MAX_NAMES:
        return NoPhrase(f"Those are too many names; name at most {MAX_NAMES} artists.")
    if not wanted:
        return NoPhrase(_NOWHERE)
    both = {artist_key(name) for name in wanted} & {artist_key(name) for name in unwanted}
    if both:
        return NoPhrase(f"You ask for more and for less of {min(both)}; leave one of the two out.")
    if len(wanted) == 1 and not unwanted:
        return OneName(wanted[0])
    return Blend(wanted, unwanted)
