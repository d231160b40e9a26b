"""A report as pictures; needs the extra ``plot``."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from bot.evidence.reporting import Report
from bot.report_tables import GROUPS
from recommender.errors import SegueError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCHES = (8.0, 4.5)
DPI = 120
INK = "#2a5a8c"


def plots(report: Report) -> dict[str, bytes]:
    """Draw what there is to draw: PNGs by name.

    Raises
    ------
    SegueError : matplotlib is not installed.
    """
    drawn = {}
    for name in ("rank", "popularity", "team"):
        rates = [rate for rate in report.up_rates.get(name, ()) if rate.votes]
        if rates:
            figure = _figure()
            axes = figure.subplots()
            middle = [rate.rate for rate in rates]
            reach = [[rate.rate - rate.low for rate in rates], [rate.high - rate.rate for rate in rates]]
            axes.errorbar(range(len(rates)), middle, yerr=reach, fmt="o", capsize=3, color=INK)
            axes.set_xticks(range(len(rates)), [f"{rate.group}\nn={rate.votes:,}" for rate in rates], fontsize=7)
            axes.set(title=f"{GROUPS[name]}, Wilson 95 %", ylabel="share of ups", ylim=(0, 1))
            drawn[name] = _png(figure)
    if report.comparison is not None:
        drawn["comparison"] = _compared(report)
    if report.positions:
        figure = _figure()
        axes = figure.subplots()
        ranks = [one.rank for one in report.positions]
        axes.plot(ranks, [one.gamma for one in report.positions], "o-", color=INK)
        axes.fill_between(
            ranks, [one.low for one in report.positions], [one.high for one in report.positions], alpha=0.2, color=INK
        )
        axes.set(title="Votes by rank in shuffled answers", xlabel="rank", ylabel="relative to rank 1", ylim=(0, None))
        drawn["positions"] = _png(figure)
    return drawn


def write_plots(report: Report, folder: Path) -> list[Path]:
    """Write the pictures into a folder, which is made where it is missing."""
    drawn = plots(report)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, png in drawn.items():
        paths.append(folder / f"{name}.png")
        paths[-1].write_bytes(png)
    return paths


def _compared(report: Report) -> bytes:
    found = report.comparison
    assert found is not None
    figure = _figure(height=2.4)
    axes = figure.subplots()
    axes.axvline(0.5, color="grey", linewidth=1)
    axes.plot([found.low, found.high], [0, 0], color=INK, linewidth=3)
    axes.plot([found.win_rate], [0], "o", color=INK, markersize=9)
    axes.set(title=found.words, xlim=(0, 1), yticks=[], xlabel="share of decided answers that A won, 95 % interval")
    axes.title.set_fontsize(9)
    return _png(figure)


def _figure(*, height: float = INCHES[1]) -> "Figure":
    try:
        from matplotlib.figure import Figure
    except ImportError as err:
        raise SegueError("pictures need matplotlib; install Segue with its extra: pip install 'segue[plot]'") from err
    # Not pyplot: that keeps figures for windows which nobody opens.
    return Figure(figsize=(INCHES[0], height), dpi=DPI, layout="constrained")


def _png(figure: "Figure") -> bytes:
    picture = BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
