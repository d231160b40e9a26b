"""The report of members' votes, read anew when it is asked for; numbers of many, never a person's key."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.explorer.queries import FeedbackQuery
from bot.explorer.replies import ComparisonReply, FeedbackReply, SectionReply
from recommender.errors import FeedbackError, ParameterError
from recommender.wording import plain_name

# SQLAlchemy and scipy take a second to import; who never opens the page must not pay it.
if TYPE_CHECKING:
    from bot.evidence.reporting import Report
    from bot.feedback.records import ExperimentRecord

log = logging.getLogger(__name__)

KEPT_SECONDS = 5.0
"""A report younger than this is told again: of a million rows it takes seconds to compute."""
NOWHERE = (
    "There are no votes to report: no database of votes is here yet. The bot makes one when it runs (segue run), and "
    "SEGUE_DATABASE_URL says where; to try it out, segue feedback simulate plants votes."
)
UNREADABLE = "The database of votes cannot be read; the log of segue explore says why."
LEFT_OUT = "This explorer was started without the report of votes (--no-votes)."


class VoteReports:
    """Reports on one feedback database; safe to share between threads, which wait for each other.

    Parameters
    ----------
    url : SQLAlchemy address of the database, which need not exist, and is only read; None reports nothing.
    now : what is written on a report, aware.
    clock : seconds from any start, monotonic.
    """

    def __init__(
        self,
        url: str | None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._now = now
        self._clock = clock
        self._kept: dict[FeedbackQuery, tuple[float, FeedbackReply]] = {}
        self._computing = threading.Lock()

    def feedback(self, query: FeedbackQuery) -> FeedbackReply:
        """Report on an experiment, by default the one that runs, or all answers.

        Raises
        ------
        ParameterError : there is no such experiment.
        """
        if self._url is None:
            return _nothing(LEFT_OUT)
        with self._computing:
            kept = self._kept.get(query)
            if kept is not None and self._clock() - kept[0] < KEPT_SECONDS:
                return kept[1]
            try:
                reply = self._read(self._url, query)
            except FeedbackError as error:
                # Its sentence names the file or the server, which is nobody's business but the owner's.
                log.warning("could not report on votes: %s", error)
                return _nothing(UNREADABLE)
            self._kept = {query: (self._clock(), reply)}
            return reply

    def _read(self, url: str, query: FeedbackQuery) -> FeedbackReply:
        from bot.feedback.database import database_revision
        from bot.feedback.experiments import Experiments
        from bot.feedback.store import FeedbackStore
        from bot.reports import report_of

        if database_revision(url) is None:
            return _nothing(NOWHERE)
        with FeedbackStore(url, now=self._now) as store:
            experiments = Experiments(store)
            known = experiments.of(None)  # what a server compares is its own
            chosen = next((one for one in known if one.name == query.experiment), None)
            if query.experiment is not None and chosen is None:
                raise ParameterError(
                    f"there is no experiment {plain_name(query.experiment)!r}; leave it out, or name one"
                )
            if query.experiment is None and not query.everything:
                chosen = experiments.running()
            return _reply(report_of(store, chosen), chosen, known=[one.name for one in known], made_at=self._now())


def _nothing(said: str) -> FeedbackReply:
    return FeedbackReply(
        outcome="none", said=said, title="", made_at=None, experiment=None, experiments=[], comparison=None, sections=[]
    )


def _reply(
    report: "Report", chosen: "ExperimentRecord | None", *, known: list[str], made_at: datetime
) -> FeedbackReply:
    from bot.report_tables import sections

    found = report.comparison
    comparison = None
    if found is not None:
        comparison = ComparisonReply(
            verdict=found.verdict,
            words=found.words,
            votes=found.votes,
            voters=found.voters,
            win_rate=round(found.win_rate, 4),
            low=round(found.low, 4),
            high=round(found.high, 4),
            always_valid_p=found.always_valid_p,
        )
    return FeedbackReply(
        outcome="report",
        said="",
        title=plain_name(report.title),
        made_at=made_at.isoformat(timespec="seconds"),
        experiment=None if chosen is None else chosen.name,
        experiments=known,
        comparison=comparison,
        sections=[
            SectionReply(
                title=section.title,
                sentences=list(section.sentences),
                header=list(section.header),
                rows=[list(row) for row in section.rows],
            )
            for section in sections(report)
        ],
    )
