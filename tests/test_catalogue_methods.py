"""What a catalogue answers where its table ends, by each method of similarity: in the method's own terms, or not."""

from dataclasses import replace

import numpy as np
import pytest

from catalogues import random_plays
from communities import CREATED
from recommender.artifact import FACTOR_COSINE
from recommender.catalogue import Catalogue
from recommender.outcomes import ArtistPath, Blend, Similar
from recommender.plays import LoadReport, PlayCounts
from recommender.recipes import PRESETS, adjusted
from recommender.saving import save_model
from recommender.training import train

WITH_FACTORS = ["als", "best", "pmi", "article-lsa"]
WITHOUT_FACTORS = ["jaccard", "cosine", "ease"]
PLAYS = random_plays(60, 90)
SEEDS = (0, 5, 20, 40)


def trained_catalogue(folder, preset, k):
    names = [f"artist {idx}" for idx in range(90)]
    report = LoadReport(rows=PLAYS.nnz, bad=(), duplicates=0, merged_names=0)
    counts = PlayCounts(PLAYS, [str(u) for u in range(60)], names, [""] * 90, report, "0" * 64)
    # The ridge of `best` grows with the plays of a row: as strong for a hundredth of the number.
    regularization = 0.01 if preset == "best" else 1.0
    recipe = adjusted(PRESETS[preset], n_factors=8, regularization=regularization, k=k, min_listeners=4)
    recipe = replace(recipe, als=replace(recipe.als, iterations=3))
    model = train(counts.plays, recipe, rng=np.random.default_rng(0))
    target = folder / f"{preset}-{k}"
    save_model(target, model, counts, preset=preset, seed=0, data_name="random", synthetic=True, created=CREATED)
    return Catalogue.open(target)


@pytest.fixture(scope="module", params=WITH_FACTORS + WITHOUT_FACTORS)
def pair(request, tmp_path_factory):
    """The same model twice: with a table of four neighbours, and with one of everybody."""
    folder = tmp_path_factory.mktemp("models")
    return request.param, *(trained_catalogue(folder, request.param, k) for k in (4, 89))


def answers(catalogue, seed, **options):
    outcome = catalogue.similar(seed, **options)
    assert isinstance(outcome, Similar)
    return [(row.artist.artist_idx, row.support) for row in outcome.rows], [row.score for row in outcome.rows], outcome


def test_a_short_table_answers_like_a_long_one_or_says_that_it_is_cut(pair):
    preset, short, long = pair
    assert short.answers_beyond_its_table == (preset in WITH_FACTORS)
    for seed in SEEDS:
        for options in ({"k": 20}, {"k": 3, "exclude": [1, 2, 3]}, {"k": 5, "familiarity": "deep"}):
            found, scores, outcome = answers(short, seed, **options)
            expected, expected_scores, everything = answers(long, seed, **options)
            assert not everything.is_cut
            assert scores == sorted(scores, reverse=True)
            if preset in WITH_FACTORS:
                assert not outcome.is_cut
                np.testing.assert_allclose(scores, expected_scores, atol=2e-6)
                assert sorted(found) == sorted(expected)
            else:
                assert outcome.is_cut == (len(found) < options["k"])
                assert found == expected[: len(found)]


def test_the_card_says_by_what_and_with_how_many_in_common(pair):
    preset, short, _ = pair
    card = short.manifest.neighbours
    assert (card.exact, card.recall) == (True, 1.0)
    assert (card.similarity == FACTOR_COSINE) == (preset in {"als", "article-lsa"})
    # Only methods that go through all pairs find neighbours whom nobody heard together.
    assert card.min_common_listeners == (0 if preset in {"best", "pmi", "ease"} else 1)


def test_every_model_mixes_and_walks_by_its_factors(pair):
    _, short, long = pair
    for catalogue in (short, long):
        blend = catalogue.blend({0: 1.0, 5: 1.0, 20: -1.0}, k=5)
        assert isinstance(blend, Blend)
        assert all(row.support >= 1 for row in blend.rows)
        path = catalogue.path(0, 40, n_between=3)
        assert isinstance(path, ArtistPath)
        assert path.stops[-1].artist.artist_idx == 40
    assert short.blend({0: 1.0, 5: 1.0}, k=5) == long.blend({0: 1.0, 5: 1.0}, k=5)
