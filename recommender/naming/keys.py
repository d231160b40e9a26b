"""What stays of a name when case, accents, punctuation, word order and other habits of writing are taken away.

Each function is one habit. A key is compared only with keys made by the same functions, so a name and a query meet if
they differ in that habit alone.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from recommender.artists import artist_key

MAX_QUERY_CHARACTERS = 100
"""Longer texts are compared letter by letter, but never scored."""
MAX_TYPED_CHARACTERS = 1_000
"""Longer texts are no names and are not even normalised."""

_VOICING = "\u3099\u309a"
_WORDS_DROPPED = re.compile(r"^[\W_]*the[\s_]+(?=\S)|(?<=\S)[\s_]+the[\W_]*$|(?<=[\s_])and(?=[\s_])")
# A sign that only joins, between two others: "guns n roses", "simon und garfunkel", "echo the bunnymen".
_JOINING = frozenset({"the", "and", "n", "und", "et", "y"})
_NO_LETTERS = re.compile(r"[\W_]+")  # what str.isalnum says no to
_BREAKS = re.compile(r"[\s\-/_,&+|:;~•·‐‑–—]+")
_GUESTS = re.compile(r"[\s(\[]+(?:feat|featuring|ft|f/|with guest)\b.*$")
_ADDITION = re.compile(r"(?<=\S)\s*(?:\([^()]*\)|\[[^\[\]]*\]|\s-\s.*)$")
# Letters that have no accent to take off, and how their owners write them without the key on the keyboard.
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "ß": "ss", "æ": "ae", "œ": "oe"})
_SIGN_INSIDE = re.compile(r"[!|+](?=\w)|[@$€]")
_LEET = str.maketrans("013457@$€!|+l", "oieastaseiiti")
_LEET_SIGNS = re.compile(r"[0134578@$€]|[!|+](?=\w)")
_TO_TWENTY = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_TENS = "thirty forty fifty sixty seventy eighty ninety hundred"
_ORDINALS = "first 1st second 2nd third 3rd fourth 4th fifth 5th sixth 6th seventh 7th eighth 8th ninth 9th tenth 10th"
_DIGITS = (
    {word: str(number) for number, word in enumerate(_TO_TWENTY.split())}
    | {word: str(10 * number) for number, word in enumerate(_TENS.split(), start=3)}
    | dict(zip(_ORDINALS.split()[::2], _ORDINALS.split()[1::2], strict=True))
    | {"thousand": "1000"}
)


def clean_query(text: str) -> str:
    """Normalise what was typed: NFKC, no control, zero-width or direction characters, single spaces, capped length."""
    normal = unicodedata.normalize("NFKC", text[: 4 * MAX_QUERY_CHARACTERS])
    return visible_text(normal)[:MAX_QUERY_CHARACTERS].strip()


def visible_text(text: str) -> str:
    """Drop control, zero-width and direction characters; every run of white space becomes one space."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    visible = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(visible.split())


def tight_key(text: str) -> str:
    """Reduce a name to what people agree on: casefolded letters and digits, no accents, "the", "and", "&", "+".

    A name of symbols only ("!!!", "+44" has digits and is not one) keeps its symbols; "The The" keeps both words.
    """
    return tight_of(folded(text)) or artist_key(text)


def folded(text: str) -> str:
    """Fold case, width, white space and accents."""
    return without_accents(artist_key(text))


def tight_of(text: str) -> str:
    """Make the tight key of a folded name."""
    letters = _letters(_WORDS_DROPPED.sub(" ", text)) if "the" in text or "and" in text else _letters(text)
    if letters in {"", "the"}:
        letters = _letters(text)
    return letters or "".join(visible_text(text).split()) or "".join(text.split())


def without_accents(text: str) -> str:
    """Drop the accents over letters; the marks that make ガ of カ are no accents."""
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", parts.translate({ord(c): None for c in set(parts) if _is_accent(c)}))


