"""On a real PostgreSQL server: the same tables, votes, races and reports as on SQLite."""

import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import DataError, IntegrityError

from bot.evidence.simulation import DraftParams, World, sessions
from bot.feedback.database import alembic_config, database_revision, upgrade_database
from bot.feedback.engine import open_engine
from bot.feedback.experiments import ExperimentError, Experiments
from bot.feedback.exporting import export
from bot.feedback.records import AlreadySaved, OptedOut, Saved, ServerChoices
from bot.feedback.store import FeedbackStore
from bot.feedback.tables import Base, Impression, Model, Request, Subject, Vote
from bot.reports import report_of
from bot.simulating import fill, simulated_model
from postgres import server
from recommender.errors import FeedbackError
from test_bot_feedback import MODEL, REQUEST, count, show, vote
from test_bot_feedback_tables import GOOD, NONSENSE, fill_with_good_rows
from test_migrations import HEAD, REPOSITORY

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
GUILD = "discord:9000"


@pytest.fixture(scope="module")
def postgresql():
    with server() as running:
        yield running


@pytest.fixture
def url(postgresql):
    address = postgresql.database()
    assert upgrade_database(address) == (None, HEAD)
    return address


@pytest.fixture
def stores(url):
    """Two open stores on one database, as two running bots have it."""
    with FeedbackStore(url, now=lambda: NOON) as one, FeedbackStore(url, now=lambda: NOON) as other:
        one.register_model(MODEL)
        yield one, other


