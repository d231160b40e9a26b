"""The explorer as a web server: the page's files and the API, until it is stopped."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from threadpoolctl import threadpool_limits

from bot.explorer.answering import Explorer
from bot.explorer.api import add_api
from bot.explorer.guard import LOOPBACK_NAMES, RateLimiter, RateParams, guarded
from bot.explorer.replies import EvaluationReply, MapReply
from bot.explorer.votes import VoteReports
from bot.settings import is_loopback
from recommender.errors import SettingsError

PAGE = Path(__file__).parent / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class ServerParams:
    """Where to listen, and how much one address may ask; other hosts than loopback only when told so."""

    host: str = "127.0.0.1"
    port: int = 8475
    rate: RateParams = field(default_factory=RateParams)


def make_app(
    explorer: Explorer,
    maps: Mapping[str, MapReply],
    evaluation: EvaluationReply,
    params: ServerParams,
    *,
    votes: VoteReports,
) -> web.Application:
    """Make the application; it answers nothing but GET and HEAD, and sets no cookie."""
    hosts = frozenset((*LOOPBACK_NAMES, params.host.lower())) if is_loopback(params.host) else None
    app = web.Application(middlewares=[guarded(RateLimiter(params.rate), hosts=hosts)])
    add_api(app, explorer, maps, evaluation, votes)
    for path in sorted(PAGE.iterdir()):
        if path.suffix in _TYPES:
            app.router.add_get(f"/{'' if path.name == 'index.html' else path.name}", _file(path))
    return app


def _file(path: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def send(_: web.Request) -> web.StreamResponse:
        response = web.FileResponse(path, headers={"Cache-Control": "no-cache"})
        response.content_type = _TYPES[path.suffix]
        response.charset = "utf-8"
        return response

    return send


async def serve(app: web.Application, params: ServerParams, *, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Parameters
    ----------
    app : of :func:`make_app`.
    params : where to listen; port 0 takes a free one.
    ready : told the address once it can be opened.

    Raises
    ------
    SettingsError : the address cannot be listened on.
    """
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        one_blas_thread()
        try:
            await web.TCPSite(runner, params.host, params.port).start()
        except OSError as error:
            raise SettingsError(
                f"cannot listen on {params.host} port {params.port}: {error.strerror or error}; choose another --port"
            ) from error
        ready(_address(runner, params.host))
        await _stopped()
    finally:
        await runner.cleanup()


def one_blas_thread() -> None:
    """Let each answer compute in one thread, its own: where the cores are busy, a second one is waited for."""
    threadpool_limits(limits=1, user_api="blas")


def _address(runner: web.AppRunner, host: str) -> str:
    port = runner.addresses[0][1]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


async def _stopped() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(name, stop.set)
        except NotImplementedError:  # Windows: Ctrl-C arrives as KeyboardInterrupt there
            continue
    await stop.wait()
