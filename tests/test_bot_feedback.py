"""The feedback log refuses nonsense, forgets nothing it acknowledged, and does not know who anybody is."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from bot.feedback.database import upgrade_database
from bot.feedback.engine import open_engine
from bot.feedback.records import AlreadySaved, ModelRecord, RequestRecord, Saved, Shown, UnknownImpression
from bot.feedback.store import FeedbackStore
from bot.feedback.tables import Impression, Model, Request, Seed, Subject, Vote
from bot.feedback.writer import MAX_BATCH
from recommender.errors import FeedbackError

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
MODEL = ModelRecord("als-1", "a" * 64, "als", {"n_factors": 64}, "demo", None, True, NOON, {"ndcg": 0.2})
REQUEST = RequestRecord("similar", "slash", 10, 42, "fuzzy", 0.93, "discord:4711", "discord:9000", "de", 17_000, 1.5)
ROW = Shown(1, 7, "als-1", 0.8, 12)


@pytest.fixture
def path(tmp_path):
    upgrade_database(f"sqlite:///{tmp_path / 'feedback.sqlite3'}")
    return tmp_path / "feedback.sqlite3"


@pytest.fixture
def store(path):
    with FeedbackStore(f"sqlite:///{path}", now=lambda: NOON, busy_timeout=0.05) as store:
        store.register_model(MODEL)
        yield store


def show(store, n_rows=3, request=REQUEST):
    return store.record_request(
        request, [replace(ROW, rank=rank, artist_id=100 + rank) for rank in range(1, n_rows + 1)]
    ).result()


def vote(store, impression_id, value, click, voter="discord:1", event="vote"):
    return store.record_vote(impression_id, voter=voter, value=value, event=event, interaction_id=click).result()


def count(store, table):
    with store.reading() as connection:
        return len(connection.execute(select(table)).all())


def rows(path, query):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


# What is logged


def test_a_request_is_logged_with_everything_but_the_typed_text(store):
    blend = replace(REQUEST, command="blend", familiarity="deep", assignment_seed=-(2**63), shuffled=True, is_test=True)
    shown = [replace(ROW, rank=2, artist_id=-(2**63)), replace(ROW, rank=1, artist_id=2**63 - 1, team="b", rank_in_b=3)]
    ids = store.record_request(blend, shown, seeds=[(42, 1), (43, -1)]).result()
    with store.reading() as connection:
        request = connection.execute(select(Request)).one()
        seeds = connection.execute(select(Seed.position, Seed.artist_id, Seed.sign)).all()
        impressions = connection.execute(select(Impression).order_by(Impression.rank)).all()
    assert (request.created_at, request.command, request.source, request.k) == (NOON, "blend", "slash", 10)
    assert (request.seed_artist_id, request.match_kind, request.match_score) == (42, "fuzzy", 0.93)
    assert (request.familiarity, request.locale, request.n_candidates) == ("deep", "de", 17_000)
    assert (request.assignment_seed, request.shuffled, request.abstained) == (-(2**63), True, False)
    assert request.is_test is True
    assert seeds == [(1, 42, 1), (2, 43, -1)]
    assert [row.id for row in impressions] == ids
    assert [row.artist_id for row in impressions] == [2**63 - 1, -(2**63)]
    assert [(row.team, row.rank_in_b, row.propensity) for row in impressions] == [("b", 3, 1.0), ("none", None, 1.0)]


def test_an_answer_of_no_rows_is_logged_too(store):
    abstained = replace(REQUEST, abstained=True)
    assert store.record_request(abstained, []).result() == []
    nothing_understood = replace(REQUEST, seed_artist_id=None, match_kind=None, match_score=None)
    assert store.record_request(nothing_understood, []).result() == []
    assert count(store, Request) == 2


def test_times_come_back_aware_and_in_utc_from_any_zone(path):
    in_tokyo = datetime(2026, 1, 2, 21, 0, tzinfo=timezone(timedelta(hours=9)))
    with FeedbackStore(f"sqlite:///{path}", now=lambda: in_tokyo) as store:
        store.register_model(MODEL)
        show(store)
        with store.reading() as connection:
            read = connection.scalar(select(Request.created_at))
    assert read == NOON
    assert read.tzinfo is UTC


def test_a_naive_time_is_refused(path):
    with FeedbackStore(f"sqlite:///{path}", now=lambda: NOON.replace(tzinfo=None)) as store:
        with pytest.raises(FeedbackError, match="has no time zone"):
            store.record_request(REQUEST, []).result()
        assert count(store, Request) == 0


def test_numbers_of_numpy_are_stored_as_numbers(store, path):
    """SQLite would take their bytes for a BLOB, which is greater than every number and so passes every CHECK."""
    row = Shown(np.int32(1), np.int64(7), "als-1", np.float32(0.5), np.uint16(12), propensity=np.float64(0.25))
    (impression_id,) = store.record_request(replace(REQUEST, seed_artist_id=np.int64(42)), [row]).result()
    vote(store, impression_id, np.int8(1), "click-1")
    kinds = "SELECT typeof(rank), typeof(artist_id), typeof(score), typeof(support), propensity FROM impression"
    assert rows(path, kinds) == [("integer", "integer", "real", "integer", 0.25)]
    assert rows(path, "SELECT seed_artist_id FROM request") == [(42,)]
    assert rows(path, "SELECT value FROM vote") == [(1,)]


def test_a_model_is_registered_once_and_never_as_two_things(store):
    store.register_model(MODEL)
    assert count(store, Model) == 1
    with pytest.raises(FeedbackError, match="already logged with checksum aaaaaaaaaaaa"):
        store.register_model(replace(MODEL, sha256="b" * 64))
    with store.reading() as connection:
        model = connection.execute(select(Model)).one()
    assert (model.sha256, model.params, model.metrics, model.synthetic) == (
        "a" * 64,
        {"n_factors": 64},
        {"ndcg": 0.2},
        True,
    )


# Votes


def test_vote_change_and_retraction_are_each_a_row_and_the_last_one_counts(store):
    first, *_ = show(store)
    assert vote(store, first, 1, "click-1") == Saved(1, previous=0, artist_id=101)
    assert vote(store, first, -1, "click-2") == Saved(-1, previous=1, artist_id=101)
    assert vote(store, first, 0, "click-3", event="retract") == Saved(0, previous=-1, artist_id=101)
    assert store.votes_of("discord:1") == []
    assert vote(store, first, 1, "click-4") == Saved(1, previous=0, artist_id=101)
    (standing,) = store.votes_of("discord:1")
    assert (standing.impression_id, standing.artist_id, standing.seed_artist_id) == (first, 101, 42)
    assert (standing.value, standing.voted_at) == (1, NOON)
    assert count(store, Vote) == 4


def test_a_repeated_click_adds_no_row_and_names_the_vote_that_stands(store):
    first, *_ = show(store)
    vote(store, first, 1, "click-1")
    assert vote(store, first, 1, "click-1") == AlreadySaved(1, artist_id=101)
    vote(store, first, -1, "click-2")
    assert vote(store, first, 1, "click-1") == AlreadySaved(-1, artist_id=101)
    assert vote(store, first, -1, "click-3") == AlreadySaved(-1, artist_id=101)
    assert count(store, Vote) == 2


def test_retracting_what_does_not_stand_adds_no_row(store):
    first, *_ = show(store)
    assert vote(store, first, 0, "click-1", event="retract") == AlreadySaved(0, artist_id=101)
    assert count(store, Vote) == 0


@pytest.mark.parametrize("impression_id", [999, 0, -1, 2**63, 10**30])
def test_vote_on_an_unknown_impression_is_a_value_and_no_row(store, path, impression_id):
    show(store)
    assert vote(store, impression_id, 1, "click-1") == UnknownImpression(impression_id)
    assert count(store, Vote) == 0
    assert rows(path, "SELECT * FROM subject WHERE discord_id = 'discord:1'") == []


@pytest.mark.parametrize("event", ["drill_down", "page", "not_this_artist"])
def test_other_events_are_logged_each_time_and_leave_the_vote_alone(store, event):
    first, *_ = show(store)
    vote(store, first, 1, "click-1")
    assert vote(store, first, 0, "click-2", event=event) == Saved(0, previous=1, artist_id=101)
    assert vote(store, first, 0, "click-3", event=event) == Saved(0, previous=1, artist_id=101)
    assert vote(store, first, 0, "click-3", event=event) == AlreadySaved(1, artist_id=101)
    assert [standing.value for standing in store.votes_of("discord:1")] == [1]
    assert count(store, Vote) == 3


def test_voters_and_rows_do_not_touch_each_other(store):
    first, second, _ = show(store)
    vote(store, first, 1, "click-1", voter="discord:1")
    assert vote(store, first, -1, "click-2", voter="discord:2") == Saved(-1, previous=0, artist_id=101)
    assert vote(store, second, -1, "click-3", voter="discord:1") == Saved(-1, previous=0, artist_id=102)
    assert [(v.artist_id, v.value) for v in store.votes_of("discord:1")] == [(101, 1), (102, -1)]
    assert [(v.artist_id, v.value) for v in store.votes_of("discord:2")] == [(101, -1)]
    assert store.votes_of("discord:3") == []


@pytest.mark.parametrize(
    ("event", "value"), [("vote", 0), ("vote", 2), ("retract", 1), ("page", 1), ("applause", 0), ("applause", 1)]
)
def test_a_vote_that_makes_no_sense_is_refused(store, event, value):
    first, *_ = show(store)
    with pytest.raises(FeedbackError, match="a row was refused"):
        vote(store, first, value, "click-1", event=event)
    assert count(store, Vote) == 0


def test_the_view_shows_the_newest_vote_or_retraction_of_each_voter_and_row(store, path):
    first, second, _ = show(store)
    for number, (impression_id, value, voter, event) in enumerate(
        [
            (first, 1, "discord:1", "vote"),
            (first, -1, "discord:1", "vote"),
            (first, 0, "discord:1", "page"),
            (first, 1, "discord:2", "vote"),
            (second, 1, "discord:2", "vote"),
            (second, 0, "discord:2", "retract"),
        ]
    ):
        vote(store, impression_id, value, f"click-{number}", voter=voter, event=event)
    view = rows(path, "SELECT vote_id, impression_id, value FROM current_vote ORDER BY vote_id")
    assert view == [(2, first, -1), (4, first, 1), (6, second, 0)]


# Who is who


def test_one_person_has_one_random_key_and_the_outside_id_is_nowhere_else(store, path):
    first, *_ = show(store)
    show(store)
    vote(store, first, 1, "click-1", voter="discord:4711")
    ((member_key,), (guild_key,)) = rows(path, "SELECT random_key FROM subject ORDER BY kind DESC")
    assert rows(path, "SELECT DISTINCT member_key, guild_key FROM request") == [(member_key, guild_key)]
    assert rows(path, "SELECT voter_key FROM vote") == [(member_key,)]
    assert len(member_key) == 32
    assert "4711" not in member_key
    tables = [name for (name,) in rows(path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in set(tables) - {"subject"}:
        assert "4711" not in str(rows(path, f"SELECT * FROM {table}"))  # noqa: S608 - our own names


def test_keys_differ_between_databases(tmp_path):
    keys = set()
    for name in ("one", "two"):
        url = f"sqlite:///{tmp_path / name}"
        upgrade_database(url)
        with FeedbackStore(url, now=lambda: NOON) as store:
            store.record_request(REQUEST, []).result()
        keys |= set(rows(tmp_path / name, "SELECT random_key FROM subject"))
    assert len(keys) == 4


def test_deleting_the_subject_leaves_rows_of_nobody_and_the_id_in_no_file(path):
    url = f"sqlite:///{path}"
    outside_id = "discord:80351110224678912"
    with FeedbackStore(url, now=lambda: NOON) as store:
        store.register_model(MODEL)
        first, *_ = show(store, request=replace(REQUEST, member=outside_id))
        vote(store, first, 1, "click-1", voter=outside_id)
        in_files = b"".join(file.read_bytes() for file in path.parent.iterdir())
        assert outside_id.encode() in in_files
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(Subject.__table__.delete())
    engine.dispose()
    in_files = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert outside_id.encode() not in in_files
    assert rows(path, "SELECT count(*) FROM vote") == [(1,)]
    with FeedbackStore(url, now=lambda: NOON) as store:
        assert store.votes_of(outside_id) == []
        # Back again, and a stranger: the old vote is not theirs.
        assert vote(store, first, 1, "click-2", voter=outside_id) == Saved(1, previous=0, artist_id=101)


# Nothing lost


def test_every_connection_of_the_store_is_durable_and_strict(store, path):
    settings = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 50, "secure_delete": 1}
    with store.reading() as one, store.reading() as two:
        for connection in (one, two):
            for setting, value in settings.items():
                assert connection.exec_driver_sql(f"PRAGMA {setting}").scalar_one() == value
    read = store._writer.submit(
        lambda connection: [connection.exec_driver_sql(f"PRAGMA {setting}").scalar_one() for setting in settings]
    )
    assert read.result() == list(settings.values())
    assert (path.parent / "feedback.sqlite3-wal").stat().st_mode & 0o777 == 0o600


def hold_the_writer(store):
    """Keep the writer busy, so that what follows waits and becomes one batch; returns the way to let go."""
    started, let_go = threading.Event(), threading.Event()
    store._writer.submit(lambda _connection: (started.set(), let_go.wait(30)))
    assert started.wait(30)
    return let_go


def test_a_bad_row_does_not_fail_its_batch(store):
    ids = show(store, n_rows=10)
    let_go = hold_the_writer(store)
    good = [store.record_vote(ids[i], voter="discord:1", value=1, interaction_id=f"good-{i}") for i in range(5)]
    bad = [
        store.record_vote(ids[5], voter="discord:1", value=5, interaction_id="bad-1"),
        store.record_request(replace(REQUEST, k=0), []),
        store.record_request(REQUEST, [ROW, replace(ROW, rank=2, model_id="unknown")]),
        store.record_request(replace(REQUEST, seed_artist_id=2**70), []),
        store.record_request(replace(REQUEST, command=["similar"]), []),
        store.record_request(replace(REQUEST, k="ten"), []),
        store._writer.submit(lambda _connection: {}["our own bug"]),
    ]
    good += [store.record_vote(ids[i], voter="discord:1", value=1, interaction_id=f"good-{i}") for i in range(5, 10)]
    let_go.set()
    assert [future.result() for future in good] == [Saved(1, 0, 101 + i) for i in range(10)]
    for future in bad:
        with pytest.raises(FeedbackError):
            future.result()
    assert len(store.votes_of("discord:1")) == 10
    assert count(store, Request) == 1  # a request whose rows are refused leaves nothing
    assert count(store, Impression) == 10


def test_an_acknowledgement_comes_after_the_commit(store, path):
    """Another program sees the row as soon as the future is done, and not before."""
    first, *_ = show(store)
    let_go = hold_the_writer(store)
    future = store.record_vote(first, voter="discord:1", value=1, interaction_id="click-1")
    assert rows(path, "SELECT count(*) FROM vote") == [(0,)]
    let_go.set()
    future.result()
    assert rows(path, "SELECT count(*) FROM vote") == [(1,)]


async def test_a_cancelled_waiter_does_not_stop_the_writer(store):
    first, second, third = await asyncio.to_thread(show, store)
    let_go = hold_the_writer(store)
    waiting = asyncio.wrap_future(store.record_vote(first, voter="discord:1", value=1, interaction_id="click-1"))
    waiting.cancel()
    after = asyncio.wrap_future(store.record_vote(second, voter="discord:1", value=1, interaction_id="click-2"))
    let_go.set()
    assert await after == Saved(1, 0, 102)
    # Too late to cancel: it runs, and only the waiter goes away.
    let_go = hold_the_writer(store)
    running = store._writer.submit(lambda _connection: None)
    let_go.set()
    await asyncio.wrap_future(running)
    assert not running.cancel()
    assert await asyncio.wrap_future(
        store.record_vote(third, voter="discord:1", value=1, interaction_id="click-3")
    ) == Saved(1, 0, 103)
    assert [standing.artist_id for standing in await asyncio.to_thread(store.votes_of, "discord:1")] == [102, 103]


def test_closing_commits_what_was_accepted_and_refuses_the_rest(path):
    store = FeedbackStore(f"sqlite:///{path}", now=lambda: NOON)
    store.open()
    store.register_model(MODEL)
    first, *_ = show(store)
    let_go = hold_the_writer(store)
    futures = [
        store.record_vote(first, voter=f"discord:{i}", value=1, interaction_id=f"click-{i}")
        for i in range(2 * MAX_BATCH + 3)
    ]
    let_go.set()
    store.close()
    assert all(future.done() for future in futures)
    assert rows(path, "SELECT count(*) FROM vote") == [(len(futures),)]
    with pytest.raises(FeedbackError, match="not open"):
        store.record_vote(first, voter="discord:1", value=1, interaction_id="late")
    with pytest.raises(FeedbackError, match="not open"):
        store.votes_of("discord:1")
    store.close()


def test_opening_a_database_that_was_never_set_up_says_what_to_run(tmp_path):
    path = tmp_path / "feedback.sqlite3"
    with pytest.raises(FeedbackError, match=r"is not set up; run `segue db upgrade`"):
        FeedbackStore(f"sqlite:///{path}", now=lambda: NOON).open()
    assert not path.exists()


def test_sixteen_threads_lose_nothing(store, path):
    ids = show(store, n_rows=10)
    n_votes = 200

    def click(thread_no):
        for number in range(n_votes):
            value = 1 if (number // 10) % 2 == 0 else -1
            outcome = vote(store, ids[number % 10], value, f"{thread_no}-{number}", voter=f"discord:{thread_no}")
            outcomes.append(type(outcome))

    outcomes = []
    threads = [threading.Thread(target=click, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Saved] * 16 * n_votes
    assert rows(path, "SELECT count(*), count(DISTINCT voter_key) FROM vote") == [(16 * n_votes, 16)]
    assert rows(path, "SELECT count(*), sum(value) FROM current_vote") == [(160, -160)]


def test_two_stores_on_one_file_see_each_others_clicks(store, path):
    """Two instances of the bot get the same event: one row."""
    first, *_ = show(store)
    with FeedbackStore(f"sqlite:///{path}", now=lambda: NOON) as other:
        both = [
            one.record_vote(first, voter="discord:1", value=1, interaction_id=f"click-{number}")
            for number in range(50)
            for one in (store, other)
        ]
        wait(both)
    assert sorted(type(future.result()).__name__ for future in both) == ["AlreadySaved"] * 99 + ["Saved"]
    assert count(store, Vote) == 1


def test_a_locked_database_is_a_sentence_and_works_when_released(store, path):
    first, *_ = show(store)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(FeedbackError, match="locked"):
        vote(store, first, 1, "click-1")
    assert store.votes_of("discord:1") == []  # reading goes on
    holder.execute("ROLLBACK")
    holder.close()
    assert vote(store, first, 1, "click-1") == Saved(1, 0, 101)


@pytest.fixture
def tiny_disk(tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        if os.environ.get("SEGUE_REQUIRE_ALL") == "1":
            pytest.fail("a tiny disk needs root and the right to mount")
        pytest.skip("a tiny disk needs root and the right to mount")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_a_sentence_and_the_database_lives_on(tiny_disk):
    path = tiny_disk / "feedback.sqlite3"
    url = f"sqlite:///{path}"
    upgrade_database(url)
    with FeedbackStore(url, now=lambda: NOON) as store:
        store.register_model(MODEL)
        ids = show(store, n_rows=10)
        ballast = tiny_disk / "ballast"
        with ballast.open("wb", buffering=0) as file:
            file.write(b"\0" * (shutil.disk_usage(tiny_disk).free - 40_000))
        saved, refusal = 0, None
        while refusal is None and saved < 10_000:
            name = f"discord:{saved}"
            refusal = store.record_vote(ids[0], voter=name, value=1, interaction_id=name).exception()
            saved += refusal is None
        assert "the disk is full; free some space" in str(refusal)
        with pytest.raises(FeedbackError):
            store.record_request(REQUEST, [replace(ROW, rank=rank) for rank in range(1, 200)]).result()
        assert count(store, Vote) == saved > 0
        ballast.unlink()
        assert isinstance(vote(store, ids[0], 1, "after", voter="discord:after"), Saved)
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "SELECT count(*) FROM vote") == [(saved + 1,)]


def test_a_full_disk_stops_an_upgrade_and_leaves_nothing_half_done(tiny_disk):
    ballast = tiny_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        file.write(b"\0" * (shutil.disk_usage(tiny_disk).free - 60_000))
    url = f"sqlite:///{tiny_disk / 'feedback.sqlite3'}"
    with pytest.raises(FeedbackError, match="the disk"):
        upgrade_database(url)
    ballast.unlink()
    assert upgrade_database(url)[0] is None


def test_a_batch_that_loses_its_transaction_is_lost_as_a_whole(store, path):
    """SQLite takes back everything when a statement finds the disk full; what follows must not commit on its own."""
    first, *_ = show(store)

    def fill_the_disk_then_write(connection):
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        try:
            connection.exec_driver_sql("CREATE TABLE big (content)")
            connection.exec_driver_sql("INSERT INTO big VALUES (zeroblob(10000000))")
        finally:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")

    let_go = hold_the_writer(store)
    futures = [
        store.record_vote(first, voter="discord:1", value=1, interaction_id="before"),
        store._writer.submit(fill_the_disk_then_write),
        store.record_vote(first, voter="discord:2", value=1, interaction_id="after"),
    ]
    let_go.set()
    for future in futures:
        with pytest.raises(FeedbackError, match="the disk is full"):
            future.result(30)
    assert rows(path, "SELECT count(*) FROM vote") == [(0,)]
    assert vote(store, first, 1, "later") == Saved(1, 0, 101)


VOTE_FOREVER = """
import itertools, sys, threading
from datetime import UTC, datetime
from bot.feedback.store import FeedbackStore

