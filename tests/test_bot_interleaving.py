"""While an experiment runs, answers are drafted from two models, logged exactly, and never fail because of it."""

import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from bot.answers import Answers, Asker, SimilarAnswer, model_record
from bot.evidence.drafting import DraftParams, chances_of
from bot.feedback.experiments import Experiments
from bot.interleaving import Interleaving, open_identity
from bot.replies import Wish
from bot.showing import OneModel, PageRequest
from communities import NAMES, community_model
from recommender.artists import artist_id
from recommender.catalogue import Catalogue
from recommender.errors import ModelError, ParameterError
from recommender.store import ModelStore

ALICE = Asker("discord:1", "prefix", "discord:9")


@pytest.fixture(scope="session")
def challenger(tmp_path_factory):
    """Another model of the same listeners: by common listeners, and of another order."""
    folder = tmp_path_factory.mktemp("challengers") / "jaccard"
    community_model(folder, preset="jaccard", seed=1)
    return Catalogue.open(folder)


@pytest.fixture
def experiments(feedback, challenger):
    feedback.register_model(model_record(challenger.manifest))
    return Experiments(feedback)


@pytest.fixture
def running(experiments, catalogue, challenger):
    a, b = catalogue.manifest.identity, challenger.manifest.identity
    experiments.define("first", model_a=a, model_b=b, explore_rate=0.0)
    return experiments.take("first", "start")


def interleaving(catalogue, experiments, challenger, *, seeds=(7,), monotonic=lambda: 0.0):
    drawn = iter(seeds * 100)
    return Interleaving(
        catalogue, experiments, open_model=lambda _: challenger, draw_seed=lambda: next(drawn), monotonic=monotonic
    )


def rankings(catalogue, challenger, seed):
    return [
        [row.artist.artist_id for row in model.similar(model.by_id(seed).artist_idx, k=50).rows]
        for model in (catalogue, challenger)
    ]


@pytest.fixture
def seed(catalogue):
    return catalogue.by_id(artist_id("Arcade Fire"))


def test_rows_carry_team_ranks_model_and_exact_chance(catalogue, experiments, challenger, running, seed):
    page = interleaving(catalogue, experiments, challenger).draw(seed)
    a, b = rankings(catalogue, challenger, seed.artist_id)
    assert a != b
    chances = chances_of(a, b, DraftParams())
    assert (page.experiment_id, page.assignment_seed, page.shuffled) == (running.id, 7, False)
    assert [row.logged.rank for row in page.rows] == list(range(1, len(page.rows) + 1))
    assert page.n_candidates == len(set(a) | set(b))
    models = {"a": catalogue.manifest.identity, "b": challenger.manifest.identity}
    for row in page.rows:
        logged = row.logged
        assert logged.artist_id == row.artist.artist_id
        assert logged.rank_in_a == (a.index(logged.artist_id) + 1 if logged.artist_id in a else None)
        assert logged.rank_in_b == (b.index(logged.artist_id) + 1 if logged.artist_id in b else None)
        assert logged.propensity == pytest.approx(chances[logged.artist_id, logged.rank])
        if logged.team in models:
            assert logged.model_id == models[logged.team]
    assert {row.logged.team for row in page.rows} & {"a", "b"}


@pytest.mark.usefixtures("running")
def test_the_logged_seed_draws_the_same_page_again(catalogue, experiments, challenger, seed):
    one, other = (interleaving(catalogue, experiments, challenger, seeds=(number,)) for number in (5, 6))
    assert one.draw(seed, assignment_seed=42) == other.draw(seed, assignment_seed=42)
    pages = {one.draw(seed, assignment_seed=number).rows for number in range(40)}
    assert len(pages) > 1


@pytest.mark.usefixtures("running")
def test_further_pages_go_on_where_the_first_ended_even_when_it_was_stopped(catalogue, experiments, challenger, seed):
    draws = interleaving(catalogue, experiments, challenger)
    first = draws.draw(seed, size=4)
    experiments.take("first", "stop")
    shown = tuple(row.artist.artist_id for row in first.rows)
    second = draws.draw(
        seed, page=2, shown=shown, size=4, experiment_id=first.experiment_id, assignment_seed=first.assignment_seed
    )
    assert [row.logged.rank for row in second.rows] == [5, 6, 7, 8]
    assert {row.logged.page for row in second.rows} == {2}
    assert not {row.artist.artist_id for row in second.rows} & set(shown)
    assert draws.draw(seed, page=2, shown=shown) is None  # began outside of an experiment, and stays there


