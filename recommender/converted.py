"""Converted listening data, kept by content: the same file, read the same way, need not be read a second time.

What is kept never answers for other content. A file is known by the SHA-256 of all its bytes, which costs reading it:
1.4 s for 1.8 GB, a third of converting it, and a fraction of a second for the packed files that most data come as. Its
size, times and inode would be free, but do not prove that nothing changed: programs set times back, writing through a
memory map changes them late, and network file systems keep them coarsely. BLAKE2b takes twice as long as SHA-256 where
processors have instructions for the latter, and the manifest of a model needs the SHA-256 in any case.
"""

import contextlib
import errno
import hashlib
import json
import shutil
import sys
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.errors import DataError
from recommender.play_counts import LoadReport, PlayCounts
from recommender.reading.layouts import Columns
from recommender.reading.readers import BadRows
from recommender.reading.tables import ARTISTS, USER_ARTISTS, hetrec_folder

MAX_BYTES = 4 << 30
_SUFFIX, _PART_SUFFIX = ".plays", ".part"
_HEAD_BYTES = 64 << 10
_READ_BYTES = 1 << 20
_ALIGNED = 64
_DIGEST_BYTES = 32
# All code whose change may change what a file converts to.
_CODE = ("artists.py", "converted.py", "counting.py", "play_counts.py", "plays.py", "reading/*.py")

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Conversions:
    """A folder of converted data sets, which holds nothing that could not be made again.

    Parameters
    ----------
    folder : where they are; made when the first one is kept, for its owner alone, since listening is private.
    warn : told in a sentence why something could not be kept.
    max_bytes : of all together; those that were used longest ago are removed.
    """

    folder: Path
    warn: Callable[[str], None]
    max_bytes: int = MAX_BYTES

    def find(self, source: Path, columns: Columns, *, progress: Progress | None = None) -> PlayCounts | None:
        """Return what a file was converted to when it had this content; None: it must be read.

        Parameters
        ----------
        source, columns : as given to :func:`recommender.plays.load_plays`.
        progress : called with bytes hashed and bytes in all. Nothing is hashed when no file of this size and with
            these first bytes was ever kept.
        """
        with contextlib.suppress(OSError, DataError):  # whatever is wrong with it, reading it will say
            files = _files_of(source)
            if files and any(self.folder.glob(f"{_mark_of(files)}-*{_SUFFIX}")):
                key = _key(_sha256(files, progress), files, columns)
                path = self._path(files, key)
                found = _read(path, key)
                if found is not None:
                    with contextlib.suppress(OSError):  # a folder that cannot be written can still be read
                        path.touch()
                return found
        return None

    def keep(self, source: Path, columns: Columns, counts: PlayCounts, *, stamp: object) -> None:
        """Write what a file was converted to, whole or not at all; where that fails, say so and go on.

        Parameters
        ----------
        source, columns, counts : what was read, how, and what came of it.
        stamp : :func:`stamp_of` the source before it was read. If it has changed since, nothing is kept.
        """
        part = self.folder / f"{uuid.uuid4().hex}{_PART_SUFFIX}"
        try:
            files = _files_of(source)
            if not files or stamp != stamp_of(source):
                return
            key = _key(counts.data_hash, files, columns)
            pieces = _pieces(counts, key)
            size = sum(len(piece) for piece in pieces)
            if size > self.max_bytes:
                return
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if 2 * size > shutil.disk_usage(self.folder).free:  # the model, which comes next, needs room too
                raise OSError(errno.ENOSPC, "it would take more than half of the free space")
            digest = hashlib.sha256()
            with part.open("xb") as file:  # not flushed to the disk: the checksum tells if a power loss cut it short
                for piece in pieces:
                    digest.update(piece)
                    file.write(piece)
                file.write(digest.digest())
            part.replace(self._path(files, key))
            self._make_room()
        except OSError as err:
            self.warn(f"the converted data was not kept in {self.folder}: {err.strerror or err}")
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def sizes(self) -> list[int]:
        """Return the bytes of each data set that is kept."""
        return [size for _, size, path in self._entries() if path.suffix == _SUFFIX]

    def clear(self) -> None:
        """Delete all that is kept; what is being written at the same time is not kept either.

        Raises
        ------
        DataError : a file cannot be deleted.
        """
        for _, _, path in self._entries():
            try:
                path.unlink(missing_ok=True)
            except OSError as err:
                raise DataError(f"{path} cannot be deleted: {err.strerror or err}") from err

    def _entries(self) -> list[tuple[int, int, Path]]:
        """Return when each file was used last, its size and its path."""
        found = []
        for path in (path for suffix in (_SUFFIX, _PART_SUFFIX) for path in self.folder.glob(f"*{suffix}")):
            with contextlib.suppress(FileNotFoundError):  # another training makes room too
                found.append((path.stat().st_mtime_ns, path.stat().st_size, path))
        return found

    def _path(self, files: list[Path], key: dict[str, Any]) -> Path:
        name = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        return self.folder / f"{_mark_of(files)}-{name}{_SUFFIX}"

    def _make_room(self) -> None:
        known = self._entries()
        total = sum(size for _, size, _ in known)
        for _, size, path in sorted(known):
            if total <= self.max_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size


