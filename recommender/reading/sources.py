"""Bytes of a listening-data file: opened, measured, hashed, decompressed, cut into blocks of whole lines."""

from __future__ import annotations

import hashlib
import io
import itertools
import tarfile
import zlib
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar, cast

import numpy as np
import zstandard

from recommender.errors import DataError

BLOCK_BYTES = 4 << 20  # smaller ones cost calls, larger ones page faults: 1 and 16 MiB were slower by a tenth
MAX_LINE_BYTES = 4 << 20
_PIECE_BYTES = 1 << 20
_READ_BYTES = BLOCK_BYTES  # pieces that need no cutting become blocks uncopied
_LARGE_PIECE_BYTES = 64 << 10
_MAX_UNHASHED = 3
_ITEMS_AHEAD = 4  # large and tiny blocks take turns: with one ahead, the large ones would wait for each other
# Zstandard may turn 4 bytes into 128 KiB: with 4 KiB at a time even a bomb stays below 128 MiB.
_ZSTD_STEP_BYTES = 4 << 10
_MAX_TAR_MEMBERS = 10_000
_MAX_BUFFERED_BYTES = 2 << 30
_UTF8_BOM = b"\xef\xbb\xbf"
T = TypeVar("T")


class Meter:
    """A file that counts and hashes what is read of it.

    Attributes
    ----------
    label : how messages call it, the path or ``standard input``.
    done, total : bytes read so far, bytes there are (None when that cannot be known).
    """

    def __init__(self, file: BinaryIO, label: str, total: int | None, *, after: Meter | None = None) -> None:
        """``after``: a file read before this one, which counts and is hashed as if it stood in front of it."""
        self.label = label
        self.total = total
        self.done: int = 0 if after is None else after.done
        self._file = file
        self._digest: hashlib._Hash = hashlib.sha256() if after is None else after._digest
        self._hashing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hashing")
        self._unhashed: deque[Future[None]] = deque()
        self._pieces = self._read_on()

    def _read_on(self) -> Iterator[bytes]:
        try:
            while piece := self._file.read(_READ_BYTES):
                self.done += len(piece)
                self._hash(piece)
                yield piece
        except OSError as err:
            raise DataError(f"{self.label} cannot be read: {err.strerror or err}") from err

    def pieces(self) -> Iterator[bytes]:
        """Continue reading where the last reader stopped."""
        return self._pieces

    def sha256(self) -> str:
        """Read to the end (an archive holds more than the one file wanted) and return the hash of all of it."""
        for _ in self._pieces:
            pass
        self._wait(0)
        return self._digest.hexdigest()

    def close(self) -> None:
        """End the thread that hashes."""
        self._hashing.shutdown(cancel_futures=True)

    def _hash(self, piece: bytes) -> None:
        """Hash a piece in order: a large one in a thread, beside what is done with it here."""
        if len(piece) < _LARGE_PIECE_BYTES:
            self._wait(0)
            self._digest.update(piece)
        else:
            self._wait(_MAX_UNHASHED)
            self._unhashed.append(self._hashing.submit(self._digest.update, piece))

    def _wait(self, most: int) -> None:
        """Wait until no more than so many pieces are unhashed."""
        while len(self._unhashed) > most:
            self._unhashed.popleft().result()


@contextmanager
def open_meter(source: Path | BinaryIO, *, after: Meter | None = None) -> Iterator[Meter]:
    """Open a path, or take a stream as standard input; ``after`` as in :class:`Meter`.

    Raises
    ------
    DataError : there is no such file, it is a folder, or it may not be read.
    """
    if not isinstance(source, Path):
        with closing(Meter(source, "standard input", None)) as meter:
            yield meter
        return
    try:
        file = source.open("rb")
    except FileNotFoundError as err:
        raise DataError(f"{source} does not exist; check the path") from err
    except (OSError, ValueError) as err:
        reason = err.strerror if isinstance(err, OSError) else str(err)
        raise DataError(f"{source} cannot be opened: {reason}") from err
    with file:
        size = source.stat().st_size if source.is_file() else None  # a named pipe has no size
        if size is not None and after is not None:
            size += after.done
        with closing(Meter(file, str(source), size, after=after)) as meter:
            yield meter


