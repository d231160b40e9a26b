"""A report as tables of text: for the terminal, and the same rows for the page."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.evidence.comparing import Comparison
from bot.evidence.reporting import Coverage, Report
from recommender.wording import counted, plain_name

GROUPS = {
    "team": "Up-rate by team",
    "rank": "Up-rate by rank",
    "source": "Up-rate by source",
    "match": "Up-rate by how the name was matched",
    "popularity": "Up-rate by the artist's popularity",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences, and perhaps a table: its header and rows of text; all but the first column are numbers."""

    title: str
    sentences: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def sections(report: Report) -> Iterator[Section]:
    """Lay a report out, coverage first."""
    yield Section("Coverage", _coverage(report.coverage))
    if report.comparison is not None:
        yield Section("A against B", tuple(_comparison(report, report.comparison)))
    if report.off_policy:
        yield Section(
            "What each model's own list would earn (ups less downs per row)",
            ("Support far from 100 %: the logs could not show these rows where the model puts them.",),
            ("model", "IPS", "SNIPS", "effective n", "support", "clipped"),
            tuple(
                (
                    one.model.upper(),
                    f"{one.ips:+.3f}",
                    f"{one.snips:+.3f}",
                    f"{one.effective_n:,.0f}",
                    _percent(one.support),
                    f"{one.clipped:,}",
                )
                for one in report.off_policy
            ),
        )
    for name, title in GROUPS.items():
        rates = report.up_rates.get(name, ())
        if rates:
            yield Section(
                title,
                header=(name, "shown", "coverage", "votes", "up-rate", "95 % interval"),
                rows=tuple(
                    (
                        plain_name(rate.group),
                        f"{rate.shown:,}",
                        _percent(rate.coverage),
                        f"{rate.votes:,}",
                        _percent(rate.rate) if rate.votes else "-",
                        f"{_percent(rate.low)} to {_percent(rate.high)}" if rate.votes else "-",
                    )
                    for rate in rates
                ),
            )
    if report.positions:
        yield Section(
            "How much a rank is voted on, in shuffled answers",
            ("Relative to the first rank.",),
            ("rank", "shown", "voted", "relative", "95 % interval"),
            tuple(
                (
                    str(one.rank),
                    f"{one.shown:,}",
                    f"{one.voted:,}",
                    f"{one.gamma:.2f}",
                    f"{one.low:.2f} to {one.high:.2f}",
                )
                for one in report.positions
            ),
        )


def summary(report: Report) -> str:
    """Say the most important of a report in a few lines, for a chat: what was voted on, and which model is better."""
    said = [report.title]
    for section in sections(report):
        if section.title in ("Coverage", "A against B"):
            said += section.sentences
    return "\n".join(said)


def _coverage(found: Coverage) -> tuple[str, ...]:
    answered = max(found.answered, 1)
    asked = f"{counted(found.requests, 'request')} of {counted(found.members, 'member')}"
    voted = f"{counted(found.votes, 'vote')} of {counted(found.voters, 'voter')}, {found.ups:,} of them up"
    answers, rows = found.answers_with_a_vote / answered, found.rows_with_a_vote / max(found.rows, 1)
    lines = [
        f"{asked}; {found.answered:,} got rows, {found.rows:,} in all.",
        f"{voted}; {_percent(answers)} of the answers and {_percent(rows)} of the rows have a vote.",
        "Silence is no down-vote, and a row that was sent need not have been seen.",
    ]
    if found.voters > 1 and found.top_voter_share > 0.25:
        lines.append(f"One person gave {_percent(found.top_voter_share)} of all votes.")
    if found.votes >= 20 and found.top_seed_share > 0.25:
        lines.append(f"{_percent(found.top_seed_share)} of all votes are about one artist's answers.")
    return tuple(lines)


def _comparison(report: Report, found: Comparison) -> Iterator[str]:
    for model in report.models:
        metrics = ", ".join(f"{plain_name(name)} {value}" for name, value in (model.metrics or {}).items())
        yield f"{model.side.upper()}: {plain_name(model.model_id)}; offline: {metrics or 'not evaluated'}."
    yield found.words
    units = found.units
    yield (
        f"A won {units.wins:,} and lost {units.losses:,} of {counted(units.wins + units.losses, 'decided answer')} "
        f"({units.ties:,} tied): win rate {_percent(found.win_rate)}, 95 % interval {_percent(found.low)} to "
        f"{_percent(found.high)} ({found.method})."
    )
    yield (
        f"{counted(found.votes, 'vote')} on drafted rows; {counted(found.voters, 'voter')} decided, worth "
        f"{found.effective_voters:.1f} equally busy ones; the busiest has {_percent(found.top_share)}."
    )
    yield (
        f"p = {found.always_valid_p:.3g} whenever you look (with any one person left out); "
        f"{found.voter_p:.3g} with whole voters flipped, {found.seed_p:.3g} with whole artists asked about; "
        f"{found.sign_p:.3g} by the sign test, which holds only for a number of requests fixed in advance."
    )
    if report.agreement:
        yield report.agreement


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
