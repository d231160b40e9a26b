"""``segue explore`` serves until it is told to stop, writes a page that needs no server, and says what is wrong."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.explorer.maps import MapFolder
from bot.explorer.shelf import open_shelf
from explorer_world import HOSTILE, small_layout, small_store
from recommender.layout import LayoutParams


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("explored")
    small_store(root / "models")
    return root


@pytest.fixture
def segue(root, monkeypatch):
    monkeypatch.setenv("SEGUE_MODELS", str(root / "models"))
    monkeypatch.setenv("COLUMNS", "200")
    maps = ["--maps", str(root / "maps")]

    def run(command, *arguments):
        return CliRunner().invoke(app, [command, *maps, *map(str, arguments)])

    return run


def plant_map(root, store_root):
    from recommender.store import ModelStore

    model = open_shelf(ModelStore(store_root), []).first
    path = MapFolder(root / "maps").path(model)
    path.parent.mkdir(exist_ok=True)
    layout = small_layout()
    np.savez(path, artist_idx=layout.artist_idx, positions=layout.positions, cluster=layout.cluster)
    return model, path


def test_an_export_is_a_page_with_the_answers_beside_it(segue, root, tmp_path):
    plant_map(root, root / "models")
    result = segue("explore", "--export", tmp_path / "site", "--artist", "arcad fyre", "--artist", HOSTILE)
    assert result.exit_code == 0, result.output
    assert "Wrote 2 artists" in result.output
    script = (tmp_path / "site" / "data.js").read_text(encoding="utf-8")
    assert "<" not in script
    content = json.loads(script.removeprefix("window.SEGUE_DATA = ").rstrip(";\n"))
    assert [artist["name"] for artist in content["artists"]] == ["Arcade Fire", HOSTILE]
    kinds = {address.split("?")[0] for address in content["replies"]}
    assert kinds == {f"/api/{name}" for name in ("models", "similar", "overlap", "path", "blend", "map", "evaluation")}
    written = {path.name for path in (tmp_path / "site").iterdir()}
    assert {"index.html", "style.css", "main.js", "graphics.js"} <= written


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--artist", "arcade fire"], "--artist chooses what --export writes"),
        (["--export", "{full}"], "is not an empty folder"),
        (["--export", "{new}", "--artist", "qqqqqqqqq"], "--artist qqqqqqqqq: No artist here"),
        (["--model", "gone"], "there is no model 'gone'"),
        (["--model", "by-als", "--model", "by-als"], "two of the models have the same id"),
        (["--evaluation", "{full}/x.json"], "cannot be read as JSON"),
    ],
)
def test_a_mistake_is_said_in_one_sentence(segue, tmp_path, arguments, said):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x.json").write_text("[", encoding="utf-8")
    filled = [one.format(full=tmp_path / "full", new=tmp_path / "new") for one in arguments]
    result = segue("explore", "--no-draw", *filled)
    assert result.exit_code == 1
    assert said in result.output
    assert not (tmp_path / "new").exists()


def test_figures_of_an_evaluation_are_shown_as_they_are(segue, tmp_path):
    report = {
        "als": {"nDCG@10": {"mean": 0.27, "low": 0.26, "high": 0.28}, "note": "text"},
        "popular": {"nDCG@10": 0.1},
    }
    (tmp_path / "report.json").write_text(json.dumps(report), encoding="utf-8")
    result = segue("explore", "--no-draw", "--evaluation", tmp_path / "report.json", "--export", tmp_path / "site")
    assert result.exit_code == 0, result.output
    script = (tmp_path / "site" / "data.js").read_text(encoding="utf-8")
    shown = json.loads(script.removeprefix("window.SEGUE_DATA = ").rstrip(";\n"))["replies"]["/api/evaluation"][
        "report"
    ]
    assert shown == [
        {"system": "als", "metric": "nDCG@10", "value": 0.27, "low": 0.26, "high": 0.28},
        {"system": "popular", "metric": "nDCG@10", "value": 0.1, "low": None, "high": None},
    ]


def test_what_segue_evaluate_prints_is_read(tmp_path):
    from bot.explorer.judging import read_report
    from communities import community_plays, small_recipe
    from recommender.cli_evaluate import _as_json
    from recommender.evaluating import EvaluationParams, evaluate

    params = EvaluationParams(n_splits=1, recall_at=3, ndcg_at=3)
    judged = evaluate(community_plays(), {"als": small_recipe()}, params)
    (tmp_path / "report.json").write_text(json.dumps(_as_json("0", params, judged, "als", {})), encoding="utf-8")
    shown = {(one.system, one.metric): one for one in read_report(tmp_path / "report.json")}
    recall = shown["als", "R@3"]
    expected = judged["als"].means["R@3"]
    assert (recall.value, recall.low, recall.high) == (expected.mean, expected.low, expected.high)
    assert shown["popularity", "coverage"].low is None


def test_a_map_that_is_damaged_or_of_another_model_is_not_shown(root):
    model, path = plant_map(root, root / "models")
    folder = MapFolder(root / "maps")
    assert folder.load(model) is not None
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert folder.load(model) is None
    layout = small_layout()
    np.savez(path, artist_idx=layout.artist_idx + 50, positions=layout.positions, cluster=layout.cluster)
    assert folder.load(model) is None
    np.savez(path, artist_idx=np.array([{}], dtype=object), positions=layout.positions, cluster=layout.cluster)
    assert folder.load(model) is None
    path.write_bytes(whole)


def test_a_drawn_map_is_read_again(root, monkeypatch):
    model, path = plant_map(root, root / "models")
    path.unlink()
    monkeypatch.setattr("bot.explorer.maps.lay_out", lambda *_, **__: small_layout())
    folder = MapFolder(root / "maps")
    folder.draw(model, LayoutParams(), seed=0)
    assert np.array_equal(folder.load(model).positions, small_layout().positions)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_one_damaged_model_does_not_hide_the_others(tmp_path, caplog):
    store = small_store(tmp_path / "models")
    (tmp_path / "models" / "by-counting" / "support.npy").write_bytes(b"")
    assert [model.model_id for model in open_shelf(store, [])] == ["by-als"]
    assert "left out a model" in caplog.text


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
def test_it_serves_on_loopback_until_it_is_told_to_stop(root):
    command = (sys.executable, "-m", "bot", "explore", "--no-draw", "--no-browser", "--port", "0")
    environment = os.environ | {"SEGUE_MODELS": str(root / "models"), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert address, line
        with urllib.request.urlopen(address[0] + "api/models", timeout=30) as response:  # noqa: S310 - it is http
            assert len(json.load(response)["models"]) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.stdout.close()
