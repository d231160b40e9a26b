"""Maps of catalogues: drawn once for each model, kept in a folder, read again and sent as they are."""

import logging
import uuid
import zipfile
from pathlib import Path

import numpy as np

from bot.explorer.replies import MapReply, artist_reply
from bot.explorer.shelf import ShelvedModel
from recommender.artifact import open_artifact
from recommender.errors import ModelError
from recommender.layout import Layout, LayoutParams, lay_out
from recommender.wording import plain_name

log = logging.getLogger(__name__)

SCALE = 32767
NAMES_OF_CLUSTER = 3


class MapFolder:
    """A folder with one file for each model that was drawn, named after the very model.

    Parameters
    ----------
    folder : made when the first map is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, model: ShelvedModel) -> Path:
        """Where a model's map is, or will be."""
        return self._folder / f"{model.catalogue.manifest.identity}.npz"

    def load(self, model: ShelvedModel) -> Layout | None:
        """Read a model's map, None where there is none yet; one that cannot be read is drawn anew."""
        path = self.path(model)
        try:
            # Opened here: numpy would leave a damaged one open.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                layout = Layout(arrays["artist_idx"], arrays["positions"], arrays["cluster"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            log.warning("the map %s cannot be read, so it counts as missing: %s", path, error)
            return None
        if not _fits(layout, model):
            log.warning("the map %s is not of this model, so it counts as missing", path)
            return None
        return layout

    def draw(self, model: ShelvedModel, params: LayoutParams, *, seed: int) -> Layout:
        """Draw a model's map and keep it.

        Raises
        ------
        ParameterError : the libraries for it are not installed, or the model is too small.
        ModelError : it could not be written.
        """
        artifact = open_artifact(model.folder, verify=False)  # the shelf did
        layout = lay_out(np.asarray(artifact.artist_factors), artifact.listeners, params, seed=seed)
        path = self.path(model)
        beside = path.with_name(f".{uuid.uuid4().hex}.npz")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(
                beside, artist_idx=layout.artist_idx, positions=layout.positions, cluster=layout.cluster
            )
            beside.replace(path)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise ModelError(
                f"the map could not be written to {path}: {error.strerror or error}; make room or choose --maps"
            ) from error
        return layout


def map_reply(model: ShelvedModel, layout: Layout) -> MapReply:
    """Put a map into plain values."""
    artists = [artist_reply(model.catalogue.artist(idx)) for idx in layout.artist_idx.tolist()]
    columns = np.round(np.asarray(layout.positions, dtype=np.float64) * SCALE).astype(np.int32)
    return MapReply(
        model=model.model_id,
        ids=[artist.id for artist in artists],
        names=[artist.name for artist in artists],
        listeners=[artist.listeners for artist in artists],
        x=columns[:, 0].tolist(),
        y=columns[:, 1].tolist(),
        cluster=layout.cluster.tolist(),
        cluster_names=_cluster_names(model, layout),
    )


def _cluster_names(model: ShelvedModel, layout: Layout) -> list[str]:
    # Artists stand by listeners, so the first ones of a cluster are its best known.
    names = []
    for cluster in range(int(layout.cluster.max()) + 1):
        first = layout.artist_idx[layout.cluster == cluster][:NAMES_OF_CLUSTER].tolist()
        names.append(", ".join(plain_name(model.catalogue.artist(idx).name, limit=24) for idx in first))
    return names


def _fits(layout: Layout, model: ShelvedModel) -> bool:
    n = layout.artist_idx.size
    return (
        n > 0
        and layout.positions.shape == (n, 2)
        and layout.cluster.shape == (n,)
        and bool(np.isfinite(layout.positions).all())
        and 0 <= int(layout.artist_idx.min()) <= int(layout.artist_idx.max()) < model.catalogue.n_artists
    )
