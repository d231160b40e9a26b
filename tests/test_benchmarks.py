"""What the benchmarks stand on: the twin is what it says, and the judge judges."""

import numpy as np
import pytest

import load as loading
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


def test_the_twin_is_kept_and_read_back(tmp_path):
    assert (twin.cached(0.002, tmp_path) != twin.cached(0.002, tmp_path)).nnz == 0
    assert len(list(tmp_path.iterdir())) == 1


def test_hidden_pairs_are_judged_and_not_trained_on():
    plays = CSR(twin.generate(0.002))
    train, judged, hidden = benchmark.split(plays, np.random.default_rng(0))
    assert train.nnz + hidden.nnz == plays.nnz
    assert 0.15 < hidden.nnz / plays.nnz < 0.25
    assert train.multiply(hidden).nnz == 0
    assert set(np.flatnonzero(np.diff(hidden.indptr))) <= set(judged)


def test_the_judge_gives_one_to_an_oracle_and_little_to_chance():
    plays = CSR(twin.generate(0.001))
    train, judged, hidden = benchmark.split(plays, np.random.default_rng(0))
    everyone = np.eye(plays.shape[0], dtype=np.float32)
    oracle = everyone, np.ascontiguousarray(hidden.toarray().T)
    assert benchmark.ndcg(oracle, train, judged, hidden) == 1.0
    chance = np.random.default_rng(1).random((plays.shape[1], plays.shape[0]), dtype=np.float32)
    assert benchmark.ndcg((everyone, chance), train, judged, hidden) < 0.05


@pytest.mark.parametrize("name", ["segue", "segue, kept", "pandas", "polars", "pyarrow"])
def test_every_loader_finds_the_plays_of_the_twin(name, tmp_path, monkeypatch):
    if not name.startswith("segue"):
        pytest.importorskip(name)
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
