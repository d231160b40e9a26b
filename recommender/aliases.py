"""The shipped table of further names: initials, nicknames, legal and former names, other scripts.

What no similarity of letters can find ("the boss", "gybe", "utada hikaru" for 宇多田ヒカル) stands here, one per row.
The table knows no catalogue: who binds it leaves out the rows whose artist is not there. Where catalogues differ in the
name of an artist, each name leads to the other. Several rows may have one alias: popularity or the person then decides.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, TypeAlias, cast, get_args

from recommender.artists import artist_key
from recommender.errors import DataError

AliasKind: TypeAlias = Literal[
    "initials",
    "nickname",
    "legal name",  # of the artist, or of the people behind a project
    "former name",
    "later name",
    "transliteration",
    "original script",
    "stylised",
    "short form",
    "full name",
    "other spelling",
    "translation",
]
ALIAS_KINDS: tuple[str, ...] = get_args(AliasKind)
COLUMNS = ("alias", "artist", "kind")
MAX_ALIAS_CHARACTERS = 80

_TABLE = "aliases.tsv"


@dataclass(frozen=True, slots=True)
class Alias:
    """One further name of one artist.

    Attributes
    ----------
    alias : what people type, in lower case.
    artist : the artist's name as catalogues (Last.fm, MusicBrainz) write it.
    kind : what sort of name it is.
    """

    alias: str
    artist: str
    kind: AliasKind


def load_aliases() -> tuple[Alias, ...]:
    """Read the table that comes with the package, in the order of the file.

    Raises
    ------
    DataError : the installed file is damaged; says where.
    """
    table = files("recommender").joinpath(_TABLE)
    return parse_aliases(table.read_text(encoding="utf-8").splitlines(), where=_TABLE)


def shipped_aliases() -> list[tuple[str, str]]:
    """The table that ships with the package as an index of names takes it: another name, and the artist's name."""
    return [(alias.alias, alias.artist) for alias in load_aliases()]


def parse_aliases(lines: Iterable[str], *, where: str = "aliases") -> tuple[Alias, ...]:
    """Read rows of tab separated ``alias``, ``artist``, ``kind`` under a header line.

    Parameters
    ----------
    lines : the header line and the rows, with or without line ends.
    where : what to call the table in an error.

    Raises
    ------
    DataError : the header or a row is not as it has to be; says which line and what is wrong.
    """
    rows: list[Alias] = []
    header = "\t".join(COLUMNS)
    line_no = 0
    for line_no, line in enumerate(lines, start=1):
        text = line.rstrip("\r\n")
        if line_no == 1:
            if text != header:
                raise DataError(f"{where}:1: the header is {text!r}; it has to be {header!r}")
            continue
        rows.append(_parse_row(text, f"{where}:{line_no}"))
    if not line_no:
        raise DataError(f"{where}: the table is empty; its first line has to be {header!r}")
    return tuple(rows)


def find_faults(aliases: Sequence[Alias], *, reviewed: Collection[str] = ()) -> list[str]:
    """Review a table for rows that say nothing, say it twice, or contradict each other.

    Parameters
    ----------
    aliases : the table.
    reviewed : aliases, as :func:`recommender.artists.artist_key` writes them, that may lead to several artists or
        may be the name of another one, because somebody looked and found it true.

    Returns
    -------
    One sentence per fault, in the order of the table; none for a clean one.
    """
    keys = [(artist_key(row.alias), artist_key(row.artist)) for row in aliases]
    pairs, names = set(keys), {artist for _, artist in keys}
    first_artists: dict[str, list[str]] = defaultdict(list)
    faults, seen = [], set()
    for row, pair in zip(aliases, keys, strict=True):
        alias, artist = pair
        if pair in seen:
            faults.append(f"{row.alias!r} -> {row.artist!r} stands there twice; drop one")
            continue
        seen.add(pair)
        if _letters(alias) == _letters(artist):
            faults.append(f"{row.alias!r} -> {row.artist!r} is the name itself; drop the row")
        if alias in reviewed:
            continue
        if alias in names and (artist, alias) not in pairs:
            faults.append(
                f"{row.alias!r} -> {row.artist!r}: the alias is another artist's name; drop it, or say both ways"
            )
        if not all((artist, other) in pairs or (other, artist) in pairs for other in first_artists[alias]):
            faults.append(f"{row.alias!r} -> {row.artist!r} leads to a second artist; drop one, or mark it as reviewed")
        first_artists[alias].append(artist)
    return faults


def _parse_row(text: str, where: str) -> Alias:
    fields = text.split("\t")
    if len(fields) != len(COLUMNS):
        raise DataError(f"{where}: {len(fields)} columns instead of {len(COLUMNS)}; separate {COLUMNS} by single tabs")
    for name, value in zip(COLUMNS, fields, strict=True):
        if not value or value != " ".join(value.split()):
            raise DataError(f"{where}: the {name} {value!r} is empty or has stray white space; correct it")
    alias, artist, kind = fields
    if len(alias) > MAX_ALIAS_CHARACTERS:
        raise DataError(f"{where}: the alias has {len(alias)} characters; at most {MAX_ALIAS_CHARACTERS} can be typed")
    if kind not in ALIAS_KINDS:
        raise DataError(f"{where}: the kind {kind!r} is unknown; use one of {', '.join(ALIAS_KINDS)}")
    return Alias(alias, artist, cast("AliasKind", kind))


def _letters(key: str) -> str:
    return "".join(character for character in key if character.isalnum()) or key
