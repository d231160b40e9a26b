"""Every way to find similar artists keeps one contract, and equals its formula."""

import numpy as np
import pytest

from communities import community_plays
from recommender.allpairs import nearest_of_all
from recommender.ease import EASEParams, ease_neighbours, ease_weights
from recommender.errors import ModelError, ParameterError
from recommender.factors import Factors
from recommender.fusion import FusionParams, borrow, fuse, fused_factors
from recommender.knn import KNNParams, knn_neighbours
from recommender.matrix import CSR, NO_NEIGHBOUR
from recommender.neighbours import NeighbourParams, nearest_artists
from recommender.pmi import PMIParams, pmi_factors
from recommender.similarity import ScaledLSAParams, SimilarityParams, compare_artists, resolved, scaled_lsa
from recommender.weighting import WeightingParams, listener_shares, weigh
from threads import printed_by_any_number_of_threads

WORLD = community_plays(150, seed=3)
EVERY_METHOD = {
    "factors": SimilarityParams("factors"),
    "fusion": SimilarityParams("fusion", lsa=ScaledLSAParams(n_factors=3), pmi=PMIParams(n_factors=3)),
    "pmi": SimilarityParams("pmi", pmi=PMIParams(n_factors=3)),
    "ease": SimilarityParams("ease"),
    "cosine": SimilarityParams("knn", knn=KNNParams()),
    "bm25": SimilarityParams("knn", knn=KNNParams(weighting=WeightingParams("bm25"))),
    "tfidf": SimilarityParams("knn", knn=KNNParams(weighting=WeightingParams("tfidf"))),
    "smoothed": SimilarityParams("knn", knn=KNNParams(smoothing=20)),
    "shrunk": SimilarityParams("knn", knn=KNNParams(shrinkage=10)),
    "jaccard": SimilarityParams("knn", knn=KNNParams("jaccard")),
    "overlap": SimilarityParams("knn", knn=KNNParams("overlap")),
}


def true_factors() -> Factors:
    """Each artist on the axis of its community, a little off it."""
    rng = np.random.default_rng(0)
    artists = np.vstack([np.repeat(np.eye(3), 4, axis=0), np.ones((1, 3))]) + 0.05 * rng.standard_normal((13, 3))
    return Factors(np.ones((150, 3), dtype=np.float32), np.ascontiguousarray(artists, dtype=np.float32))


def table_of(method: str, params: NeighbourParams, plays: CSR = WORLD):
    rng = np.random.default_rng(0)
    return compare_artists(plays, true_factors(), EVERY_METHOD[method], params, rng=rng).neighbours


def together(plays: CSR) -> np.ndarray:
    heard = (plays.toarray() > 0).astype(int)
    return heard.T @ heard


