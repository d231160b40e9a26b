"""The note beside a model that its files were read and found sound, so that they need not be read again."""

import json
import uuid
from contextlib import suppress
from pathlib import Path

CHECKED = "checked.json"
# Clocks of file systems tick in milliseconds: what changed so shortly before it was checked may change again unseen.
CLOCK_TICK_NS = 50_000_000

FileStates = dict[str, list[int]]
"""Size, time of modification, time of change and inode of each file: what writing, replacing or copying one changes."""


def is_checked(folder: Path, model_sha256: str, states: FileStates) -> bool:
    """Whether these very files were found sound before, and were not touched since."""
    try:
        noted = json.loads((folder / CHECKED).read_bytes())
        noted_at = (folder / CHECKED).stat().st_mtime_ns
    except (OSError, ValueError, RecursionError):
        return False
    is_old = all(max(modified, changed) + CLOCK_TICK_NS < noted_at for _, modified, changed, _ in states.values())
    return is_old and bool(noted == {"model": model_sha256, "files": states})


def note_checked(folder: Path, model_sha256: str, states: FileStates) -> None:
    """Note that files, as they were before they were read, are sound; where that cannot be written, it is not."""
    beside = folder / f".{CHECKED}-{uuid.uuid4().hex[:8]}"
    try:
        beside.write_text(json.dumps({"model": model_sha256, "files": states}), encoding="utf-8")
        beside.replace(folder / CHECKED)
    except OSError:  # a folder that may not be written: it is read whole each time
        with suppress(OSError):
            beside.unlink(missing_ok=True)
