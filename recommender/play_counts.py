"""What loading listening data gives: who played whom how often, and a report of what was met."""

from dataclasses import dataclass

from recommender.matrix import CSR
from recommender.reading.readers import BadRows


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What was met while loading.

    Attributes
    ----------
    rows : data rows read, good and bad; a header is none.
    bad : the kinds of rows that were left out, by their first line.
    duplicates : rows that were added to another of the same listener and artist.
    merged_names : spellings that became part of another artist.
    """

    rows: int
    bad: tuple[BadRows, ...]
    duplicates: int
    merged_names: int

    @property
    def bad_count(self) -> int:
        """Rows that were left out."""
        return sum(kind.count for kind in self.bad)


@dataclass(frozen=True, slots=True, eq=False)
class PlayCounts:
    """Who played whom how often.

    Attributes
    ----------
    plays : shape (n_listeners, n_artists), counts >= 1, float32, sorted indices, no stored zeros.
    listeners : labels of the rows, in order of first occurrence.
    artist_names : the most-heard spelling of each column's artist, in order of first occurrence.
    artist_mbids : its most frequent MusicBrainz id in lower case, "" where unknown.
    report : what was left out, summed and merged.
    variants : names that were merged into others after loading, each with the other, as a person reviewed them.
    data_hash : SHA-256 (hex) of the file as stored; of HetRec's two files, of artists.dat followed by user_artists.dat.
    """

    plays: CSR
    listeners: list[str]
    artist_names: list[str]
    artist_mbids: list[str]
    report: LoadReport
    data_hash: str
    variants: tuple[tuple[str, str], ...] = ()