@pytest.mark.usefixtures("running")
def test_more_than_ten_rows_are_drawn_in_pages_of_ten(catalogue, experiments, challenger, seed):
    page = interleaving(catalogue, experiments, challenger).draw(seed, size=25)
    ids = [row.artist.artist_id for row in page.rows]
    assert len(set(ids)) == len(ids) == page.n_candidates


@pytest.mark.usefixtures("running")
def test_a_wish_for_lesser_known_artists_holds_for_both_models(catalogue, experiments, challenger, seed):
    deep = interleaving(catalogue, experiments, challenger).draw(seed, familiarity="deep")
    allowed = {
        row.artist.artist_id
        for model in (catalogue, challenger)
        for row in model.similar(model.by_id(seed.artist_id).artist_idx, k=50, familiarity="deep").rows
    }
    assert (set() if deep is None else {row.artist.artist_id for row in deep.rows}) <= allowed


def test_without_an_experiment_nothing_is_drawn(catalogue, experiments, challenger, seed):
    assert interleaving(catalogue, experiments, challenger).draw(seed) is None


@pytest.mark.usefixtures("running")
def test_start_and_stop_are_noticed_within_seconds(catalogue, experiments, challenger, seed):
    times = [0.0]
    draws = interleaving(catalogue, experiments, challenger, monotonic=lambda: times[0])
    assert draws.draw(seed) is not None
    experiments.take("first", "stop")
    assert draws.draw(seed) is not None
    times[0] = 6.0
    assert draws.draw(seed) is None


@pytest.mark.usefixtures("running")
def test_a_model_that_cannot_be_opened_costs_nobody_the_answer(catalogue, experiments, seed, caplog):
    tries = []

    def broken(identity):
        tries.append(identity)
        raise ModelError("it is damaged")

    draws = Interleaving(catalogue, experiments, open_model=broken)
    assert draws.draw(seed) is None
    assert draws.draw(seed) is None
    assert len(tries) == 1
    assert "it is damaged" in caplog.text


def test_a_database_that_does_not_answer_costs_nobody_the_answer(catalogue, experiments, challenger, feedback, seed):
    feedback.close()
    assert interleaving(catalogue, experiments, challenger).draw(seed) is None


async def test_the_bots_answer_is_the_drawn_page_and_the_log_has_it(
    catalogue, feedback, experiments, challenger, running, database_url
):
    answers = Answers(catalogue, feedback, interleaving(catalogue, experiments, challenger))
    answer = await answers.similar("arcade fire", ALICE)
    assert isinstance(answer, SimilarAnswer)
    assert answer.votable
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        (request,) = connection.execute("SELECT experiment_id, assignment_seed, shuffled, n_candidates FROM request")
        rows = connection.execute(
            "SELECT id, artist_id, team, propensity, model_id FROM impression ORDER BY rank"
        ).fetchall()
    assert request[:3] == (running.id, 7, 0)
    assert len(rows) <= request[3] < len(NAMES)
    assert [row[0] for row in rows] == [row.impression_id for row in answer.rows]
    assert [row[1] for row in rows] == [row.artist.artist_id for row in answer.rows]
    assert Counter(row[2] for row in rows).keys() <= {"a", "b", "both", "none"}
    assert all(0 < row[3] <= 1 for row in rows)
    assert {row[4] for row in rows} == {catalogue.manifest.identity, challenger.manifest.identity}
    await answers.vote(rows[0][0], 1, ALICE, interaction_id="click")


def test_only_the_very_model_is_opened_under_its_identity(tmp_path):
    community_model(tmp_path / "one")
    store = ModelStore(tmp_path)
    identity = Catalogue.open(tmp_path / "one").manifest.identity
    assert open_identity(store, identity).manifest.identity == identity
    with pytest.raises(ModelError, match="is not one@000000000000 any more"):
        open_identity(store, "one@000000000000")


