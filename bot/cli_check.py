"""``segue bot check``: whether the bot would start, before anybody starts it."""

from dataclasses import asdict
from pathlib import Path

import typer
from rich.table import Table

from recommender.errors import SettingsError
from recommender.terminal import JsonOption, out, print_json
from recommender.wording import counted

EXIT_STOPPED = 1
# The word says it; sign and word are the same for everybody, whatever colours a terminal has.
SIGNS = {"ok": "+ ok", "note": "! note", "stop": "x STOP"}


def check(as_json: JsonOption = False) -> None:
    """Say whether the bot would start: token, database, disk, model, permissions. Connects to nothing of Discord's.

    The exit status is 1 if something would stop it.
    """
    from bot import checking
    from bot.settings import load_settings

    try:
        findings = list(checking.check(load_settings(), dotenv=Path.cwd() / ".env"))
    except SettingsError as error:
        findings = [checking.Finding("settings", "stop", f"{error}. Nothing else was looked at.")]
    n_stops = sum(finding.mark == "stop" for finding in findings)
    if as_json:
        print_json({"would_start": n_stops == 0, "checks": [asdict(finding) for finding in findings]})
    else:
        table = Table("", "what", "found")
        for finding in findings:
            table.add_row(SIGNS[finding.mark], finding.subject, finding.sentence)
        out.print(table, markup=False)
        out.print(f"{counted(n_stops, 'thing')} would stop the bot." if n_stops else "Nothing would stop the bot.")
    if n_stops:
        raise typer.Exit(EXIT_STOPPED)
