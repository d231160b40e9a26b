"""The plan of a training says what the training then takes."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bot.cli import app
from communities import community_counts
from recommender import cli_plan
from recommender.cli_plan import duration, megabytes, memory_sentence
from recommender.linking import ease_links
from recommender.machine import free_memory
from recommender.planning import plan_training
from recommender.recipes import PRESETS, adjusted

RUN = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from recommender.planning import plan_training
from recommender.plays import load_plays
from recommender.recipes import PRESETS
from recommender.saving import save_model
from recommender.training import train
counts = load_plays(Path(sys.argv[1]))
recipe = PRESETS[sys.argv[3]]
plan = plan_training(counts, recipe)
model = train(counts.plays, recipe, rng=np.random.default_rng(0))
folder = Path(sys.argv[2])
card = dict(preset="als", seed=0, data_name="x", synthetic=True, created=datetime(2026, 1, 1, tzinfo=UTC))
save_model(folder, model, counts, **card)
disk = sum(path.stat().st_size for path in folder.iterdir())
# Not getrusage: its highest memory counts the process that this one was forked from.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps([plan.peak, int(status["VmHWM"].split()[0]) * 1024, plan.disk, disk]))
"""


def write_plays(path: Path, n_listeners: int, n_each: int, n_artists: int) -> None:
    """Everybody plays so many artists, of which half the plays go to one in twenty."""
    rng = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as file:
        for listener in range(n_listeners):
            artists = np.unique((rng.random(n_each) ** 3 * n_artists).astype(int)).tolist()
            file.write("".join(f"listener number {listener}\t\tartist number {a}\t{a % 9 + 1}\n" for a in artists))


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the highest memory is counted in other units elsewhere"
)
@pytest.mark.parametrize(
    ("n_listeners", "n_each", "n_artists", "preset"),
    [(3_000, 40, 4_000, "als"), (50_000, 60, 40_000, "als"), (3_000, 40, 4_000, "best")],
)
def test_the_planned_peak_and_size_are_near_what_a_run_takes(tmp_path, n_listeners, n_each, n_artists, preset):
    write_plays(tmp_path / "plays.tsv", n_listeners, n_each, n_artists)
    command = [sys.executable, "-c", RUN, str(tmp_path / "plays.tsv"), str(tmp_path / "m"), preset]
    # One thread per core that the figures were measured with: each has buffers of its own.
    environment = os.environ | {"NUMBA_NUM_THREADS": "2", "POLARS_MAX_THREADS": "2"}
    printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    planned, measured, planned_disk, disk = json.loads(printed)
    assert 0.9 * measured < planned < 1.4 * measured
    assert 0.95 * disk < planned_disk < 1.05 * disk


def test_more_of_everything_needs_more():
    counts, recipe = community_counts(), PRESETS["als"]
    plan = plan_training(counts, recipe)
    for larger in (adjusted(recipe, n_factors=512), adjusted(recipe, k=5000)):
        assert plan_training(counts, larger).peak > plan.peak
        assert plan_training(counts, larger).disk > plan.disk
    assert plan_training(community_counts(3000), recipe).seconds > plan.seconds
    assert set(plan.memory) == {"loading", "factorizing", "neighbours", "saving"}


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_every_preset_has_a_plan(preset):
    plan = plan_training(community_counts(), PRESETS[preset])
    assert plan.seconds > 0
    assert plan.peak > plan.disk > 0


def test_links_are_planned_only_where_training_makes_them():
    counts, best = community_counts(), PRESETS["best"]
    few_pairs = replace(best, links=replace(best.links, most_pairs=1))
    with_links, without = plan_training(counts, best), plan_training(counts, few_pairs)
    assert "linking" in with_links.memory
    assert "linking" not in without.memory
    assert with_links.disk > without.disk
    links = few_pairs.links
    assert ease_links(counts.plays, links, min_listeners=5, typical_weight=1.0) is None


def test_the_command_plans_and_trains_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGUE_MODELS", str(tmp_path / "models"))
    command = ["train", "--data", "demo", "--plan"]
    shown = CliRunner().invoke(app, command)
    assert shown.exit_code == 0, shown.output
    assert "1,650 artists" in shown.stdout
    assert "free here" in shown.stdout
    plan = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)
    assert plan["listeners"] == 10_000
    assert plan["peak_bytes"] == max(plan["memory_bytes"].values())
    assert not (tmp_path / "models").exists()


def test_a_machine_without_the_memory_is_warned_of(tmp_path, monkeypatch):
    monkeypatch.setenv("SEGUE_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(cli_plan, "free_memory", lambda: 10_000_000)
    for options in (["--plan"], []):
        shown = CliRunner().invoke(app, ["train", "--data", "demo", "--factors", "4", *options])
        assert shown.exit_code == 0
        assert "Only 10 MB are free here" in shown.output
        assert "probably be killed" in shown.output


def test_free_memory_is_the_lower_of_the_machine_s_and_the_container_s(tmp_path):
    proc = tmp_path / "meminfo"
    assert free_memory(proc, tmp_path) is None
    proc.write_text("MemTotal: 9000 kB\nMemAvailable:    5000 kB\n", encoding="ascii")
    assert free_memory(proc, tmp_path) == 5000 * 1024
    for limit, expected in (("max", 5000 * 1024), ("2048000", 1_048_000), ("500", 0)):
        (tmp_path / "memory.max").write_text(f"{limit}\n", encoding="ascii")
        (tmp_path / "memory.current").write_text("1000000\n", encoding="ascii")
        assert free_memory(proc, tmp_path) == expected
    proc.write_text("nonsense", encoding="ascii")
    assert free_memory(proc, tmp_path) is None


def test_amounts_are_written_as_people_read_them():
    assert [megabytes(n) for n in (5_000_000, 999_000_000, 1_500_000_000)] == ["5 MB", "999 MB", "1.5 GB"]
    assert [duration(s) for s in (0.2, 31, 100, 3599, 9000)] == [
        "5 seconds", "30 seconds", "2 minutes", "60 minutes", "2 hours",
    ]  # fmt: skip
    assert memory_sentence(5, None) == "How much memory is free here is unknown; it takes 0 MB."
    assert memory_sentence(5 * 10**6, 10**9) == "1.0 GB are free here: enough."
