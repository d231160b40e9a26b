"""Words that both the commands and the bot use."""

SYNTHETIC_NOTE = "Demo data: synthetic listeners, real artist names."


def counted(n: int, one: str, many: str | None = None) -> str:
    """Count things in words: "1 listener", "1,234 listeners", "2 people" (``many`` where an s is not enough)."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