def whole(pieces: Iterator[bytes], label: str) -> io.BytesIO:
    """Hold a stream in memory, for formats that are read from their end.

    Raises
    ------
    DataError : it is too large for that.
    """
    held = io.BytesIO()
    for piece in pieces:
        held.write(piece)
        if held.tell() > _MAX_BUFFERED_BYTES:
            raise DataError(f"{label} is too large to be read from a pipe in this format; give the file's path")
    held.seek(0)
    return held


def head_of(pieces: Iterator[bytes], size: int) -> tuple[bytes, Iterator[bytes]]:
    """Look at the first bytes; the second value still yields everything."""
    taken: list[bytes] = []
    for piece in pieces:
        taken.append(piece)
        if sum(map(len, taken)) >= size:
            break
    return b"".join(taken)[:size], itertools.chain(taken, pieces)


def text_of(pieces: Iterator[bytes], label: str) -> Iterator[bytes]:
    """Unpack gzip, Zstandard and tar, recognised by their first bytes, and drop a byte-order mark.

    Raises
    ------
    DataError : while it is read: the file is cut off or damaged, or the archive holds no plays.
    """
    magic, pieces = head_of(pieces, 4)
    unpacked = _unpack(magic, pieces, label)
    head, unpacked = head_of(unpacked, 512)
    if head[257:262] == b"ustar":
        unpacked = _plays_in_tar(unpacked, label)
        head, unpacked = head_of(unpacked, 4)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{label} is UTF-16 text; save it as UTF-8")
    if head.startswith(_UTF8_BOM):
        # Chained pieces start with whatever length the reader gave: a first piece may be shorter than the mark.
        return itertools.chain([next_after(unpacked, len(_UTF8_BOM))], unpacked)
    return unpacked


def next_after(pieces: Iterator[bytes], size: int) -> bytes:
    """Skip the first ``size`` bytes and return the rest of the piece they end in."""
    for piece in pieces:
        if len(piece) >= size:
            return piece[size:]
        size -= len(piece)
    return b""


def _unpack(magic: bytes, pieces: Iterator[bytes], label: str) -> Iterator[bytes]:
    if magic[:2] == b"\x1f\x8b":
        return _gunzip(pieces, label)
    if magic == b"\x28\xb5\x2f\xfd":
        return _unzstd(pieces, label)
    if magic[:3] == b"BZh" or magic == b"\xfd7zX":
        raise DataError(
            f"{label} is compressed with bzip2 or xz, which is not read here; unpack it, or use gzip or zstd"
        )
    return pieces


def _gunzip(pieces: Iterator[bytes], label: str) -> Iterator[bytes]:
    decoder = None  # between two members of the file
    try:
        for piece in pieces:
            packed = piece
            while packed:
                if decoder is None:
                    packed = packed.lstrip(b"\0")  # tape blocks are padded with zeros
                    if not packed:
                        break
                    decoder = zlib.decompressobj(wbits=31)
                yield decoder.decompress(packed, _PIECE_BYTES)
                packed = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
                decoder = None if decoder.eof else decoder
        while decoder is not None and (rest := decoder.decompress(b"", _PIECE_BYTES)):
            yield rest
    except zlib.error as err:
        raise DataError(f"{label} is a damaged gzip file ({err}); fetch it again") from err
    if decoder is not None and not decoder.eof:
        raise DataError(f"{label} is a gzip file that ends too early; fetch it again")


def _unzstd(pieces: Iterator[bytes], label: str) -> Iterator[bytes]:
    decoder = None
    try:
        for piece in pieces:
            for start in range(0, len(piece), _ZSTD_STEP_BYTES):
                packed = piece[start : start + _ZSTD_STEP_BYTES]
                while packed:
                    decoder = decoder or zstandard.ZstdDecompressor().decompressobj()
                    yield decoder.decompress(packed)
                    packed = decoder.unused_data if decoder.eof else b""
                    decoder = None if decoder.eof else decoder
    except zstandard.ZstdError as err:
        raise DataError(f"{label} is a damaged Zstandard file ({err}); fetch it again") from err
    if decoder is not None:
        raise DataError(f"{label} is a Zstandard file that ends too early; fetch it again")


