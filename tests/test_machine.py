"""Threads are limited while it is asked for, and given back."""

import json
import os
import subprocess
import sys

import numba
import pytest
from threadpoolctl import threadpool_info

from recommender.machine import limited_threads


@pytest.mark.parametrize("jobs", [1, 10_000])
def test_threads_are_limited_and_given_back(jobs):
    before = numba.get_num_threads()
    with limited_threads(jobs):
        assert numba.get_num_threads() == min(jobs, before)
        assert all(pool["num_threads"] <= jobs for pool in threadpool_info())
    assert numba.get_num_threads() == before


def test_no_limit_changes_nothing():
    before = numba.get_num_threads()
    with limited_threads(None):
        assert numba.get_num_threads() == before


def test_the_command_s_jobs_reach_the_reader_too(tmp_path):
    """In a process of its own: polars takes its number of threads once, when it is imported."""
    run = (
        "import json, sys; from typer.testing import CliRunner; from bot.cli import app;"
        "result = CliRunner().invoke(app, sys.argv[1:]); import polars;"
        "print(json.dumps([result.exit_code, polars.thread_pool_size()]))"
    )
    environment = os.environ | {"SEGUE_MODELS": str(tmp_path)}
    command = [sys.executable, "-c", run, "train", "--data", "demo", "--plan", "--jobs", "1"]
    printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    assert json.loads(printed) == [0, 1]
