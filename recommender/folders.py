"""Folders: where Segue keeps things of its user, paths as people write them, renames that survive a power loss."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import platformdirs

from recommender.errors import ParameterError


def default_folder(name: str) -> Path:
    """Return a path in the user's data folder; nothing is created."""
    return platformdirs.user_data_path("segue", appauthor=False) / name


def default_cache(name: str) -> Path:
    """Return a path in the user's folder for what can be made again; nothing is created."""
    return platformdirs.user_cache_path("segue", appauthor=False) / name


def at_home(path: str | Path) -> Path:
    """Expand a leading ``~``, which a shell does and ``.env`` does not.

    Raises
    ------
    ParameterError : it names a person whose home is unknown here.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as err:
        raise ParameterError(f"{str(path)!r}: {err}; write the whole path") from err


@contextmanager
def durable_file(path: Path) -> Iterator[BinaryIO]:
    """Create a file that must not exist yet; after the block its content is on the disk."""
    with path.open("xb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, so that a rename in it survives a power loss."""
    if os.name == "nt":  # Windows has no such call for folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
