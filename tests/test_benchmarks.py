"""What the benchmarks stand on: the twin is what it says, and the judge judges."""

import numpy as np

import quality
import train as benchmark
import twin
from recommender.matrix import CSR, NO_NEIGHBOUR
from recommender.neighbours import Neighbours


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


def test_a_paired_difference_is_found_where_there_is_one_and_only_there():
    rng = np.random.default_rng(0)
    theirs = rng.random(500)
    better = theirs + 0.01 + 0.02 * rng.standard_normal(500)
    mean, low, high, p = quality.paired(better, theirs)
    assert low < 0.01 < high
    assert low < mean < high
    assert p < 0.001
    _, low, high, p = quality.paired(theirs + 0.02 * rng.standard_normal(500), theirs)
    assert low < 0 < high
    assert p > 0.05


def test_lists_are_written_as_the_judge_reads_them(tmp_path):
    idx = np.array([[1, 2], [2, NO_NEIGHBOUR], [NO_NEIGHBOUR, NO_NEIGHBOUR]], dtype=np.int32)
    table = Neighbours(idx, np.ones((3, 2), dtype=np.float32), np.ones((3, 2), dtype=np.int32))
    quality.write_lists(tmp_path / "lists.tsv", table, ["Björk", "múm", '"Weird Al"'])
    assert (tmp_path / "lists.tsv").read_text("utf-8").splitlines() == [
        "Björk\tmúm\t1",
        'Björk\t"Weird Al"\t2',
        'múm\t"Weird Al"\t1',
    ]
