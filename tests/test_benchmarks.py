"""What the benchmarks stand on: the twin is what it says, and the judge judges."""

import numpy as np
import pytest

import load as loading
import lsa
import models_picture
import train as benchmark
import twin
from recommender.matrix import CSR


def test_the_twin_is_the_same_for_the_same_seed_and_has_the_shape_of_the_real_one():
    first, second, other = twin.generate(0.003), twin.generate(0.003), twin.generate(0.003, seed=8)
    assert (first != second).nnz == 0
    assert first.shape[0] == round(0.003 * twin.N_LISTENERS)
    assert first.shape != other.shape or (first != other).nnz > 0
    assert 40 < first.nnz / first.shape[0] < 55
    listeners = np.bincount(first.indices)
    assert listeners.min() >= 1
    assert 0.1 < listeners.max() / first.shape[0] < 0.3
    assert 60 < np.median(first.data) < 130


def test_the_picture_of_the_models_shows_the_figures_of_its_page(tmp_path):
    page = models_picture.PAGE.read_text(encoding="utf-8")
    methods, bands = (
        models_picture.table_after(page, which) for which in (models_picture.METHODS, models_picture.BANDS)
    )
    models_picture.draw(methods, bands, tmp_path / "models.svg")
    shown = models_picture.PICTURE.read_text(encoding="utf-8")
    for name, row in methods[1].items():
        for text in (name.split(" (now")[0], f"{row[0]:.3f}"):
            assert f">{text}<" in shown, f"{text} is not in docs/models.svg; run benchmarks/models_picture.py"
            assert f">{text}<" in (tmp_path / "models.svg").read_text(encoding="utf-8")
    assert all(f">{name}<" in shown for name in bands[1])


def test_the_twin_is_kept_and_read_back(tmp_path):
    assert (twin.cached(0.002, tmp_path) != twin.cached(0.002, tmp_path)).nnz == 0
    assert len(list(tmp_path.iterdir())) == 1


def test_hidden_pairs_are_judged_and_not_trained_on(tmp_path):
    plays, world = twin.cached(0.002, tmp_path), benchmark.World.of(0.002, tmp_path)
    assert world.seen.nnz + world.hidden.nnz == plays.nnz
    assert world.confidence.nnz == world.seen.nnz
    assert 0.15 < world.hidden.nnz / plays.nnz < 0.25
    assert world.seen.multiply(world.hidden).nnz == 0
    assert set(np.flatnonzero(np.diff(world.hidden.indptr))) <= set(world.judged)


def test_the_judge_gives_one_to_an_oracle_and_little_to_chance(tmp_path):
    world = benchmark.World.of(0.001, tmp_path)
    n_listeners, n_artists = world.seen.shape
    everyone = np.eye(n_listeners, dtype=np.float32)
    assert world.ndcg((everyone, np.ascontiguousarray(world.hidden.toarray().T))) == 1.0
    chance = np.random.default_rng(1).random((n_artists, n_listeners), dtype=np.float32)
    assert world.ndcg((everyone, chance)) < 0.05


def test_time_to_a_goal_is_that_of_the_first_step_there():
    steps = [(1.0, 30.0, 0.1), (2.0, 20.0, 0.3), (3.0, 10.0, 0.2)]
    assert benchmark._first(steps, lambda step: step[1] <= 20) == (2.0, 2)
    assert benchmark._first(steps, lambda step: step[2] >= 0.5) == (np.inf, 3)


def test_captured_variance_is_that_of_the_space_however_its_vectors_are_scaled():
    rng = np.random.default_rng(0)
    dense = rng.random((60, 20)) * (rng.random((60, 20)) < 0.4)
    _, s, vt = np.linalg.svd(dense)
    weights = CSR(dense.astype(np.float32))
    assert lsa.captured(weights, vt[:5].T) == pytest.approx((s[:5] ** 2).sum(), rel=1e-5)
    assert lsa.captured(weights, vt[:5].T * [1, 2, 3, 4, 5]) == pytest.approx((s[:5] ** 2).sum(), rel=1e-5)
    assert lsa.captured(weights, rng.standard_normal((20, 5))) < (s[:5] ** 2).sum()


@pytest.mark.parametrize("name", list(loading.SYSTEMS))
def test_every_loader_finds_the_plays_of_the_twin(name, tmp_path, monkeypatch):
    pytest.importorskip(loading.package_of(name))
    path = twin.tsv(0.001, tmp_path)
    monkeypatch.setenv(loading.CACHE_VARIABLE, str(tmp_path / "kept"))
    matrix = twin.cached(0.001, tmp_path)
    lines = path.read_text().splitlines()
    assert len(lines) == matrix.nnz
    shuffled = tmp_path / "shuffled.tsv"
    shuffled.write_text("\n".join(sorted(lines, key=lambda line: line[::-1])) + "\n")
    load = loading.SYSTEMS[name]()
    found = [loading.fingerprint(load(source)) for source in (path, path, shuffled)]
    assert found[0] == found[1] == found[2] == loading.fingerprint(loading.with_segue()(path))
    path.write_text("\n".join([*lines[1:], lines[0] + "1"]) + "\n")
    assert loading.fingerprint(load(path)) != found[0]
