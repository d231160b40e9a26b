"""Recommend to a crowd: everybody in a file of listeners, one list each, as it is computed.

The file holds what they play, in any layout that training reads or as listener TAB artist; or nothing but their names,
one a line, who are then looked up in listening data.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from scipy.sparse import coo_array
from threadpoolctl import threadpool_limits

from recommender.artifact import Artifact
from recommender.artists import artist_id
from recommender.errors import DataError, ModelError
from recommender.matrix import CSR
from recommender.personal import recommender_of
from recommender.plays import PlayCounts, load_plays
from recommender.recommending import Recommender, Rows, Taste
from recommender.weighting import WeightingParams, weigh

HEAD_BYTES = 1 << 16
# What a pair weighs by these depends on all other listeners, whom a file of some does not hold.
NEED_EVERYBODY = {"tfidf", "bm25"}
_LISTENER_HEADERS = {"listener", "user", "userid", "user_id", "listener_id", "username"}


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Who shall get recommendations.

    ``names`` : of the listeners, in the order of the file. ``plays`` : shape (n_listeners, n_artists), of the artists
    ``artist_names``. ``unknown`` : line and name of those who were asked for and are not in the data.
    """

    names: list[str]
    plays: CSR
    artist_names: list[str]
    unknown: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Who gets no list: ``strangers`` play no artist that the model knows."""

    n_strangers: int
    first: str


def read_crowd(path: Path, *, data: Callable[[], PlayCounts] | None) -> Crowd:
    """Read a file of listeners.

    Parameters
    ----------
    path : the file.
    data : loads the listening data in which bare names are looked up; None where there are none.

    Raises
    ------
    DataError : the file cannot be read, is empty or makes no sense; or it holds bare names and there are no data.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as err:
        raise DataError(f"the listeners' file {path} cannot be read: {err.strerror or err}; check the path") from err
    first = next((line for line in head.splitlines() if line.strip()), b"")
    if not first:
        raise DataError(f"the listeners' file {path} is empty; give lines of listener TAB artist TAB plays")
    if _is_packed(head) or first.count(b"\t") > 1 or (b"\t" not in first and first.count(b",") + first.count(b";")):
        return _everybody(load_plays(path))
    if b"\t" in first:
        try:
            with path.open("rb") as file:
                return _everybody(load_plays(_with_plays(file, path)))
        except DataError as err:  # it was read as a stream, and is a file to who gave it
            raise DataError(str(err).replace("standard input", str(path), 1)) from err
    if data is None:
        raise DataError(
            f"{path} holds names and not what they play; give lines of listener TAB artist TAB plays, or say with "
            "--plays FILE or --data NAME where these listeners' plays are"
        )
    return _looked_up(path, data())


def _everybody(counts: PlayCounts) -> Crowd:
    return Crowd(counts.listeners, counts.plays, counts.artist_names)


def _looked_up(path: Path, counts: PlayCounts) -> Crowd:
    place = {name: row for row, name in enumerate(counts.listeners)}
    rows: dict[int, str] = {}
    unknown = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line_no, line in enumerate(file, start=1):
                name = line.rstrip("\r\n")
                if not name.strip() or (line_no == 1 and name.casefold() in _LISTENER_HEADERS and name not in place):
                    continue
                if name in place:
                    rows[place[name]] = name
                else:
                    unknown.append((line_no, name))
    except UnicodeDecodeError as err:
        raise DataError(f"{path} is not UTF-8 text ({err.reason} at byte {err.start}); save it as UTF-8") from err
    if not rows:
        raise DataError(
            f"nobody in {path} is in the listening data (first: {unknown[0][1][:60]!r}); are these its listeners?"
            if unknown
            else f"{path} names nobody; give one listener a line"
        )
    return Crowd(list(rows.values()), CSR(counts.plays[list(rows)]), counts.artist_names, tuple(unknown))


def recommend_to_all(
    artifact: Artifact, crowd: Crowd, k: int, *, unanswered: Callable[[Unanswered], None] = lambda _: None
) -> Iterator[tuple[str, Rows]]:
    """Recommend to each listener what they do not play yet, in the order of the file, as it is computed.

    Parameters
    ----------
    artifact : the model.
    crowd : the listeners.
    k : rows of each list, >= 1.
    unanswered : told at the end of those without a list, if there are any.

    Raises
    ------
    ModelError : its card does not say how it was trained.
    """
    recommender = recommender_of(artifact)
    weights = model_weights(artifact, crowd, recommender)
    strangers: list[str] = []
    with threadpool_limits(limits=1, user_api="blas"):
        for row, name in enumerate(crowd.names):
            cells = slice(weights.indptr[row], weights.indptr[row + 1])
            liked = weights.indices[cells].astype(np.intp)
            if liked.size == 0:
                strangers.append(name)
                continue
            found, _ = recommender.best(Taste(liked, weights.data[cells].astype(np.float64)), k)
            yield name, found
    if strangers:
        unanswered(Unanswered(len(strangers), strangers[0]))


