"""Reports say what is in the database: redone with pandas, shown as text, JSON, a page and pictures."""

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.evidence.comparing import credit, wins_by_voter
from bot.evidence.reporting import ModelMetrics, report
from bot.evidence.simulation import DraftParams, World, in_memory, sessions
from bot.feedback.engine import open_engine
from bot.feedback.experiments import Experiments
from bot.feedback.promotions import metrics_of, record_metrics
from bot.feedback.reading import read_log
from bot.feedback.records import RequestRecord, Shown
from bot.feedback.store import FeedbackStore
from bot.report_pages import page
from bot.report_tables import sections, summary
from bot.reports import report_of
from bot.simulating import fill, simulated_model

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
WORLD = World(
    n_members=12,
    up_rate_a=0.75,
    n_shared=2,
    n_own=30,
    draft=DraftParams(explore_rate=0.5),
    duplicates=0.2,
    changes=0.2,
    retractions=0.2,
)


@pytest.fixture
def store(database_url):
    with FeedbackStore(database_url, now=lambda: NOON) as store:
        for name in ("simulated-a", "simulated-b"):
            store.register_model(simulated_model(name))
        yield store


@pytest.fixture
def experiment(store):
    return Experiments(store).define("first", model_a="simulated-a", model_b="simulated-b")


@pytest.fixture
def filled(store, experiment):
    """A community's votes, a test request, and an answer that never arrived."""
    fill(store, sessions(WORLD, 120, rng=np.random.default_rng(1)), experiment)
    outside = RequestRecord("similar", "prefix", 10, 7, "fuzzy", 0.9, "m", None, None, 3, 1.0)
    asked = replace(outside, experiment_id=experiment.id)
    row = Shown(1, 9, "simulated-a", 0.5, 3, team="a", rank_in_a=1, popularity_bucket=5)
    for is_test, delivered in ((True, True), (False, False)):
        (shown,) = store.record_request(replace(asked, is_test=is_test), [row]).result()
        store.record_vote(shown, voter="z", value=1, interaction_id=f"extra {is_test}").result()
        if not delivered:
            store.record_undelivered([shown]).result()
    (shown,) = store.record_request(outside, [Shown(1, 9, "simulated-a", 0.5, 3, popularity_bucket=5)]).result()
    store.record_vote(shown, voter="z", value=-1, interaction_id="outside").result()
    return experiment


