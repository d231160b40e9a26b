"""Fetch one file over HTTP: resumed, retried, bounded. Knows nothing of data sets."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from recommender.errors import DownloadError

Progress: TypeAlias = Callable[[int, int | None], None]

_CHUNK_BYTES = 1 << 16
_LONGEST_PAUSE_SECONDS = 60.0
_SPARE_BYTES = 16 << 20  # do not fill a disk to its last byte
_UNDECLARED_LIMIT_BYTES = 4 << 30  # where no size is published, something must still stop an endless answer
_OK, _PARTIAL, _RANGE_REFUSED = 200, 206, 416
_WORTH_ANOTHER_TRY = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Fetch:
    """What to fetch and how.

    Attributes
    ----------
    address : http or https.
    part : file to write or to continue.
    size : bytes it must have, None: unknown.
    progress : called with bytes done and bytes in all (None: unknown).
    sleep, free_bytes : wait for seconds; say how many bytes are free where a folder is.
    timeout : seconds without a byte after which a connection counts as dropped.
    max_attempts : attempts in a row without a new byte before giving up, >= 1.
    """

    address: str
    part: Path
    size: int | None
    progress: Progress | None
    sleep: Callable[[float], None]
    free_bytes: Callable[[Path], int]
    timeout: float
    max_attempts: int

    @property
    def validator(self) -> Path:
        """File that remembers which version of the remote file the part is of."""
        return self.part.with_name(self.part.name + ".version")

    def report(self, done: int, total: int | None) -> None:
        """Tell how far it is."""
        if self.progress is not None:
            self.progress(done, total)


class _TryAgain(Exception):  # noqa: N818 - not an error yet
    """One attempt failed in a way that may pass."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


def fetch(job: Fetch) -> None:
    """Bring the whole file to ``job.part``.

    Raises
    ------
    DownloadError : the address refuses, sends something of another size, keeps dropping, or the disk is too small.
    OSError : the part cannot be written.
    """
    furthest, failures = _length(job.part), 0
    while True:
        try:
            _attempt(job)
        except _TryAgain as err:
            reached = _length(job.part)
            failures = 0 if reached > furthest else failures + 1
            furthest = max(furthest, reached)
            if failures >= job.max_attempts:
                kept = f"; {reached:,} bytes are kept, run it again to go on" if reached else "; try again later"
                raise DownloadError(f"{job.address} could not be fetched: {err}{kept}") from err
            pause = 2.0**failures if err.pause is None else err.pause
            job.sleep(min(pause, _LONGEST_PAUSE_SECONDS))
        else:
            job.validator.unlink(missing_ok=True)
            return


def _attempt(job: Fetch) -> None:
    """Make one request and write what it brings; on return the part is complete."""
    start = _length(job.part)
    version = job.validator.read_text("ascii", "replace") if start and job.validator.exists() else ""
    if start and start == job.size:
        job.report(start, start)
        return
    if start and not version and job.size is None:
        start = 0  # nothing could tell whether the rest belongs to what is here
    with _request(job, start, version) as response:
        if response.status == _RANGE_REFUSED:
            # A part that is longer than the file is of another file: begin again.
            job.part.unlink(missing_ok=True)
            raise _TryAgain("it has nothing beyond what was fetched before", pause=0.0)
        if response.status == _OK:
            start = 0  # it ignores ranges, or the file has changed
        elif not _continues_at(response, start):
            job.part.unlink(missing_ok=True)
            raise _TryAgain("it answered with another part of the file than the one asked for", pause=0.0)
        total = _total(job, response, start)
        _remember_version(job, response)
        with job.part.open("r+b" if start else "wb") as file:
            file.seek(start)
            _copy(job, response, file, start, total)
    reached = _length(job.part)
    if total is not None and reached < total:
        raise _TryAgain(f"the connection ended after {reached:,} of {total:,} bytes")


def _request(job: Fetch, start: int, version: str) -> http.client.HTTPResponse:
    headers = {"User-Agent": "segue", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if version:
            headers["If-Range"] = version
    try:
        response = _opener().open(urllib.request.Request(job.address, headers=headers), timeout=job.timeout)  # noqa: S310
    except urllib.error.HTTPError as err:
        if err.code == _RANGE_REFUSED:
            return err  # type: ignore[return-value]  # an answer like any other: status, headers, context manager
        with err:
            reason = f"the server answers {err.code} {err.reason}"
            if err.code in _WORTH_ANOTHER_TRY:
                wait = err.headers.get("Retry-After", "")
                raise _TryAgain(reason, float(wait) if wait.isascii() and wait.isdigit() else None) from err
        raise DownloadError(f"{job.address} could not be fetched: {reason}; is the address right?") from err
    except urllib.error.URLError as err:
        raise _TryAgain(str(err.reason)) from err
    except (OSError, http.client.HTTPException, ValueError) as err:
        raise _TryAgain(str(err) or type(err).__name__) from err
    assert isinstance(response, http.client.HTTPResponse)
    return response


def _opener() -> urllib.request.OpenerDirector:
    """Speak http and https only: urllib's own opener would follow a redirection to ftp, and open files."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _continues_at(response: http.client.HTTPResponse, start: int) -> bool:
    return response.status == _PARTIAL and (response.headers["Content-Range"] or "").startswith(f"bytes {start}-")


def _total(job: Fetch, response: http.client.HTTPResponse, start: int) -> int | None:
    """Return the length of the whole file; see that it is the expected one and that the disk can hold it."""
    offered = None if response.length is None else start + response.length
    if job.size is not None and offered not in (None, job.size):
        raise DownloadError(
            f"{job.address} offers {offered:,} bytes, but {job.size:,} are published: not the same file"
        )
    total = job.size if offered is None else offered
    needed = (total or 0) - start + _SPARE_BYTES
    free = job.free_bytes(job.part.parent)
    if needed > free:
        raise DownloadError(
            f"{job.part.parent} has {free / 1e6:,.0f} MB free, but {needed / 1e6:,.0f} MB are needed: "
            f"free {(needed - free) / 1e6:,.0f} MB more, or choose another folder"
        )
    return total


def _remember_version(job: Fetch, response: http.client.HTTPResponse) -> None:
    tag = response.headers["ETag"] or ""
    # A weak tag may not be used to put parts together (RFC 9110, 13.1.5); a date is better than nothing.
    version = tag if tag and not tag.startswith("W/") else response.headers["Last-Modified"] or ""
    if version.isascii() and version.isprintable() and version:
        job.validator.write_text(version, "ascii")
    else:
        job.validator.unlink(missing_ok=True)


def _copy(job: Fetch, response: http.client.HTTPResponse, file: BinaryIO, done: int, total: int | None) -> None:
    limit = _UNDECLARED_LIMIT_BYTES if total is None else total
    job.report(done, total)
    while chunk := _next_chunk(response):
        if done + len(chunk) > limit:
            raise DownloadError(f"{job.address} sends more than the {limit:,} bytes that it should; fetch it by hand")
        file.write(chunk)
        done += len(chunk)
        job.report(done, total)
    file.truncate()


def _next_chunk(response: http.client.HTTPResponse) -> bytes:
    """Read on; errors of the network are told apart from errors of the disk, which are no reason to try again."""
    try:
        return response.read1(_CHUNK_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as err:
        raise _TryAgain(f"the connection broke ({err or type(err).__name__})") from err


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
