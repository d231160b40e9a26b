"""A PostgreSQL server of its own for tests: a throw-away cluster in a new folder, reached by a socket, no port."""

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine

# The suite only reads back what it wrote: nothing has to outlive a power failure.
OPTIONS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=40"


def binaries() -> Path:
    """Where initdb and pg_ctl are; without them the test is skipped, or fails where everything has to run."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    found = shutil.which("pg_ctl") or (debian[-1] if debian else None)
    if found is None:
        reason = "there is no PostgreSQL server here; install it (Debian: apt-get install postgresql)"
        if os.environ.get("SEGUE_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return Path(found).parent


def owner() -> str | None:
    """Whom the server has to run as: it refuses root. None: whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Server:
    """A running cluster; ``database()`` makes a new, empty database and names its address."""

    def __init__(self, folder: Path, programs: Path, user: str | None) -> None:
        self.folder = folder
        self._programs = programs
        self._user = user
        self._numbers = count(1)

    def run(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs as the cluster's owner."""
        done = subprocess.run(
            [self._programs / program, *arguments],
            user=self._user,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(self.folder)},
            # Not a pipe: the server would keep it open, and we would wait for its end.
            stdout=(log := (self.folder / f"{program}.log").open("wb")),
            stderr=subprocess.STDOUT,
            check=False,
        )
        log.close()
        if done.returncode:
            pytest.fail(f"{program} failed: {(self.folder / f'{program}.log').read_text()}")

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.run("pg_ctl", "-D", "data", "-l", "server.log", "-o", f"{OPTIONS} -k {self.folder}", "-w", "start")

    def stop(self) -> None:
        """Stop it, whoever is connected."""
        self.run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    def url(self, database: str) -> str:
        """The address of a database, by the socket."""
        return f"postgresql+psycopg://tests@/{database}?host={self.folder}"

    def database(self) -> str:
        """Make a new database; returns its address."""
        name = f"segue{next(self._numbers)}"
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return self.url(name)


@contextmanager
def server():
    """Start one, for as long as the block takes."""
    programs, user = binaries(), owner()
    # Not below pytest's own folder, which only its user may enter; a socket's path has to be short, too.
    folder = Path(tempfile.mkdtemp(prefix="segue-pg-"))
    try:
        shutil.chown(folder, user or getpass.getuser())
        running = Server(folder, programs, user)
        running.run("initdb", "-D", "data", "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync")
        running.start()
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder)
