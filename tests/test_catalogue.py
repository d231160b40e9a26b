"""The model in memory answers which artists are similar, from the neighbour table alone."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from communities import NAMES, community_model
from recommender import catalogue as catalogue_module
from recommender.artifact import FILES, MANIFEST, open_artifact, write_artifact
from recommender.artists import artist_id
from recommender.catalogue import Catalogue, Similar, TooFewListeners
from recommender.errors import ParameterError
from recommender.names import Found, build_index


@pytest.fixture(scope="module", params=["als", "article-als", "article-lsa"])
def catalogue(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / request.param
    community_model(folder, preset=request.param)
    return Catalogue.open(folder)


def test_the_nearest_artists_are_of_the_same_community(catalogue):
    for idx in range(12):
        outcome = catalogue.similar(idx, k=3)
        assert isinstance(outcome, Similar)
        assert {row.artist.artist_idx // 4 for row in outcome.rows} == {idx // 4}, NAMES[idx]


def test_rows_carry_rank_score_support_and_names(catalogue):
    outcome = catalogue.similar(NAMES.index("Björk"), k=5)
    assert isinstance(outcome, Similar)
    assert outcome.seed.name == "Björk"
    assert [row.rank for row in outcome.rows] == [1, 2, 3, 4, 5]
    assert all(-1 <= later.score <= earlier.score <= 1 for earlier, later in pairwise(outcome.rows))
    assert all(0 <= row.support <= min(row.artist.listeners, outcome.seed.listeners) for row in outcome.rows)
    assert outcome.rows[0].support > 5


def test_an_artist_with_too_few_listeners_is_not_guessed_at(catalogue):
    outcome = catalogue.similar(NAMES.index("Unheard Of"))
    assert isinstance(outcome, TooFewListeners)
    assert (outcome.seed.listeners, outcome.needed) == (2, 5)


def test_more_rows_than_the_model_keeps_follow_in_order(catalogue):
    kept, more = catalogue.similar(0, k=8), catalogue.similar(0, k=500)
    assert isinstance(kept, Similar)
    assert isinstance(more, Similar)
    assert more.rows[:8] == kept.rows
    assert all(later.score <= earlier.score for earlier, later in pairwise(more.rows))
    assert len({row.artist.artist_idx for row in more.rows} - {0}) == len(more.rows) == more.n_candidates < 12


def test_excluded_artists_make_room_for_others(catalogue):
    first = catalogue.similar(0, k=3)
    assert isinstance(first, Similar)
    excluded = {row.artist.artist_idx for row in first.rows}
    second = catalogue.similar(0, k=3, exclude=excluded)
    assert isinstance(second, Similar)
    assert len(second.rows) == 3
    assert excluded.isdisjoint(row.artist.artist_idx for row in second.rows)


def test_no_rows_cannot_be_asked_for(catalogue):
    for ask in (catalogue.similar, catalogue.dissimilar):
        with pytest.raises(ParameterError, match="at least 1"):
            ask(0, k=0)


def test_artists_are_found_by_their_stable_id(catalogue):
    artist = catalogue.by_id(artist_id("bjÖrk"))
    assert artist is not None
    assert artist.name == "Björk"
    assert catalogue.by_id(artist_id("nobody at all")) is None


def test_musicbrainz_ids_come_back(catalogue):
    assert catalogue.artist(0).mbid == "52074ba6-e495-4ef3-9bb4-0703888a9f68"
    assert catalogue.artist(1).mbid is None


def test_completion_offers_artists(catalogue):
    for typed in ("moto", "motö", "MOTO"):
        assert [artist.name for artist in catalogue.complete(typed)] == ["Motörhead"]


def count_indexing(monkeypatch):
    made = []

    def make(*arguments):
        made.append(arguments)
        return build_index(*arguments)

    monkeypatch.setattr(catalogue_module, "build_index", make)
    return made


def without_index(folder, target):
    """The same model as it was written before there was an index of names."""
    artifact = open_artifact(folder)
    card = json.loads((folder / MANIFEST).read_bytes())
    arrays = {name: getattr(artifact, name) for name in FILES}
    card = {name: value for name, value in card.items() if name not in {"files", "sha256"}}
    write_artifact(target, arrays, card)
    return target


def test_the_index_of_names_comes_with_the_model(model_folder, monkeypatch):
    made = count_indexing(monkeypatch)
    catalogue = Catalogue.open(model_folder)
    assert catalogue.resolve("arcad fyre").artist_idx == 0
    assert catalogue.complete("arca")[0].name == "Arcade Fire"
    assert made == []


def test_a_model_without_an_index_answers_the_same(model_folder, tmp_path):
    new, old = Catalogue.open(model_folder), Catalogue.open(without_index(model_folder, tmp_path / "old"))
    for typed in ("arcad fyre", "ARCADE fire", "motorhead", "nobody at all", "", "<@1>", "mastodn"):
        assert new.resolve(typed) == old.resolve(typed)
        assert new.complete(typed) == old.complete(typed)


def test_a_name_to_the_letter_needs_no_index_of_names(model_folder, tmp_path, monkeypatch):
    made = count_indexing(monkeypatch)
    catalogue = Catalogue.open(without_index(model_folder, tmp_path / "old"))
    assert catalogue.resolve(" ARCADE  fire") == Found(0, "exact", 1.0, "name")
    assert isinstance(catalogue.similar(0), Similar)
    assert made == []


def test_the_index_of_names_is_made_once_whoever_asks_first(model_folder, tmp_path, monkeypatch):
    made = count_indexing(monkeypatch)
    catalogue = Catalogue.open(without_index(model_folder, tmp_path / "old"))
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(catalogue.resolve, ["arcad fyre"] * 32))
    assert {outcome.artist_idx for outcome in outcomes} == {0}
    assert len(made) == 1


def test_names_of_a_community_and_recent_artists_are_given_by_id(catalogue):
    bjork = artist_id("Björk")
    swan = catalogue.other_names({"the swan": bjork})
    assert catalogue.resolve("the swan", other_names=swan).artist_idx == NAMES.index("Björk")
    assert catalogue.is_name("the swan", other_names=swan)
    assert not catalogue.is_name("the swan")
    assert catalogue.complete("the sw", other_names=swan)[0].name == "Björk"
    nobody = catalogue.other_names({"the swan": artist_id("nobody")})
    assert catalogue.resolve("the swan", other_names=nobody) == catalogue.resolve("the swan")
    assert catalogue.complete("", recent=[artist_id("nobody"), bjork])[0].name == "Björk"


def test_names_are_told_from_guesses(catalogue):
    assert catalogue.is_name("BJORK")
    assert not catalogue.is_name("bjrok")
