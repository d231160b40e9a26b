"""A trained model on disk: a folder of ``.npy`` files and a JSON manifest, read memory-mapped, never pickle.

======================  ===========================  =======================================================
file                    shape, type                  content
======================  ===========================  =======================================================
``artist_factors.npy``  (n_artists, n_factors) f32   factors, rows in the order of all other files
``artist_ids.npy``      (n_artists,) i64             stable ids, see :mod:`recommender.artists`
``artist_mbids.npy``    (n_artists, 16) u8           MusicBrainz ids, all zero where unknown
``listeners.npy``       (n_artists,) i32             listeners of each artist in the training data
``names.npy``           (n_bytes,) u8                all names, UTF-8, one after the other
``name_offsets.npy``    (n_artists + 1,) i64         where each name begins in ``names.npy``
``neighbour_idx.npy``   (n_artists, k) i32           most similar artists, -1 fills short rows
``neighbour_score.npy`` (n_artists, k) f32           their similarity, as the manifest says of what kind
``support.npy``         (n_artists, k) i32           listeners in common with each of them
``listening.npy``       (n_pairs,) i32               listeners of each artist that has enough, as row numbers
``listening_offsets``   (n_artists + 1,) i64         where each artist's begin in ``listening.npy``
``similarity_factors``  (n_compared, any) f32        what the scores are cosines of, where it is not the factors
``link_idx.npy``        (n_artists, m) i32           artists whose likes speak for each, -1 fills; may be missing
``link_weight.npy``     (n_artists, m) f32           how much, see :mod:`recommender.linking`
``names_*.npy``         see below                    the index of names, :mod:`recommender.naming.index`
======================  ===========================  =======================================================

Without an index of names, one is made in memory when it is needed. ``similarity_factors.npy`` has a row for each artist
with at least ``min_listeners``, and no columns where the scores are cosines of ``artist_factors`` or of nothing.
``manifest.json`` names algorithm, parameters, data and a sha256 for each file; its own sha256 stands in it too.
``checked.json`` is no part of the model: it notes which files were found sound, so that they need not be read again.

``listening.npy`` names nobody, but who knows what somebody listens to could find their row: keep a model where you
would keep the data.
"""

import hashlib
import json
import shutil
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.artists import artist_id
from recommender.checked import is_checked, note_checked
from recommender.confidence import StrengthBounds
from recommender.errors import DataError, ModelError
from recommender.folders import durable_file, sync_folder
from recommender.naming.index import INDEX_TYPES, NameIndex, is_sound

FORMAT = "segue-model"
FORMAT_VERSION = 2
MANIFEST = "manifest.json"

# dtype and number of dimensions of each file; shapes are checked against the manifest's counts.
FILES: dict[str, tuple[str, int]] = {
    "artist_factors": ("<f4", 2),
    "artist_ids": ("<i8", 1),
    "artist_mbids": ("|u1", 2),
    "listeners": ("<i4", 1),
    "names": ("|u1", 1),
    "name_offsets": ("<i8", 1),
    "neighbour_idx": ("<i4", 2),
    "neighbour_score": ("<f4", 2),
    "support": ("<i4", 2),
    "listening": ("<i4", 1),
    "listening_offsets": ("<i8", 1),
    "similarity_factors": ("<f4", 2),
}
# Only of models that recommend with links beside their factors.
LINK_FILES: dict[str, tuple[str, int]] = {"link_idx": ("<i4", 2), "link_weight": ("<f4", 2)}
NAME_FILES: dict[str, tuple[str, int]] = {f"names_{name}": (dtype, 1) for name, dtype in INDEX_TYPES.items()}


@dataclass(frozen=True, slots=True)
class DataCard:
    """What a model was trained on. ``synthetic`` data must be called so wherever its results are shown.

    ``n_variants`` names were merged into other spellings of their artist, as a person reviewed.
    """

    name: str
    sha256: str
    synthetic: bool
    n_listeners: int
    n_artists: int
    n_pairs: int
    n_variants: int = 0


@dataclass(frozen=True, slots=True)
class TableCard:
    """How the table of neighbours was made.

    ``similarity`` : what its scores are, in words; :data:`FACTOR_COSINE` where they are cosines of the model's factors.
    ``recall`` : the part of the true nearest that it holds, measured where it is not exact.
    ``min_common_listeners`` : two artists with fewer in common are no neighbours.
    ``strength`` : which of its scores are low, and which are high.
    """

    similarity: str
    exact: bool
    recall: float
    min_common_listeners: int
    strength: StrengthBounds


