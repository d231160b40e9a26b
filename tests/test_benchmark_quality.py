"""The side-by-side judgement finds a difference where there is one, and writes what the judge reads."""

import numpy as np

import quality
from recommender.matrix import NO_NEIGHBOUR
from recommender.neighbours import Neighbours


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
