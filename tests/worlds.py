"""Tiny planted listening data, and where the real data is."""

import gzip
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path

import zstandard

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
"""Real data, beside the checkout: for tests and benchmarks only, which skip, saying so, where it is absent."""

MBID_BEATLES = "b10bbbfc-cf9e-42e0-be17-e2c3e1d2600d"
MBID_BJORK = "87c5dedd-371d-4a53-9f7f-80522fb7f3cb"

Row = tuple[str, str, str, int]
"""Listener, MusicBrainz id, artist, plays."""

FEW_ROWS: tuple[Row, ...] = (
    ("ann", MBID_BEATLES, "The Beatles", 30),
    ("ann", MBID_BJORK, "Björk", 12),
    ("bob", MBID_BEATLES, "The Beatles", 7),
    ("bob", "", 'Nick "Peg" Zeppo', 3),
    ("bob", "", "椎名林檎", 1),
)
"""Two listeners, four artists, one name with quotes: not square, every pair once."""


def tsv(rows: Iterable[Row], *, newline: str = "\n") -> bytes:
    """Write rows in Last.fm-360K's layout."""
    return "".join(f"{listener}\t{mbid}\t{artist}\t{plays}{newline}" for listener, mbid, artist, plays in rows).encode()


def tar_gz(members: dict[str, bytes]) -> bytes:
    """Pack members, in order, as ``.tar.gz``."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def official_archive(plays: bytes) -> bytes:
    """Pack plays as Last.fm-360K is published: beside profiles and a README, in a folder."""
    folder = "lastfm-dataset-360K"
    return tar_gz(
        {
            f"{folder}/README.txt": b"read me\n",
            f"{folder}/usersha1-profile.tsv": b"ann\tf\t22\tGermany\tFeb 1, 2007\n",
            f"{folder}/usersha1-artmbid-artname-plays.tsv": plays,
            f"{folder}/mbox_sha1sum.py": b"# nothing\n",
        }
    )


def packings(plays: bytes) -> dict[str, bytes]:
    """Pack a text in every way that is read, by a name for the way."""
    middle = len(plays) // 2
    return {
        "plain": plays,
        "gzip": gzip.compress(plays, mtime=0),
        "gzip of two members": gzip.compress(plays[:middle], mtime=0) + gzip.compress(plays[middle:], mtime=0),
        "zstandard": zstandard.compress(plays),
        "zstandard of two frames": zstandard.compress(plays[:middle]) + zstandard.compress(plays[middle:]),
        "tar.gz": official_archive(plays),
        "tar": gzip.decompress(official_archive(plays)),
    }