FACTOR_COSINE = "cosine of the factors"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The model's card. ``sha256`` is that of the manifest itself and stands for the whole model."""

    id: str
    algorithm: str
    preset: str
    parameters: dict[str, Any]
    seed: int
    objective: float | None
    data: DataCard
    created: datetime
    n_factors: int
    k: int
    min_listeners: int
    neighbours: TableCard
    files: dict[str, dict[str, Any]]
    sha256: str

    @property
    def identity(self) -> str:
        """Name this very model for ever: one trained anew under the same id is another one."""
        return f"{self.id}@{self.sha256[:12]}"


@dataclass(frozen=True, slots=True, eq=False)
class Artifact:
    """An opened model; the arrays are memory-mapped and read-only."""

    manifest: Manifest
    artist_factors: npt.NDArray[np.float32]
    artist_ids: npt.NDArray[np.int64]
    artist_mbids: npt.NDArray[np.uint8]
    listeners: npt.NDArray[np.int32]
    names: npt.NDArray[np.uint8]
    name_offsets: npt.NDArray[np.int64]
    neighbour_idx: npt.NDArray[np.int32]
    neighbour_score: npt.NDArray[np.float32]
    support: npt.NDArray[np.int32]
    listening: npt.NDArray[np.int32]
    listening_offsets: npt.NDArray[np.int64]
    similarity_factors: npt.NDArray[np.float32]
    name_index: NameIndex | None = None
    link_idx: npt.NDArray[np.int32] | None = None
    link_weight: npt.NDArray[np.float32] | None = None


def write_artifact(
    folder: Path, arrays: dict[str, npt.NDArray[Any]], card: dict[str, Any], *, name_index: NameIndex | None = None
) -> Manifest:
    """Write a model into a new folder, so that it is there whole or not at all.

    Everything is written beside ``folder`` under a temporary name, flushed to the disk and renamed.

    Parameters
    ----------
    folder : must not exist.
    arrays : one for each of :data:`FILES`, and all or none of :data:`LINK_FILES`.
    card : the manifest's fields without ``files`` and ``sha256``, as JSON values.
    name_index : the index of its names; without it, it is made anew by every process that needs it.

    Raises
    ------
    ModelError : the folder exists or cannot be written.
    """
    assert arrays.keys() - LINK_FILES.keys() == FILES.keys(), "an artifact has exactly the files of its format"
    if folder.exists():
        raise ModelError(f"{folder} exists already; a model never overwrites another, choose a new name")
    building = folder.parent / f".building-{folder.name}-{uuid.uuid4().hex[:8]}"
    try:
        building.mkdir(parents=True)
        files = {}
        index_arrays = {} if name_index is None else name_index.arrays()
        for name, array in [*arrays.items(), *((f"names_{name}", array) for name, array in index_arrays.items())]:
            dtype, _ = (FILES | LINK_FILES | NAME_FILES)[name]
            files[name] = _write_array(building / f"{name}.npy", np.ascontiguousarray(array, dtype=dtype))
        content = {"format": FORMAT, "format_version": FORMAT_VERSION, **card, "files": files}
        content["sha256"] = _content_sha256(content)
        with durable_file(building / MANIFEST) as file:
            file.write(json.dumps(content, indent=2, ensure_ascii=False).encode() + b"\n")
        sync_folder(building)
        building.rename(folder)
        sync_folder(folder.parent)
    except OSError as err:
        if folder.exists():  # another training was faster
            raise ModelError(f"{folder} was written by another training meanwhile; choose a new name") from err
        raise ModelError(
            f"the model could not be written to {folder}: {err.strerror or err}; make room or choose another place, "
            "the models that were there are unchanged"
        ) from err
    finally:
        # Also after Ctrl-C: half a model must not stay behind. After the rename there is nothing here.
        shutil.rmtree(building, ignore_errors=True)
    return _parse_manifest(content, folder)


def label_arrays(names: list[str], mbids: list[str]) -> dict[str, npt.NDArray[Any]]:
    """Lay out artist names and MusicBrainz ids ("" where unknown) as the arrays of an artifact.

    Raises
    ------
    DataError : two artists have the same id.
    """
    encoded = [name.encode() for name in names]
    offsets = np.zeros(len(names) + 1, dtype=np.int64)
    np.cumsum([len(name) for name in encoded], out=offsets[1:])
    ids = np.array([artist_id(name) for name in names], dtype=np.int64)
    if np.unique(ids).size != ids.size:
        raise DataError("two artists have the same id; load the data with load_plays, which merges equal names")
    packed = np.zeros((len(names), 16), dtype=np.uint8)
    for row, mbid in enumerate(mbids):
        if mbid:
            packed[row] = np.frombuffer(uuid.UUID(mbid).bytes, dtype=np.uint8)
    blob = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return {"artist_ids": ids, "artist_mbids": packed, "names": blob, "name_offsets": offsets}


