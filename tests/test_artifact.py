"""A saved model comes back as it was, or is refused with a sentence that says what to do."""

import errno
import hashlib
import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from communities import CREATED, NAMES, community_counts, community_model, small_recipe
from recommender import artifact
from recommender.artifact import (
    FILES,
    MANIFEST,
    NAME_FILES,
    TableCard,
    label_arrays,
    open_artifact,
    read_manifest,
)
from recommender.artists import artist_id
from recommender.checked import CHECKED
from recommender.errors import DataError, ModelError
from recommender.saving import save_model
from recommender.training import train


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store") / "m1"
    community_model(folder)
    return folder


@pytest.fixture
def model(saved, tmp_path):
    return Path(shutil.copytree(saved, tmp_path / "copy"))


def rewrite_manifest(folder, **changes):
    """Change a manifest as somebody would who also fixes its checksum."""
    content = json.loads((folder / MANIFEST).read_text(encoding="utf-8")) | changes
    unsigned = {name: value for name, value in content.items() if name != "sha256"}
    content["sha256"] = hashlib.sha256(json.dumps(unsigned, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(content), encoding="utf-8")


def rewrite_array(folder, name, change):
    """Change an array of a model as somebody would who also fixes the checksums."""
    path = folder / f"{name}.npy"
    array = np.load(path)
    np.save(path, change(array).astype(array.dtype))
    files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    files[name] = {"sha256": artifact.file_sha256(path), "bytes": path.stat().st_size}
    rewrite_manifest(folder, files=files)


def test_a_model_comes_back_as_it_was(saved):
    counts = community_counts()
    trained = train(counts.plays, small_recipe(), rng=np.random.default_rng(0))
    opened = open_artifact(saved)
    assert np.array_equal(opened.artist_factors, trained.factors.artist_factors)
    assert np.array_equal(opened.neighbour_idx, trained.neighbours.idx)
    assert np.array_equal(opened.support, trained.neighbours.support)
    assert opened.listeners.tolist() == np.diff(counts.plays.tocsc().indptr).tolist()
    assert opened.artist_ids.tolist() == [artist_id(name) for name in NAMES]
    assert isinstance(opened.artist_factors, np.memmap)
    assert not opened.artist_factors.flags.writeable


def test_the_manifest_says_what_was_trained_on_what(saved):
    manifest = read_manifest(saved)
    assert (manifest.id, manifest.algorithm, manifest.preset, manifest.seed) == ("m1", "als", "als", 0)
    assert manifest.parameters["als"]["n_factors"] == manifest.n_factors == 3
    assert "lsa" not in manifest.parameters
    assert manifest.created == CREATED
    assert (manifest.data.n_listeners, manifest.data.n_artists) == (150, 13)
    assert manifest.data.sha256 == "0" * 64
    assert manifest.objective > 0
    assert manifest.files.keys() == (FILES | NAME_FILES).keys()


def test_the_same_training_writes_the_same_bytes(saved, tmp_path):
    community_model(tmp_path / "m1")
    assert read_manifest(tmp_path / "m1").sha256 == read_manifest(saved).sha256


@pytest.mark.parametrize("name", [*FILES, *NAME_FILES])
def test_a_truncated_file_is_refused(model, name):
    path = model / f"{name}.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match=f"damaged: {name}.npy has another size"):
        open_artifact(model, verify=False)


@pytest.mark.parametrize("name", [*FILES, *NAME_FILES])
def test_a_flipped_bit_is_refused(model, name):
    path = model / f"{name}.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match=f"damaged: {name}.npy was altered"):
        open_artifact(model)


def test_a_missing_file_is_refused(model):
    (model / "names.npy").unlink()
    with pytest.raises(ModelError, match=r"names\.npy is missing; use another model"):
        open_artifact(model)


def test_an_altered_manifest_is_refused(model):
    text = (model / MANIFEST).read_text(encoding="utf-8")
    (model / MANIFEST).write_text(text.replace('"n_listeners": 150', '"n_listeners": 151'), encoding="utf-8")
    with pytest.raises(ModelError, match=r"manifest\.json was altered"):
        open_artifact(model)


def test_a_newer_format_is_refused_with_both_ways_out(model):
    rewrite_manifest(model, format_version=artifact.FORMAT_VERSION + 1)
    with pytest.raises(ModelError, match="upgrade Segue, or train again"):
        open_artifact(model)


def test_an_older_format_is_refused_with_the_way_out(model):
    rewrite_manifest(model, format_version=artifact.FORMAT_VERSION - 1)
    with pytest.raises(ModelError, match="format 1, this Segue reads format 2; train it again with `segue train`"):
        open_artifact(model)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"format": "other"}', b"\xff\xfe", b"null", b"[" * 100_000]
)
def test_a_manifest_that_is_none_is_refused(model, content):
    (model / MANIFEST).write_bytes(content)
    with pytest.raises(ModelError):
        open_artifact(model)