store = FeedbackStore(sys.argv[1], now=lambda: datetime.now(UTC))
store.open()
say = threading.Lock()

def click(thread_no):
    for number in itertools.count():
        name = f"{sys.argv[2]}-{thread_no}-{number}"
        store.record_vote(1, voter=name, value=1, interaction_id=name).result()
        with say:
            print(name, flush=True)

for thread_no in range(8):
    threading.Thread(target=click, args=[thread_no]).start()
"""


def test_kill_minus_nine_loses_no_acknowledged_vote(store, path):
    show(store)
    store.close()
    acknowledged = set()
    for round_no, n_before_kill in enumerate([1, 50, 333]):
        command = [sys.executable, "-c", VOTE_FOREVER, f"sqlite:///{path}", str(round_no)]
        root = Path(__file__).resolve().parents[1]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as voter:
            for _ in range(n_before_kill):
                acknowledged.add(voter.stdout.readline().strip())
            voter.send_signal(signal.SIGKILL)
            acknowledged |= {line.strip() for line in voter.stdout if line.endswith("\n")}
        assert rows(path, "PRAGMA integrity_check") == [("ok",)]
        kept = {name for (name,) in rows(path, "SELECT interaction_id FROM vote")}
        assert acknowledged <= kept
    assert len(acknowledged) >= 384
