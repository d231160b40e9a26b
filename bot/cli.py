"""The composition root and the ``segue`` command: reads settings, builds what a command needs, starts it."""

import asyncio
import errno
import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Annotated, Any

import platformdirs
import typer
from dotenv import load_dotenv
from rich.markup import escape
from typer.core import TyperGroup

from bot import cli_alias, cli_check, cli_experiment, cli_explorer, cli_feedback, cli_model, cli_votes
from recommender import cli as recommender_cli
from recommender.catalogue import Catalogue
from recommender.errors import SegueError
from recommender.store import ModelStore
from recommender.terminal import err, out

# discord.py, SQLAlchemy and Alembic take a second to import: each command imports what it runs.
if TYPE_CHECKING:
    from bot.answers import Answers
    from bot.client import SegueBot
    from bot.feedback.store import FeedbackStore
    from bot.metrics import Metrics
    from bot.recent import RecentArtists
    from bot.settings import Settings

log = logging.getLogger(__name__)

EXIT_ERROR = 1
MAX_LINE_CHARACTERS = 10_000
EXIT_INTERRUPTED = 130


class SegueGroup(TyperGroup):
    """The boundary where an error becomes one sentence and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; 1 on an error, 130 when interrupted; the traceback only with ``--debug``."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            # `segue export neighbours | head`: the reader has what it wanted. Nothing more may be flushed to it.
            _let_go_of_output()
            raise typer.Exit(EXIT_ERROR) from error
        except (EOFError, UnpicklingError) as error:  # only numba reads such files
            kernels = escape(os.environ.get("NUMBA_CACHE_DIR", "the kernels' folder"))
            err.print(
                f"[red]error:[/] the compiled kernels are damaged; delete {kernels}", soft_wrap=True, highlight=False
            )
            raise typer.Exit(EXIT_ERROR) from error
        except (SegueError, OSError) as error:
            if ctx.params.get("debug"):
                raise
            err.print(f"[red]error:[/] {escape(_sentence(error))}", soft_wrap=True, highlight=False)
            raise typer.Exit(EXIT_ERROR) from error
        except KeyboardInterrupt as error:
            err.print("interrupted; what was complete before is unchanged", highlight=False)
            raise typer.Exit(EXIT_INTERRUPTED) from error


app = typer.Typer(
    cls=SegueGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="Segue: similar artists, learned from your own listening data, for a Discord server or a terminal.",
    epilog="First steps: segue train --data demo · segue similar arcade fire · segue chat",
)
bot_app = typer.Typer(no_args_is_help=True, help="The Discord bot.")
db_app = typer.Typer(no_args_is_help=True, help="The database of answers and votes.")
app.add_typer(recommender_cli.app)
app.add_typer(bot_app, name="bot")
app.add_typer(db_app, name="db")
app.add_typer(cli_alias.app, name="alias")
cli_feedback.app.command("rerank")(cli_votes.rerank)
cli_feedback.app.command("listeners")(cli_votes.listeners)
cli_feedback.app.command("judge-listeners")(cli_votes.judge_listeners)
app.add_typer(cli_feedback.app, name="feedback")
app.add_typer(cli_experiment.app, name="experiment")
app.add_typer(cli_model.app, name="model")
bot_app.command("check")(cli_check.check)
app.command("explore")(cli_explorer.explore)
app.command("map")(cli_explorer.map_)


@app.callback(invoke_without_command=True)
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error, and every log line.")] = False,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)
    ] = False,
) -> None:
    """Take the options that come before a command."""
    _log_to_stderr("DEBUG" if debug else "WARNING")
    if show_version:
        typer.echo(f"segue {version('segue')}")
        raise typer.Exit


@app.command()
def chat(
    demo: Annotated[bool, typer.Option("--demo", help="Play a short scripted conversation and end.")] = False,
) -> None:
    """Talk to the bot in this terminal: the same answers and votes, without Discord or a token."""
    from bot.console import DEMO_SCRIPT, Chat
    from bot.settings import load_settings

    settings = load_settings()
    with _serving(settings) as answers:
        conversation = Chat(answers, out, prefix=settings.prefix, is_test=demo)
        if demo:
            lines = [f"{settings.prefix}{line}" if line.startswith("similar") else line for line in DEMO_SCRIPT]
            conversation.hold(lines, echo=True)
        else:
            conversation.hold(_typed_lines(), echo=not sys.stdin.isatty())


@bot_app.command("run")
def bot_run(context: typer.Context) -> None:
    """Run the Discord bot until Ctrl-C or SIGTERM; SIGHUP takes up a newly chosen model. Needs DISCORD_TOKEN."""
    from bot.metrics import Metrics
    from bot.monitoring import monitored
    from bot.running import run_until_stopped
    from bot.settings import load_settings, metrics_address, require_token

    settings = load_settings()
    token, address = require_token(settings), metrics_address(settings)
    metrics = None if address is None else Metrics()
    if not context.find_root().params["debug"]:
        _log_to_stderr(settings.log_level)
    with _serving(settings, metrics) as answers:
        bot = _client(answers, settings)
        beside = None if metrics is None or address is None else monitored(bot, metrics, address)

        def reopen() -> "Answers":
            catalogue = Catalogue.open(ModelStore(settings.models).folder(settings.model))
            return _answers(settings, catalogue, answers.feedback, answers.recent)

        asyncio.run(run_until_stopped(bot, token, beside=beside, reopen=reopen))


@bot_app.command("sync")
def bot_sync() -> None:
    """Register the slash commands with Discord; once after installing, and after an upgrade that changes them."""
    from bot.running import sync_commands
    from bot.settings import load_settings, require_token

    settings = load_settings()
    token = require_token(settings)
    with _serving(settings) as answers:
        count = asyncio.run(sync_commands(_client(answers, settings), token))
    out.print(f"Discord knows {count} slash command{'' if count == 1 else 's'} now.")


@db_app.command("upgrade")
def db_upgrade() -> None:
    """Create the database, or bring it to this version; safe to repeat."""
    from bot.feedback.database import upgrade_database
    from bot.settings import load_settings

    before, after = upgrade_database(load_settings().database_url)
    out.print(f"The database is at {after}" + ("." if before == after else f", it was {before or 'new'}."))


def main() -> None:
    """Run the ``segue`` command."""
    _prepare_streams()
    # Numba keeps compiled kernels beside the code, which an installation may forbid to its users.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(platformdirs.user_cache_path("segue", appauthor=False) / "kernels"))
    try:
        dotenv = Path.cwd() / ".env"
        if dotenv.is_file():
            load_dotenv(dotenv)
    except (OSError, ValueError) as error:
        sys.exit(f"error: .env cannot be read: {error}; correct it or take it away")
    try:
        app()
    except OSError as error:  # --help and usage are printed outside of any command
        _let_go_of_output()
        sys.exit(f"error: {_sentence(error)}")


def _prepare_streams() -> None:
    """Make standard streams that take every name; a closed one is as good as empty."""
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - for the life of the process
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Names are written in every script: a file or a pipe gets them whole, a terminal as well as it can.
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")


@contextmanager
def _serving(settings: "Settings", metrics: "Metrics | None" = None) -> Iterator["Answers"]:
    """Open the model and the database that the settings name, and count what happens where that is wanted."""
    from bot.feedback.database import upgrade_database
    from bot.feedback.store import FeedbackStore
    from bot.metrics import MeteredStore

    catalogue = Catalogue.open(ModelStore(settings.models).folder(settings.model))
    upgrade_database(settings.database_url)
    now = lambda: datetime.now(UTC)  # noqa: E731
    if metrics is None:
        store = FeedbackStore(settings.database_url, now=now)
    else:
        store = MeteredStore(settings.database_url, now=now, metrics=metrics)
    with store as feedback:
        yield _answers(settings, catalogue, feedback)


def _answers(
    settings: "Settings", catalogue: Catalogue, feedback: "FeedbackStore", recent: "RecentArtists | None" = None
) -> "Answers":
    """Make ready what answers from a model."""
    from bot.answers import Answers, model_record
    from bot.feedback.experiments import Experiments
    from bot.interleaving import Interleaving, open_identity

    feedback.register_model(model_record(catalogue.manifest))
    catalogue.prepare()
    log.info("serving %s: %d artists", catalogue.manifest.id, catalogue.n_artists)
    policy = Interleaving(
        catalogue,
        Experiments(feedback),
        open_model=lambda identity: open_identity(ModelStore(settings.models), identity),
        explores=lambda guild: guild is None or feedback.choices_of(guild).exploration_enabled is not False,
    )
    policy.prepare()
    return Answers(catalogue, feedback, policy, recent=recent)


def _client(answers: "Answers", settings: "Settings") -> "SegueBot":
    from bot.client import SegueBot

    models = ModelStore(settings.models)
    return SegueBot(answers, prefix=settings.prefix, message_content=settings.message_content, models=models)


def _let_go_of_output() -> None:
    """Let what is still to be written to standard output vanish: flushing it would fail once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        if error.errno == errno.ENOSPC and not where:
            where = "the output cannot be written: "
        return f"{where}{error.strerror}; check the path, its permissions and the free space"
    return str(error)


def _typed_lines() -> Iterator[str]:
    if not sys.stdin.isatty():
        yield from _piped_lines()
        return
    import readline  # noqa: F401 - its import alone gives input() a history and arrow keys

    while True:
        try:
            yield input("> ")
        except (EOFError, KeyboardInterrupt):
            out.print()  # Ctrl-D and Ctrl-C leave the cursor behind the prompt
            return


def _piped_lines() -> Iterator[str]:
    while line := sys.stdin.readline(MAX_LINE_CHARACTERS):
        yield line
        while not line.endswith("\n") and line:  # the rest of a line that is no name of anything
            line = sys.stdin.readline(MAX_LINE_CHARACTERS)


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    # discord.py's DEBUG lines hold the tokens of interactions, numba's and Matplotlib's fill screens.
    for name in ("discord", "numba", "asyncio", "matplotlib", "PIL"):
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().level))
    logging.getLogger("alembic").setLevel(logging.WARNING)
