"""The model store points at one whole model at a time."""

import errno
import os

import pytest

from communities import community_model
from recommender.errors import ModelError, ParameterError
from recommender.store import ModelStore, is_path


@pytest.fixture
def store(tmp_path):
    for name in ("m1", "m2"):
        community_model(tmp_path / "models" / name)
    return ModelStore(tmp_path / "models")


def test_the_current_model_is_the_one_that_was_chosen_last(store):
    assert store.current_id() is None
    store.set_current("m1")
    store.set_current("m2")
    assert store.current_id() == "m2"
    assert store.folder(None) == store.root / "m2"
    assert (store.root / "current").read_text() == "m2\n"


def test_a_model_is_found_by_id_or_by_path(store, tmp_path):
    assert store.folder("m1") == store.root / "m1"
    assert store.folder(str(tmp_path / "models" / "m2")) == store.root / "m2"
    assert store.ids() == ["m1", "m2"]


def test_without_a_model_the_error_says_how_to_get_one(tmp_path):
    with pytest.raises(ModelError, match="segue train"):
        ModelStore(tmp_path / "nothing").folder(None)
    assert ModelStore(tmp_path / "nothing").ids() == []


def test_an_unknown_model_is_refused_and_the_known_are_named(store):
    with pytest.raises(ModelError, match="m1, m2"):
        store.folder("m3")
    with pytest.raises(ModelError):
        store.set_current("m3")
    assert store.current_id() is None


@pytest.mark.parametrize("wrong", ["", "current", "a" * 101, "a b", "-x", "ä", "a\n"])
def test_what_cannot_be_a_file_name_is_no_id(store, wrong):
    with pytest.raises(ParameterError):
        store.new_folder(wrong or None, default_id=wrong)


@pytest.mark.parametrize(("text", "path"), [("m1", False), ("./m1", True), ("a/b", True), ("~/x", True), ("..", True)])
def test_an_id_and_a_path_are_told_apart(text, path):
    assert is_path(text) is path


def test_an_existing_model_is_not_a_place_for_a_new_one(store):
    with pytest.raises(ModelError, match="exists already"):
        store.new_folder("m1", default_id="x")
    assert store.new_folder(None, default_id="x") == store.root / "x"


def test_a_current_file_that_names_no_model_is_refused(store):
    (store.root / "current").write_text("gone\n")
    with pytest.raises(ModelError, match="no model 'gone'"):
        store.folder(None)
    (store.root / "current").write_text("../../etc\n")
    with pytest.raises(ParameterError, match="not usable"):
        store.folder(None)


def test_a_place_that_cannot_be_written_is_refused_before_the_training(store, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="is not a folder; name another --store"):
        ModelStore(tmp_path / "file" / "models").new_folder(None, default_id="x")
    assert ModelStore(tmp_path / "new" / "models").new_folder(None, default_id="x").parent.name == "models"
    monkeypatch.setattr(os, "access", lambda path, _mode: path != store.root)
    with pytest.raises(ModelError, match="may not be written to; name another --store"):
        store.new_folder(None, default_id="x")


def test_models_of_which_none_is_current_are_named(store):
    with pytest.raises(ModelError, match=r"is the current one; name one with --model \(m1, m2\)"):
        store.folder(None)


def test_only_what_a_training_left_is_swept(store):
    """A model's folder may stand anywhere, beside things of other people."""
    other = store.root / ".building-site"
    other.mkdir()
    store.sweep(now=other.stat().st_mtime + 25 * 3600)
    assert other.exists()


def test_half_built_models_are_swept_after_a_day_and_not_before(store):
    leftover = store.root / ".building-m9-00000000"
    leftover.mkdir()
    made = leftover.stat().st_mtime
    store.sweep(now=made + 3600)
    assert leftover.exists()
    store.sweep(now=made + 25 * 3600)
    assert not leftover.exists()
    assert store.ids() == ["m1", "m2"]


def test_a_full_disk_keeps_the_current_model(store, monkeypatch):
    store.set_current("m1")

    def no_room(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(ModelError, match="could not be written: No space left"):
        store.set_current("m2")
    assert store.current_id() == "m1"
    assert sorted(path.name for path in store.root.iterdir()) == ["current", "m1", "m2"]
