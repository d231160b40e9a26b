"""A challenger serves only when it is not worse offline and members preferred it, or when somebody says why."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from bot.answers import model_record
from bot.cli import app
from bot.evidence.comparing import compare, credit
from bot.evidence.simulation import World, in_memory, sessions
from bot.feedback.experiments import Experiments
from bot.feedback.promotions import promotions, record_metrics
from bot.promoting import gate
from bot.simulating import fill
from communities import NAMES, community_counts, community_model
from recommender.artifact import read_manifest
from recommender.store import ModelStore


def live(world, n=300):
    return compare(credit(in_memory(world, list(sessions(world, n, rng=np.random.default_rng(1))))))


PREFERRED = World(up_rate_b=0.9)
GOOD = {"ndcg": 0.30}
SAME = {"ndcg": 0.2999}
WORSE = {"ndcg": 0.29}


@pytest.mark.parametrize(
    ("champion", "challenger", "world", "side", "passed", "words"),
    [
        (GOOD, SAME, PREFERRED, "b", True, "offline: not worse in ndcg"),
        (GOOD, WORSE, PREFERRED, "b", False, "offline: worse by more than 1 %: ndcg 0.29 < 0.3"),
        (None, SAME, PREFERRED, "b", False, "offline: no metric is known of both models"),
        (GOOD, SAME, None, "b", False, "live: the two never met"),
        (GOOD, SAME, World(), "b", False, "live: undecided"),
        (GOOD, SAME, PREFERRED, "a", False, "live: b is better"),
        (GOOD, SAME, PREFERRED.swapped(), "a", True, "live: better"),
    ],
)
def test_the_gate(champion, challenger, world, side, passed, words):
    found = gate(champion, challenger, None if world is None else live(world), side=side)
    assert found.passed is passed
    assert words in "; ".join(found.reasons)
    json.dumps(found.evidence)


@pytest.fixture
def models(tmp_path):
    store = ModelStore(tmp_path / "models")
    for name, preset in (("old", "als"), ("new", "jaccard")):
        community_model(store.root / name, preset=preset)
    store.set_current("old")
    return store


@pytest.fixture
def segue(models, database_url, monkeypatch, tmp_path):
    monkeypatch.setenv("SEGUE_DATABASE_URL", database_url)
    monkeypatch.setenv("SEGUE_MODELS", str(models.root))
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, [*map(str, arguments)])


def test_models_are_listed_and_shown(segue, models):
    listed = segue("model", "list").output
    assert "new" in listed
    assert [one["id"] for one in json.loads(segue("model", "list", "--json").output) if one["serves"]] == ["old"]
    shown = segue("model", "show", "new").output
    assert read_manifest(models.folder("new")).identity in shown
    assert "offline: not evaluated" in shown
    assert "serves: no" in shown


def test_a_preferred_challenger_is_promoted_and_taken_back(segue, models, feedback, tmp_path):
    old, new = (read_manifest(models.folder(name)) for name in ("old", "new"))
    for name, value in (("old", 0.3), ("new", 0.31)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"ndcg": value, "data": "x"}))
        assert segue("model", "metrics", name, "--from", tmp_path / f"{name}.json").exit_code == 0
    refused = segue("model", "promote", "new")
    assert refused.exit_code == 1
    assert "live: the two never met" in refused.output
    assert models.current_id() == "old"
    defined = segue("experiment", "define", "try", "--a", "old", "--b", "new")
    assert defined.exit_code == 0, defined.output
    assert segue("experiment", "start", "try").exit_code == 0
    experiment = Experiments(feedback).running()
    assert (experiment.model_a, experiment.model_b) == (old.identity, new.identity)
    fill(feedback, sessions(PREFERRED, 250, rng=np.random.default_rng(2)), experiment)
    done = segue("model", "promote", "new")
    assert done.exit_code == 0, done.output
    assert "Back to old: segue model rollback" in done.output
    assert models.current_id() == "new"
    (logged,) = promotions(feedback)
    assert (logged.model_id, logged.previous_id, logged.is_override) == (new.identity, old.identity, False)
    assert logged.evidence["live"]["verdict"] == "b"
    assert logged.evidence["offline"] == {"ndcg": [0.3, 0.31]}
    assert "ndcg 0.31" in segue("feedback", "report", "--experiment", "try").output
    back = segue("model", "rollback", "--reason", "members complained")
    assert back.output == "old serves again.\n"
    assert models.current_id() == "old"
    assert [(one.kind, one.reason) for one in promotions(feedback)] == [
        ("promote", None),
        ("rollback", "members complained"),
    ]
    assert segue("model", "rollback").exit_code == 1


def test_an_override_needs_a_reason_and_is_logged(segue, models, feedback):
    assert "add --reason TEXT" in segue("model", "promote", "new", "--override").output
    assert models.current_id() == "old"
    done = segue("model", "promote", "new", "--override", "--reason", "the old data had to go")
    assert done.exit_code == 0, done.output
    (logged,) = promotions(feedback)
    assert (logged.is_override, logged.reason) == (True, "the old data had to go")
    assert "offline: no metric" in logged.evidence["reasons"][0]
    assert models.current_id() == "new"
    assert "override: the old data had to go" in segue("model", "show", "new").output


def test_experiments_are_listed(segue):
    assert segue("experiment", "list").output.startswith("There is no experiment")
    segue("experiment", "define", "try", "--a", "old", "--b", "new", "--explore", "0.2")
    (one,) = json.loads(segue("experiment", "list", "--json").output)
    assert (one["name"], one["state"], one["explore_rate"]) == ("try", "defined", 0.2)
    segue("experiment", "archive", "try")
    assert "There is no experiment" in segue("experiment", "list").output
    assert "archived" in segue("experiment", "list", "--archived").output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["model", "promote", "old"], "old serves already"),
        (["model", "promote", "none"], "there is no model 'none'"),
        (["model", "rollback"], "no promotion of old is logged"),
        (["experiment", "start", "none"], "there is no experiment 'none'"),
        (["experiment", "define", "x", "--a", "old", "--b", "old"], "compares two different ones"),
        (["model", "metrics", "old", "--from", "empty.json"], "holds no metrics"),
        (["model", "metrics", "old", "--from", "broken.json"], "is no JSON"),
    ],
)
def test_a_slip_is_one_sentence(segue, tmp_path, arguments, sentence):
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "broken.json").write_text("{")
    refused = segue(*arguments)
    assert refused.exit_code == 1
    assert sentence in " ".join(refused.output.split())
    assert "Traceback" not in refused.output


def test_metrics_belong_to_the_very_model(models, feedback):
    card = read_manifest(models.folder("old"))
    feedback.register_model(model_record(card))
    record_metrics(feedback, card.identity, GOOD)
    with pytest.raises(Exception, match="was never registered"):
        record_metrics(feedback, "old@000000000000", GOOD)


def test_a_training_may_leave_the_serving_model_in_its_place(segue, models, tmp_path):
    plays = community_counts().plays.tocoo()
    rows = zip(plays.row.tolist(), plays.col.tolist(), plays.data.astype(int).tolist(), strict=True)
    lines = [f"listener-{listener}\t\t{NAMES[artist]}\t{count}\n" for listener, artist, count in rows]
    (tmp_path / "plays.tsv").write_text("".join(lines), encoding="utf-8")
    options = ["--plays", tmp_path / "plays.tsv", "--preset", "als", "--factors", 3, "--regularization", 1]
    done = segue("train", *options, "--model", "newest", "--keep-current")
    assert done.exit_code == 0, done.output
    assert models.current_id() == "old"
    assert "--model newest" in done.output
    assert segue("train", *options, "--model", "other").exit_code == 0
    assert models.current_id() == "other"


def test_metrics_are_read_from_an_evaluation_of_the_models_preset(segue, tmp_path):
    judged = {"als": {"ndcg@10": {"mean": 0.21, "low": 0.2, "high": 0.22}, "hub_skew": [1.0, 2.0], "stability": 0.9}}
    (tmp_path / "evaluation.json").write_text(json.dumps({"data": "x", "systems": judged}))
    assert segue("model", "metrics", "old", "--from", "evaluation.json").output == "old: ndcg@10 0.21.\n"
    refused = segue("model", "metrics", "new", "--from", "evaluation.json")
    assert refused.exit_code == 1
    assert "judges als, not jaccard; add --preset jaccard" in " ".join(refused.output.split())