def stamp_of(source: Path) -> object:
    """Return what tells that a file was changed or exchanged while it was read; None: it cannot be looked at."""
    try:
        stats = [path.stat() for path in _files_of(source)]
    except (OSError, DataError):
        return None
    return [(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for stat in stats]


def _files_of(source: Path) -> list[Path]:
    """Return the regular files of a source: one, or HetRec's two; none for a pipe, which can be read only once."""
    folder = hetrec_folder(source)
    files = [source] if folder is None else [folder / ARTISTS, folder / USER_ARTISTS]
    return files if all(path.is_file() for path in files) else []


def _mark_of(files: list[Path]) -> str:
    """Return what is cheap to know of files, and tells most of them apart: sizes, and a hash of their first bytes."""
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            digest.update(file.read(_HEAD_BYTES))
    return f"{sum(path.stat().st_size for path in files)}-{digest.hexdigest()[:16]}"


def _sha256(files: list[Path], progress: Progress | None) -> str:
    digest, done, total = hashlib.sha256(), 0, sum(path.stat().st_size for path in files)
    buffer = memoryview(bytearray(_READ_BYTES))
    for path in files:
        with path.open("rb", buffering=0) as file:
            while size := file.readinto(buffer):
                digest.update(buffer[:size])
                done += size
                if progress is not None:
                    progress(done, total)
    return digest.hexdigest()


def _key(data_hash: str, files: list[Path], columns: Columns) -> dict[str, Any]:
    """Return everything that decides what comes of loading."""
    return {"data": data_hash, "files": len(files), "columns": asdict(columns), "code": _code_digest()}


@cache
def _code_digest() -> str:
    """Return a hash of the code, and of the tables of characters and the library that it relies on."""
    digest = hashlib.sha256(f"{unicodedata.unidata_version} {pl.__version__} {sys.byteorder}".encode())
    for pattern in _CODE:
        paths = sorted(Path(__file__).parent.glob(pattern))
        if not paths:
            raise FileNotFoundError(errno.ENOENT, "Segue's own code cannot be looked at", pattern)
        for path in paths:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _pieces(counts: PlayCounts, key: dict[str, Any]) -> list[memoryview]:
    """Return the content of a file: a header, the arrays it names, each padded; a checksum shall follow."""
    texts = {"listeners": counts.listeners, "artist_names": counts.artist_names, "artist_mbids": counts.artist_mbids}
    # Names have no control characters: loading leaves such rows out.
    arrays: dict[str, NDArray[Any]] = {
        name: np.frombuffer("\n".join(column).encode(), np.uint8) for name, column in texts.items()
    }
    arrays |= {"indptr": counts.plays.indptr, "indices": counts.plays.indices, "data": counts.plays.data}
    header = {
        "key": key,
        "report": asdict(counts.report),
        "shape": counts.plays.shape,
        "arrays": {name: [array.dtype.str, len(array)] for name, array in arrays.items()},
    }
    encoded = json.dumps(header).encode()
    contents = [memoryview(len(encoded).to_bytes(8, "little")), memoryview(encoded)]
    contents += [array.data.cast("B") if len(array) else memoryview(b"") for array in arrays.values()]
    return [piece for raw in contents for piece in (raw, memoryview(bytes(-len(raw) % _ALIGNED)))]


def _read(path: Path, key: dict[str, Any]) -> PlayCounts | None:
    """Read a file that :func:`_pieces` describes; None: there is none, it is damaged, or stands for something else."""
    try:
        with path.open("rb") as file:
            content = np.empty(path.stat().st_size, np.uint8)
            size = file.readinto(content.data)
    except OSError:
        return None
    body, checksum = content[: max(0, size - _DIGEST_BYTES)], content[max(0, size - _DIGEST_BYTES) :]
    if size < len(content) or hashlib.sha256(body.data).digest() != checksum.tobytes():
        return None
    # From here on it is what was written, by this very code if the key agrees.
    position = _ALIGNED + int.from_bytes(body[:8].tobytes(), "little")
    header = json.loads(body[_ALIGNED:position].tobytes())
    if header["key"] != key:
        return None
    arrays = {}
    for name, (dtype, length) in header["arrays"].items():
        position += -position % _ALIGNED
        end = position + length * np.dtype(dtype).itemsize
        arrays[name], position = body[position:end].view(dtype), end
    report = header["report"]
    report["bad"] = tuple(BadRows(**bad) for bad in report["bad"])
    listeners, names, mbids = (
        arrays[name].tobytes().decode().split("\n") for name in ("listeners", "artist_names", "artist_mbids")
    )
    plays = csr_array((arrays["data"], arrays["indices"], arrays["indptr"]), shape=tuple(header["shape"]))
    return PlayCounts(plays, listeners, names, mbids, LoadReport(**report), key["data"])
