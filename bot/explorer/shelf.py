"""The models that the explorer compares, opened once and kept in memory."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from recommender.catalogue import Catalogue
from recommender.errors import ModelError
from recommender.store import ModelStore

log = logging.getLogger(__name__)

MAX_MODELS = 12


@dataclass(frozen=True, slots=True)
class ShelvedModel:
    """One opened model, and the folder that it came from."""

    folder: Path
    catalogue: Catalogue

    @property
    def model_id(self) -> str:
        """The model's id in the store."""
        return self.catalogue.manifest.id


@dataclass(frozen=True, slots=True)
class Shelf:
    """Opened models, at least one; the first one resolves names."""

    models: tuple[ShelvedModel, ...]

    def __iter__(self) -> Iterator[ShelvedModel]:
        """Go through the models, the first one first."""
        return iter(self.models)

    @property
    def first(self) -> ShelvedModel:
        """The model that answers where none is named."""
        return self.models[0]

    def find(self, model_id: str | None) -> ShelvedModel | None:
        """Return a model by its id, the first one for None, None where it is not on the shelf."""
        if model_id is None:
            return self.first
        return next((model for model in self.models if model.model_id == model_id), None)


def open_shelf(store: ModelStore, wanted: Sequence[str]) -> Shelf:
    """Open models of a store.

    Parameters
    ----------
    store : where models are.
    wanted : ids or folders' paths, in the order to show; none: the whole store, the current model first.

    Raises
    ------
    ModelError : a wanted model cannot be opened, two share an id, or there is none at all.
    """
    if not wanted:
        return _whole(store)
    models = tuple(_open(store.folder(model)) for model in wanted)
    ids = [model.model_id for model in models]
    if len(set(ids)) < len(ids):
        raise ModelError(f"two of the models have the same id ({', '.join(ids)}); name different ones")
    if len(models) > MAX_MODELS:
        raise ModelError(f"{len(models)} models are more than can be compared; name at most {MAX_MODELS}")
    return Shelf(models)


def _whole(store: ModelStore) -> Shelf:
    current = store.folder(None)  # says what to do where there is no model yet
    folders = [current, *(store.root / model_id for model_id in store.ids() if model_id != current.name)]
    models = []
    for folder in folders[:MAX_MODELS]:
        try:
            models.append(_open(folder))
        except ModelError as error:
            # One damaged or old model must not hide the others.
            log.warning("left out a model: %s", error)
    if not models:
        raise ModelError(f"none of the models in {store.root} can be opened; train one with `segue train`")
    if len(folders) > MAX_MODELS:
        log.warning("showing %d of %d models; name others with --model", MAX_MODELS, len(folders))
    return Shelf(tuple(models))


def _open(folder: Path) -> ShelvedModel:
    catalogue = Catalogue.open(folder)
    catalogue.prepare()
    return ShelvedModel(folder, catalogue)
