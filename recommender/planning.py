"""What a training will need, said before it starts: memory by stage, room on the disk, and about how long it takes.

Each stage is the sum of the arrays that its code holds at once; what the interpreter, the libraries and the labels take
was measured. Peak on Linux, Python 3.11, 64 factors: 2.1 GB for 17.5 million pairs (planned 2.6), most of it the index
of names.
"""

from dataclasses import dataclass

import numpy as np

from recommender.naming.building import build_index
from recommender.plays import PlayCounts
from recommender.recipes import Recipe, fitted_to

# Python, numpy, scipy, polars and numba, imported, and the compiled kernels.
INTERPRETER_BYTES = 200_000_000
# What a reader keeps of its blocks after it is done.
READER_BYTES = 100_000_000
# A listener's or an artist's label: the text, its code, its place in lists and dictionaries.
LABEL_BYTES = 510
# One row while it is read and summed: codes and counts, in batches and then as one, and the matrix they become.
ROW_BYTES = 24
# On two cores of an AMD EPYC (AVX2): 17.4 million pairs x 64 factors x (1 conjugate-gradient step + 1) x 15 iterations,
# each with its loss and the sample's nDCG, in 38 s; the neighbours of 119,271 artists in 8 s; 292,921 names in 28 s.
PAIR_FACTORS_PER_SECOND = 8e8
NAMES_PER_SECOND = 1e4
MEETINGS_PER_SECOND = 1.2e8
BYTES_WRITTEN_PER_SECOND = 3e8
# Counting how often each pair of artists meets: the sparse product, its float64 copy and the one that is decomposed.
MET_PAIR_BYTES = 20
# 89 million pairs met, of 25,136 artists, by the fusion: 55 s, nearly all of them in the decompositions.
FUSED_MEETINGS_PER_SECOND = 1.6e6
# So many names give the size of the whole index of names to a few percent.
NAMES_SAMPLED = 2000
# Five dense matrices of artists x artists, float64 or as large.
LINKED_PAIR_BYTES = 40
# EASE inverts a dense matrix, in one thread.
INVERTED_CELLS_PER_SECOND = 1e10
# How many times its size it takes to build it: texts and their pieces, as Python keeps them.
INDEX_BUILDING = 8


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training needs.

    ``memory`` : bytes at most at each stage. ``disk`` : bytes of the model. ``seconds`` : from the loaded data to the
    model, at most and roughly.
    """

    n_rows: int
    n_listeners: int
    n_artists: int
    n_pairs: int
    memory: dict[str, int]
    disk: int
    seconds: float

    @property
    def peak(self) -> int:
        """Highest memory, in bytes."""
        return max(self.memory.values())


def plan_training(counts: PlayCounts, recipe: Recipe) -> Plan:
    """Foretell what training on loaded data will need.

    Parameters
    ----------
    counts : the data; loading has had its peak already, which the plan tells too.
    recipe : what will be trained.
    """
    n_listeners, n_artists = counts.plays.shape
    pairs = int(counts.plays.nnz)
    recipe = fitted_to(recipe, counts.plays)
    n_factors = recipe.als.n_factors if recipe.algorithm == "als" else recipe.lsa.n_factors
    n_heard = np.bincount(counts.plays.indices, minlength=n_artists)
    is_candidate = n_heard >= recipe.neighbours.min_listeners
    candidates, candidate_pairs = int(is_candidate.sum()), int(n_heard[is_candidate].sum())
    table = 12 * recipe.neighbours.k
    met = float(np.square(np.diff(counts.plays.indptr).astype(np.float64)).sum())
    n_compared, index = _compared_factors(recipe), _index_bytes(counts.artist_names)
    loaded = INTERPRETER_BYTES + READER_BYTES + LABEL_BYTES * (n_listeners + n_artists) + 8 * pairs
    factors = 4 * n_factors * (n_listeners + n_artists)
    memory = {
        "loading": loaded + ROW_BYTES * counts.report.rows,
        "factorizing": loaded + _factorizing(recipe, n_listeners, n_artists, pairs),
        "neighbours": loaded
        + factors
        + (4 * n_factors + table) * candidates
        + pairs
        + 10 * candidate_pairs
        + _comparing(recipe, n_artists, candidates, pairs, met),
        "saving": loaded
        + factors
        + 4 * n_compared * (n_artists + candidates)
        + table * n_artists
        + 5 * pairs
        + 9 * candidate_pairs
        + INDEX_BUILDING * index,
    }
    linked = recipe.links.share > 0 and candidates <= recipe.links.largest and met <= recipe.links.most_pairs
    if linked:  # EASE: the counts, their float64 copy, the inverse, the weights, and which of them are the strongest
        memory["linking"] = loaded + factors + table * n_artists + LINKED_PAIR_BYTES * candidates**2
    names = sum(len(name.encode()) for name in counts.artist_names)
    disk = n_artists * (4 * n_factors + table + 8 + 16 + 4 + 8 + 8) + names + 4 * candidate_pairs
    disk += 4 * n_compared * candidates + index + 8 * recipe.links.k * n_artists * linked
    seconds = (
        _factorizing_seconds(recipe, pairs)
        + _comparing_seconds(recipe, n_artists, candidates, met)
        + linked * float(candidates) ** 3 / INVERTED_CELLS_PER_SECOND
        + n_artists / NAMES_PER_SECOND
        + disk / BYTES_WRITTEN_PER_SECOND
    )
    return Plan(counts.report.rows, n_listeners, n_artists, pairs, memory, disk, seconds)


def _factorizing(recipe: Recipe, n_listeners: int, n_artists: int, pairs: int) -> int:
    """Bytes that a factorization holds besides the plays."""
    match recipe.algorithm:
        case "als":  # confidence and its transpose; both factors, and one side of them whitened
            per_row = 4 * recipe.als.n_factors
            return 12 * pairs + per_row * (n_listeners + n_artists + max(n_listeners, n_artists))
        case "lsa":  # the weights in float64 beside those in float32, a basis of twice as many vectors, the factors
            return 16 * pairs + recipe.lsa.n_factors * (
                24 * min(n_listeners, n_artists) + 12 * (n_listeners + n_artists)
            )


def _factorizing_seconds(recipe: Recipe, pairs: int) -> float:
    match recipe.algorithm:
        case "als":
            steps = recipe.als.iterations * (recipe.als.cg_steps + 1)
            return pairs * recipe.als.n_factors * steps / PAIR_FACTORS_PER_SECOND
        case "lsa":
            return pairs * recipe.lsa.n_factors * 20 / PAIR_FACTORS_PER_SECOND


def _compared_factors(recipe: Recipe) -> int:
    """How many numbers of its own each artist is compared by, besides the model's factors."""
    similarity = recipe.similarity
    match similarity.method:
        case "pmi":
            return similarity.pmi.n_factors
        case "fusion":
            return similarity.lsa.n_factors + similarity.pmi.n_factors + recipe.als.n_factors
        case _:
            return 0


