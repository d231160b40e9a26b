"""The migrations build the tables that the code believes in, whoever runs them, wherever they are installed."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from bot.feedback.database import alembic_config, database_revision, migrations_folder, upgrade_database
from bot.feedback.engine import for_writing, open_engine
from bot.feedback.store import FeedbackStore
from bot.feedback.tables import Base
from recommender.errors import FeedbackError

REPOSITORY = Path(__file__).resolve().parents[1]
HEAD = "0004"


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def schema_of(path: Path) -> dict[str, str]:
    """Every table, index, view of a file with its text, blind to layout, quoting and the order of constraints."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    finally:
        connection.close()
    schema = {}
    for name, sql in rows:
        if name not in ("alembic_version", "sqlite_sequence"):
            lines = sorted(re.sub(r'[\s"]+', " ", line).strip(" ,") for line in sql.splitlines())
            schema[name] = "\n".join(line for line in lines if line)
    return schema


def test_upgrade_builds_a_new_private_file_in_a_new_folder(tmp_path):
    path = tmp_path / "not" / "yet" / "feedback.sqlite3"
    assert upgrade_database(sqlite_url(path)) == (None, HEAD)
    assert path.stat().st_mode & 0o777 == 0o600
    assert database_revision(sqlite_url(path)) == HEAD


def test_upgrading_again_changes_nothing(tmp_path):
    path = tmp_path / "feedback.sqlite3"
    upgrade_database(sqlite_url(path))
    before = path.read_bytes()
    assert upgrade_database(sqlite_url(path)) == (HEAD, HEAD)
    assert path.read_bytes() == before


def test_asking_for_the_version_creates_nothing(tmp_path):
    path = tmp_path / "feedback.sqlite3"
    assert database_revision(sqlite_url(path)) is None
    assert not path.exists()


def test_migrations_and_tables_agree_for_alembic(tmp_path):
    url = sqlite_url(tmp_path / "feedback.sqlite3")
    upgrade_database(url)
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_migrations_and_tables_agree_to_the_last_check_and_view(tmp_path):
    migrated, declared = tmp_path / "migrated.sqlite3", tmp_path / "declared.sqlite3"
    upgrade_database(sqlite_url(migrated))
    engine = open_engine(sqlite_url(declared))
    Base.metadata.create_all(engine)
    engine.dispose()
    schema = schema_of(migrated)
    assert schema == schema_of(declared)
    assert "CHECK (propensity > 0 AND propensity <= 1)" in schema["impression"]
    assert schema["current_vote"].count("SELECT") == 2


def test_downgrade_to_nothing_and_up_again(tmp_path):
    path = tmp_path / "feedback.sqlite3"
    upgrade_database(sqlite_url(path))
    first = schema_of(path)
    engine = open_engine(sqlite_url(path), foreign_keys=False)
    with for_writing(engine).begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    engine.dispose()
    assert schema_of(path) == {}
    assert upgrade_database(sqlite_url(path)) == (None, HEAD)
    assert schema_of(path) == first


