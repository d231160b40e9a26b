"""How good a resolver is on labelled queries, and how fast."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recommender.errors import DataError
from recommender.naming.keys import tight_key
from recommender.naming.outcomes import Ambiguous, Found, NotFound, Resolution


@dataclass(frozen=True, slots=True)
class LabelledQuery:
    """A query and the artist that it means; ``expected`` is empty where it means none."""

    group: str
    query: str
    expected: str


@dataclass(slots=True)
class Score:
    """Counts over the queries of one group.

    Attributes
    ----------
    n : queries.
    accepted : answered without asking and right.
    wrong : answered without asking and wrong; for queries that name no artist, answered at all.
    top_1, top_5 : the artist was the first, or among the first five, of the answer or the choices.
    milliseconds : of each query, as the given clock counts.
    """

    n: int = 0
    accepted: int = 0
    wrong: int = 0
    top_1: int = 0
    top_5: int = 0
    milliseconds: list[float] = field(default_factory=list)

    def percentile(self, percent: float) -> float:
        """Milliseconds that so many percent of the queries do not exceed."""
        return float(np.percentile(self.milliseconds, percent)) if self.milliseconds else 0.0


def read_labelled(path: Path) -> list[LabelledQuery]:
    """Read a TSV with the header ``group``, ``query``, ``expected``; the last is empty for queries that name no artist.

    Raises
    ------
    DataError : it cannot be read, or a line has other than three fields.
    """
    try:
        # Not splitlines(): queries hold all sorts of white space on purpose.
        lines = path.read_bytes().decode("utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as err:
        raise DataError(f"{path} cannot be read: {err}; name a TSV file in UTF-8") from err
    header = [name.strip() for name in lines[0].split("\t")]
    if header != ["group", "query", "expected"]:
        raise DataError(f"{path}:1: the columns are {header}; the first line has to be group, query, expected")
    queries = []
    for number, line in enumerate(lines[1:], start=2):
        fields = line.removesuffix("\r").split("\t")
        if len(fields) != len(header):
            raise DataError(f"{path}:{number}: {len(fields)} fields instead of 3, separated by tabs; fix the line")
        queries.append(LabelledQuery(*fields))
    return queries


def evaluate(
    resolve: Callable[[str], Resolution],
    queries: Iterable[LabelledQuery],
    *,
    names: Sequence[str] | Callable[[int], str],
    clock: Callable[[], float] = time.process_time,
) -> dict[str, Score]:
    """Score a resolver by the first part of each query's group: "typo2" counts as "typo", "neg_words" as "neg".

    Parameters
    ----------
    resolve : the resolver.
    queries : labelled.
    names : an artist's name by its row. An answer is right if its name has the tight key of the expected one.
    clock : seconds; processor time unless told otherwise.
    """
    name_of = names if callable(names) else names.__getitem__
    scores: dict[str, Score] = {}
    for labelled in queries:
        score = scores.setdefault(labelled.group.partition("_")[0].rstrip("0123456789"), Score())
        started = clock()
        resolution = resolve(labelled.query)
        score.milliseconds.append(1000 * (clock() - started))
        _count(score, resolution, labelled.expected, name_of)
    return scores


def offered(resolution: Resolution) -> tuple[int, ...]:
    """Artist rows of an answer and whoever else could be meant, or of the choices, best first."""
    match resolution:
        case Found(artist_idx=idx, others=others):
            return (idx, *others)
        case Ambiguous(choices):
            return choices
        case NotFound(nearest):
            return nearest


def _count(score: Score, resolution: Resolution, expected: str, name_of: Callable[[int], str]) -> None:
    score.n += 1
    is_answer = isinstance(resolution, Found)
    if not expected:
        score.wrong += is_answer
        return
    right = [tight_key(name_of(idx)) == tight_key(expected) for idx in offered(resolution)[:5]]
    score.top_1 += right[:1] == [True]
    score.top_5 += any(right)
    score.accepted += is_answer and right[0]
    score.wrong += is_answer and not right[0]
