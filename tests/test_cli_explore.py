"""The commands that walk around: from words to artists, to tables, to JSON, to an exit status."""

import json

import pytest
from typer.testing import CliRunner

from bot.cli import app
from communities import NAMES
from recommender.cli_explore import journey_names, mixture_terms, pair_names
from recommender.errors import ParameterError


@pytest.fixture
def segue(model_folder, monkeypatch):
    monkeypatch.setenv("SEGUE_MODELS", str(model_folder.parent))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        return CliRunner().invoke(app, [*map(str, arguments), "--model", model_folder.name])

    return run


def test_names_with_signs_become_a_mixture(segue):
    words = ("blend", "arcade", "fire", "+", "björk", "-", "metallica")
    shown = segue(*words)
    assert shown.exit_code == 0, shown.output
    assert "Arcade Fire + Björk - Metallica" in shown.stdout
    answer = json.loads(segue(*words, "--json").stdout)
    assert [artist["name"] for artist in answer["liked"]] == ["Arcade Fire", "Björk"]
    assert [artist["name"] for artist in answer["disliked"]] == ["Metallica"]
    assert not {row["name"] for row in answer["artists"]} & set(NAMES[4:8])
    options = segue("blend", "--like", "arcade fire", "--like", "björk", "--unlike", "metallica", "--json")
    assert json.loads(options.stdout) == answer


def test_a_path_is_told_stop_by_stop(segue):
    shown = segue("path", "arcade", "fire", "to", "metallica", "--between", 2)
    assert shown.exit_code == 0, shown.output
    assert "from Arcade Fire to Metallica" in shown.stdout
    answer = json.loads(segue("path", "arcade fire", "metallica", "--between", 2, "--json").stdout)
    assert answer["start"]["name"] == "Arcade Fire"
    assert answer["stops"][-1]["name"] == "Metallica"


def test_dissimilar_artists_come_from_elsewhere(segue):
    answer = json.loads(segue("dissimilar", "arcade", "fire", "--k", 2, "--json").stdout)
    assert not {row["name"] for row in answer["dissimilar"]} & set(NAMES[:4])
    assert "unlike Arcade Fire" in segue("dissimilar", "arcade fire").stdout


def test_why_is_one_sentence(segue):
    shown = segue("why", "arcade", "fire", "and", "wolf", "parade")
    assert shown.exit_code == 0, shown.output
    answer = json.loads(segue("why", "arcade fire", "wolf parade", "--json").stdout)
    share, times = answer["share"], answer["times_chance"]
    assert shown.stdout.startswith(f"{100 * share:.0f} % of Arcade Fire's listeners also play Wolf Parade")
    assert f"{times:.1f} times chance" in shown.stdout


def test_counts_of_few_people_are_not_told(segue):
    hidden = segue("why", "arcade fire", "metallica")
    assert hidden.exit_code == 3
    assert hidden.stdout.startswith("Fewer than 5 people in the data play both Arcade Fire and Metallica")
    answer = json.loads(segue("why", "arcade fire", "metallica", "--json").stdout)
    assert answer["outcome"] == "too_few_in_common"
    assert "common_listeners" not in answer
    counts = [
        row["common_listeners"] for row in json.loads(segue("dissimilar", "björk", "--json").stdout)["dissimilar"]
    ]
    assert all(count is None or count >= 5 for count in counts)
    assert None in counts


@pytest.mark.parametrize(
    "command", [("blend", "unheard of", "+", "björk"), ("path", "björk", "unheard of"), ("dissimilar", "unheard of")]
)
def test_an_artist_with_too_few_listeners_is_exit_status_3(segue, command):
    shown = segue(*command)
    assert shown.exit_code == 3
    assert "only 2 people" in shown.stdout
    assert json.loads(segue(*command, "--json").stdout)["outcome"] == "too_few_listeners"


@pytest.mark.parametrize("command", [("blend", "xqzzk"), ("path", "björk", "xqzzk"), ("why", "xqzzk", "björk")])
def test_an_unknown_name_is_exit_status_3_and_named(segue, command):
    shown = segue(*command)
    assert shown.exit_code == 3
    assert "xqzzk" in shown.stdout
    assert json.loads(segue(*command, "--json").stdout)["typed"] == "xqzzk"