def model_weights(artifact: Artifact, crowd: Crowd, recommender: Recommender) -> CSR:
    """Weigh a crowd's plays as the model's training did, in the model's columns; artists it does not know are dropped.

    Where a weight depends on all listeners (TF-IDF, BM25), each played artist weighs what a pair did on average.
    """
    try:
        weighting = WeightingParams(**artifact.manifest.parameters["weighting"])
    except (KeyError, TypeError) as err:
        raise ModelError(f"the model {artifact.manifest.id} does not say how it weighs plays; train it again") from err
    if weighting.scheme in NEED_EVERYBODY:
        weights = weigh(crowd.plays, replace(weighting, scheme="binary"))
        weights.data *= np.float32(recommender.objective.typical_weight)
    else:
        weights = weigh(crowd.plays, weighting)
    columns = _columns_of(artifact, crowd.artist_names)
    pairs = weights.tocoo()
    known = (columns[pairs.col] >= 0) & (pairs.data > 0)
    shape = (weights.shape[0], artifact.manifest.data.n_artists)
    # Two names of the file may be one artist here: the larger weight stands.
    order = np.lexsort((-pairs.data[known], columns[pairs.col][known], pairs.row[known]))
    rows, cols = pairs.row[known][order], columns[pairs.col][known][order]
    first = np.ones(rows.size, dtype=bool)
    first[1:] = (np.diff(rows) != 0) | (np.diff(cols) != 0)
    return CSR(coo_array((pairs.data[known][order][first], (rows[first], cols[first])), shape=shape))


def unknown_artists(artifact: Artifact, crowd: Crowd) -> list[str]:
    """Name the artists that a crowd plays and the model does not know."""
    played = np.flatnonzero(np.bincount(crowd.plays.indices, minlength=len(crowd.artist_names)))
    columns = _columns_of(artifact, crowd.artist_names)
    return [crowd.artist_names[idx] for idx in played if columns[idx] < 0]


def _columns_of(artifact: Artifact, names: list[str]) -> Rows:
    """The model's row of each name, -1 where it has none."""
    ids = np.array([artist_id(name) for name in names], dtype=np.int64)
    by_id = np.argsort(artifact.artist_ids)
    place = np.minimum(np.searchsorted(artifact.artist_ids, ids, sorter=by_id), by_id.size - 1)
    columns: Rows = np.where(artifact.artist_ids[by_id[place]] == ids, by_id[place], -1).astype(np.intp)
    return columns


def _is_packed(head: bytes) -> bool:
    return head[:2] == b"\x1f\x8b" or head[:4] in (b"\x28\xb5\x2f\xfd", b"PAR1", b"PK\x03\x04")


class _Rewritten(io.RawIOBase):
    """Lines of listener TAB artist, read as lines of Last.fm-360K's layout with one play each."""

    def __init__(self, file: BinaryIO, label: str) -> None:
        self._file, self.name, self._left = file, label, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while len(self._left) < len(view):
            lines = self._file.readlines(HEAD_BYTES)
            if not lines:
                break
            self._left += b"".join(_with_one_play(line) for line in lines)
        taken = self._left[: len(view)]
        view[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


def _with_one_play(line: bytes) -> bytes:
    text = line.rstrip(b"\r\n")
    # A line of another shape goes on as it is, and is reported as broken.
    listener, tab, artist = text.partition(b"\t")
    return listener + b"\t\t" + artist + b"\t1\n" if tab and b"\t" not in artist else text + b"\n"


def _with_plays(file: BinaryIO, path: Path) -> BinaryIO:
    at = file.tell()
    first = file.readline().rstrip(b"\r\n").decode("utf-8-sig", "replace").casefold().split("\t")
    if first[0].strip() not in _LISTENER_HEADERS:
        file.seek(at)
    return cast("BinaryIO", io.BufferedReader(_Rewritten(file, str(path))))
