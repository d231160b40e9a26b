"""Which columns a text file or a table has: recognised by their names, or by Last.fm-360K's fixed order."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from recommender.errors import DataError

# Compared without case, blanks, underscores and hyphens. The weak names count only where no strong one is there.
_STRONG = {
    "listener": ("listener", "listenerid", "user", "userid", "username", "usersha1", "usermboxsha1", "usr"),
    "artist": ("artist", "artistname", "artname"),
    "plays": ("plays", "playcount", "listens", "listencount", "listeningcount", "nplays"),
    "mbid": ("mbid", "artistmbid", "artmbid", "musicbrainzartistid", "musicbrainzid", "artistmusicbrainzid"),
}
_WEAK: dict[str, tuple[str, ...]] = {
    "listener": (),
    "artist": ("name",),
    "plays": ("count", "weight", "scrobbles"),
    "mbid": (),
}
_NEEDED = ("listener", "artist", "plays")
_COUNT = re.compile(rb"\s*[+-]?\d+(\.\d*)?\s*")
_MAX_LISTED = 12


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns of a file with a header; None: recognise the common names.

    Attributes
    ----------
    listener, artist, plays, mbid : column names, compared exactly, then without case.
    """

    listener: str | None = None
    artist: str | None = None
    plays: str | None = None
    mbid: str | None = None

    def named(self, role: str) -> str | None:
        """Return the name given for a role."""
        return {"listener": self.listener, "artist": self.artist, "plays": self.plays, "mbid": self.mbid}[role]

    @property
    def any_named(self) -> bool:
        """Whether a name was given, which means that the file has a header."""
        return any(self.named(role) is not None for role in _STRONG)


@dataclass(frozen=True, slots=True)
class Roles:
    """Positions of the columns that matter, from 0; ``mbid`` None: the file has none."""

    listener: int
    artist: int
    plays: int
    mbid: int | None


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of a text file are divided.

    Attributes
    ----------
    separator : one ASCII character.
    n_fields : fields of every good line.
    header_line : line number of the header, 0 without one; what precedes it is blank.
    quoted : whether fields may stand in double quotes, as in CSV.
    """

    separator: str
    n_fields: int
    header_line: int
    quoted: bool


LASTFM_360K = Layout("\t", 4, 0, quoted=False)
LASTFM_360K_ROLES = Roles(listener=0, mbid=1, artist=2, plays=3)


def layout_of(head: bytes, columns: Columns, label: str) -> tuple[Layout, Roles]:
    """Recognise a text file by its first lines.

    Parameters
    ----------
    head : the first bytes, cut anywhere.
    columns : names that the person gave.
    label : how messages call the file.

    Raises
    ------
    DataError : it is empty or no text, or its columns are not recognised.
    """
    if not head.strip():
        raise DataError(f"{label} is empty: there are no plays in it")
    _refuse_binary(head, label)
    lines = head.splitlines()
    header_line = next(line_no for line_no, line in enumerate(lines, start=1) if line.strip())
    first = lines[header_line - 1]
    separator = _separator_of(first)
    if separator == "\t":
        fields = first.decode("utf-8", "backslashreplace").split("\t")
    else:
        fields = _csv_fields(first.decode("utf-8", "backslashreplace"), separator)
    tabbed = any(line.count(b"\t") == 3 for line in lines)
    if not (columns.any_named or _is_header(first, separator, fields)) and (separator == "\t" or tabbed):
        return LASTFM_360K, LASTFM_360K_ROLES
    roles = roles_of(fields, columns, label)
    return Layout(separator, len(fields), header_line, quoted=separator != "\t"), roles


def roles_of(fields: Sequence[str], columns: Columns, label: str) -> Roles:
    """Find the columns that matter among a header's names.

    Raises
    ------
    DataError : one is missing, or several could be it.
    """
    found = {role: _position(role, fields, columns, label) for role in _STRONG}
    missing = [role for role in _NEEDED if found[role] is None]
    listener, artist, plays = found["listener"], found["artist"], found["plays"]
    if listener is None or artist is None or plays is None:
        options = ", ".join(f"--{role}-column" for role in missing)
        raise DataError(
            f"{label} is not listening data as it stands: no column for {' and '.join(missing)} among "
            f"{_listed(fields)}; name it with {options}, or give lines of "
            "listener TAB MusicBrainz id TAB artist TAB plays"
        )
    return Roles(listener, artist, plays, found["mbid"])


def _position(role: str, fields: Sequence[str], columns: Columns, label: str) -> int | None:
    wanted = columns.named(role)
    if wanted is not None:
        for same in (str, str.casefold):
            hits = [idx for idx, field in enumerate(fields) if same(field.strip()) == same(wanted.strip())]
            if hits:
                break
        if not hits:
            raise DataError(f"{label} has no column {wanted!r}; --{role}-column must be one of {_listed(fields)}")
    else:
        plain = [re.sub(r"[\s_-]", "", field).casefold() for field in fields]
        hits = [idx for idx, field in enumerate(plain) if field in _STRONG[role]]
        hits = hits or [idx for idx, field in enumerate(plain) if field in _WEAK[role]]
    if len(hits) > 1:
        several = _listed([fields[idx] for idx in hits])
        raise DataError(f"{label} has several columns for {role}: {several}; choose one with --{role}-column")
    return hits[0] if hits else None


def _is_header(line: bytes, separator: str, fields: Sequence[str]) -> bool:
    """Whether a first line names columns: it holds no number, and at least one name that is known."""
    if any(_COUNT.fullmatch(field) for field in line.split(separator.encode())):
        return False
    plain = {re.sub(r"[\s_-]", "", field).casefold() for field in fields}
    known = {name for names in (*_STRONG.values(), *_WEAK.values()) for name in names}
    return bool(plain & known)


def _separator_of(line: bytes) -> str:
    if b"\t" in line:
        return "\t"
    return ";" if line.count(b";") > line.count(b",") else ","


def _csv_fields(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return line.split(separator)


def _refuse_binary(head: bytes, label: str) -> None:
    """Refuse what is no text; a few control characters are bad rows, not a binary file."""
    text = head.translate(None, bytes(range(0x09)) + b"\x0b\x0c" + bytes(range(0x0E, 0x20)) + b"\x7f")
    if len(head) - len(text) > 0.05 * len(head):
        raise DataError(f"{label} is not listening data: it is a binary file, not text")


def _listed(fields: Sequence[str]) -> str:
    shown = ", ".join(repr(field[:40]) for field in fields[:_MAX_LISTED])
    return shown + (f" and {len(fields) - _MAX_LISTED} more" if len(fields) > _MAX_LISTED else "")