@pytest.mark.parametrize("method", EVERY_METHOD)
class TestContract:
    def test_the_nearest_are_those_of_the_same_community(self, method):
        table = table_of(method, NeighbourParams(k=3))
        for artist in range(12):
            own = {other for other in range(12) if other // 4 == artist // 4} - {artist}
            assert set(table.idx[artist].tolist()) == own

    def test_rows_are_sorted_without_the_artist_itself_or_twins(self, method):
        table = table_of(method, NeighbourParams(k=8))
        assert table.idx.dtype == table.support.dtype == np.int32
        assert table.score.dtype == np.float32
        for artist, (row, score) in enumerate(zip(table.idx, table.score, strict=True)):
            kept = row[row != NO_NEIGHBOUR]
            assert artist not in kept
            assert len(set(kept.tolist())) == len(kept)
            assert (row[len(kept) :] == NO_NEIGHBOUR).all()
            assert (np.diff(score) <= 0).all()
            assert ((score[: len(kept)] > 0) & (score[: len(kept)] <= 1)).all()
            assert (score[len(kept) :] == 0).all()

    def test_support_counts_the_listeners_of_both(self, method):
        table = table_of(method, NeighbourParams(k=8))
        counts = together(WORLD)
        for artist in range(13):
            for other, support in zip(table.idx[artist], table.support[artist], strict=True):
                assert support == (0 if other == NO_NEIGHBOUR else counts[artist, other])

    def test_too_few_listeners_or_too_few_in_common_are_no_neighbours(self, method):
        least = 9
        table = table_of(method, NeighbourParams(k=12, min_common_listeners=least))
        assert (table.idx[12] == NO_NEIGHBOUR).all()  # heard by two
        assert 12 not in table.idx
        assert (table.support[table.idx != NO_NEIGHBOUR] >= least).all()
        assert (table.idx[:12, 0] != NO_NEIGHBOUR).all()

    def test_the_order_of_the_listeners_changes_nothing(self, method):
        shuffled = CSR(WORLD[np.random.default_rng(1).permutation(150)])
        params = NeighbourParams(k=3)
        assert np.array_equal(table_of(method, params).idx, table_of(method, params, shuffled).idx)

    def test_a_catalogue_without_pairs_has_an_empty_table(self, method):
        lonely = CSR(np.eye(13, dtype=np.float32))
        table = table_of(method, NeighbourParams(k=3, min_listeners=2), lonely)
        assert table.idx.shape[0] == 13
        assert (table.idx == NO_NEIGHBOUR).all()


def full_table(plays: CSR, params: KNNParams) -> np.ndarray:
    """Similarities as a dense matrix, 0 where a table of all artists has no entry."""
    table = knn_neighbours(plays, params, NeighbourParams(k=12, min_listeners=1))
    dense = np.zeros((13, 13))
    for artist in range(13):
        for other, score in zip(table.idx[artist], table.score[artist], strict=True):
            if other != NO_NEIGHBOUR:
                dense[artist, other] = score
    return dense


@pytest.mark.parametrize("scheme", ["binary", "tfidf", "bm25", "log", "rank"])
def test_the_cosine_equals_that_of_the_weights_columns(scheme):
    columns = weigh(WORLD, WeightingParams(scheme)).toarray().astype(float)
    norms = np.linalg.norm(columns, axis=0)
    expected = columns.T @ columns / np.outer(norms, norms)
    np.fill_diagonal(expected, 0)
    assert np.allclose(full_table(WORLD, KNNParams(weighting=WeightingParams(scheme))), expected, atol=1e-6)


@pytest.mark.parametrize("measure", ["shrunk", "smoothed", "jaccard", "overlap"])
def test_the_other_measures_equal_their_formulas(measure):
    c = together(WORLD).astype(float)
    n = c.diagonal()
    params, expected = {
        "shrunk": (KNNParams(shrinkage=7), c / (np.sqrt(np.outer(n, n)) + 7)),
        "smoothed": (KNNParams(smoothing=20), c / np.sqrt(np.outer(n, n)) * c / (c + 20)),
        "jaccard": (KNNParams("jaccard"), c / (n[:, None] + n - c)),
        "overlap": (KNNParams("overlap"), c / np.minimum(n[:, None], n)),
    }[measure]
    np.fill_diagonal(expected, 0)
    assert np.allclose(full_table(WORLD, params), expected, atol=1e-6)


def test_a_listener_counts_for_so_many_artists_at_most():
    """One listener of all twelve artists, capped to three, counts a quarter in each pair."""
    plays = CSR(np.vstack([np.ones((1, 12)), np.eye(12)]).astype(np.float32))
    assert listener_shares(plays, most_artists=3).tolist() == [0.25] + [1.0] * 12
    params = NeighbourParams(k=11, min_listeners=1)
    free = knn_neighbours(plays, KNNParams(), params)
    capped = knn_neighbours(plays, KNNParams(most_artists=3), params)
    assert np.allclose(free.score, 1 / 2)
    assert np.allclose(capped.score, 0.25 / 1.25)
    assert (capped.support == 1).all()
    with pytest.raises(ParameterError):
        listener_shares(plays, most_artists=0)


def test_ranks_are_those_within_a_listener_and_ties_share():
    plays = CSR(np.array([[10, 0, 500, 10], [0, 7, 0, 0], [1, 2, 3, 4]], dtype=np.float32))
    expected = 0.5 + 0.5 * np.array([[0.5, 0, 1, 0.5], [0, 1, 0, 0], [0.25, 0.5, 0.75, 1]])
    weights = weigh(plays, WeightingParams("rank")).toarray()
    assert np.allclose(weights[weights > 0], expected[plays.toarray() > 0])


def test_pmi_factors_hold_the_strongest_positive_part_of_shrunk_pmi():
    c = together(WORLD).astype(float)[:12, :12]
    n, n_listeners = c.diagonal().copy(), 150
    pmi = np.maximum(np.log(np.maximum(c, 1e-9) * n_listeners / np.outer(n, n)), 0) * c / (c + 10)
    np.fill_diagonal(pmi, 0)
    values, vectors = np.linalg.eigh(pmi)
    expected = (vectors[:, -3:] * values[-3:] ** 2) @ vectors[:, -3:].T
    params = PMIParams(n_factors=3, weighting=WeightingParams("binary"))
    factors = pmi_factors(WORLD, params, NeighbourParams(), rng=np.random.default_rng(0))
    assert np.allclose(factors[:12] @ factors[:12].T, expected, atol=1e-5)
    assert (factors[12] == 0).all()


def test_sparse_and_dense_eigenvectors_agree(monkeypatch):
    params = PMIParams(n_factors=3)
    dense = pmi_factors(WORLD, params, NeighbourParams(), rng=np.random.default_rng(0))
    monkeypatch.setattr("recommender.pmi.DENSE_SIDE", 0)
    sparse = pmi_factors(WORLD, params, NeighbourParams(), rng=np.random.default_rng(0))
    assert np.allclose(dense @ dense.T, sparse @ sparse.T, atol=1e-3)


def test_ease_leaves_no_gradient_outside_the_diagonal():
    """At the optimum ``XtX (I - B) - regularization B`` is zero but on the diagonal, where B is held at zero."""
    rng = np.random.default_rng(0)
    x = (rng.random((40, 9)) < 0.3).astype(float)
    gram = x.T @ x
    weights = ease_weights(gram, 5.0)
    gradient = gram @ (np.eye(9) - weights) - 5.0 * weights
    np.fill_diagonal(gradient, 0)
    assert np.abs(gradient).max() < 1e-9
    assert (weights.diagonal() == 0).all()


def test_methods_refuse_data_beyond_them_and_name_the_size():
    with pytest.raises(ParameterError, match="12 x 12"):
        ease_neighbours(WORLD, EASEParams(largest=11), NeighbourParams())
    met = int((np.diff(WORLD.indptr) ** 2).sum())
    with pytest.raises(ParameterError, match=f"{met:,} here"):
        pmi_factors(WORLD, PMIParams(most_pairs=met - 1), NeighbourParams(), rng=np.random.default_rng(0))


def test_a_fusion_ranks_by_the_sum_of_z_scores():
    rng = np.random.default_rng(0)
    parts = [rng.standard_normal((20, 4)).astype(np.float32), rng.standard_normal((20, 9)).astype(np.float32) + 1]
    outside = ~np.eye(20, dtype=bool)
    total = np.zeros((20, 20))
    for part in parts:
        unit = part / np.linalg.norm(part, axis=1, keepdims=True)
        cosine = (unit @ unit.T).astype(float)
        total += (cosine - cosine[outside].mean()) / cosine[outside].std()
    fused = fuse(parts, among=np.ones(20, dtype=bool))
    unit = fused / np.linalg.norm(fused, axis=1, keepdims=True)
    for artist in range(20):
        others = np.flatnonzero(outside[artist])
        by_sum = others[np.argsort(-total[artist, others])]
        assert others[np.argsort(-(unit @ unit.T)[artist, others])].tolist() == by_sum.tolist()


def test_a_part_without_an_opinion_leaves_an_artist_to_the_others():
    silent = true_factors().artist_factors.copy()
    silent[5] = 0
    params = NeighbourParams(k=3)
    fused = fused_factors([silent, true_factors().artist_factors], WORLD, FusionParams(), params)
    assert set(nearest_artists(fused, WORLD, params).idx[5].tolist()) == {4, 6, 7}


def test_borrowing_moves_an_artist_towards_its_nearest():
    factors = true_factors().artist_factors
    lenders = nearest_artists(factors, WORLD, NeighbourParams(k=2))
    moved = borrow(factors, lenders, 0.5)
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    for artist in range(12):
        loans = lenders.score[artist][:, None] * unit[lenders.idx[artist]]
        assert np.allclose(moved[artist], unit[artist] + 0.5 * loans.sum(axis=0), atol=1e-6)
    assert np.allclose(borrow(factors, lenders, 0.0), unit, atol=1e-7)


def test_all_pairs_find_company_that_no_listener_shares():
    """Artists 0 and 1 go with artist 2, but nobody hears both of them."""
    plays = CSR(np.array([[1, 0, 1], [0, 1, 1]] * 6, dtype=np.float32))
    factors = np.array([[1, 0.1], [1, 0.2], [0.1, 1]], dtype=np.float32)
    free = nearest_of_all(factors, plays, NeighbourParams(k=2, min_common_listeners=0))
    assert free.idx[0].tolist() == [1, 2]
    assert free.support[0].tolist() == [0, 6]
    assert nearest_of_all(factors, plays, NeighbourParams(k=2)).idx[0].tolist() == [2, NO_NEIGHBOUR]


def test_where_all_need_a_common_listener_both_searches_agree():
    rng = np.random.default_rng(0)
    plays = CSR((rng.random((60, 700)) < 0.1).astype(np.float32))  # more artists than one block
    factors = rng.standard_normal((700, 5)).astype(np.float32)
    params = NeighbourParams(k=20, min_common_listeners=2)
    met, every = nearest_artists(factors, plays, params), nearest_of_all(factors, plays, params)
    assert np.array_equal(met.idx, every.idx)
    assert np.array_equal(met.support, every.support)
    assert np.allclose(met.score, every.score, atol=1e-6)


def test_the_size_of_the_data_decides_auto():
    params = NeighbourParams(min_common_listeners=0)
    met = int((np.diff(WORLD.indptr) ** 2).sum())
    small = resolved(SimilarityParams("auto", most_pairs=met), params, WORLD)
    assert (small[0].method, small[1]) == ("fusion", params)
    large = resolved(SimilarityParams("auto", most_pairs=met - 1), params, WORLD)
    assert (large[0].method, large[1].min_common_listeners) == ("factors", 1)
    assert resolved(SimilarityParams("ease"), params, WORLD) == (SimilarityParams("ease"), params)


def test_scaled_lsa_without_scaling_spans_the_row_space_of_the_weights():
    params = ScaledLSAParams(n_factors=4, popularity=0, strength=1, most_artists=1000)
    factors = scaled_lsa(WORLD, params, rng=np.random.default_rng(0)).astype(float)
    weights = weigh(WORLD, WeightingParams("rank")).toarray().astype(float)
    values, vectors = np.linalg.eigh(weights.T @ weights)
    expected = (vectors[:, -4:] * values[-4:]) @ vectors[:, -4:].T
    assert np.allclose(factors @ factors.T, expected, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(
    "refused",
    [
        lambda: KNNParams("euclid"),
        lambda: KNNParams(shrinkage=-1),
        lambda: PMIParams(n_factors=0),
        lambda: PMIParams(shrinkage=-1),
        lambda: EASEParams(regularization=0),
        lambda: FusionParams(borrowed=-0.1),
        lambda: SimilarityParams("magic"),
    ],
)
def test_parameters_out_of_range_are_refused(refused):
    with pytest.raises(ParameterError):
        refused()


TRAIN_AND_HASH = """
import hashlib, numpy as np
from recommender.matrix import CSR
from recommender.recipes import PRESETS
from recommender.training import train
rng = np.random.default_rng(0)
plays = CSR((rng.random((2000, 900)) < 0.02).astype(np.float32) * rng.integers(1, 99, (2000, 900), dtype=np.int64))
for preset in ("best", "pmi", "ease", "shrunk-cosine"):
    table = train(plays.astype(np.float32), PRESETS[preset], rng=np.random.default_rng(1)).neighbours
    bits = table.idx.tobytes() + table.score.tobytes() + table.support.tobytes()
    print(preset, hashlib.sha256(bits).hexdigest())
"""


def test_the_bits_do_not_depend_on_the_number_of_threads():
    assert len(printed_by_any_number_of_threads(TRAIN_AND_HASH)) == 4


def test_factors_that_are_not_finite_are_refused():
    artists = np.ones((4, 2), dtype=np.float32)
    artists[2, 1] = np.nan
    with pytest.raises(ModelError, match="not finite; choose another"):
        Factors(np.ones((3, 2), dtype=np.float32), artists)