def open_artifact(folder: Path, *, verify: bool = True) -> Artifact:
    """Open a model memory-mapped.

    Parameters
    ----------
    folder : as written by :func:`write_artifact`.
    verify : read every file and compare its sha256, unless this was done before and the file was not touched since;
        without it only sizes and headers are checked.

    Raises
    ------
    ModelError : missing, truncated, altered, or of another format.
    """
    manifest = read_manifest(folder)
    has_index = any(name in manifest.files for name in NAME_FILES)
    has_links = any(name in manifest.files for name in LINK_FILES)
    names = FILES | (NAME_FILES if has_index else {}) | (LINK_FILES if has_links else {})
    states = {name: _sound_state(folder, name, manifest) for name in names}  # before reading: a change in between shows
    verify = verify and not is_checked(folder, manifest.sha256, states)
    arrays = {}
    for name in names:
        path = folder / f"{name}.npy"
        try:
            if verify and file_sha256(path) != manifest.files[name]["sha256"]:
                raise ModelError(_damaged(folder, f"{path.name} was altered"))
            arrays[name] = np.load(path, mmap_mode="r", allow_pickle=False)
        except PermissionError as err:
            raise ModelError(f"{path} may not be read; check its permissions") from err
        except (OSError, ValueError, EOFError, KeyError, TypeError) as err:
            raise ModelError(_damaged(folder, f"{path.name} cannot be read: {err}")) from err
    _check_shapes(folder, manifest, arrays)
    if verify:
        _check_values(folder, manifest, arrays)
    # As plain arrays over the same mapping: numpy's own class for it costs a microsecond at every small slice.
    index = NameIndex(**{name: np.asarray(arrays.pop(f"names_{name}")) for name in INDEX_TYPES}) if has_index else None
    if verify and index is not None and not is_sound(index, n_artists=manifest.data.n_artists):
        raise ModelError(_damaged(folder, "its index of names holds impossible values"))
    if verify:
        note_checked(folder, manifest.sha256, states)
    return Artifact(manifest, **arrays, name_index=index)


def read_manifest(folder: Path) -> Manifest:
    """Read and check a model's manifest alone.

    Raises
    ------
    ModelError : there is none, it is damaged, or of another format.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError as err:
        raise ModelError(
            f"{folder} is not a Segue model: there is no {MANIFEST}; name another or run `segue train`"
        ) from err
    except PermissionError as err:
        raise ModelError(f"{path} may not be read; check its permissions") from err
    except (OSError, ValueError, RecursionError) as err:
        raise ModelError(_damaged(folder, f"{MANIFEST} cannot be read: {err}")) from err
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelError(
            f"{folder} is not a Segue model: {MANIFEST} is of another kind; name another or run `segue train`"
        )
    version = content.get("format_version")
    if type(version) is not int or version != FORMAT_VERSION:
        what_to_do = "train it again with `segue train`"
        if type(version) is int and version > FORMAT_VERSION:
            what_to_do = "a newer Segue wrote it: upgrade Segue, or train again"
        raise ModelError(
            f"the model {folder} has format {version}, this Segue reads format {FORMAT_VERSION}; {what_to_do}"
        )
    if content.get("sha256") != _content_sha256(content):
        raise ModelError(_damaged(folder, f"{MANIFEST} was altered"))
    return _parse_manifest(content, folder)


def file_sha256(path: Path) -> str:
    """Hash a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _parse_manifest(content: dict[str, Any], folder: Path) -> Manifest:
    try:
        fields = {name: content[name] for name in Manifest.__dataclass_fields__}
        fields["data"] = DataCard(**content["data"])
        strength = StrengthBounds(**content["neighbours"]["strength"])
        fields["neighbours"] = TableCard(**content["neighbours"] | {"strength": strength})
        fields["created"] = datetime.fromisoformat(content["created"])
        numbers = (fields["min_listeners"], fields["neighbours"].min_common_listeners, fields["data"].n_listeners)
        is_sound = isinstance(fields["data"].synthetic, bool) and all(isinstance(number, int) for number in numbers)
        is_sound = is_sound and all(isinstance(bound, float) for bound in (strength.low, strength.high))
    except (KeyError, TypeError, ValueError) as err:
        raise ModelError(_damaged(folder, f"{MANIFEST} lacks a field: {err}")) from err
    if not is_sound:
        raise ModelError(_damaged(folder, f"{MANIFEST} holds a value of the wrong kind"))
    return Manifest(**fields)


