"""Claims about data sets and their download, against a real server on the loopback interface."""

import gzip
import hashlib
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recommender.datasets import DATASETS, Dataset, download, find_dataset, local_path
from recommender.errors import DownloadError, ParameterError
from recommender.plays import load_plays
from worlds import official_archive, tsv

CONTENT = official_archive(tsv([(f"listener {i}", "", f"artist {i * i % 9973}", i + 1) for i in range(40_000)]))
OTHER = gzip.compress(b"another file\n" * 99_999, mtime=0)


@dataclass
class Script:
    """What the server does: one step for each request, the last for all that follow."""

    steps: list[Callable[[BaseHTTPRequestHandler], None]]
    ranges: list[str | None] = field(default_factory=list)
    conditions: list[str | None] = field(default_factory=list)

    def next_step(self) -> Callable[[BaseHTTPRequestHandler], None]:
        return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]


def answer(
    content: bytes = CONTENT,
    *,
    cut: int | None = None,
    ranges: bool = True,
    etag: str = '"v1"',
    length: bool = True,
) -> Callable[[BaseHTTPRequestHandler], None]:
    """Send a file as a static server does; ``cut``: drop the connection after so many bytes."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers["Range"]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and ranges else 0
        if handler.headers["If-Range"] not in (None, etag):
            start = 0
        if start >= len(content):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(content)}")
            handler.end_headers()
            return
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if length:
            handler.send_header("Content-Length", str(len(content) - start))
        if etag:
            handler.send_header("ETag", etag)
        handler.end_headers()
        handler.wfile.write(content[start : None if cut is None else start + cut])

    return step


def status(code: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()

    return step


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[str, Script]]]:
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(*steps: Callable[[BaseHTTPRequestHandler], None]) -> tuple[str, Script]:
        script = Script(list(steps))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                script.ranges.append(self.headers["Range"])
                script.conditions.append(self.headers["If-Range"])
                script.next_step()(self)

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}/set.tar.gz", script

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


SET = replace(
    DATASETS["lastfm-360k"],
    filename="set.tar.gz",
    size=len(CONTENT),
    md5=hashlib.md5(CONTENT).hexdigest(),  # noqa: S324
)
UNCHECKED = replace(SET, size=None, md5=None)
PART = "set.tar.gz.part"


class Pauses(list[float]):
    """Sleep without sleeping."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def fetched(folder: Path, url: str, dataset: Dataset = SET, **options: object) -> Path:
    options.setdefault("sleep", Pauses())
    return download(dataset, folder, url=url, **options)  # type: ignore[arg-type]