@pytest.mark.parametrize("command", [("similar",), ("blend",), ("dissimilar",), ("recommend",)])
def test_what_is_too_long_for_a_name_is_refused_in_the_same_words_everywhere(segue, command):
    shown = segue(*command, "x" * 5000)
    assert shown.exit_code in (1, 3)
    assert len(shown.output) < 300, shown.output
    assert "long" in shown.output


def test_the_dial_is_an_option(segue):
    rows = {}
    for familiarity in ("familiar", "balanced", "deep"):
        answer = json.loads(segue("similar", "arcade fire", "--familiarity", familiarity, "--json").stdout)
        rows[familiarity] = {row["name"] for row in answer["similar"]}
    assert rows["familiar"] < rows["balanced"]
    assert rows["deep"] < rows["balanced"]
    assert segue("similar", "arcade fire", "--familiarity", "loud").exit_code == 2


KNOWN = {"+44", "a-ha", "florence + the machine", "belle & sebastian", "a day to remember", "converge", "björk"}


def is_name(text):
    return text.casefold() in KNOWN


@pytest.mark.parametrize(
    ("words", "terms"),
    [
        (["+44", "+", "a-ha", "-", "björk"], [(1.0, "+44"), (1.0, "a-ha"), (-1.0, "björk")]),
        (["Florence", "+", "the", "Machine", "+", "björk"], [(1.0, "Florence + the Machine"), (1.0, "björk")]),
        (["Florence + the Machine", "-", "björk"], [(1.0, "Florence + the Machine"), (-1.0, "björk")]),
        (["björk + a-ha", "-", "+44"], [(1.0, "björk"), (1.0, "a-ha"), (-1.0, "+44")]),
        (["björk"], [(1.0, "björk")]),
    ],
)
def test_signs_join_names_but_not_within_one(words, terms):
    assert mixture_terms(words, is_name=is_name) == terms


@pytest.mark.parametrize("words", [["from", "björk", "to", "converge"], ["x"] * 200])
def test_what_is_no_mixture_is_refused(words):
    with pytest.raises(ParameterError):
        mixture_terms(words, is_name=is_name)


def test_a_way_has_two_ends():
    for words in (["from", "björk", "to", "a-ha"], ["björk", "to", "a-ha"], ["björk", "a-ha"], ["björk to a-ha"]):
        assert journey_names(words, is_name=is_name) == ("björk", "a-ha")
    words = ["a", "day", "to", "remember", "to", "converge"]
    assert journey_names(words, is_name=is_name) == ("a day to remember", "converge")
    assert journey_names(["who to trust", "to", "björk"], is_name=is_name) == ("who to trust", "björk")
    for words in (["a"], ["a", "b", "c"]):
        with pytest.raises(ParameterError, match="name two artists"):
            journey_names(words, is_name=is_name)


def test_a_pair_is_parted_at_the_and_between_its_names():
    words = ["belle", "&", "sebastian", "and", "björk"]
    assert pair_names(words, is_name=is_name) == ("belle & sebastian", "björk")
    assert pair_names(["arcade", "fire", "and", "wolf", "parade"], is_name=is_name) == ("arcade fire", "wolf parade")
    assert pair_names(["and", "and"], is_name=is_name) == ("and", "and")
    for words in (["a"], ["a", "b", "c"], ["a", "and", "b", "and", "c"]):
        with pytest.raises(ParameterError, match="name two artists"):
            pair_names(words, is_name=is_name)


def test_few_listeners_get_a_guess_that_is_called_one(segue):
    shown = segue("similar", "unheard of")
    assert shown.exit_code == 3
    assert "only 2 people" in shown.stdout
    assert "A guess from what these few listen to: " in shown.stdout
    answer = json.loads(segue("similar", "unheard of", "--json").stdout)
    assert 1 <= len(answer["guesses"]) <= 3
    assert "similar" not in answer
    assert "guesses" not in json.loads(segue("dissimilar", "unheard of", "--json").stdout)
