"""What the bot counts of itself, for Prometheus; nothing of it names a member, a server or an artist."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector

from bot.feedback.records import RequestRecord, Shown, VoteEvent, VoteOutcome
from bot.feedback.store import FeedbackStore
from recommender.artifact import Manifest
from recommender.errors import FeedbackError

ANSWER_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
LAG_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)
# Of these the log is counted by module; another library's loggers could be any number.
_OURS = ("bot", "recommender", "discord")


class Metrics:
    """The figures of one process, in a registry of their own.

    ``requests`` by command and outcome; ``answer_seconds``, the bot's own work; ``votes`` and other clicks on rows by
    event and outcome; ``problems``, log lines from WARNING on; ``loop_lag``, by how much the event loop was late;
    ``gateway``, ``writer_waiting``, ``model``: what is so now.
    """

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.requests = Counter("segue_requests", "Requests of members.", ["command", "outcome"], registry=registry)
        self.answer_seconds = Histogram(
            "segue_answer_seconds",
            "From a request to its finished answer, without the way to Discord and back.",
            ["command"],
            buckets=ANSWER_SECONDS,
            registry=registry,
        )
        self.votes = Counter("segue_votes", "Clicks on shown rows.", ["event", "outcome"], registry=registry)
        self.problems = Counter(
            "segue_problems", "Warnings and errors in the log.", ["level", "module"], registry=registry
        )
        self.loop_lag = Histogram(
            "segue_event_loop_lag_seconds", "How late the event loop was.", buckets=LAG_SECONDS, registry=registry
        )
        self.gateway = Gauge("segue_gateway_connected", "1 while Discord's gateway is connected.", registry=registry)
        self.writer_waiting = Gauge(
            "segue_writer_queue_length", "Writes that wait for the database.", registry=registry
        )
        self._model = Info("segue_model", "The model that answers.", registry=registry)
        ProcessCollector(registry=registry)

    def serving(self, manifest: Manifest) -> None:
        """Name the model that answers from now on."""
        self._model.info({"id": manifest.id, "sha256": manifest.sha256})


class MeteredStore(FeedbackStore):
    """A feedback store that counts what is asked and clicked on its way in.

    Parameters
    ----------
    url, now : as :class:`FeedbackStore` takes them.
    metrics : where it counts.
    """

    def __init__(self, url: str, *, now: Callable[[], datetime], metrics: Metrics) -> None:
        super().__init__(url, now=now)
        self._metrics = metrics

    def record_request(
        self, request: RequestRecord, shown: Sequence[Shown], seeds: Sequence[tuple[int, int]] = ()
    ) -> Future[list[int]]:
        """Count and log a request."""
        self._metrics.requests.labels(request.command, request.outcome).inc()
        if request.latency_ms is not None:
            self._metrics.answer_seconds.labels(request.command).observe(request.latency_ms / 1000)
        return super().record_request(request, shown, seeds)

    def record_vote(
        self, impression_id: int, *, voter: str, value: int, interaction_id: str, event: VoteEvent = "vote"
    ) -> Future[VoteOutcome]:
        """Log a click, and count it once it is known what became of it."""

        def count(done: Future[VoteOutcome]) -> None:
            self._metrics.votes.labels(event, _outcome(done)).inc()

        try:
            future = super().record_vote(
                impression_id, voter=voter, value=value, interaction_id=interaction_id, event=event
            )
        except FeedbackError:
            self._metrics.votes.labels(event, "failed").inc()
            raise
        future.add_done_callback(count)
        return future


class ProblemCounter(logging.Handler):
    """Counts log lines from WARNING on; everything that goes wrong is in the log, so all of it is counted here."""

    def __init__(self, problems: Counter) -> None:
        super().__init__(logging.WARNING)
        self._problems = problems

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line."""
        module = record.name if record.name.split(".")[0] in _OURS else "other"
        self._problems.labels(record.levelname.lower(), module).inc()


def _outcome(done: Future[VoteOutcome]) -> str:
    if done.cancelled():
        return "cancelled"
    if done.exception() is not None:
        return "failed"
    return _snake(type(done.result()).__name__)


def _snake(name: str) -> str:
    """``AlreadySaved`` becomes ``already_saved``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