def test_whole_file_comes_with_progress_and_loads(tmp_path: Path, serve: Callable) -> None:
    url, script = serve(answer())
    seen: list[tuple[int, int | None]] = []
    path = fetched(tmp_path / "new" / "folder", url, progress=lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert [entry.name for entry in path.parent.iterdir()] == ["set.tar.gz"]
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert script.ranges == [None]
    assert load_plays(path).report.rows == 40_000


def test_dropped_connection_goes_on_where_it_stopped(tmp_path: Path, serve: Callable) -> None:
    url, script = serve(answer(cut=100_000), hang_up, answer(cut=50_000), answer())
    pauses = Pauses()
    assert fetched(tmp_path, url, sleep=pauses).read_bytes() == CONTENT
    assert script.ranges == [None, "bytes=100000-", "bytes=100000-", "bytes=150000-"]
    assert script.conditions == [None, '"v1"', '"v1"', '"v1"']
    assert len(pauses) == 3


def test_file_that_changed_meanwhile_is_fetched_afresh(tmp_path: Path, serve: Callable) -> None:
    url, script = serve(
        answer(OTHER + b"\0" * (len(CONTENT) - len(OTHER)), cut=500, etag='"old"'), answer(etag='"new"')
    )
    assert fetched(tmp_path, url).read_bytes() == CONTENT
    assert script.conditions == [None, '"old"']


def test_server_without_ranges_starts_again(tmp_path: Path, serve: Callable) -> None:
    url, script = serve(answer(cut=100_000, ranges=False), answer(ranges=False))
    assert fetched(tmp_path, url).read_bytes() == CONTENT
    assert script.ranges == [None, "bytes=100000-"]


def test_interrupted_download_is_continued_by_the_next_one(tmp_path: Path, serve: Callable) -> None:
    url, script = serve(answer())

    def interrupt(done: int, _total: int | None) -> None:
        if done > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetched(tmp_path, url, progress=interrupt)
    kept = (tmp_path / PART).stat().st_size
    assert kept > 100_000
    assert local_path(SET, tmp_path) is None
    assert fetched(tmp_path, url).read_bytes() == CONTENT
    assert script.ranges == [None, f"bytes={kept}-"]


def test_complete_part_is_only_checked(tmp_path: Path, serve: Callable) -> None:
    url, script = serve(status(500))
    (tmp_path / PART).write_bytes(CONTENT)
    assert fetched(tmp_path, url).read_bytes() == CONTENT
    assert script.ranges == []


@pytest.mark.parametrize("extra", [b"", b"too much"])
def test_part_beyond_the_end_is_thrown_away(tmp_path: Path, serve: Callable, extra: bytes) -> None:
    url, script = serve(answer())
    (tmp_path / PART).write_bytes(CONTENT + extra)
    (tmp_path / f"{PART}.version").write_text('"v1"')
    assert fetched(tmp_path, url, UNCHECKED).read_bytes() == CONTENT
    assert script.ranges == [f"bytes={len(CONTENT + extra)}-", None]


def test_part_of_unknown_version_is_not_continued_unchecked(tmp_path: Path, serve: Callable) -> None:
    url, script = serve(answer())
    (tmp_path / PART).write_bytes(b"something else")
    assert fetched(tmp_path, url, UNCHECKED).read_bytes() == CONTENT
    assert script.ranges == [None]


def test_wrong_part_of_the_file_is_not_stitched_in(tmp_path: Path, serve: Callable) -> None:
    wrong = status(206, Content_Range=f"bytes 7-{len(CONTENT) - 1}/{len(CONTENT)}", Content_Length="5")
    url, _ = serve(answer(cut=1000), wrong, answer())
    assert fetched(tmp_path, url).read_bytes() == CONTENT


def test_complete_file_is_verified_and_not_fetched_again(tmp_path: Path, serve: Callable) -> None:
    url, script = serve(answer())
    (tmp_path / "set.tar.gz").write_bytes(CONTENT)
    assert fetched(tmp_path, url) == tmp_path / "set.tar.gz" == local_path(SET, tmp_path)
    (tmp_path / "set.tar.gz").write_bytes(CONTENT[:-1] + b"x")
    with pytest.raises(DownloadError, match=r"is not lastfm-360k: its MD5 is .* instead of .*; delete it"):
        fetched(tmp_path, url)
    assert script.ranges == []


def test_wrong_checksum_removes_the_part(tmp_path: Path, serve: Callable) -> None:
    url, _ = serve(answer(CONTENT[:-1] + b"x"))
    with pytest.raises(DownloadError, match=r"is not lastfm-360k: its MD5 is .* instead of .*; it was removed"):
        fetched(tmp_path, url)
    assert list(tmp_path.iterdir()) == []


def test_other_length_is_refused_before_it_is_fetched(tmp_path: Path, serve: Callable) -> None:
    url, _ = serve(answer(CONTENT + b"x"))
    with pytest.raises(DownloadError, match=r"offers .* bytes, but .* are published"):
        fetched(tmp_path, url)
    assert not (tmp_path / PART).exists()


def test_answer_without_length_is_bounded_by_the_declared_size(tmp_path: Path, serve: Callable) -> None:
    url, _ = serve(answer(length=False))
    assert fetched(tmp_path / "good", url).read_bytes() == CONTENT
    url, _ = serve(answer(CONTENT * 3, length=False))
    with pytest.raises(DownloadError, match="sends more than"):
        fetched(tmp_path, url)
    assert (tmp_path / PART).stat().st_size <= len(CONTENT)


def test_two_downloads_at_once_do_not_write_into_one_part(tmp_path: Path, serve: Callable) -> None:
    url, _ = serve(answer())
    refused: list[str] = []

    def start_another(_done: int, _total: int | None) -> None:
        if not refused:
            with pytest.raises(DownloadError, match="another command is downloading") as raised:
                fetched(tmp_path, url)
            refused.append(str(raised.value))

    assert fetched(tmp_path, url, progress=start_another).read_bytes() == CONTENT
    assert len(refused) == 1


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("user_artists.dat", content)
    return packed.getvalue()


@pytest.mark.parametrize(
    "sent", [b"PK\x03\x04" + bytes(5000), zipped(b"x" * 5000)[:3000], zipped(b"x" * 5000).replace(b"xx", b"xy", 1)]
)
def test_a_zip_that_is_not_whole_is_neither_taken_nor_kept(tmp_path: Path, serve: Callable, sent: bytes) -> None:
    """Where no checksum is published, the archive's own has to do; also for a file that is there already."""
    url, _ = serve(answer(sent))
    dataset = replace(UNCHECKED, filename="set.zip")
    with pytest.raises(DownloadError, match="it was removed, try again"):
        fetched(tmp_path, url, dataset)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "set.zip").write_bytes(sent)
    with pytest.raises(DownloadError, match="delete it to fetch it again"):
        fetched(tmp_path, url, dataset)


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://", "", "http://a b/", "http://é/", "ftp://x/", "http://x:99999/"]
)
def test_what_is_no_address_is_refused_at_once(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="address"):
        fetched(tmp_path, url)


