"""Answers: how many a second the bot gives, how long one takes, and how long its event loop is held up.

    python benchmarks/answers.py --models FOLDER [--model NAME]

The bot runs in a process of its own, on one core, logged in to a Discord on loopback (``tests/``), with a new SQLite
database at synchronous=FULL. Members give ``/similar`` for artists drawn by how much they are heard.

1. As fast as it can: ``--burst`` questions, ``--at-once`` of them open at any time; answers a second, and answers a
   second of the bot's processor time.
2. At ``--rate`` a second for ``--seconds``: from the event to the first acknowledgement and to the answer, both as they
   arrive at Discord. That is more than the bot's own work: loopback and the other side are in it.

The lag is how much later than asked the bot's event loop wakes a task that sleeps 5 ms, measured in the bot during the
second part.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

LAG_SLEEP = 0.005
MEMBERS = 2_000
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure, or be the bot that is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--model", default="")
    parser.add_argument("--burst", type=int, default=2_000)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--rate", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--be-the-bot", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be_the_bot is not None:
        asyncio_bot(options.be_the_bot)
    else:
        asyncio.run(measure(options))


def asyncio_bot(lags: Path) -> None:
    """Run the bot as ``segue bot run`` does, and write how late its loop woke a sleeping task."""
    from bot.cli import _client, _serving
    from bot.running import run_until_stopped
    from bot.settings import load_settings, require_token

    settings = load_settings()
    late: list[tuple[float, float]] = []

    async def probe() -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(LAG_SLEEP)
            late.append((time.time(), time.perf_counter() - started - LAG_SLEEP))

    async def run() -> None:
        probing = asyncio.create_task(probe())
        await run_until_stopped(_client(answers, settings), require_token(settings))
        probing.cancel()

    with _serving(settings) as answers:
        asyncio.run(run())
    lags.write_text(json.dumps(late))


async def measure(options: argparse.Namespace) -> None:
    """Start the bot, ask, and print."""
    from discord_server import DiscordServer, Member
    from recommender.artists import format_artist_id
    from recommender.catalogue import Catalogue
    from recommender.store import ModelStore

    catalogue = Catalogue.open(ModelStore(options.models).folder(options.model or None))
    rng = np.random.default_rng(0)
    heard = np.where(catalogue.listeners >= catalogue.manifest.min_listeners, catalogue.listeners, 0).astype(float)
    drawn = rng.choice(
        heard.size, size=options.burst + int(options.rate * options.seconds) + 200, p=heard / heard.sum()
    )
    asked = iter([f"artist:{format_artist_id(catalogue.artist(int(row)).artist_id)}" for row in drawn])
    members = [Member(f"member{number}") for number in range(MEMBERS)]
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        lags = Path(folder) / "lags.json"
        environment = {
            "SEGUE_MODELS": str(options.models),
            "SEGUE_MODEL": options.model,
            "SEGUE_DATABASE_URL": f"sqlite:///{folder}/segue.sqlite3",
            "SEGUE_LOG_LEVEL": "WARNING",
        }
        command = (sys.executable, __file__, "--models", str(options.models), "--be-the-bot", str(lags))
        async with DiscordServer() as discord, discord.client(*command, env=environment) as client:
            os.sched_setaffinity(client.process.pid, cores[:1])
            os.sched_setaffinity(0, cores[1:] or cores)
            await discord.logged_in(within=60)
            await discord.until(lambda: discord.sessions[-1].events, "events")
            discord.commands = [{"id": "1", "name": "similar", "type": 1, "options": [{"name": "artist", "type": 3}]}]

            async def ask(number: int) -> tuple[float, float]:
                started = time.perf_counter()
                given = await discord.slash("similar", {"artist": next(asked)}, member=members[number % MEMBERS])
                acknowledged = time.perf_counter() - started
                await discord.answer(given, within=60)
                return acknowledged, time.perf_counter() - started

            for number in range(100):
                await ask(number)
            forget(discord)
            burst = await burst_of(ask, discord, client.process.pid, options)
            steady_from = time.time()
            steady = await steady_of(ask, discord, options)
            assert await client.stop() == 0, client.output()
        late = np.array([lag for at, lag in json.loads(lags.read_text()) if at >= steady_from])
    report(options, catalogue.n_artists, burst, np.array(steady), late)


def forget(discord: Any) -> None:
    """Drop what the loopback Discord remembers: it looks through all of it for each request."""
    discord.interactions.clear()
    discord.requests.clear()
    discord.messages.clear()


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def burst_of(ask: Any, discord: Any, pid: int, options: argparse.Namespace) -> tuple[float, float]:
    """Ask as fast as answers come; answers a second, and answers a second of processor time."""
    numbers = iter(range(options.burst))

    async def keep_asking() -> None:
        for number in numbers:
            await ask(number)
            if number % 200 == 199:
                done = [one for one in discord.interactions if one.followups or one.message]
                for one in done[: -options.at_once]:
                    discord.interactions.remove(one)
                discord.requests.clear()

    before, started = processor_seconds(pid), time.perf_counter()
    await asyncio.gather(*(keep_asking() for _ in range(options.at_once)))
    seconds, used = time.perf_counter() - started, processor_seconds(pid) - before
    forget(discord)
    return options.burst / seconds, options.burst / used


async def steady_of(ask: Any, discord: Any, options: argparse.Namespace) -> list[tuple[float, float]]:
    """Ask at a steady rate, whether answers have come or not."""
    asking: list[asyncio.Task[tuple[float, float]]] = []
    for number in range(int(options.rate * options.seconds)):
        asking.append(asyncio.create_task(ask(number)))
        await asyncio.sleep(1 / options.rate)
        if number % 200 == 199:
            await asyncio.gather(*asking)
            forget(discord)
    return list(await asyncio.gather(*asking))


def report(options: argparse.Namespace, n_artists: int, burst: tuple[float, float], steady: Any, late: Any) -> None:
    """Print the figures."""
    console = Console(width=110)
    console.print(
        f"/similar over {n_artists:,} artists. As fast as it can: {burst[0]:.0f} answers a second; "
        f"{burst[1]:.0f} a second of one core's time."
    )
    table = Table(title=f"at {options.rate:g} a second for {options.seconds:g} s, milliseconds")
    table.add_column("")
    for column in ("median", "p95", "p99", "most"):
        table.add_column(column, justify="right")
    for name, values in (("acknowledged", steady[:, 0]), ("answered", steady[:, 1]), ("lag of the loop", late)):
        quantiles = np.quantile(values * 1000, [0.5, 0.95, 0.99, 1.0])
        table.add_row(name, *(f"{value:.1f}" for value in quantiles))
    console.print(table)


if __name__ == "__main__":
    main()
