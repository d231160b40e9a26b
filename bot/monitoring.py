"""``/healthz`` and ``/metrics``: a small web server in the bot's own event loop, for whoever looks after it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from bot.client import SegueBot
from bot.metrics import Metrics, ProblemCounter
from bot.settings import Address
from recommender.errors import SettingsError

log = logging.getLogger(__name__)

BEAT_SECONDS = 0.25
# A lost connection is resumed within seconds; after so many the bot counts as logged out.
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the bot can answer and keep votes.

    ``logged_in`` : it has a session with Discord. ``gateway_connected`` : its connection stands at this moment; one
    that is lost is resumed. ``writer_alive`` : what writes to the database runs.
    """

    logged_in: bool
    gateway_connected: bool
    writer_alive: bool
    model: str

    @property
    def is_well(self) -> bool:
        """Whether nobody needs to do anything."""
        return self.logged_in and self.writer_alive


def make_app(metrics: Metrics, health: Callable[[], Health]) -> web.Application:
    """Make the application; it can only be read."""

    async def healthz(_: web.Request) -> web.Response:
        now = health()
        content = {"status": "ok" if now.is_well else "unavailable", **asdict(now)}
        return web.json_response(content, status=200 if now.is_well else 503)

    async def show_metrics(_: web.Request) -> web.Response:
        # aiohttp takes a content type with its parameters only as a header.
        return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", show_metrics)
    return app


@asynccontextmanager
async def monitored(bot: SegueBot, metrics: Metrics, address: Address) -> AsyncIterator[Address]:
    """Serve both pages while the block runs; yields where, with the port that was taken for 0.

    Raises
    ------
    SettingsError : the address cannot be listened on.
    """
    watch = _Watch(bot, metrics)
    counter = ProblemCounter(metrics.problems)
    runner = web.AppRunner(make_app(metrics, watch.health), access_log=None, handle_signals=False)
    logging.getLogger().addHandler(counter)
    watching = asyncio.create_task(watch.run())
    try:
        await runner.setup()
        try:
            await web.TCPSite(runner, address.host, address.port).start()
        except OSError as error:
            raise SettingsError(
                f"SEGUE_METRICS_PORT: cannot listen on {address}: {error.strerror or error}; choose another port"
            ) from error
        taken = Address(address.host, runner.addresses[0][1])
        log.info("health and metrics are at http://%s", taken)
        yield taken
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        logging.getLogger().removeHandler(counter)
        await runner.cleanup()


class _Watch:
    """Looks at the event loop and the gateway four times a second."""

    def __init__(self, bot: SegueBot, metrics: Metrics) -> None:
        self._bot = bot
        self._metrics = metrics
        self._connected_at = float("-inf")
        metrics.gateway.set_function(lambda: float(self._is_connected()))
        metrics.writer_waiting.set_function(lambda: float(bot.answers.feedback.n_waiting))

    async def run(self) -> None:
        """Look until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT_SECONDS
            self._since_connected()
            self._metrics.serving(self._bot.answers.catalogue.manifest)
            await asyncio.sleep(BEAT_SECONDS)
            self._metrics.loop_lag.observe(max(loop.time() - due, 0.0))

    def health(self) -> Health:
        """Say how the bot is; asked in the event loop."""
        return Health(
            logged_in=not self._bot.is_closed() and self._since_connected() <= PATIENCE_SECONDS,
            gateway_connected=self._is_connected(),
            writer_alive=self._bot.answers.feedback.is_writing,
            model=self._bot.answers.catalogue.manifest.identity,
        )

    def _since_connected(self) -> float:
        """Seconds since the bot was last seen connected."""
        now = asyncio.get_running_loop().time()
        if self._is_connected():
            self._connected_at = now
        return now - self._connected_at

    def _is_connected(self) -> bool:
        # Not bot.is_ready(): it comes seconds after the first message can be answered, and stays when the line is cut.
        socket = getattr(self._bot, "ws", None)  # None before the first connection
        return socket is not None and bool(socket.open) and socket.session_id is not None