def _comparing(recipe: Recipe, n_artists: int, candidates: int, pairs: int, met: float) -> int:
    """Bytes that a method of similarity holds besides the factors and the table."""
    own = 4 * _compared_factors(recipe)
    counted = int(MET_PAIR_BYTES * min(met, float(candidates) ** 2))
    match recipe.similarity.method:
        case "pmi" | "fusion":  # weights in float64; the parts and what is laid together of them
            return 24 * pairs + max(counted, 2 * own * n_artists)
        case "ease":  # the Gram matrix, its inverse and their copies, in float64
            return 32 * candidates**2
        case "knn":
            return 16 * pairs
        case _:
            return 0


def _comparing_seconds(recipe: Recipe, n_artists: int, candidates: int, met: float) -> float:
    match recipe.similarity.method:
        case "pmi" | "fusion":
            return met / FUSED_MEETINGS_PER_SECOND
        case "ease":
            return float(candidates) ** 3 / INVERTED_CELLS_PER_SECOND
        case _:
            return min(met, 4.0 * candidates * n_artists) / MEETINGS_PER_SECOND


def _index_bytes(names: list[str]) -> int:
    """Size of the index of names, from that of a sample."""
    sample = names[:: -(-len(names) // NAMES_SAMPLED)]
    arrays = build_index(sample, np.ones(len(sample), dtype=np.int32)).arrays()
    return sum(array.nbytes for array in arrays.values()) * len(names) // len(sample)