def read(url, query):
    engine = open_engine(url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
    return found


def rules_of(url):
    """Every constraint, index and view, as the server writes them."""
    queries = (
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint",
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT viewname, 'view', definition FROM pg_views WHERE schemaname = 'public'",
    )
    found = {row for query in queries for row in read(url, query)}
    tables = {table.name for table in Base.metadata.tables.values()} | {"current_vote"}
    return {row for row in found if row[0] in tables}


# Migrations


def test_migrations_and_tables_agree(url, postgresql):
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()
    declared = postgresql.database()
    engine = open_engine(declared)
    Base.metadata.create_all(engine)
    engine.dispose()
    assert rules_of(url) == rules_of(declared)
    assert upgrade_database(url) == (HEAD, HEAD)
    assert database_revision(url) == HEAD


def migrate_to(url, revision, direction):
    engine = open_engine(url)
    with engine.begin() as connection:
        direction(alembic_config(connection), revision)
    engine.dispose()


def test_there_and_back_keeps_experiments_and_their_requests(stores, url):
    one, _ = stores
    one.register_model(replace(MODEL, id="other"))
    experiments = Experiments(one)
    for guild in (None, GUILD):
        experiments.define("x", model_a=MODEL.id, model_b="other", guild=guild)
        experiments.take("x", "start", guild=guild)
    ids = show(one, request=replace(REQUEST, experiment_id=1))
    one.close()
    migrate_to(url, "0003", command.downgrade)
    assert read(url, "SELECT id, name = 'x', ended_at IS NULL FROM experiment ORDER BY id") == [
        (1, True, True),
        (2, False, False),
    ]
    assert upgrade_database(url) == ("0003", HEAD)
    assert read(url, "SELECT id, scope FROM experiment ORDER BY id") == [(1, "everywhere"), (2, "everywhere")]
    assert read(url, "SELECT experiment_id FROM request") == [(1,)]
    with FeedbackStore(url, now=lambda: NOON) as again:
        assert Experiments(again).define("y", model_a=MODEL.id, model_b="other").id == 3
        assert vote(again, ids[0], 1, "click") == Saved(1, 0, 101)
    engine = open_engine(url)
    migrate_to(url, "base", command.downgrade)
    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
    engine.dispose()
    assert upgrade_database(url) == (None, HEAD)


def test_two_processes_may_upgrade_at_once(postgresql):
    """The second waits for the first, and finds nothing to do."""
    address = postgresql.database()
    code = (
        "import sys; from bot.feedback.database import upgrade_database\n"
        "print('ready', flush=True); sys.stdin.readline(); print(upgrade_database(sys.argv[1]))"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    said = sorted(process.communicate(timeout=60)[0] for process in both)
    assert said == [f"('{HEAD}', '{HEAD}')\n", f"(None, '{HEAD}')\n"]


# Rows


@pytest.fixture
def filled(url):
    engine = open_engine(url)
    with engine.connect() as connection:
        fill_with_good_rows(connection)
        yield connection
    engine.dispose()


def is_refused(connection, table, change):
    try:
        with connection.begin_nested():
            connection.execute(insert(table), GOOD[table] | change)
    except (IntegrityError, DataError):
        return True
    return False


def test_good_rows_are_taken_and_nonsense_is_refused(filled):
    for table in Base.__subclasses__():
        with filled.begin_nested() as point:
            filled.execute(insert(table), GOOD[table])
            point.rollback()
    assert [(table.__tablename__, change) for table, change in NONSENSE if not is_refused(filled, table, change)] == []


# Votes


def test_a_vote_is_idempotent_and_the_last_word_stands(stores):
    one, other = stores
    first, *_ = show(one)
    assert vote(one, first, 1, "c1") == Saved(1, 0, 101)
    assert vote(other, first, 1, "c1") == AlreadySaved(1, 101)
    assert vote(other, first, 1, "c2") == AlreadySaved(1, 101)
    assert vote(one, first, -1, "c3") == Saved(-1, 1, 101)
    assert vote(other, first, 0, "c4", event="retract") == Saved(0, -1, 101)
    assert vote(one, first, 1, "c5") == Saved(1, 0, 101)
    assert [standing.value for standing in other.votes_of("discord:1")] == [1]
    assert count(one, Vote) == 4


def test_clicks_of_many_people_through_two_bots_are_each_counted_once(stores):
    """Each click is delivered to both bots at once; people who were never seen get one key."""
    one, other = stores
    ids = show(one, n_rows=5)
    clicks = [(person, row) for person in range(20) for row in ids]

    def click(given):
        store, (person, row) = given
        return vote(store, row, 1, f"click {person} {row}", voter=f"discord:{person}")

    with ThreadPoolExecutor(8) as threads:
        said = Counter(type(outcome) for outcome in threads.map(click, [(s, c) for c in clicks for s in stores]))
    assert said == {Saved: 100, AlreadySaved: 100}
    assert count(one, Vote) == 100
    with other.reading() as connection:
        people = connection.execute(select(Subject).where(Subject.kind == "member")).all()
    assert len(people) == 21  # the asker, too


def test_of_two_bots_that_start_an_experiment_at_once_one_does(stores):
    one, _ = stores
    one.register_model(replace(MODEL, id="other"))
    names = [f"x{number}" for number in range(8)]
    for name in names:
        Experiments(one).define(name, model_a=MODEL.id, model_b="other", guild=GUILD)

    def start(number):
        try:
            return Experiments(stores[number % 2]).take(names[number], "start", guild=GUILD).state
        except ExperimentError as refused:
            return refused.why

    with ThreadPoolExecutor(8) as threads:
        assert Counter(threads.map(start, range(8))) == {"running": 1, "one_runs": 7}
    assert list(Experiments(one).all_running()) == [GUILD]


def test_people_can_opt_out_and_be_forgotten(stores, tmp_path):
    one, other = stores
    first, *_ = show(one)
    vote(one, first, 1, "c1")
    other.record_choices(GUILD, ServerChoices(rows_per_answer=4, allowed_channels=("7",))).result()
    assert one.choices_of(GUILD) == ServerChoices(rows_per_answer=4, allowed_channels=("7",))
    other.record_opt_out("discord:1", True).result()
    assert vote(one, first, -1, "c2") == OptedOut()
    assert [kept["value"] for kept in one.export_of("discord:1")["votes"]] == [1]
    assert one.forget("discord:1").result() > 0
    assert count(other, Vote) == 0
    with one.reading() as connection:
        written = export(connection, tmp_path / "export", kind="csv", since=None)
    assert list(written.values()) == [1, 3, 0]


def test_one_bad_row_of_a_batch_spares_its_neighbours(stores):
    one, _ = stores
    first, *_ = show(one)
    futures = [
        one.record_vote(first, voter=f"discord:{n}", value=9 if n == 5 else 1, interaction_id=f"c{n}")
        for n in range(10)
    ]
    assert [future.exception() is None for future in futures] == [n != 5 for n in range(10)]
    assert count(one, Vote) == 9


# Reports


def test_a_report_says_the_same_of_both_databases(url, database_url):
    world = World(
        n_shared=3, n_own=30, duplicates=0.3, changes=0.2, retractions=0.2, draft=DraftParams(explore_rate=0.4)
    )
    found = []
    for address in (url, database_url):
        with FeedbackStore(address, now=lambda: NOON) as store:
            for name in ("simulated-a", "simulated-b"):
                store.register_model(simulated_model(name))
            experiment = Experiments(store).define("first", model_a="simulated-a", model_b="simulated-b")
            fill(store, sessions(world, 60, rng=np.random.default_rng(3)), experiment)
            found += [(report_of(store, experiment), report_of(store, None, guild="simulated:server"))]
    assert found[0] == found[1]
    assert found[0][0].coverage.votes > 20
    assert found[0][0].comparison is not None


# A server that goes


def test_a_server_that_stops_is_a_sentence_and_works_again_when_it_is_back(postgresql):
    address = postgresql.database()
    upgrade_database(address)
    with FeedbackStore(address, now=lambda: NOON) as store:
        store.register_model(MODEL)
        first, *_ = show(store)
        postgresql.stop()
        try:
            with pytest.raises(FeedbackError, match="feedback database postgresql"):
                vote(store, first, 1, "c1")
            with pytest.raises(FeedbackError):
                store.votes_of("discord:1")
        finally:
            postgresql.start()
        assert vote(store, first, 1, "c1") == Saved(1, 0, 101)
        # Also when nobody asked while it was away: no member pays for a connection that is gone.
        postgresql.stop()
        postgresql.start()
        assert vote(store, first, -1, "c2") == Saved(-1, 1, 101)
        assert count(store, Request) == 1
        assert count(store, Impression) == 3
        assert count(store, Model) == 1
