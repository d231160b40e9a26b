"""Named data sets: what they are, where they come from and under which licence; and their download."""

import hashlib
import os
import shutil
import time
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recommender.errors import DownloadError, ParameterError
from recommender.fetching import Fetch, Progress, fetch
from recommender.folders import sync_folder

_BUNDLED = Path(__file__).with_name("demo")
# The bundled demo, packed and unpacked.
_SYNTHETIC_SHA256 = {
    "8e313a26d0dd6909ff7623ccdd566f2d2254997270746a0bc732e98d0a1dcc88",
    "9b7f3be55aceb38d0fe7c0c8f51f0b4a05308f2ed5a24264ee08fcebc78b09c1",
}
_HASH_BYTES = 1 << 20
_ZIP = b"PK\x03\x04"
_MAGIC = {".zip": _ZIP, ".gz": b"\x1f\x8b"}


@dataclass(frozen=True, slots=True)
class Dataset:
    """A set of listening data that is known by name.

    Attributes
    ----------
    name, title : for commands, and for people.
    url : where it is published, http or https; None: it comes with Segue.
    filename : its name on this machine.
    size, md5 : as published, bytes and hex digits; None: not published.
    licence, citation : whoever uses it must keep to the one and name the other.
    synthetic : whether the listeners are made up, which must be said wherever results are shown.
    notes : what else to know, or "".
    """

    name: str
    title: str
    url: str | None
    filename: str
    size: int | None
    md5: str | None
    licence: str
    citation: str
    synthetic: bool
    notes: str


DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            name="demo",
            title="synthetic listeners, real artists: 10,000 x 1,650, 326,215 pairs",
            url=None,
            filename="plays.tsv.gz",
            size=2_487_812,
            md5=None,
            licence="derived from sets released for non-commercial research; see NOTICE",
            citation=(
                "derived from Cantador, Brusilovsky & Kuflik (2011), HetRec workshop at RecSys; "
                "Celma (2010), Music Recommendation and Discovery, Springer"
            ),
            synthetic=True,
            notes="comes with Segue; no row is anyone's listening",
        ),
        Dataset(
            name="lastfm-360k",
            title="Last.fm-360K: top artists of 359,347 listeners, 17.6 million pairs",
            url="https://zenodo.org/records/6090214/files/lastfm-dataset-360K.tar.gz?download=1",
            filename="lastfm-dataset-360K.tar.gz",
            size=569_202_935,
            md5="635e6ed3fc873aa4ba33aba0ebce02b1",
            licence="non-commercial use, by permission of Last.fm; see the README in the archive",
            citation="Celma (2010), Music Recommendation and Discovery in the Long Tail, Springer",
            synthetic=False,
            notes="size and checksum are those that public mirrors name",
        ),
        Dataset(
            name="hetrec-lastfm-2k",
            title="HetRec 2011 Last.fm-2K: top artists of 1,892 listeners, 92,834 pairs",
            url="https://files.grouplens.org/datasets/hetrec2011/hetrec2011-lastfm-2k.zip",
            filename="hetrec2011-lastfm-2k.zip",
            size=None,
            md5=None,
            licence="non-commercial use; see readme.txt in the archive",
            citation="Cantador, Brusilovsky & Kuflik (2011), 2nd HetRec workshop at RecSys",
            synthetic=False,
            notes="no size or checksum is published; a download is checked by the archive's own",
        ),
    )
}


def find_dataset(name: str) -> Dataset:
    """Look a data set up.

    Raises
    ------
    ParameterError : there is none of this name.
    """
    try:
        return DATASETS[name]
    except KeyError:
        raise ParameterError(f"there is no data set {name!r}; there are {', '.join(DATASETS)}") from None


def is_synthetic(sha256: str) -> bool:
    """Tell by a file's checksum whether its listeners are made up, by whatever path it was loaded."""
    return sha256 in _SYNTHETIC_SHA256