class _Readable:
    """The ``read`` that tarfile wants, over pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int) -> bytes:
        if not self._rest:
            self._rest = next((piece for piece in self._pieces if piece), b"")
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


def _plays_in_tar(pieces: Iterator[bytes], label: str) -> Iterator[bytes]:
    """Yield the one member that holds plays; the archive is passed by as a stream, nothing is written to disk."""
    seen: list[str] = []
    try:
        with tarfile.open(fileobj=cast("BinaryIO", _Readable(pieces)), mode="r|", bufsize=_PIECE_BYTES) as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                seen.append(name)
                if len(seen) > _MAX_TAR_MEMBERS:
                    break
                is_plays = "plays" in name.lower() and name.lower().endswith((".tsv", ".csv", ".txt"))
                if is_plays and member.isfile() and not name.startswith("."):
                    file = archive.extractfile(member)
                    while file is not None and (piece := file.read(_PIECE_BYTES)):
                        yield piece
                    for _ in pieces:  # the packed stream's checksum stands at its end
                        pass
                    return
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as err:
        raise DataError(f"{label} is a damaged tar archive ({err}); fetch it again") from err
    listed = ", ".join(ascii(name) for name in seen[:8]) or "nothing"
    raise DataError(f"{label} is an archive without a file named like '…-plays.tsv'; it holds {listed}")


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines: each of the ``n_lines`` ends in a newline, CRLF is LF; the first is line ``first_line`` (from 1).

    ``has_returns`` tells whether there are CRs that end no line.
    """

    first_line: int
    n_lines: int
    data: bytes | memoryview
    has_returns: bool


def line_blocks(pieces: Iterator[bytes], label: str, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Cut a stream at newlines, so that memory is bounded whatever the file unpacks to.

    Parameters
    ----------
    pieces : any lengths.
    label : how messages call the file.
    block_bytes : about the length of a block, > 0.

    Raises
    ------
    DataError : while it is read: a line is longer than 4 MiB.
    """
    line_no, size, returns = 1, 0, False
    held: list[bytes | memoryview] = []
    for piece in _no_longer_than(block_bytes, pieces):
        cut = piece.rfind(b"\n") + 1
        returns |= b"\r" in piece
        if size + len(piece) >= block_bytes and cut:
            view = memoryview(piece)
            # What is held is ended by the first line of a large piece, whose others need not be copied: moving all of
            # them by the length of half a line took as long as reading them.
            first = cut
            if len(piece) >= _LARGE_PIECE_BYTES:
                first = piece.index(b"\n") + 1 if size else 0
            for data in (b"".join([*held, view[:first]]), view[first:cut]):
                if len(data):
                    block = _block(line_no, data, may_have_returns=returns)
                    yield block
                    line_no += block.n_lines
            held, size, returns = [piece[cut:]], len(piece) - cut, returns and b"\r" in piece[cut:]
        else:
            held.append(piece)
            size += len(piece)
            if size > block_bytes + MAX_LINE_BYTES and not cut:
                raise DataError(f"{label} is not listening data: near line {line_no} a line is longer than 4 MiB")
    if size:
        data = b"".join(held)
        yield _block(line_no, data if data.endswith(b"\n") else data + b"\n", may_have_returns=returns)


def _no_longer_than(size: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if len(piece) <= size:
            yield piece
        else:
            yield from (piece[start : start + size] for start in range(0, len(piece), size))


def _block(first_line: int, data: bytes | memoryview, *, may_have_returns: bool) -> Block:
    has_returns = False
    if may_have_returns:
        data = bytes(data).replace(b"\r\n", b"\n")
        has_returns = b"\r" in data
    n_lines = int(np.count_nonzero(np.frombuffer(data, np.uint8) == 0x0A))  # three times as fast as bytes.count
    return Block(first_line, n_lines, data, has_returns)


def read_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Fetch the next items in a thread (reading, unpacking, scanning release the lock) while one is worked on."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as pool:
        pending = deque(pool.submit(next, items, None) for _ in range(_ITEMS_AHEAD))
        try:
            while (item := pending.popleft().result()) is not None:
                pending.append(pool.submit(next, items, None))
                yield item
        finally:
            for future in pending:
                future.cancel()