@pytest.mark.parametrize("field", ["id", "data", "created", "files", "n_factors"])
def test_a_manifest_without_a_field_is_refused(model, field):
    content = json.loads((model / MANIFEST).read_text(encoding="utf-8"))
    del content[field], content["sha256"]
    (model / MANIFEST).write_text(json.dumps(content), encoding="utf-8")
    rewrite_manifest(model)
    with pytest.raises(ModelError):
        open_artifact(model)


def test_an_empty_folder_is_no_model(tmp_path):
    with pytest.raises(ModelError, match="is not a Segue model"):
        open_artifact(tmp_path)


def test_a_pickle_is_never_run(model, tmp_path):
    """A file that would run code when unpickled is refused, whatever its checksum says."""

    class Payload:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    path = model / "names.npy"
    path.write_bytes(pickle.dumps(Payload()))
    files = json.loads((model / MANIFEST).read_text(encoding="utf-8"))["files"]
    files["names"] = {"sha256": artifact.file_sha256(path), "bytes": path.stat().st_size}
    rewrite_manifest(model, files=files)
    with pytest.raises(ModelError, match="cannot be read"):
        open_artifact(model)
    assert not (tmp_path / "ran").exists()


def test_a_file_of_another_shape_is_refused(model):
    path = model / "listeners.npy"
    np.save(path, np.zeros(12, dtype="<i4"))
    files = json.loads((model / MANIFEST).read_text(encoding="utf-8"))["files"]
    files["listeners"] = {"sha256": artifact.file_sha256(path), "bytes": path.stat().st_size}
    rewrite_manifest(model, files=files)
    with pytest.raises(ModelError, match=r"listeners\.npy is int32 \(12,\)"):
        open_artifact(model)


IMPOSSIBLE = {
    "name_offsets": lambda array: array[::-1].copy(),
    "neighbour_idx": lambda array: array + 1000,
    "artist_factors": lambda array: array * np.float32("nan"),
    "neighbour_score": lambda array: array + np.float32("inf"),
    "artist_ids": np.zeros_like,
    "listeners": lambda array: array - 1_000_000,
    "support": lambda array: array - 1_000_000,
    "names": lambda array: array | 0x80,
    "similarity_factors": lambda array: array[1:].copy(),
    "listening": lambda array: array + 150,
    "listening_offsets": lambda array: array[::-1].copy(),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_values_are_refused_even_if_the_checksums_fit(model, name):
    rewrite_array(model, name, IMPOSSIBLE[name])
    with pytest.raises(ModelError, match=rf"damaged: {name}\.npy (holds impossible values|is not UTF-8)"):
        open_artifact(model)


def test_sound_files_are_read_once_and_again_when_they_were_touched(saved, tmp_path, monkeypatch):
    model = Path(shutil.copytree(saved, tmp_path / "copy"))
    (model / CHECKED).unlink(missing_ok=True)
    read = []
    file_sha256 = artifact.file_sha256
    monkeypatch.setattr(artifact, "file_sha256", lambda path: read.append(path.stem) or file_sha256(path))
    later = (model / "names.npy").stat().st_ctime_ns + 10**9
    for expected in (sorted(FILES | NAME_FILES), []):
        read.clear()
        open_artifact(model)
        assert sorted(read) == expected
        os.utime(model / CHECKED, ns=(later, later))  # as if the files had been written a second before
    path = model / "names.npy"
    state, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))  # whoever sets times back cannot set back this
    with pytest.raises(ModelError, match=r"names\.npy was altered"):
        open_artifact(model)


def test_files_checked_in_the_moment_they_were_written_are_read_again(model, monkeypatch):
    open_artifact(model)
    written = max((model / f"{name}.npy").stat().st_ctime_ns for name in FILES | NAME_FILES)
    os.utime(model / CHECKED, ns=(written, written))
    read = []
    file_sha256 = artifact.file_sha256
    monkeypatch.setattr(artifact, "file_sha256", lambda path: read.append(path.stem) or file_sha256(path))
    open_artifact(model)
    assert sorted(read) == sorted(FILES | NAME_FILES)


