"""`segue names`: one query explained, a labelled file scored, with a model and with a list of names."""

import gzip
import json

import pytest
from typer.testing import CliRunner

from bot.cli import app
from recommender.errors import DataError
from recommender.naming.evaluation import LabelledQuery, evaluate, read_labelled
from recommender.naming.lists import read_names
from recommender.naming.outcomes import Ambiguous, Found, NotFound

LIST = "Arcade Fire\t90\thetrec\nBjörk\t80\thetrec\nThe Beatles\t100\thetrec\nBush!\t30\tx\nBush?\t20\tx\n"
QUERIES = (
    "group\tquery\texpected\ntypo1\tarcad fire\tArcade Fire\nvariant_case\tBEATLES\tThe Beatles\nalias_x\tbush\tBush?\n"
    "neg_words\tqqqqqq\t\nneg_invisible\t\u2028\t\n"
)


@pytest.fixture
def segue(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGUE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def names_file(tmp_path):
    path = tmp_path / "names.tsv.gz"
    path.write_bytes(gzip.compress(LIST.encode()))
    return path


@pytest.fixture
def queries_file(tmp_path):
    path = tmp_path / "queries.tsv"
    path.write_text(QUERIES, encoding="utf-8", newline="")
    return path


def test_one_query_is_explained(segue, names_file):
    result = segue("names", "arcad", "fire", "--names", names_file)
    assert result.exit_code == 0
    assert '"arcad fire" is Arcade Fire (90 listeners): a slip of the pen' in result.output
    assert "spelling 1" in result.output
    assert " ms." in result.output


def test_a_question_and_a_refusal_have_their_own_exit_status(segue, names_file):
    asked = segue("names", "bush", "--names", names_file)
    assert asked.exit_code == 3
    assert "could be several artists:\n  Bush! (30 listeners)\n  Bush? (20 listeners)" in asked.output
    refused = segue("names", "<@1234>", "--names", names_file)
    assert refused.exit_code == 3
    assert "mentions somebody" in refused.output


def test_phrases_are_read_too(segue, names_file):
    assert "a blend of björk, without beatles" in segue("names", "björk - beatles", "--names", names_file).output
    assert "a journey from björk to beatles" in segue("names", "from björk to beatles", "--names", names_file).output


def test_json_holds_the_same(segue, names_file):
    result = segue("names", "arcad fire", "--names", names_file, "--json")
    card = json.loads(result.stdout)
    assert (card["outcome"], card["artist"]["name"], card["layer"]) == ("found", "Arcade Fire", "spelling")
    assert {"layer": "key", "artists": 0} in card["layers"]


def test_a_labelled_file_is_scored(segue, names_file, queries_file):
    result = segue("names", "--eval", queries_file, "--names", names_file, "--json")
    scores = json.loads(result.stdout)
    assert scores["typo"]["accepted"] == scores["variant"]["accepted"] == 1
    assert (scores["alias"]["accepted"], scores["alias"]["wrong"], scores["alias"]["top_5"]) == (0, 0, 1)
    assert (scores["neg"]["queries"], scores["neg"]["wrong"], scores["neg"]["accepted"]) == (2, 0, None)
    assert "p99" in segue("names", "--eval", queries_file, "--names", names_file).output


def test_neither_or_both_ways_are_refused(segue, names_file, queries_file):
    assert segue("names", "--names", names_file).exit_code == 1
    assert segue("names", "abba", "--eval", queries_file, "--names", names_file).exit_code == 1


def test_right_and_wrong_are_counted_as_documented():
    queries = [LabelledQuery("typo1", text, "The Yes") for text in ("right", "wrong", "asked", "far")]
    queries += [LabelledQuery("neg_x", "right", ""), LabelledQuery("neg_y", "far", "")]
    outcomes = {
        "right": Found(0, "exact", 1.0),
        "wrong": Found(1, "exact", 1.0, None, (0,)),
        "asked": Ambiguous((0, 1)),
        "far": NotFound(()),
    }
    ticks = iter(range(100))
    scores = evaluate(outcomes.__getitem__, queries, names=["Yes!", "No"], clock=lambda: next(ticks) / 1000)
    typo, neg = scores["typo"], scores["neg"]
    assert (typo.n, typo.accepted, typo.wrong, typo.top_1, typo.top_5) == (4, 1, 1, 2, 3)
    assert (neg.n, neg.wrong) == (2, 1)
    assert typo.percentile(99) == pytest.approx(1.0)


@pytest.mark.parametrize("content", ["", "name\n", "name\tmany\n", "\t3\n", "a\t1\nb\n", "a\t-1\n", "a\t²\n"])
def test_a_broken_list_is_refused_with_its_line(tmp_path, content):
    path = tmp_path / "names.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"names.tsv:\d+: "):
        read_names(path)


@pytest.mark.parametrize("content", ["query\n", "group\tquery\texpected\na\tb\n"])
def test_a_broken_test_set_is_refused_with_its_line(tmp_path, content):
    path = tmp_path / "queries.tsv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"queries.tsv:\d: "):
        read_labelled(path)


def test_files_that_are_not_there_or_no_text_are_refused(tmp_path):
    (tmp_path / "x.gz").write_bytes(b"no gzip")
    for path in (tmp_path / "none.tsv", tmp_path / "x.gz"):
        with pytest.raises(DataError, match="cannot be read"):
            read_names(path)