def all_without_accents(texts: Sequence[str]) -> list[str]:
    """Return each text as :func:`without_accents` does, many times faster: all as one text.

    Parameters
    ----------
    texts : single lines each.
    """
    # Accents neither reach across a line break nor turn into one.
    return without_accents("\n".join(texts)).split("\n") if texts else []


def _is_accent(character: str) -> bool:
    return unicodedata.combining(character) > 0 and character not in _VOICING


def full_key(text: str) -> str:
    """All letters and digits of a folded name, "the" and "and" too: what the beginning of a name is completed by."""
    return _letters(text)


def split_words(text: str) -> list[str]:
    """Split a folded name at spaces, hyphens and slashes; dots and apostrophes within a word are dropped."""
    if text.isalnum():
        return [text]
    parts = _BREAKS.split(text)
    return [word for part in parts if (word := part if part.isalnum() else _letters(part))]


def variant_keys(key: str, text: str, words: list[str]) -> Iterator[str]:
    """Yield keys that other habits of writing lead to.

    Parameters
    ----------
    key : the name's :func:`artist_key`, with its accents.
    text, words : the same folded, and its words.
    """
    if not key.isascii() and (spelt_out := key.translate(_SPELT_OUT)) != key:
        yield tight_of(without_accents(spelt_out))
    if not text.isascii():
        yield tight_of(transliterated(text))
    if len(words) > 1:
        if any(word in _DIGITS for word in words):
            yield tight_of(" ".join(_DIGITS.get(word, word) for word in words))
        inner = [word for word in words[1:-1] if word not in _JOINING]
        if len(inner) < len(words) - 2:
            yield tight_of(" ".join((words[0], *inner, words[-1])))
    if "$" in text or "!" in text or "@" in text or "€" in text:
        yield tight_of(_SIGN_INSIDE.sub(lambda sign: sign[0].translate(_LEET), text))


def transliterated(text: str) -> str:
    """Write any script in Latin letters, folded."""
    from anyascii import anyascii  # its tables are read on first use; most names need none

    return artist_key(anyascii(text))


def skeleton_key(text: str) -> str:
    """Read digits and signs as the letters that they stand for, in a folded name; i, l and 1 become one letter."""
    if _has_sign(text):
        text = _SIGN_INSIDE.sub(lambda sign: sign[0].translate(_LEET), text)
    if "7he" in text:
        text = re.sub(r"\b7he\b", "the", text)
    return tight_of(text).translate(_LEET)


def has_leet(text: str) -> bool:
    """Whether a folded text has a digit or sign that can stand for a letter."""
    return _LEET_SIGNS.search(text) is not None


def without_guests(text: str) -> Iterator[str]:
    """Yield a folded text without "feat. somebody", then without what follows in brackets or after a dash."""
    short = _GUESTS.sub("", text)
    if short != text and short:
        yield short
    bare = _ADDITION.sub("", text).strip()
    if bare != text and bare and bare != short:
        yield bare


def order_key(words: list[str]) -> str:
    """One key for all orders of the words, "the" and "and" aside; empty for a single word."""
    kept = [word for word in words if word not in {"the", "and"}]
    return " ".join(sorted(kept)) if len(kept) > 1 else ""


def ends_key(words: list[str]) -> str:
    """First and last of at least three words, joined; empty for fewer."""
    kept = words[1:] if words and words[0] == "the" else words
    return kept[0] + kept[-1] if len(kept) > 2 else ""


def initials_keys(words: list[str]) -> set[str]:
    """Initials of at least two words, with and without "the" in front and "and" within."""
    spellings = [words]
    if words and words[0] == "the":
        spellings.append(words[1:])
    if "and" in words:
        spellings.append([word for word in spellings[-1] if word != "and"])
    return {"".join([word[0] for word in spelling]) for spelling in spellings if len(spelling) > 1}


def _has_sign(text: str) -> bool:
    """Whether there is a sign that may stand for a letter."""
    return "!" in text or "$" in text or "@" in text or "+" in text or "|" in text or "€" in text


def _letters(text: str) -> str:
    return text if text.isalnum() else _NO_LETTERS.sub("", text)
