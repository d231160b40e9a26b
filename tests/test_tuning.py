"""Presets survive their files, a search finds better options, and an interrupted one goes on where it was."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bot.cli import app
from communities import NAMES, community_plays, small_recipe
from recommender.artifact import read_manifest
from recommender.errors import ModelError, ParameterError
from recommender.linking import LinkParams
from recommender.presets import chosen_recipe, find_preset, preset_name, read_preset, recipe_of, write_preset
from recommender.recipes import PRESETS
from recommender.ridge import RidgeParams
from recommender.splits import SplitParams
from recommender.store import ModelStore
from recommender.tuning import Journal, TuningParams, changes, subject_of, tune

PARAMS = TuningParams(n_trials=6, split=SplitParams(least_artists=3))
# As `best` is where the data are too large for the fusion.
LARGE = replace(PRESETS["best"], similarity=replace(PRESETS["best"].similarity, most_pairs=1))


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_survives_its_file(tmp_path, name):
    write_preset(tmp_path / "presets" / "own.json", PRESETS[name])
    assert read_preset(tmp_path / "presets" / "own.json") == PRESETS[name]
    assert find_preset("own", store=tmp_path) == PRESETS[name]
    assert find_preset(str(tmp_path / "presets" / "own.json"), store=tmp_path / "none") == PRESETS[name]


def test_a_file_need_not_name_what_is_as_by_default():
    recipe = recipe_of({"algorithm": "als", "weighting": {}, "als": {"ridge": {"regularization": 7}}})
    assert recipe.als.ridge == RidgeParams("plain", 7.0)
    assert recipe.links == LinkParams()


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (None, "recipe is None, not a group of options"),
        ({"algorithm": "als"}, "recipe lacks an option, one of weighting"),
        ({"algorithm": "svd", "weighting": {}}, "recipe.algorithm is 'svd'; use one of als, lsa"),
        ({"algorithm": "als", "weighting": {}, "alhpa": 3}, "recipe has no option 'alhpa'"),
        ({"algorithm": "als", "weighting": {}, "alpha": "3"}, "recipe.alpha is '3', which is not float"),
        ({"algorithm": "als", "weighting": {}, "alpha": True}, "recipe.alpha is True"),
        ({"algorithm": "als", "weighting": {"scheme": "x"}}, "recipe.weighting.scheme is 'x'"),
        ({"algorithm": "als", "weighting": [], "alpha": 3}, "recipe.weighting is \\[\\]"),
        ({"algorithm": "als", "weighting": {}, "als": {"n_factors": 2.5}}, "recipe.als.n_factors is 2.5"),
        ({"algorithm": "als", "weighting": {}, "als": {"n_factors": 0}}, "n_factors is 0"),
        ({"algorithm": "als", "weighting": {}, "als": {"ridge": {"regularization": -1}}}, "regularization is -1"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_the_option(tmp_path, recipe, said):
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"format": "segue-preset", "recipe": recipe}), encoding="utf-8")
    with pytest.raises(ParameterError, match=said):
        read_preset(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"format": "segue-model"}'])
def test_what_is_no_preset_is_refused(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match=r"x\.json"):
        find_preset(str(path), store=tmp_path)


def test_unknown_names_list_the_known_ones(tmp_path):
    write_preset(tmp_path / "presets" / "mine.json", PRESETS["als"])
    with pytest.raises(ParameterError, match=r"best, als, .*, mine, or the path"):
        find_preset("nothing", store=tmp_path)
    with pytest.raises(ParameterError, match="not usable"):
        find_preset("-rf", store=tmp_path)
    with pytest.raises(ParameterError, match="is als, not lsa"):
        chosen_recipe("mine", "lsa", store=tmp_path)
    assert chosen_recipe(None, None, store=tmp_path)[0] == "best"
    assert preset_name("/a/b.json") == "b"


def test_each_change_changes_one_thing():
    for name in ("als", "ials", "article-lsa"):
        start, seen = PRESETS[name], []
        for label, recipe in changes(start):
            before, after = asdict(start), asdict(recipe)
            assert sum(before[key] != after[key] for key in before) == 1, label
            seen.append(json.dumps(after))
        assert len(seen) == len(set(seen)) > 4


@pytest.fixture(scope="module")
def plays():
    return community_plays(150, strays=0.1)


def bad_start():
    """So much regularization that nearly nothing is left to tell artists by."""
    recipe = small_recipe("als")
    return replace(recipe, als=replace(recipe.als, n_factors=16, ridge=RidgeParams("plain", 25.0)))


def searched(plays, path, *, params=PARAMS, start=None, stop=lambda: False):
    start = start or bad_start()
    trials = []
    journal = Journal(path, subject_of("hash", start, params))
    best = tune(plays, start, params, journal=journal, progress=trials.append, stop=stop)
    return best, trials


def test_a_search_finds_the_best_of_its_trials(plays, tmp_path):
    best, trials = searched(plays, tmp_path / "journal")
    reached = [trial.ndcg for trial in trials if trial.ndcg is not None]
    assert best.ndcg == max(reached)
    assert best.ndcg > trials[0].ndcg
    assert len(trials) == 6
    assert [trial.number for trial in trials] == [1, 2, 3, 4, 5, 6]


def test_what_the_size_of_the_data_decides_is_decided_before_the_search(plays, tmp_path):
    """Else each trial would be overruled in the same way, and all be one recipe."""
    params = replace(PARAMS, n_trials=1)
    journal = Journal(tmp_path / "journal", subject_of("hash", LARGE, params))
    recipe = tune(plays, LARGE, params, journal=journal).recipe
    assert (recipe.similarity.method, recipe.als) == ("factors", PRESETS["als"].als)


def test_a_change_of_links_keeps_their_other_options():
    start = replace(PRESETS["best"], links=replace(PRESETS["best"].links, k=7))
    (changed,) = [recipe.links for label, recipe in changes(start) if label == "0.0 EASE"]
    assert changed == replace(start.links, share=0.0)


def test_an_interrupted_search_goes_on_and_ends_as_if_it_had_not_been(plays, tmp_path, monkeypatch):
    whole, all_trials = searched(plays, tmp_path / "whole")
    asked = iter([False, False, False, True])
    _, first = searched(plays, tmp_path / "cut", stop=lambda: next(asked))
    assert 1 < len(first) < len(all_trials)
    with (tmp_path / "cut").open("ab") as file:
        file.write(b'{"key": "torn by a kill in the mid')
    judged = []
    monkeypatch.setattr("recommender.tuning._Search._judge", _counting(judged))
    again, trials = searched(plays, tmp_path / "cut")
    assert (again.recipe, again.ndcg) == (whole.recipe, whole.ndcg)
    assert [(one.change, one.ndcg) for one in trials] == [(one.change, one.ndcg) for one in all_trials]
    assert [one.known for one in trials] == [number < len(first) for number in range(len(all_trials))]
    assert len(judged) == len(all_trials) - len(first)
    assert (tmp_path / "cut").read_bytes() == (tmp_path / "whole").read_bytes()


def _counting(judged):
    from recommender.tuning import _Search

    original = _Search._judge

    def judge(self, recipe):
        judged.append(recipe)
        return original(self, recipe)

    return judge


def test_a_journal_of_something_else_is_refused(plays, tmp_path):
    searched(plays, tmp_path / "journal", params=replace(PARAMS, n_trials=1))
    with pytest.raises(ParameterError, match="of other data"):
        searched(plays, tmp_path / "journal", params=replace(PARAMS, seed=1))
    (tmp_path / "text").write_text("dear diary\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="is no journal"):
        searched(plays, tmp_path / "text")
    with pytest.raises(ParameterError, match="cannot be used"):
        searched(plays, tmp_path)


def test_a_start_that_collapses_is_refused_and_a_trial_that_does_is_not(plays, tmp_path):
    hopeless = replace(small_recipe("als"), als=replace(small_recipe("als").als, ridge=RidgeParams("plain", 1e7)))
    with pytest.raises(ModelError, match="start from another"):
        searched(plays, tmp_path / "journal", start=hopeless)
    near = replace(hopeless, als=replace(hopeless.als, ridge=RidgeParams("plain", 50.0)))
    best, trials = searched(plays, tmp_path / "near", start=near)
    assert any(trial.ndcg is None for trial in trials)
    assert best.ndcg is not None


@pytest.fixture
def segue(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGUE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("COLUMNS", "300")
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def plays_file(tmp_path):
    dense = community_plays(90).toarray().astype(int)
    rows = [f"l{u}\t\t{NAMES[i]}\t{dense[u, i]}\n" for u, i in zip(*np.nonzero(dense), strict=True)]
    path = tmp_path / "plays.tsv"
    path.write_text("".join(rows), encoding="utf-8")
    return path


def test_a_tuned_preset_trains_by_name_and_by_file(segue, plays_file, tmp_path):
    write_preset(tmp_path / "small.json", small_recipe("als"))
    tuned = segue("tune", "--plays", plays_file, "--preset", tmp_path / "small.json", "--trials", 3, "--json")
    assert tuned.exit_code == 0, tuned.output
    card = json.loads(tuned.stdout)
    assert len(card["trials"]) == 3
    assert "nDCG@10" in tuned.stderr
    again = json.loads(
        segue("tune", "--plays", plays_file, "--preset", tmp_path / "small.json", "--trials", 3, "--json").stdout
    )
    assert all(trial["from_journal"] for trial in again["trials"])
    for preset in ("tuned", card["preset"]):
        trained = segue("train", "--plays", plays_file, "--preset", preset, "--json")
        assert trained.exit_code == 0, trained.output
        model = json.loads(trained.stdout)["model"]
        assert model.startswith("tuned-")
    assert ModelStore(tmp_path / "models").current_id() == model
    assert "Next: segue train" in segue("tune", "--plays", plays_file, "--preset", card["preset"], "--trials", 1).output


def test_options_of_a_training_hold_where_the_data_are_large(segue, plays_file, tmp_path):
    write_preset(tmp_path / "large.json", LARGE)
    options = ("--factors", 3, "--regularization", 0.5, "--iterations", 2, "--no-early-stopping")
    trained = segue("train", "--plays", plays_file, "--preset", tmp_path / "large.json", "--json", *options)
    assert trained.exit_code == 0, trained.output
    als = read_manifest(Path(json.loads(trained.stdout)["folder"])).parameters["als"]
    assert (als["n_factors"], als["iterations"], als["stopping"]["n_listeners"]) == (3, 2, 0)
    assert als["ridge"] == asdict(RidgeParams("plain", 0.5))


def test_presets_are_judged_side_by_side(segue, plays_file, tmp_path):
    write_preset(tmp_path / "small.json", small_recipe("als"))
    arguments = ["evaluate", "--plays", plays_file, "--preset", tmp_path / "small.json", "--splits", 2]
    arguments += ["--recall-at", 3, "--ndcg-at", 2]
    both = segue(*arguments, "--preset", "cosine", "--plot", tmp_path / "e.png")
    assert both.exit_code == 0, both.output
    for part in ("R@3", "nDCG@2", "MAP@3", "coverage", "popularity", "small - cosine: R@3", "95 %"):
        assert part in both.output
    assert (tmp_path / "e.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    card = json.loads(segue(*arguments, "--json").stdout)
    small = card["systems"]["small"]
    assert small["R@3"]["low"] <= small["R@3"]["mean"] <= small["R@3"]["high"]
    assert card == json.loads(segue(*arguments, "--json").stdout)


def test_figures_are_printed_even_where_the_picture_cannot_be_drawn(segue, plays_file, tmp_path):
    write_preset(tmp_path / "small.json", small_recipe("als"))
    arguments = ["--preset", tmp_path / "small.json", "--splits", 1, "--plot", tmp_path / "no folder" / "e.png"]
    result = segue("evaluate", "--plays", plays_file, *arguments)
    assert result.exit_code == 1
    assert "nDCG@10" in result.stdout
    assert "no folder" in result.stderr


def test_the_preset_that_fails_is_named_and_two_of_one_name_are_refused(segue, plays_file, tmp_path):
    hopeless = replace(small_recipe("als"), als=replace(small_recipe("als").als, ridge=RidgeParams("plain", 1e7)))
    (tmp_path / "other").mkdir()
    for path, recipe in (("fine.json", small_recipe("als")), ("bad.json", hopeless), ("other/fine.json", hopeless)):
        write_preset(tmp_path / path, recipe)
    arguments = ["evaluate", "--plays", plays_file, "--splits", 1, "--preset", tmp_path / "fine.json", "--preset"]
    failed = segue(*arguments, tmp_path / "bad.json")
    assert failed.exit_code == 1
    assert failed.stderr.startswith("error: bad: the loss is not finite")
    twice = segue(*arguments, tmp_path / "other" / "fine.json")
    assert twice.exit_code == 1
    assert "needs a name of its own" in twice.stderr


def test_a_preset_of_segue_s_own_is_not_written_anew(segue, plays_file, tmp_path):
    """It would be saved, and never be found again behind the one that Segue has."""
    refused = segue("tune", "--plays", plays_file, "--trials", 1, "--name", "best")
    assert refused.exit_code == 1
    assert "choose another --name" in refused.stderr
    assert not (tmp_path / "models").exists()
    refused = segue("tune", "--plays", plays_file, "--trials", 1, "--name", tmp_path)
    assert "is a folder; choose another --name" in refused.stderr.replace("\n", " ")


def test_a_change_that_the_data_do_not_allow_does_not_end_the_search(plays, tmp_path):
    """More factors of LSA than there are artists."""
    start = replace(small_recipe("lsa"), lsa=replace(small_recipe("lsa").lsa, n_factors=10))
    best, trials = searched(plays, tmp_path / "journal", start=start, params=replace(PARAMS, n_trials=8))
    assert [trial.ndcg for trial in trials if trial.change == "20 factors"][:1] == [None]
    assert best.ndcg is not None
    with pytest.raises(ParameterError, match="LSA with 99 factors"):
        searched(plays, tmp_path / "other", start=replace(start, lsa=replace(start.lsa, n_factors=99)))


def test_a_missing_matplotlib_is_said_before_the_work(segue, plays_file, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    result = segue("evaluate", "--plays", plays_file, "--plot", tmp_path / "e.png")
    assert result.exit_code == 1
    assert "pip install matplotlib" in result.stderr
    assert not (tmp_path / "e.png").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--share", "2"], 1, "between 0 and 1"),
        (["--preset", "nothing"], 1, "preset 'nothing' is unknown"),
        (["--preset", "no/such.json"], 1, "unknown"),
        (["--split", "some"], 2, "leave-out"),
    ],
)
def test_options_out_of_range_have_a_sentence(segue, plays_file, arguments, status, said):
    result = segue("evaluate", "--plays", plays_file, *arguments)
    assert result.exit_code == status
    assert said in result.output
    assert "Traceback" not in result.output