@pytest.mark.parametrize("content", [b"", b"[", b"null", b"{}", b'{"files": 1}', b"[" * 100_000, b"\xff"])
def test_notes_of_checks_that_are_none_only_cost_time(model, content):
    (model / CHECKED).write_bytes(content)
    assert open_artifact(model).manifest.id == "m1"
    assert json.loads((model / CHECKED).read_bytes())["model"] == read_manifest(model).sha256


def test_a_folder_that_may_not_be_written_opens(model, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "no")

    (model / CHECKED).unlink(missing_ok=True)
    monkeypatch.setattr(Path, "write_text", refuse)
    assert open_artifact(model).manifest.id == "m1"
    assert {path.suffix for path in model.iterdir()} == {".npy", ".json"}
    assert not (model / CHECKED).exists()


def test_the_manifest_says_how_the_neighbours_were_found(saved):
    card = read_manifest(saved).neighbours
    assert card == TableCard("cosine of the factors", True, 1.0, 1, card.strength)
    assert 0 < card.strength.low <= card.strength.high <= 1


IMPOSSIBLE_INDEX = {
    "group_offsets": lambda array: array[::-1].copy(),
    "group_artists": lambda array: array + 1000,
    "key_group": lambda array: array - 1000,
    "key_layer": lambda array: array + 100,
    "text_offsets": lambda array: array[:-1],
    "text_group": lambda array: array + 1000,
    "text_norm": np.zeros_like,
    "trigram_texts": lambda array: array + 1000,
    "start_byte": lambda array: array[1:],
    "word_groups": lambda array: array[1:],
}


@pytest.mark.parametrize("name", IMPOSSIBLE_INDEX)
def test_an_index_of_names_that_points_nowhere_is_refused_even_if_the_checksums_fit(model, name):
    rewrite_array(model, f"names_{name}", IMPOSSIBLE_INDEX[name])
    with pytest.raises(ModelError, match="damaged: its index of names"):
        open_artifact(model)


@pytest.mark.parametrize("changes", [{"format_version": 0}, {"format_version": True}, {"min_listeners": "5"}])
def test_manifest_values_of_the_wrong_kind_are_refused(model, changes):
    rewrite_manifest(model, **changes)
    with pytest.raises(ModelError):
        open_artifact(model)


def test_a_model_never_overwrites_another(saved):
    with pytest.raises(ModelError, match="never overwrites"):
        community_model(saved)


@pytest.mark.parametrize("failure", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
def test_an_interrupted_or_failed_write_leaves_nothing(tmp_path, monkeypatch, failure):
    written = []

    def fail_at_the_fifth(path, array):
        written.append(path)
        if len(written) == 5:
            raise failure
        return write_array(path, array)

    write_array = artifact._write_array
    monkeypatch.setattr(artifact, "_write_array", fail_at_the_fifth)
    with pytest.raises((ModelError, KeyboardInterrupt)) as raised:
        community_model(tmp_path / "m1")
    assert list(tmp_path.iterdir()) == []
    if isinstance(failure, OSError):
        assert "No space left on device" in str(raised.value)
        assert "unchanged" in str(raised.value)


def test_names_in_every_script_come_back():
    names = ["宇多田ヒカル", "Sigur Rós", "!!!", "a" * 300, "🦆"]
    arrays = label_arrays(names, [""] * 5)
    blob, offsets = arrays["names"].tobytes(), arrays["name_offsets"]
    assert [blob[offsets[i] : offsets[i + 1]].decode() for i in range(5)] == names


def test_two_artists_with_one_id_are_refused():
    with pytest.raises(DataError, match="the same id"):
        label_arrays(["Björk", "BJÖRK"], ["", ""])


def test_factors_of_other_data_than_the_labels_never_become_a_model_that_opens(tmp_path):
    counts = community_counts()
    trained = train(counts.plays[:, :12], small_recipe(), rng=np.random.default_rng(0))
    save_model(tmp_path / "m", trained, counts, preset="als", seed=0, data_name="x", synthetic=False, created=CREATED)
    with pytest.raises(ModelError, match="artist_factors"):
        open_artifact(tmp_path / "m")