def local_path(dataset: Dataset, folder: Path) -> Path | None:
    """Return where a data set is on this machine, or None; ``folder`` is where downloads are kept."""
    path = (_BUNDLED if dataset.url is None else folder) / dataset.filename
    return path if path.is_file() else None


def download(
    dataset: Dataset,
    folder: Path,
    *,
    progress: Progress | None = None,
    url: str | None = None,
    max_attempts: int = 5,
    sleep: Callable[[float], None] = time.sleep,
    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    timeout: float = 60.0,
) -> Path:
    """Fetch a data set, continuing where an earlier attempt stopped, and check it against what is published.

    Parameters
    ----------
    dataset : what to fetch.
    folder : where to put it, created if need be; until it is complete the file is called ``<filename>.part``.
    progress : called with bytes done and bytes in all (None: unknown).
    url : fetch from this http or https address instead of the official one.
    max_attempts : attempts in a row without a new byte before giving up, >= 1.
    sleep, free_bytes : wait for seconds; say how many bytes are free where a folder is.
    timeout : seconds without a byte after which a connection counts as dropped.

    Returns
    -------
    Path of the complete file; one that is already there is checked and kept.

    Raises
    ------
    DownloadError : the address cannot be fetched, the disk is too small or cannot be written, or what came is not the
        set. What was fetched stays for the next attempt, unless it is wrong.
    """
    target = (_BUNDLED if dataset.url is None else folder) / dataset.filename
    if dataset.url is None:
        if not target.is_file():
            raise DownloadError(f"{target} is missing: it comes with Segue; install Segue again")
        return target
    address = dataset.url if url is None else url
    _refuse_other_addresses(address)
    part = target.with_name(target.name + ".part")
    try:
        if target.is_file():
            wrong = _difference(target, dataset)
            if wrong:
                raise DownloadError(f"{target} is not {dataset.name}: {wrong}; delete it to fetch it again")
            return target
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            fetch(Fetch(address, part, dataset.size, progress, sleep, free_bytes, timeout, max_attempts))
            wrong = _difference(part, dataset)
            if wrong:
                part.unlink()
                raise DownloadError(f"what {address} sent is not {dataset.name}: {wrong}; it was removed, try again")
            _put_in_place(part, target)
    except OSError as err:
        raise DownloadError(f"{target} cannot be read or written: {err.strerror or err}") from err
    return target


def _difference(path: Path, dataset: Dataset) -> str:
    """Say how a file differs from what is published, or nothing."""
    size = path.stat().st_size
    if dataset.size is not None and size != dataset.size:
        return f"it has {size:,} bytes instead of {dataset.size:,}"
    # All that can be told where nothing is published; a login page of a hotel's network answers 200 as well.
    magic = _MAGIC.get(path.with_name(dataset.filename).suffix, b"")
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        if file.read(len(magic)) != magic:
            return "it is no archive of the expected kind"
        if dataset.md5 is None:
            return _broken_zip(path) if magic == _ZIP else ""
        file.seek(0)
        while chunk := file.read(_HASH_BYTES):
            digest.update(chunk)
    found = digest.hexdigest()
    return "" if found == dataset.md5 else f"its MD5 is {found} instead of {dataset.md5}"


def _broken_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as err:
        return f"it is no whole zip archive ({err})"
    return f"its member {damaged} is damaged" if damaged else ""


def _refuse_other_addresses(address: str) -> None:
    try:
        parts = urllib.parse.urlsplit(address)
        is_usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 80) > 0
    except ValueError as err:
        raise DownloadError(f"{address!r} is not an address: {err}") from err
    if not is_usable or not address.isascii() or any(c.isspace() for c in address):
        raise DownloadError(f"{address!r} is not an http or https address")


def _put_in_place(part: Path, target: Path) -> None:
    """Rename so that a crash leaves either the part or the whole, never half a file under the whole's name."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
    sync_folder(target.parent)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second download from writing into the same part; the system frees the lock of one that was killed."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as err:
        raise DownloadError(f"another command is downloading into {folder} now; wait for it to end") from err
    finally:
        os.close(handle)
