"""The model store: ``<store>/<id>/`` for each model; the one-line file ``<store>/current`` names the serving one."""

import os
import re
import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from recommender.artifact import MANIFEST
from recommender.errors import ModelError, ParameterError
from recommender.folders import at_home, durable_file, sync_folder

ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
LEFTOVERS = ".building-*-" + "[0-9a-f]" * 8
BUILDING_KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class ModelStore:
    """A folder of models, each immutable; ``root`` may not exist yet."""

    root: Path

    def folder(self, model: str | None) -> Path:
        """Find a model's folder.

        Parameters
        ----------
        model : an id in the store, the path of a folder, or None for the current model.

        Raises
        ------
        ModelError : there is none.
        """
        if model is None:
            return self._current_folder()
        if is_path(model):
            return at_home(model)
        folder = self.root / check_id(model)
        if not (folder / MANIFEST).is_file():
            known = ", ".join(self.ids()) or "none"
            raise ModelError(f"there is no model {model!r} in {self.root} (there: {known}); train it or name another")
        return folder

    def new_folder(self, model: str | None, *, default_id: str) -> Path:
        """Where a new model goes: an id in the store, or the path of a folder.

        Raises
        ------
        ModelError : something is there already, or nothing can be written there; said before the training, not after.
        """
        if model and is_path(model):
            folder = at_home(model)
            check_id(folder.name)  # it becomes the model's id
        else:
            folder = self.root / check_id(model or default_id)
        if folder.exists():
            raise ModelError(f"{folder} exists already; a model never overwrites another, choose a new name")
        there = next(parent for parent in folder.absolute().parents if parent.exists())
        if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
            what = "may not be written to" if there.is_dir() else "is not a folder"
            raise ModelError(
                f"no model can be saved in {folder.parent}: {there} {what}; name another --store or --model"
            )
        return folder

    def ids(self) -> list[str]:
        """Ids of the models in the store, sorted."""
        if not self.root.is_dir():
            return []
        return sorted(
            entry.name for entry in self.root.iterdir() if (entry / MANIFEST).is_file() and entry.name[0] != "."
        )

    def current_id(self) -> str | None:
        """Id of the current model, None where none was chosen."""
        try:
            with (self.root / "current").open(encoding="utf-8") as file:
                return file.read(1000).strip() or None
        except FileNotFoundError:
            return None
        except NotADirectoryError as err:
            raise ModelError(f"{self.root} is not a folder; set SEGUE_MODELS or --store to one") from err
        except (OSError, ValueError) as err:
            raise ModelError(
                f"{self.root / 'current'} cannot be read: {err}; delete it or write a model's id into it"
            ) from err

    def set_current(self, model_id: str) -> None:
        """Make a model of the store the current one, atomically.

        Raises
        ------
        ModelError : the store has no such model or cannot be written.
        """
        self.folder(check_id(model_id))
        beside = self.root / f".current-{uuid.uuid4().hex[:8]}"
        try:
            with durable_file(beside) as file:
                file.write(f"{model_id}\n".encode())
            beside.replace(self.root / "current")
            sync_folder(self.root)
        except OSError as err:
            raise ModelError(
                f"{self.root / 'current'} could not be written: {err.strerror or err}; make room or check its rights"
            ) from err
        finally:
            beside.unlink(missing_ok=True)

    def sweep(self, *, now: float) -> None:
        """Remove what a killed training left half-built, a day later, when nothing can still be writing it.

        Parameters
        ----------
        now : seconds since the epoch.
        """
        for leftover in self.root.glob(LEFTOVERS):
            # Files are added all the time while a model is written, so the folder's own time stays young.
            with suppress(FileNotFoundError):  # another training sweeps too
                if leftover.stat().st_mtime < now - BUILDING_KEPT_SECONDS:
                    shutil.rmtree(leftover, ignore_errors=True)

    def _current_folder(self) -> Path:
        current = self.current_id()
        if current is None and (known := self.ids()):
            raise ModelError(
                f"no model in {self.root} is the current one; name one with --model ({', '.join(known)}), or train anew"
            )
        if current is None:
            raise ModelError(
                f"there is no model in {self.root} yet; run `segue train --plays FILE` or `segue train --data demo`"
            )
        return self.folder(check_id(current))


def is_path(model: str) -> bool:
    """Whether a ``--model`` value is a folder's path, not an id: it has a separator, or starts with a dot or tilde."""
    separators = {os.sep, os.altsep or os.sep}
    return any(separator in model for separator in separators) or model[:1] in {".", "~"}


def check_id(model_id: str) -> str:
    """Return the id if it is one; ids are file names, and nothing else may become a path.

    Raises
    ------
    ParameterError : it is not.
    """
    if not ID_PATTERN.fullmatch(model_id) or model_id == "current":
        raise ParameterError(
            f"model id {model_id!r} is not usable; use letters, digits, '.', '_' and '-', or write a folder as ./NAME"
        )
    return model_id
