"""What would stop the bot, found without connecting to Discord or changing what the bot keeps."""

import base64
import binascii
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

from bot.feedback.database import upgrade_ahead
from bot.feedback.engine import database_name, failures_explained, for_writing, open_engine, sqlite_file
from bot.settings import Settings, is_loopback, metrics_address, require_token
from recommender.artifact import file_sha256
from recommender.catalogue import Catalogue
from recommender.errors import ModelError, SegueError, SettingsError
from recommender.store import ModelStore

Mark: TypeAlias = Literal["ok", "note", "stop"]
"""``stop``: the bot would not start or not work; ``note``: it would, and somebody should know."""

LITTLE_SPACE_BYTES = 200 * 2**20
_ID = re.compile(r"[0-9]{15,20}")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, what came of it, and a sentence that says so."""

    subject: str
    mark: Mark
    sentence: str


def check(settings: Settings, *, dotenv: Path) -> Iterator[Finding]:
    """Look at everything that the bot needs, one finding after the other; none of them shows the token.

    Parameters
    ----------
    dotenv : the file that settings are read from, if it exists.
    """
    checks: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("token", lambda: _token(settings)),
        ("intents", lambda: _intents(settings)),
        ("database", lambda: _database(settings.database_url)),
        ("disk", lambda: _disk(settings.database_url)),
        ("model", lambda: _model(settings)),
        ("permissions", lambda: _permissions(settings.database_url, dotenv)),
        ("metrics", lambda: _metrics(settings)),
        ("pictures", _pictures),
    )
    for subject, look in checks:
        try:
            yield look()
        except SegueError as error:
            yield Finding(subject, "stop", str(error))
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            yield Finding(subject, "stop", f"{where}{error.strerror or error}; check the path and its permissions")


def _token(settings: Settings) -> Finding:
    token = require_token(settings)
    parts = token.split(".")
    if len(parts) != 3 or not all(parts) or not _ID.fullmatch(_decoded(parts[0])):
        raise SettingsError(
            "DISCORD_TOKEN does not look like a bot's token, which has three parts with dots between them; copy the "
            "token under Bot in the developer portal, not the client secret, the public key or the application's id"
        )
    return Finding("token", "ok", f"It has the shape of a token, of application {_decoded(parts[0])}.")


def _decoded(part: str) -> str:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


def _intents(settings: Settings) -> Finding:
    if not settings.message_content:
        return Finding("intents", "ok", "No privileged intent is asked for; slash commands and mentions work.")
    return Finding(
        "intents",
        "note",
        f"The bot asks for the message-content intent, to read {settings.prefix}similar; whether Discord grants it, "
        "only a login tells: switch it on under Bot in the developer portal, or set SEGUE_MESSAGE_CONTENT=false.",
    )


def _database(url: str) -> Finding:
    before, after = upgrade_ahead(url)
    engine = open_engine(url)
    try:
        name, file = database_name(engine.url), sqlite_file(engine.url)
        if file is not None and not file.exists():
            return Finding("database", "ok", f"{name} does not exist yet; the bot will create it.")
        with failures_explained(engine.url), for_writing(engine).begin():
            pass  # the lock of a write, and nothing written
    finally:
        engine.dispose()
    if before == after:
        return Finding("database", "ok", f"{name} can be written and is at version {after}.")
    old = "is empty" if before is None else f"has version {before}"
    return Finding("database", "ok", f"{name} {old}; the bot will bring it to {after}.")


def _disk(url: str) -> Finding:
    engine = open_engine(url)
    engine.dispose()
    file = sqlite_file(engine.url)
    if file is None:
        return Finding("disk", "ok", "The database is on a server; its disk was not looked at.")
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    with tempfile.TemporaryFile(dir=folder) as trial:
        trial.write(b"\0")
    free = shutil.disk_usage(folder).free
    if free < LITTLE_SPACE_BYTES:
        return Finding("disk", "note", f"{folder} has only {free // 2**20} MB free; make room for votes and their log.")
    return Finding("disk", "ok", f"{folder} can be written and has {free // 2**20:,} MB free.")


def _model(settings: Settings) -> Finding:
    folder = ModelStore(settings.models).folder(settings.model)
    manifest = Catalogue.open(folder).manifest
    for name, file in manifest.files.items():
        # Read anew, whatever was noted before: a disk may have changed what nobody wrote.
        if file_sha256(folder / f"{name}.npy") != file["sha256"]:
            raise ModelError(f"the model {folder} is damaged: {name}.npy was altered; train or copy it again")
    what = f"{manifest.id} opens: {manifest.data.n_artists:,} artists, every file as written, sha256 {manifest.sha256}."
    if manifest.data.synthetic:
        return Finding("model", "note", f"{what} Its listeners are synthetic: a demonstration, and no music taste.")
    return Finding("model", "ok", what)


def _permissions(url: str, dotenv: Path) -> Finding:
    if os.name == "nt":
        return Finding("permissions", "ok", "Windows keeps them otherwise; they were not looked at.")
    engine = open_engine(url)
    engine.dispose()
    database = sqlite_file(engine.url)
    private = [dotenv, *([] if database is None else [database, database.with_name(f"{database.name}-wal")])]
    there = [path for path in private if path.is_file()]
    open_ones = [str(path) for path in there if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if open_ones:
        names = " ".join(open_ones)
        return Finding("permissions", "note", f"Others on this machine may open {names}; run `chmod 600 {names}`.")
    return Finding(
        "permissions", "ok", f"Only their owner may open {', '.join(map(str, there)) or 'what will be kept'}."
    )


def _metrics(settings: Settings) -> Finding:
    address = metrics_address(settings)
    if address is None:
        return Finding("metrics", "ok", "Health and metrics are not served; SEGUE_METRICS_PORT=9108 would.")
    if not is_loopback(address.host):
        return Finding("metrics", "note", f"Health and metrics will be at {address}, open to other machines.")
    return Finding("metrics", "ok", f"Health and metrics will be at http://{address}, for this machine alone.")


def _pictures() -> Finding:
    if find_spec("matplotlib") is None:
        return Finding("pictures", "note", "The map comes in words only; `pip install 'segue[plot]'` adds pictures.")
    return Finding("pictures", "ok", "The map can be drawn.")
