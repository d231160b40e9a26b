"""``segue train --plan``: tell what a training will need, and whether this machine has it."""

from rich.table import Table

from recommender.machine import free_memory
from recommender.planning import Plan, plan_training
from recommender.plays import PlayCounts
from recommender.recipes import Recipe
from recommender.terminal import err, out, print_json
from recommender.wording import counted


def show_plan(counts: PlayCounts, recipe: Recipe, *, as_json: bool) -> None:
    """Print what training on loaded data will need."""
    plan, free = plan_training(counts, recipe), free_memory()
    if as_json:
        print_json(_plan_json(plan, free))
        return
    out.print(
        f"{counted(plan.n_rows, 'row')}: {counted(plan.n_listeners, 'listener')}, "
        f"{counted(plan.n_artists, 'artist')}, {counted(plan.n_pairs, 'pair')}.",
        markup=False,
        soft_wrap=True,
    )
    table = Table("", "memory", title="what training would need")
    for stage, n_bytes in plan.memory.items():
        table.add_row(stage, megabytes(n_bytes))
    table.add_row("at most", megabytes(plan.peak), style="bold")
    table.add_row("disk", megabytes(plan.disk))
    table.add_row("time, at most about", duration(plan.seconds))
    out.print(table)
    out.print(memory_sentence(plan.peak, free), markup=False, soft_wrap=True)


def warn_if_too_large(counts: PlayCounts, recipe: Recipe) -> None:
    """Say on standard error when this machine will probably not have the memory for a training."""
    peak, free = plan_training(counts, recipe).peak, free_memory()
    if free is not None and peak > free + _taken(counts):
        err.print(memory_sentence(peak, free), markup=False, soft_wrap=True)


def memory_sentence(peak: int, free: int | None) -> str:
    """Compare what a training needs with what there is."""
    if free is None:
        return f"How much memory is free here is unknown; it takes {megabytes(peak)}."
    if peak <= free:
        return f"{megabytes(free)} are free here: enough."
    return (
        f"Only {megabytes(free)} are free here, {megabytes(peak)} may be needed: the training will probably be killed. "
        "Take fewer --factors or --neighbours, leave out rows, or use a machine with more memory."
    )


def megabytes(n_bytes: int) -> str:
    """Bytes as MB or GB, to what matters."""
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.0f} MB"


def duration(seconds: float) -> str:
    """Seconds in words, as rough as they are known."""
    if seconds < 90:
        return counted(max(5, 5 * round(seconds / 5)), "second")
    if seconds < 5400:
        return counted(round(seconds / 60), "minute")
    return counted(round(seconds / 3600), "hour")


def _taken(counts: PlayCounts) -> int:
    """What the loaded data occupy already, so that it is not counted as missing."""
    return int(counts.plays.data.nbytes + counts.plays.indices.nbytes)


def _plan_json(plan: Plan, free: int | None) -> dict[str, object]:
    return {
        "rows": plan.n_rows,
        "listeners": plan.n_listeners,
        "artists": plan.n_artists,
        "pairs": plan.n_pairs,
        "memory_bytes": plan.memory,
        "peak_bytes": plan.peak,
        "disk_bytes": plan.disk,
        "seconds": round(plan.seconds, 1),
        "free_bytes": free,
        "fits": None if free is None else plan.peak <= free,
    }
