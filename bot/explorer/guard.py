"""What stands between the network and the explorer: headers, hosts, rates, and errors as JSON."""

import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.explorer.answering import UnknownModelError
from recommender.errors import ParameterError

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# No inline script or style, nothing from elsewhere, no code made from text. The one worker is a script of the page.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
MAX_ADDRESSES = 10_000


@dataclass(frozen=True, slots=True)
class RateParams:
    """How much one address may ask: ``per_second`` requests to the API in the long run, ``burst`` at once."""

    per_second: float = 40.0
    burst: int = 200


class RateLimiter:
    """A token bucket for each address, the least recent forgotten first.

    Parameters
    ----------
    params : the bucket's size and refill.
    clock : seconds from any start, monotonic.
    """

    def __init__(self, params: RateParams, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._params = params
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Take one token; 0.0 when there was one, else seconds until there is."""
        now = self._clock()
        tokens, then = self._buckets.pop(address, (float(self._params.burst), now))
        tokens = min(tokens + (now - then) * self._params.per_second, self._params.burst)
        allowed = tokens >= 1
        self._buckets[address] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self._params.per_second


def problem(status: int, sentence: str, **headers: str) -> web.Response:
    """Answer with a sentence about what was wrong."""
    return web.json_response({"error": sentence}, status=status, headers=headers)


def guarded(limiter: RateLimiter, *, hosts: frozenset[str] | None) -> Middleware:
    """Make the middleware.

    Parameters
    ----------
    limiter : asked before each request to the API.
    hosts : names by which this server may be called; None allows every one. A page elsewhere can let its own name
        point to 127.0.0.1 and would else read everything here (DNS rebinding).
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await _answer(request, handler)
        response.headers.update(HEADERS)
        return response

    async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        if hosts is not None and _host_name(request.host) not in hosts:
            return problem(421, "this server is not called that; use the address that segue explore printed")
        if request.path.startswith("/api/") and (seconds := limiter.wait(request.remote or "")) > 0:
            return problem(429, "too many requests; wait a moment", **{"Retry-After": str(int(seconds) + 1)})
        try:
            return await handler(request)
        except UnknownModelError as error:
            return problem(404, str(error))
        except ParameterError as error:
            return problem(400, str(error))
        except web.HTTPException as error:
            if error.status < 400:
                return error
            allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            return problem(error.status, _HTTP_SENTENCES.get(error.status, error.reason), **allow)
        except Exception:
            # The last boundary: whoever asks learns nothing of the inside, whoever runs it everything.
            log.exception("could not answer %s", request.path)
            return problem(500, "something went wrong here; the log of segue explore says what")

    return middleware


_HTTP_SENTENCES = {
    404: "there is nothing at this address; /api/openapi.json lists what is",
    405: "this can only be read; use GET",
    414: "the address is too long",
}


def _host_name(host: str) -> str:
    """Return the name in a Host header, without the port."""
    name, _, port = host.rpartition(":")
    return name.lower() if name and port.isdigit() else host.lower()