@pytest.fixture
def segue(database_url, monkeypatch, tmp_path):
    monkeypatch.setenv("SEGUE_DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["feedback", *map(str, arguments)])


def tables(url):
    """The tables as pandas reads them, tests and undelivered answers left out: the slow way."""
    engine = open_engine(url)
    with engine.connect() as connection:
        request, impression, vote = (
            pd.read_sql(f"SELECT * FROM {name}", connection)  # noqa: S608 - our own names
            for name in ("request", "impression", "vote")
        )
    engine.dispose()
    request = request[(request.is_test == 0) & (request.undelivered == 0)]
    vote = vote[vote.event.isin(["vote", "retract"])].sort_values("id")
    last = vote.groupby(["impression_id", "voter_key"]).tail(1)
    last = last[last.value != 0]
    shown = impression.merge(request, left_on="request_id", right_on="id", suffixes=("", "_request"))
    return request, shown, last.merge(shown, left_on="impression_id", right_on="id", suffixes=("_vote", ""))


@pytest.mark.parametrize("only_experiment", [True, False])
def test_figures_equal_a_slow_pandas_reference(database_url, store, filled, only_experiment):
    found = report_of(store, filled if only_experiment else None)
    request, shown, votes = tables(database_url)
    if only_experiment:
        request, shown, votes = (one[one.experiment_id == filled.id] for one in (request, shown, votes))
    coverage = found.coverage
    assert (coverage.requests, coverage.rows, coverage.votes) == (len(request), len(shown), len(votes))
    assert (coverage.members, coverage.voters) == (request.member_key.nunique(), votes.voter_key.nunique())
    assert coverage.ups == (votes.value == 1).sum()
    assert coverage.rows_with_a_vote == votes.impression_id.nunique()
    assert coverage.answers_with_a_vote == votes.request_id.nunique()
    for name, column in (("team", "team"), ("rank", "rank"), ("source", "source"), ("match", "match_kind")):
        expected = votes.groupby(column).value.agg(["size", lambda values: (values == 1).sum()])
        rates = {rate.group: rate for rate in found.up_rates[name]}
        assert {group: rate.shown for group, rate in rates.items()} == (
            shown.groupby(column).size().rename(str).to_dict()
        )
        for group, (size, ups) in zip(expected.index, expected.to_numpy(), strict=True):
            assert (rates[str(group)].votes, rates[str(group)].ups) == (size, ups)
    if not only_experiment:
        assert found.comparison is None
        assert found.off_policy == ()
        return
    drafted = votes[votes.team.isin(["a", "b"])]
    signed = drafted.value.where(drafted.team == "a", -drafted.value)
    d = signed.groupby(drafted.request_id).sum()
    wins, losses, ties = (d > 0).sum(), (d < 0).sum(), (d == 0).sum()
    assert found.comparison is not None
    tally = found.comparison.requests
    assert (tally.wins, tally.losses, tally.ties) == (wins, losses, ties)
    for one, own in zip(found.off_policy, ("rank_in_a", "rank_in_b"), strict=True):
        first = shown[(shown["rank"] <= 10) & (shown.rank_in_a.notna() | shown.rank_in_b.notna())]
        mean = votes.groupby("impression_id").value.mean()
        placed = first[first[own] == first["rank"]]
        weights = (1 / placed.propensity).clip(upper=20)
        reward = placed.id.map(mean).fillna(0)
        assert one.ips == pytest.approx((weights * reward).sum() / (first.request_id.nunique() * 10))
        assert one.snips == pytest.approx((weights * reward).sum() / weights.sum())
        assert one.effective_n == pytest.approx(weights.sum() ** 2 / (weights**2).sum())
    mixed = shown[(shown.shuffled == 1) & (shown["rank"] <= 10)]
    share = mixed.id.isin(votes.impression_id).groupby(mixed["rank"]).mean()
    assert [one.gamma for one in found.positions] == pytest.approx((share / share.loc[1]).tolist())


def test_popularity_is_reported_in_octaves(store, filled):
    groups = {rate.group: rate.shown for rate in report_of(store, None).up_rates["popularity"]}
    assert groups["32-63 listeners"] == 1
    assert groups["unknown"] == report_of(store, filled).coverage.rows


def test_since_leaves_out_what_was_before(store, filled):
    assert report_of(store, filled, since=NOON).coverage.requests == 120
    assert report_of(store, filled, since=NOON + timedelta(seconds=1)).coverage.requests == 0


def test_a_report_of_nothing_is_a_report(store, experiment, segue):
    found = report_of(store, experiment)
    assert found.coverage.votes == 0
    assert found.comparison is None
    assert [section.title for section in sections(found)] == ["Coverage"]
    assert "0 requests of 0 members" in segue("report").output


def test_reading_keeps_people_apart_and_together(store, filled):
    with store.reading() as connection:
        log = read_log(connection, experiment_id=filled.id)
    assert log.n_people == 12
    assert set(log.votes.voter.tolist()) <= set(log.requests.member.tolist())
    wins, units = wins_by_voter(credit(log))
    assert (wins <= units).all()


def test_offline_and_online_are_set_side_by_side():
    world = World(up_rate_a=0.85)
    log = in_memory(world, list(sessions(world, 300, rng=np.random.default_rng(2))))
    models = (
        ModelMetrics("a", "new", {"ndcg": 0.3, "recall": 0.2, "note": "x"}),
        ModelMetrics("b", "old", {"ndcg": 0.2, "recall": 0.2}),
    )
    found = report(log, title="", models=models)
    assert found.comparison is not None
    assert found.comparison.verdict == "a"
    assert found.agreement == "Offline the better one is ndcg: A, recall: neither; the votes agree with 1 of 2."
    undecided = in_memory(world, list(sessions(world, 5, rng=np.random.default_rng(2))))
    assert "have not decided yet" in report(undecided, title="", models=models).agreement
    assert report(log, title="").agreement == ""


def test_metrics_are_kept_with_the_model(store):
    assert metrics_of(store, "simulated-a") is None
    record_metrics(store, "simulated-a", {"ndcg": 0.25})
    assert metrics_of(store, "simulated-a") == {"ndcg": 0.25}


def test_the_terminal_says_coverage_first_and_too_early_when_it_is(segue, store, experiment):
    fill(store, sessions(WORLD, 10, rng=np.random.default_rng(3)), experiment)
    output = segue("report", "--experiment", "first").output
    assert output.index("Coverage") < output.index("A against B") < output.index("Up-rate by team")
    assert "Too early: " in output
    assert "any one person left out" in output


def test_the_summary_fits_into_one_message(store, filled):
    said = summary(report_of(store, filled))
    assert said.startswith("Experiment first (defined)\n")
    assert "win rate" in said
    assert len(said) < 2_000
    assert summary(report_of(store, None)).startswith("All answers\n")


def test_json_has_the_same_figures(segue, store, filled):
    shown = json.loads(segue("report", "--experiment", "first", "--json").output)
    found = report_of(store, filled)
    assert shown == json.loads(json.dumps(found.as_json()))
    assert shown["comparison"]["verdict"] == found.comparison.verdict
    assert shown["up_rates"]["team"][0]["coverage"] == found.up_rates["team"][0].coverage


def test_the_page_needs_nothing_else_and_escapes_names(store, filled):
    found = report_of(store, filled)
    html = page(found, {"rank": b"\x89PNG"}, made_at=NOON)
    assert not re.search(r"https?://|<script|@import|<link", html)
    assert base64.b64encode(b"\x89PNG").decode() in html
    evil = report(in_memory(WORLD, []), title="<script>alert(1)</script>")
    assert "<script" not in page(evil, {}, made_at=NOON)
    assert html.count("<h2>") == len(list(sections(found)))


def test_the_page_is_written_beside_the_text(segue, filled, tmp_path):  # noqa: ARG001
    done = segue("report", "--experiment", "first", "--html", tmp_path / "report.html")
    assert done.exit_code == 0
    assert "A against B" in done.output
    assert "A against B" in (tmp_path / "report.html").read_text()


def test_pictures_are_pngs(segue, filled, tmp_path):  # noqa: ARG001
    done = segue("report", "--experiment", "first", "--plots", tmp_path / "pictures")
    assert done.exit_code == 0, done.output
    names = {path.name: path.read_bytes()[:4] for path in (tmp_path / "pictures").iterdir()}
    assert {"rank.png", "team.png", "comparison.png", "positions.png"} <= names.keys()
    assert set(names.values()) == {b"\x89PNG"}


def test_simulate_then_report(segue):
    done = segue("simulate", "--requests", 60, "--up-rate-a", 0.9, "--name", "try")
    assert done.exit_code == 0, done.output
    assert "segue feedback report --experiment try" in done.output
    assert "60 requests of " in segue("report", "--experiment", "try").output
    again = segue("simulate", "--requests", 1, "--name", "try")
    assert again.exit_code == 1
    assert "there is an experiment 'try' already" in again.output
    assert segue("simulate", "--requests", 1, "--name", "more").exit_code == 0


@pytest.mark.parametrize("guild", [None, "discord:9"])
def test_no_community_is_planted_among_members(segue, store, guild):
    """Its votes would count like theirs in every report, and re-rank what they are shown."""
    store.record_request(RequestRecord("similar", "slash", 10, 7, "exact", 1.0, "m", guild, None, 3, 1.0), []).result()
    refused = segue("simulate", "--requests", 1)
    assert refused.exit_code == 1
    assert "this database holds what members asked" in refused.output
    assert "0 voters" in segue("report", "--all").output


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_export_joins_and_names_nobody(segue, database_url, filled, tmp_path, kind):  # noqa: ARG001
    done = segue("export", tmp_path / "out", "--format", kind)
    assert done.exit_code == 0, done.output
    read = pl.read_csv if kind == "csv" else pl.read_parquet
    requests, impressions, votes = (
        read(tmp_path / "out" / f"{name}.{kind}") for name in ("requests", "impressions", "votes")
    )
    request, shown, standing = tables(database_url)
    assert (requests.height, impressions.height) == (len(request), len(shown))
    assert votes.filter(pl.col("counts")).height == len(standing)
    assert impressions.join(requests, on="request_id").height == impressions.height
    assert votes.join(impressions, on="impression_id").height == votes.height
    assert requests["member"].n_unique() == request.member_key.nunique()
    assert requests["member"].is_in(votes["voter"].implode()).any()
    engine = open_engine(database_url)
    with engine.connect() as connection:
        names = connection.exec_driver_sql("SELECT random_key FROM subject").scalars().all()
    engine.dispose()
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    assert not any(name.encode() in written for name in names)
    assert b"simulated:" not in written
    meanings = json.loads((tmp_path / "out" / "dictionary.json").read_text())
    for name, frame in (("requests", requests), ("impressions", impressions), ("votes", votes)):
        assert list(meanings[f"{name}.{kind}"]) == frame.columns
        assert all(one["meaning"] for one in meanings[f"{name}.{kind}"].values())


def test_two_exports_have_no_pseudonym_in_common(segue, filled, tmp_path):  # noqa: ARG001
    members = []
    for name in ("one", "other"):
        segue("export", tmp_path / name, "--format", "csv")
        members.append(set(pl.read_csv(tmp_path / name / "requests.csv")["member"]))
    assert members[0].isdisjoint(members[1])


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["report", "--experiment", "none"], "there is no experiment 'none'"),
        (["report", "--since", "yesterday"], "--since 'yesterday' is no time"),
        (["export", "out", "--format", "xlsx"], "format 'xlsx' is unknown; use parquet or csv"),
        (["simulate", "--up-rate-a", "1.5"], "up_rate_a is 1.5; use a rate between 0 and 1"),
    ],
)
def test_a_slip_is_one_sentence(segue, arguments, sentence):
    refused = segue(*arguments)
    assert refused.exit_code == 1
    assert sentence in refused.output
    assert "Traceback" not in refused.output


def test_an_export_overwrites_nothing(segue, tmp_path):
    (tmp_path / "out").mkdir()
    refused = segue("export", tmp_path / "out")
    assert refused.exit_code == 1
    assert "exists already; name a new folder" in refused.output
