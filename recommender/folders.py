"""Where Segue keeps things of its user unless told otherwise."""

from pathlib import Path

import platformdirs


def default_folder(name: str) -> Path:
    """Return a path in the user's data folder; nothing is created."""
    return platformdirs.user_data_path("segue", appauthor=False) / name
