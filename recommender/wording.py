"""Words that both the commands and the bot use."""

import unicodedata

# Ten rows of the longest names must fit into one Discord message of 4,000 characters, with every character escaped.
MAX_NAME_CHARACTERS = 80
NO_VISIBLE_NAME = "(a name without visible characters)"
SYNTHETIC_NOTE = "Demo data: synthetic listeners, real artist names."


def counted(n: int, one: str, many: str | None = None) -> str:
    """Count things in words: "1 listener", "1,234 listeners", "2 people" (``many`` where an s is not enough)."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def plain_name(text: str, *, limit: int = MAX_NAME_CHARACTERS) -> str:
    """One line without control, format and direction characters, clipped to ``limit`` characters."""
    visible = text
    if not (text.isascii() and text.isprintable()):  # most names are; the others are looked at letter by letter
        visible = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join(visible.split()) or NO_VISIBLE_NAME
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