# Experiments


def test_an_experiment_goes_from_defined_to_archived(experiments, catalogue, challenger):
    a, b = catalogue.manifest.identity, challenger.manifest.identity
    assert experiments.define("x", model_a=a, model_b=b).state == "defined"
    assert experiments.take("x", "start").state == "running"
    assert experiments.running().name == "x"
    experiments.define("y", model_a=b, model_b=a, explore_rate=0.0)
    for step, sentence in (
        ("start", "experiment 'x' is running; stop it first"),
        ("stop", "'y' is defined; stop takes"),
    ):
        with pytest.raises(ParameterError, match=sentence):
            experiments.take("y", step)
    assert experiments.take("x", "stop").state == "stopped"
    assert experiments.running() is None
    with pytest.raises(ParameterError, match="is stopped; start takes one that is defined"):
        experiments.take("x", "start")
    assert experiments.take("x", "archive").state == "archived"
    assert experiments.take("y", "archive").state == "archived"
    assert [one.name for one in experiments.all()] == ["x", "y"]
    assert experiments.by_id(experiments.named("y").id) == experiments.named("y")
    assert experiments.by_id(99) is None


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": ""}, "is not usable"),
        ({"name": "x" * 65}, "is not usable"),
        ({"explore_rate": 2.0}, "the exploration rate is 2.0"),
        ({"model_b": None}, "compares two different ones"),
        ({"name": "taken"}, "there is an experiment 'taken' already"),
    ],
)
def test_nonsense_is_refused(experiments, catalogue, challenger, values, sentence):
    a, b = catalogue.manifest.identity, challenger.manifest.identity
    experiments.define("taken", model_a=a, model_b=b)
    given = {"name": "new", "explore_rate": 0.1, "model_b": b} | values
    with pytest.raises(ParameterError, match=sentence):
        experiments.define(given["name"], model_a=a, model_b=given["model_b"] or a, explore_rate=given["explore_rate"])


# As the bot's policy


def request(seed, **values):
    return PageRequest(seed, 1, (), Wish(), "discord:9", **values)


def test_without_an_experiment_the_serving_model_answers_alone(catalogue, experiments, challenger, seed):
    page = interleaving(catalogue, experiments, challenger).choose(request(seed))
    assert page == OneModel(catalogue).choose(request(seed))


@pytest.mark.parametrize("allowed", [True, False])
def test_a_server_may_switch_exploration_off(catalogue, experiments, challenger, seed, allowed):
    a, b = catalogue.manifest.identity, challenger.manifest.identity
    experiments.define("bold", model_a=a, model_b=b, explore_rate=1.0)
    experiments.take("bold", "start")
    asked = []

    def explores(guild):
        asked.append(guild)
        return allowed

    policy = Interleaving(catalogue, experiments, open_model=lambda _: challenger, explores=explores)
    pages = [policy.choose(request(seed)) for _ in range(10)]
    assert set(asked) == {"discord:9"}
    assert any(page.shuffled for page in pages) is allowed


async def test_the_next_page_of_an_answer_is_drafted_too(
    catalogue, feedback, experiments, challenger, running, database_url
):
    answers = Answers(catalogue, feedback, interleaving(catalogue, experiments, challenger))
    wish = Wish(size=4)
    first = await answers.similar("arcade fire", ALICE, wish=wish)
    assert first.has_more
    second = await answers.pages.turn(first.rows[0].impression_id, first.seed.artist_id, 2, ALICE, wish=wish)
    assert [row.rank for row in second.rows] == [5, 6, 7, 8]
    with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        requests = connection.execute("SELECT count(*), min(experiment_id) FROM request").fetchone()
        rows = connection.execute("SELECT page, team, propensity FROM impression ORDER BY rank").fetchall()
    assert requests == (1, running.id)
    assert [row[0] for row in rows] == [1] * 4 + [2] * 4
    assert {row[1] for row in rows} & {"a", "b"}
    assert all(0 < row[2] <= 1 for row in rows)