def test_page_instead_of_an_archive_is_refused(tmp_path: Path, serve: Callable) -> None:
    url, _ = serve(answer(b"<html>please log in to our network</html>"))
    with pytest.raises(DownloadError, match="no archive of the expected kind"):
        fetched(tmp_path, url, UNCHECKED)
    assert list(tmp_path.iterdir()) == []


def test_missing_file_is_not_tried_again(tmp_path: Path, serve: Callable) -> None:
    url, script = serve(status(404))
    with pytest.raises(DownloadError, match="the server answers 404 Not Found; is the address right"):
        fetched(tmp_path, url)
    assert len(script.ranges) == 1


def test_busy_server_is_asked_again_after_the_pause_it_names(tmp_path: Path, serve: Callable) -> None:
    url, _ = serve(status(503, Retry_After="7"), status(503, Retry_After="9999"), status(503), answer())
    pauses = Pauses()
    assert fetched(tmp_path, url, sleep=pauses).read_bytes() == CONTENT
    assert pauses == [7, 60, 8]


def test_server_that_keeps_failing_is_given_up(tmp_path: Path, serve: Callable) -> None:
    url, script = serve(answer(cut=1000), hang_up)
    pauses = Pauses()
    with pytest.raises(DownloadError, match=r"could not be fetched: .*; 1,000 bytes are kept, run it again to go on"):
        fetched(tmp_path, url, sleep=pauses, max_attempts=3)
    assert len(script.ranges) == 4
    assert pauses == [1, 2, 4]


def test_nobody_listening_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"http://127\.0\.0\.1:1/x could not be fetched: .*; try again later"):
        fetched(tmp_path, "http://127.0.0.1:1/x", max_attempts=2)


def test_silent_server_times_out(tmp_path: Path, serve: Callable) -> None:
    over = threading.Event()
    url, _ = serve(lambda _: over.wait(10), answer())
    assert fetched(tmp_path, url, timeout=0.2).read_bytes() == CONTENT
    over.set()


def test_full_disk_is_noticed_beforehand(tmp_path: Path, serve: Callable) -> None:
    url, _ = serve(answer())
    with pytest.raises(DownloadError, match=r"has 1 MB free, but 17 MB are needed: free 16 MB more, or choose another"):
        fetched(tmp_path, url, free_bytes=lambda _: 1_000_000)
    assert not (tmp_path / PART).exists()


def test_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path, serve: Callable) -> None:
    url, _ = serve(answer())
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match=r"set\.tar\.gz cannot be read or written: (Not a directory|File exists)"):
        fetched(tmp_path / "file", url)


@pytest.mark.parametrize("url", ["ftp://x/y", "file:///etc/passwd", "/etc/passwd", "javascript:x"])
def test_only_http_is_spoken(tmp_path: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="is not an http or https address"):
        fetched(tmp_path, url)


@pytest.mark.parametrize("elsewhere", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_redirection_to_anything_else_is_not_followed(tmp_path: Path, serve: Callable, elsewhere: str) -> None:
    url, _ = serve(status(302, Location=elsewhere))
    with pytest.raises(DownloadError, match="could not be fetched"):
        fetched(tmp_path, url, max_attempts=1)


def test_redirection_to_http_is_followed(tmp_path: Path, serve: Callable) -> None:
    url, _ = serve(answer())
    first, _ = serve(status(302, Location=url))
    assert fetched(tmp_path, first).read_bytes() == CONTENT


def test_demo_comes_with_the_package_and_says_that_it_is_synthetic(tmp_path: Path) -> None:
    demo = find_dataset("demo")
    assert demo.synthetic
    path = download(demo, tmp_path)
    assert path == local_path(demo, tmp_path)
    assert path.stat().st_size == demo.size
    assert load_plays(path).report.rows == 326_215


def test_every_data_set_names_its_source_and_licence() -> None:
    assert list(DATASETS) == ["demo", "lastfm-360k", "hetrec-lastfm-2k"]
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        assert dataset.licence
        assert dataset.citation
        assert dataset.url is None or dataset.url.startswith("https://")
        assert (dataset.url is None) == (name == "demo")


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ParameterError, match="no data set 'x'; there are demo, lastfm-360k, hetrec-lastfm-2k"):
        find_dataset("x")
