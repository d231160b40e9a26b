"""`segue recommend` and what it stands on: a planted world answers with the community of what is liked, and why."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from bot.cli import app
from communities import CREATED, NAMES, community_counts, community_model, small_recipe
from recommender.artifact import open_artifact
from recommender.catalogue import Catalogue
from recommender.ease import ease_weights
from recommender.errors import ModelError, ParameterError
from recommender.linking import LinkParams, ease_links
from recommender.matrix import NO_NEIGHBOUR
from recommender.personal import Personal, Recommendations, TooLittleKnown, objective_of, recommender_of
from recommender.recommending import link_matrix
from recommender.saving import save_model
from recommender.training import train

INDIE, METAL, ICELAND = range(4), range(4, 8), range(8, 12)
UNHEARD = 12


@pytest.fixture(scope="module", params=["als", "als-wr", "ials", "article-als", "article-lsa"])
def personal(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("personal") / request.param
    community_model(folder, preset=request.param)
    return Personal(Catalogue.open(folder))


def rows_of(outcome) -> list[int]:
    assert isinstance(outcome, Recommendations)
    return [row.artist.artist_idx for row in outcome.rows]


@pytest.mark.parametrize("community", [INDIE, METAL, ICELAND])
def test_the_rest_of_the_community_comes_first(personal, community):
    liked = list(community)[:2]
    assert set(rows_of(personal.recommend(liked, k=2))) == set(community) - set(liked)


def test_likes_of_two_communities_bring_both_and_each_is_the_reason_for_its_own(personal):
    outcome = personal.recommend([0, 1, 4, 5], k=4)
    assert set(rows_of(outcome)) == {2, 3, 6, 7}
    for row in outcome.rows:
        own = INDIE if row.artist.artist_idx in INDIE else METAL
        assert row.because[0].artist.artist_idx in own
        assert sum(because.share for because in row.because) == pytest.approx(1)
        assert [because.share for because in row.because] == sorted((b.share for b in row.because), reverse=True)


def test_what_is_rated_or_excluded_is_not_recommended(personal):
    found = rows_of(personal.recommend([0, 0, 1], disliked=[5], exclude=[2, 9], k=50))
    assert not {0, 1, 2, 5, 9} & set(found)
    assert UNHEARD not in found
    assert len(found) == len(set(found))


def test_a_dislike_moves_its_community_down():
    """Likes of two communities, and a dislike in one of them: the other now comes first."""
    counts = community_counts()
    trained = train(counts.plays, small_recipe("als"), rng=np.random.default_rng(0))
    catalogue_free = _recommender(trained)
    before = catalogue_free.scores(catalogue_free.taste(np.array([0, 4])))
    after = catalogue_free.scores(catalogue_free.taste(np.array([0, 4]), disliked=np.array([5])))
    assert (after[[6, 7]] < before[[6, 7]]).all()
    assert (after[[6, 7]].max() < after[[1, 2, 3]]).all()


def _recommender(trained):
    from recommender.recommending import Objective, Recommender

    objective = Objective(trained.recipe.als.ridge, trained.recipe.alpha, trained.typical_weight)
    return Recommender(trained.factors.artist_factors, objective, answerable=np.ones(len(NAMES), dtype=bool))


def test_likes_that_nobody_heard_are_an_outcome(personal):
    outcome = personal.recommend([UNHEARD])
    assert isinstance(outcome, TooLittleKnown)
    assert (outcome.needed, outcome.liked[0].listeners) == (5, 2)
    assert rows_of(personal.recommend([UNHEARD, 0, 1], k=2))


def test_contradictions_and_nothing_are_refused(personal):
    with pytest.raises(ParameterError, match="Metallica is both liked and disliked"):
        personal.recommend([0, 4], disliked=[4])
    with pytest.raises(ParameterError, match="nothing is liked"):
        personal.recommend([], disliked=[4])
    with pytest.raises(ParameterError, match="at least 1"):
        personal.recommend([0], k=0)


@pytest.fixture(scope="module")
def linked_folder(tmp_path_factory):
    """A model with links of EASE beside its factors."""
    folder = tmp_path_factory.mktemp("linked") / "linked"
    counts = community_counts()
    recipe = replace(small_recipe("als"), links=LinkParams(share=0.5, k=4, regularization=10.0))
    trained = train(counts.plays, recipe, rng=np.random.default_rng(0))
    save_model(folder, trained, counts, preset="x", seed=0, data_name="communities", synthetic=False, created=CREATED)
    return folder


def test_links_travel_through_the_artifact(linked_folder):
    plays = community_counts().plays
    links = ease_links(plays, LinkParams(share=0.5, k=4, regularization=10.0), min_listeners=5, typical_weight=1.0)
    artifact = open_artifact(linked_folder)
    assert (artifact.link_idx == links.idx).all()
    assert (artifact.link_weight == links.weight).all()
    recommender, plain = recommender_of(artifact), recommender_of(replace(artifact, link_idx=None))
    taste = recommender.taste(np.array([0, 9]))
    added = link_matrix(links.idx, links.weight).toarray()[[0, 9]].sum(axis=0)
    assert recommender.scores(taste) - plain.scores(taste) == pytest.approx(added, abs=1e-5)


def test_links_are_the_strongest_weights_of_ease():
    plays = community_counts().plays
    played = (plays.toarray()[:, :12] > 0).astype(np.float64)
    weights = ease_weights(played.T @ played, 10.0)
    links = ease_links(plays, LinkParams(share=0.5, k=4, regularization=10.0), min_listeners=5, typical_weight=2.0)
    for artist in range(12):
        strongest = np.sort(np.argsort(-np.abs(weights[:, artist]))[:4])
        assert links.idx[artist].tolist() == strongest.tolist()
        assert links.weight[artist] == pytest.approx(0.25 * weights[strongest, artist], rel=1e-5)
    assert (links.idx[UNHEARD] == NO_NEIGHBOUR).all()


@pytest.mark.parametrize(
    "params", [LinkParams(), LinkParams(share=1.0, largest=11), LinkParams(share=1.0, most_pairs=9)]
)
def test_no_links_where_none_are_asked_for_or_the_data_are_too_large(params):
    assert ease_links(community_counts().plays, params, min_listeners=5, typical_weight=1.0) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("link_idx", np.full((13, 4), 13)), ("link_weight", np.full((13, 4), np.nan)), ("link_weight", np.zeros((13, 3)))],
)
def test_damaged_links_are_refused(linked_folder, tmp_path, name, value):
    from recommender.artifact import FILES, LINK_FILES, write_artifact

    artifact = open_artifact(linked_folder)
    arrays = {key: getattr(artifact, key) for key in FILES | LINK_FILES} | {name: value}
    manifest = json.loads((linked_folder / "manifest.json").read_text("utf-8"))
    card = {key: manifest[key] for key in manifest if key not in {"files", "sha256", "format", "format_version"}}
    write_artifact(tmp_path / "damaged", arrays, card)
    with pytest.raises(ModelError, match=name):
        open_artifact(tmp_path / "damaged")


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"weighting": {"scheme": "log"}, "als": {"ridge": {}}, "alpha": 1},
        {"weighting": {"scheme": "binary"}, "als": {"ridge": {"kind": "none"}}, "alpha": 1},
        {"weighting": {"scheme": "binary"}, "als": {"ridge": {"new": 1}}, "alpha": 1},
        {"weighting": {"scheme": "binary"}, "als": {"ridge": {}}, "alpha": "many"},
        {"weighting": {"scheme": "binary"}, "als": {"ridge": {}}, "alpha": 0},
        {"weighting": {"scheme": "log"}, "als": {"ridge": {}}, "alpha": 1, "typical_weight": 0},
    ],
)
def test_a_card_that_does_not_say_how_it_was_trained_is_refused(parameters):
    with pytest.raises(ModelError, match="train it again"):
        objective_of("als", parameters, model="x")


def test_a_binary_model_of_an_earlier_segue_is_good_enough():
    card = {"weighting": {"scheme": "binary"}, "als": {"ridge": {"kind": "plain", "regularization": 30.0}}, "alpha": 5}
    assert objective_of("als", card, model="x").typical_weight == 1


@pytest.fixture
def segue(monkeypatch, model_folder):
    monkeypatch.setenv("SEGUE_MODEL", str(model_folder))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, ["recommend", *arguments])


def test_the_command_names_artists_and_reasons(segue):
    result = segue("arcade fire", "bjork", "--dislike", "metallica", "--k", "6")
    assert result.exit_code == 0
    assert "for who likes Arcade Fire, Björk and not Metallica" in result.output
    for name in ("Wolf Parade", "Sigur Rós"):
        assert name in result.output
    assert "Björk 9" in result.output or "Björk 8" in result.output or "Björk 100 %" in result.output
    assert "Iron Maiden" not in result.output


def test_the_command_prints_json(segue):
    card = json.loads(segue("arcade fire", "--exclude", "wolf parade", "--json").stdout)
    assert card["outcome"] == "recommendations"
    names = [row["name"] for row in card["recommended"]]
    assert set(names[:2]) == {"Broken Social Scene", "The New Pornographers"}
    assert [row["rank"] for row in card["recommended"]] == list(range(1, len(names) + 1))
    assert card["recommended"][0]["because"] == [{"name": "Arcade Fire", "share": 1.0}]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["no such artist"], 3, "No artist here is called"),
        (["arcade fire", "--dislike", "zzzzzz"], 3, "No artist here is called"),
        (["<@1234>"], 3, "mentions somebody"),
        (["unheard of"], 3, "at most 2 people"),
        (["arcade fire", "--dislike", "arcade fire"], 1, "both liked and disliked"),
    ],
)
def test_what_cannot_be_answered_has_a_sentence(segue, arguments, status, said):
    result = segue(*arguments)
    assert result.exit_code == status
    assert said in result.output
    assert "Traceback" not in result.output