def _check_shapes(folder: Path, manifest: Manifest, arrays: dict[str, npt.NDArray[Any]]) -> None:
    n = manifest.data.n_artists
    expected = {
        "artist_factors": (n, manifest.n_factors),
        "artist_ids": (n,),
        "artist_mbids": (n, 16),
        "listeners": (n,),
        "names": arrays["names"].shape,
        "name_offsets": (n + 1,),
        "neighbour_idx": (n, manifest.k),
        "neighbour_score": (n, manifest.k),
        "support": (n, manifest.k),
        "listening": arrays["listening"].shape,
        "listening_offsets": (n + 1,),
        "similarity_factors": arrays["similarity_factors"].shape,
    }
    for name, (dtype, n_dimensions) in FILES.items():
        array = arrays[name]
        if array.dtype.str != dtype or array.ndim != n_dimensions or array.shape != expected[name]:
            raise ModelError(
                _damaged(folder, f"{name}.npy is {array.dtype} {array.shape}, not {dtype} {expected[name]}")
            )
    for name in LINK_FILES.keys() & arrays.keys():
        array, shape = arrays[name], (n, *arrays["link_idx"].shape[1:])
        if (array.dtype.str, array.ndim) != LINK_FILES[name] or array.shape != shape:
            raise ModelError(_damaged(folder, f"{name}.npy is {array.dtype} {array.shape}"))
    for name in NAME_FILES.keys() & arrays.keys():
        if (arrays[name].dtype.str, arrays[name].ndim) != NAME_FILES[name]:
            raise ModelError(_damaged(folder, f"{name}.npy is {arrays[name].dtype} {arrays[name].shape}"))


def _check_values(folder: Path, manifest: Manifest, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Refuse values that no training writes, even where the checksums fit: they would answer with nonsense."""
    n, offsets, idx = manifest.data.n_artists, arrays["name_offsets"], arrays["neighbour_idx"]
    listening, listening_offsets = arrays["listening"], arrays["listening_offsets"]
    compared = arrays["similarity_factors"]
    wrong = {
        "name_offsets": offsets[0] != 0 or offsets[-1] != arrays["names"].size or (np.diff(offsets) < 1).any(),
        "neighbour_idx": idx.size and not -1 <= idx.min() <= idx.max() < n,
        "artist_factors": not np.isfinite(arrays["artist_factors"]).all(),
        "neighbour_score": not np.isfinite(arrays["neighbour_score"]).all(),
        "artist_ids": np.unique(arrays["artist_ids"]).size != n,
        "listeners": (arrays["listeners"] < 0).any(),
        "similarity_factors": compared.shape[0] != np.count_nonzero(arrays["listeners"] >= manifest.min_listeners)
        or not np.isfinite(compared).all(),
        "support": (arrays["support"] < 0).any(),
        "listening": listening.size and not 0 <= listening.min() <= listening.max() < manifest.data.n_listeners,
        "listening_offsets": listening_offsets[0] != 0
        or listening_offsets[-1] != listening.size
        or (np.diff(listening_offsets) < 0).any(),
    }
    if "link_idx" in arrays and arrays["link_idx"].size:
        wrong["link_idx"] = not -1 <= arrays["link_idx"].min() <= arrays["link_idx"].max() < n
        wrong["link_weight"] = not np.isfinite(arrays["link_weight"]).all()
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise ModelError(_damaged(folder, f"{name}.npy holds impossible values"))
    try:
        arrays["names"].tobytes().decode()
    except UnicodeDecodeError as err:
        raise ModelError(_damaged(folder, f"names.npy is not UTF-8: {err}")) from err


def _sound_state(folder: Path, name: str, manifest: Manifest) -> list[int]:
    """What the file system says of a file, and what changes when it is written, replaced or copied."""
    path = folder / f"{name}.npy"
    try:
        state = path.stat()
        if state.st_size != manifest.files[name]["bytes"]:
            raise ModelError(_damaged(folder, f"{path.name} has another size than when it was written"))
    except FileNotFoundError as err:
        raise ModelError(_damaged(folder, f"{path.name} is missing")) from err
    except (OSError, KeyError, TypeError) as err:
        raise ModelError(_damaged(folder, f"{path.name} cannot be read: {err}")) from err
    return [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]


def _damaged(folder: Path, what: str) -> str:
    return f"the model {folder} is damaged: {what}; use another model (`--model`) or train it again"


def _content_sha256(content: dict[str, Any]) -> str:
    unsigned = {name: value for name, value in content.items() if name != "sha256"}
    return hashlib.sha256(
        json.dumps(unsigned, sort_keys=True, ensure_ascii=False).encode("utf-8", "surrogatepass")
    ).hexdigest()


def _write_array(path: Path, array: npt.NDArray[Any]) -> dict[str, Any]:
    with durable_file(path) as file:
        np.save(file, array, allow_pickle=False)
    return {"sha256": file_sha256(path), "bytes": path.stat().st_size}