def test_a_failing_upgrade_leaves_the_database_as_it_was(tmp_path, monkeypatch):
    folder = tmp_path / "migrations"
    shutil.copytree(migrations_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_breaks.py").write_text(
        f"from alembic import op\nrevision, down_revision, branch_labels, depends_on = '9999', '{HEAD}', None, None\n"
        "def upgrade():\n    op.execute('CREATE TABLE half_done (id INTEGER)')\n"
        "    op.execute('SELECT no_such_column')\n"
    )
    path = tmp_path / "feedback.sqlite3"
    upgrade_database(sqlite_url(path))
    before = schema_of(path)
    monkeypatch.setattr("bot.feedback.database.migrations_folder", lambda: folder)
    with pytest.raises(FeedbackError, match="no_such_column"):
        upgrade_database(sqlite_url(path))
    assert schema_of(path) == before
    assert database_revision(sqlite_url(path)) == HEAD
    # The code of the next version does not open a database of this one.
    with pytest.raises(FeedbackError, match=rf"has the older version {HEAD}; run `segue db upgrade`"):
        FeedbackStore(sqlite_url(path), now=lambda: pytest.fail("not asked")).open()


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(tmp_path, monkeypatch):
    """With foreign keys on, dropping the old `request` would have deleted every impression."""
    path = tmp_path / "feedback.sqlite3"
    upgrade_database(sqlite_url(path))
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO model VALUES ('m', ?, 'als', '{}', 'demo', NULL, 1, '2026-01-01', NULL)", ["a" * 64]
    )
    connection.execute(
        "INSERT INTO request (id, created_at, member_key, source, command, k, shuffled, outcome, abstained,"
        " undelivered, is_test) VALUES (1, '2026-01-01', ?, 'slash', 'similar', 10, 0, 'answered', 0, 0, 0)",
        ["b" * 32],
    )
    connection.execute(
        "INSERT INTO impression (request_id, rank, page, artist_id, model_id, score, team, propensity)"
        " VALUES (1, 1, 1, 7, 'm', 0.5, 'none', 1)"
    )
    connection.commit()
    connection.close()
    folder = tmp_path / "migrations"
    shutil.copytree(migrations_folder(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_rebuilds.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision, down_revision, branch_labels, depends_on = '9999', '{HEAD}', None, None\n"
        "def upgrade():\n    with op.batch_alter_table('request', recreate='always') as batch:\n"
        "        batch.add_column(sa.Column('colour', sa.String(8)))\n"
    )
    monkeypatch.setattr("bot.feedback.database.migrations_folder", lambda: folder)
    assert upgrade_database(sqlite_url(path)) == (HEAD, "9999")
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT request_id, artist_id FROM impression").fetchall() == [(1, 7)]
    connection.close()


def migrate_to(path, revision, direction):
    engine = open_engine(sqlite_url(path), foreign_keys=False)
    with for_writing(engine).begin() as connection:
        direction(alembic_config(connection), revision)
    engine.dispose()


def test_aliases_of_the_first_version_hold_everywhere_afterwards_and_survive_the_way_back(tmp_path):
    path = tmp_path / "feedback.sqlite3"
    upgrade_database(sqlite_url(path))
    migrate_to(path, "0001", command.downgrade)
    first = schema_of(path)
    old = [
        (3, "gybe", -7, "member", "accepted", "a" * 32, "2026-01-02 12:00:00.000000", "2026-01-03 12:00:00.000000"),
        (5, "gybe", 8, "member", "proposed", None, "2026-01-02 12:00:00.000000", None),
    ]
    kept = (
        "SELECT id, alias_norm, artist_id, source, status, proposed_by, created_at, decided_at FROM alias ORDER BY id"
    )
    with sqlite3.connect(path) as connection:
        connection.executemany("INSERT INTO alias VALUES (?, ?, ?, ?, ?, ?, ?, ?)", old)
    connection.close()
    assert upgrade_database(sqlite_url(path)) == ("0001", HEAD)
    with sqlite3.connect(path) as connection:
        assert connection.execute(kept).fetchall() == old
        added = connection.execute("SELECT guild_key, artist_name, decided_by FROM alias ORDER BY id").fetchall()
        assert added == [(None, "artist -7", None), (None, "artist 8", None)]
        # Two servers with the same alias: one more than 0001 can hold.
        connection.execute(
            "INSERT INTO alias (guild_key, alias_norm, artist_id, artist_name, source, status, created_at, decided_at) "
            "SELECT ?, alias_norm, artist_id, artist_name, source, status, created_at, decided_at FROM alias",
            ["b" * 32],
        )
        assert connection.execute("SELECT max(id) FROM alias").fetchone() == (7,)
    connection.close()
    migrate_to(path, "0001", command.downgrade)
    assert schema_of(path) == first
    with sqlite3.connect(path) as connection:
        assert connection.execute(kept).fetchall() == old
    connection.close()


def test_experiments_of_the_third_version_run_everywhere_afterwards_and_survive_the_way_back(tmp_path):
    path = tmp_path / "feedback.sqlite3"
    upgrade_database(sqlite_url(path))
    migrate_to(path, "0003", command.downgrade)
    third = schema_of(path)
    noon, one = "2026-01-02 12:00:00.000000", "2026-01-02 13:00:00.000000"
    old = [
        (2, "old", "m", "n", 0.1, "salt", noon, noon, one, None),
        (5, "runs", "m", "n", 0.0, "pepper", noon, noon, None, None),
    ]
    kept = (
        "SELECT id, name, model_a, model_b, explore_rate, salt, created_at, started_at, ended_at, archived_at "
        "FROM experiment WHERE id < 6 ORDER BY id"
    )
    with sqlite3.connect(path) as connection:
        for model in "mn":
            connection.execute(
                "INSERT INTO model VALUES (?, ?, 'als', '{}', 'demo', NULL, 1, '2026-01-01', NULL)", [model, "a" * 64]
            )
        connection.executemany("INSERT INTO experiment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", old)
        connection.execute(
            "INSERT INTO request (id, created_at, member_key, source, command, k, shuffled, outcome, abstained,"
            " undelivered, is_test, experiment_id) VALUES (1, ?, ?, 'slash', 'similar', 10, 0, 'answered', 0, 0, 0, 5)",
            [noon, "b" * 32],
        )
    connection.close()
    assert upgrade_database(sqlite_url(path)) == ("0003", HEAD)
    insert = "INSERT INTO experiment (scope, name, model_a, model_b, explore_rate, salt, created_at, started_at) "
    with sqlite3.connect(path) as connection:
        assert connection.execute(kept).fetchall() == old
        assert connection.execute("SELECT DISTINCT scope FROM experiment").fetchall() == [("everywhere",)]
        # The same name in a server, and running beside the other: more than 0003 can hold.
        connection.execute(f"{insert} VALUES (?, 'runs', 'm', 'n', 0, 'sugar', ?, ?)", ["c" * 32, noon, noon])
        for scope, name in (("everywhere", "third"), ("c" * 32, "third"), ("everywhere", "old"), ("nowhere", "third")):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(f"{insert} VALUES (?, ?, 'm', 'n', 0, 'x', ?, ?)", [scope, name, noon, noon])
    connection.close()
    migrate_to(path, "0003", command.downgrade)
    assert schema_of(path) == third
    with sqlite3.connect(path) as connection:
        assert connection.execute(kept).fetchall() == old
        (of_server,) = connection.execute("SELECT name, ended_at FROM experiment WHERE id > 5").fetchall()
        assert of_server == ("sugar", noon)
        assert connection.execute("SELECT experiment_id FROM request").fetchall() == [(5,)]
    connection.close()


def test_two_processes_may_upgrade_at_once(tmp_path):
    code = (
        "import sys; from bot.feedback.database import upgrade_database\n"
        "print('ready', flush=True); sys.stdin.readline(); print(upgrade_database(sys.argv[1])[1])"
    )
    for round_no in range(5):
        url = sqlite_url(tmp_path / f"feedback{round_no}.sqlite3")
        both = [
            subprocess.Popen(
                [sys.executable, "-c", code, url],
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
        assert [process.communicate(timeout=60)[0] for process in both] == [f"{HEAD}\n"] * 2
        assert [process.returncode for process in both] == [0, 0]


def test_a_database_of_a_newer_segue_is_refused(tmp_path):
    url = sqlite_url(tmp_path / "feedback.sqlite3")
    upgrade_database(url)
    engine = open_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    engine.dispose()
    for use in (upgrade_database, lambda url: FeedbackStore(url, now=lambda: pytest.fail("not asked")).open()):
        with pytest.raises(FeedbackError, match=r"version 0999.*newer"):
            use(url)


def test_another_programs_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "photos.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE photo (id INTEGER)")
    connection.close()
    with pytest.raises(FeedbackError, match=r"another program's tables \(photo\)"):
        upgrade_database(sqlite_url(path))
    assert set(schema_of(path)) == {"photo"}


@pytest.mark.parametrize("content", [b"not a database at all, only text\n" * 40, os.urandom(4096)])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "feedback.sqlite3"
    path.write_bytes(content)
    for use in (upgrade_database, database_revision):
        with pytest.raises(FeedbackError, match="not a database"):
            use(sqlite_url(path))
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "malformed"),
        ("nonsense", "malformed"),
        ("postgresql://segue:hunter2@host:port/db", "malformed"),
        ("sqlite://user:hunter2@host/feedback", "malformed"),
        ("mysql://root:hunter2@localhost/segue", "'mysql'; feedback is kept in sqlite or postgresql"),
        ("sqlite+nosuchdriver:///feedback.sqlite3", "'sqlite\\+nosuchdriver' .* is unknown"),
        ("postgresql+pg8000://segue:hunter2@localhost/segue", "needs the Python package 'pg8000'"),
        ("sqlite://", "has to name a file"),
        ("sqlite:///:memory:", "has to name a file"),
        ("sqlite:///file:feedback?mode=memory&uri=true", "has to name a file"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_sentence_without_the_password(url, sentence):
    for use in (upgrade_database, database_revision):
        with pytest.raises(FeedbackError, match=sentence) as caught:
            use(url)
        assert "hunter2" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FeedbackError, match=r"file/feedback.sqlite3: .*check the folder"):
        upgrade_database(sqlite_url(tmp_path / "file" / "feedback.sqlite3"))
    with pytest.raises(FeedbackError, match="cannot be opened"):
        upgrade_database(sqlite_url(tmp_path))


def test_a_folder_without_permission_is_one_sentence(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    am_root = os.geteuid() == 0
    if am_root:
        os.seteuid(65534)  # root may write anywhere
    try:
        with pytest.raises(FeedbackError, match="Permission denied; check the folder"):
            upgrade_database(sqlite_url(folder / "feedback.sqlite3"))
    finally:
        if am_root:
            os.seteuid(0)


def test_a_locked_database_is_one_sentence_and_works_when_released(tmp_path):
    path = tmp_path / "feedback.sqlite3"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA journal_mode = WAL")
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(FeedbackError, match="locked"):
        upgrade_database(sqlite_url(path), busy_timeout=0.05)
    holder.execute("ROLLBACK")
    holder.close()
    assert upgrade_database(sqlite_url(path)) == (None, HEAD)


def test_postgresql_gets_the_same_log(capsys):
    """Offline: what PostgreSQL would be told; tests/test_postgresql.py tells it a real server."""
    from alembic.config import CommandLine

    options = ["-c", str(REPOSITORY / "pyproject.toml"), "-x", "url=postgresql://", "upgrade", "head", "--sql"]
    CommandLine().main(options)
    sql = capsys.readouterr().out
    assert "id BIGSERIAL NOT NULL" in sql
    assert "created_at TIMESTAMP WITH TIME ZONE NOT NULL" in sql
    assert "CREATE VIEW current_vote" in sql
    assert sql.rstrip().endswith("COMMIT;")


def test_an_installed_wheel_brings_its_migrations_and_languages(tmp_path):
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "tests", "docs", "*.egg-info", "benchmarks")
    shutil.copytree(REPOSITORY, source, ignore=ignored)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), "."]
    subprocess.run(build, cwd=source, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    shutil.rmtree(source)
    code = (
        "import sys; from bot.feedback.database import migrations_folder, upgrade_database\n"
        "print(migrations_folder()); print(upgrade_database(sys.argv[1]))\n"
        "from bot.languages import language_of; print(language_of('de').say('Take back'))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, sqlite_url(tmp_path / "feedback.sqlite3")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed), "PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.splitlines() == [
        str(installed / "bot" / "migrations"),
        f"(None, '{HEAD}')",
        "Zurücknehmen",  # its catalogues came with it
    ]
