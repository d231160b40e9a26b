"""Look for better options of a recipe: one at a time, on hidden plays, every trial noted so that none is done twice.

The search starts from a recipe and changes one option after the other; what finds hidden artists better is kept, and
the search goes on from there until no change helps. It is deterministic, so after an interruption it is run again from
the start and finds the trials it made in the journal.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recommender.errors import ModelError, ParameterError
from recommender.evaluating import EvaluationParams, evaluate
from recommender.matrix import CSR
from recommender.recipes import Algorithm, Recipe, fitted_to
from recommender.splits import SplitParams
from recommender.weighting import Scheme, WeightingParams

FORMAT = "segue-tuning"
# Far from the seeds that evaluations are run with: what is tuned on must not be what is judged on.
VALIDATION_SEED = 1_000_000
# The likelier ones first.
SCHEMES: dict[Algorithm, tuple[Scheme, ...]] = {
    "als": ("rank", "log", "binary"),
    "lsa": ("binary", "log", "rank", "tfidf", "bm25"),
}


@dataclass(frozen=True, slots=True)
class TuningParams:
    """Options of :func:`tune`: at most ``n_trials`` >= 1 recipes, each on ``n_splits`` >= 1 validation splits."""

    n_trials: int = 30
    n_splits: int = 1
    seed: int = 0
    split: SplitParams = field(default_factory=SplitParams)

    def __post_init__(self) -> None:
        if self.n_trials < 1 or self.n_splits < 1:
            raise ParameterError("the numbers of trials and splits must be at least 1")

    @property
    def evaluation(self) -> EvaluationParams:
        """How each trial is judged."""
        return EvaluationParams(self.split, self.n_splits, VALIDATION_SEED + self.seed)


@dataclass(frozen=True, slots=True)
class Trial:
    """One recipe and how well it found hidden artists: mean nDCG@10, None where its factors collapsed.

    ``change`` names the option that differs from the best before it.
    """

    number: int
    change: str
    recipe: Recipe
    ndcg: float | None
    known: bool


class Journal:
    """The trials of one search in a file, one JSON value a line; what a kill tore off at its end is left out.

    Parameters
    ----------
    path : the file; made when it is not there.
    subject : what the trials are about - data and options. A journal of something else is refused.

    Raises
    ------
    ParameterError : the file is of another search, or cannot be read or written.
    """

    def __init__(self, path: Path, subject: dict[str, Any]) -> None:
        self._path = path
        header = {"format": FORMAT, **subject}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = _whole_lines(path)
            if not lines:
                self._append(header)
            elif json.loads(lines[0]) != header:
                raise ParameterError(
                    f"{path} holds trials of other data, options or of another Segue; choose another --journal or "
                    "delete it"
                )
            self._known = {str(one["key"]): one["ndcg"] for one in map(json.loads, lines[1:])}
        except OSError as err:
            raise ParameterError(f"the journal {path} cannot be used: {err.strerror or err}") from err
        except (ValueError, KeyError, TypeError) as err:
            raise ParameterError(f"{path} is no journal of `segue tune` ({err}); choose another or delete it") from err

    def ndcg(self, recipe: Recipe) -> tuple[bool, float | None]:
        """Whether the recipe was tried, and what it reached."""
        key = _key(recipe)
        return key in self._known, self._known.get(key)

    def note(self, recipe: Recipe, ndcg: float | None) -> None:
        """Write a trial down, to the disk, before the next begins."""
        try:
            self._append({"key": _key(recipe), "ndcg": ndcg, "recipe": asdict(recipe)})
        except OSError as err:
            raise ParameterError(f"the journal {self._path} cannot be written: {err.strerror or err}") from err
        self._known[_key(recipe)] = ndcg

    def _append(self, value: dict[str, Any]) -> None:
        with self._path.open("ab") as file:
            file.write(json.dumps(value).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def tune(
    plays: CSR,
    start: Recipe,
    params: TuningParams,
    *,
    journal: Journal,
    progress: Callable[[Trial], None] = lambda _: None,
    step: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Trial:
    """Search from a recipe for a better one.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists), counts > 0.
    start : where the search starts; its algorithm stays, and what it leaves to the data's size is decided first.
    params : options.
    journal : what was tried already, and where trials are noted.
    progress : told each trial after it; ``step`` the change before it.
    stop : asked before each trial; True ends the search with what it has.

    Returns
    -------
    The best trial.

    Raises
    ------
    ModelError : the recipe to start from collapses.
    """
    search = _Search(plays, params, journal, progress, step)
    # Or, where the data are large, every trial would become the same recipe.
    best = search.tried("start", fitted_to(start, plays))
    if best.ndcg is None:
        raise ModelError("the factors of the preset to start from collapse on these data; start from another --preset")
    improved = True
    while improved and not stop():
        improved = False
        for change, recipe in changes(best.recipe):
            if search.has_tried(recipe):  # back where it came from
                continue
            if search.number >= params.n_trials or stop():
                return best
            trial = search.tried(change, recipe)
            if trial.ndcg is not None and best.ndcg is not None and trial.ndcg > best.ndcg:
                best, improved = trial, True
                break
    return best


def changes(recipe: Recipe) -> Iterator[tuple[str, Recipe]]:
    """Name every recipe that differs in one option, within what is sensible; the cheap and telling ones first."""
    for scheme in SCHEMES[recipe.algorithm]:
        if scheme != recipe.weighting.scheme:
            yield f"weighting {scheme}", replace(recipe, weighting=WeightingParams(scheme))
    if recipe.algorithm == "lsa":
        for n_factors in _around(recipe.lsa.n_factors, 10, 400):
            yield f"{n_factors} factors", replace(recipe, lsa=replace(recipe.lsa, n_factors=n_factors))
    else:
        yield from _als_changes(recipe)
    for share in (0.0, 0.3):
        if share != recipe.links.share and recipe.links.factor_share > 0:
            yield f"{share} EASE", replace(recipe, links=replace(recipe.links, share=share))


def _als_changes(recipe: Recipe) -> Iterator[tuple[str, Recipe]]:
    als, ridge = recipe.als, recipe.als.ridge
    for factor in (2.0, 0.5, 1.4, 0.7):
        value = _rounded(ridge.regularization * factor)
        yield (
            f"regularization {value:g}",
            replace(recipe, als=replace(als, ridge=replace(ridge, regularization=value))),
        )
    if ridge.kind == "ials":
        for factor in (2.0, 0.5):
            value = _rounded(ridge.unobserved_weight * factor)
            changed = replace(ridge, unobserved_weight=value)
            yield f"unobserved weight {value:g}", replace(recipe, als=replace(als, ridge=changed))
    else:
        for factor in (2.0, 0.5):
            value = _rounded(recipe.alpha * factor)
            yield f"alpha {value:g}", replace(recipe, alpha=value)
    for n_factors in _around(als.n_factors, 16, 256):
        yield f"{n_factors} factors", replace(recipe, als=replace(als, n_factors=n_factors))


class _Search:
    def __init__(
        self,
        plays: CSR,
        params: TuningParams,
        journal: Journal,
        progress: Callable[[Trial], None],
        step: Callable[[str], None],
    ) -> None:
        self._plays, self._params, self._journal = plays, params, journal
        self._progress, self._step = progress, step
        self._tried: set[Recipe] = set()

    @property
    def number(self) -> int:
        """How many recipes were tried."""
        return len(self._tried)

    def has_tried(self, recipe: Recipe) -> bool:
        """Whether this search tried the recipe."""
        return recipe in self._tried

    def tried(self, change: str, recipe: Recipe) -> Trial:
        """Judge a recipe, or read in the journal how it was judged."""
        self._step(change)
        known, ndcg = self._journal.ndcg(recipe)
        if not known:
            ndcg = self._judge(recipe)
            self._journal.note(recipe, ndcg)
        self._tried.add(recipe)
        trial = Trial(self.number, change, recipe, ndcg, known)
        self._progress(trial)
        return trial

    def _judge(self, recipe: Recipe) -> float | None:
        evaluation = self._params.evaluation
        try:
            judged = evaluate(self._plays, {"trial": recipe}, evaluation, stability=False)["trial"]
        except ModelError:  # too much regularization: no use to go further that way
            return None
        except ParameterError:  # more factors of LSA than the data have artists
            if not self._tried:
                raise
            return None
        return float(np.mean(judged.each[evaluation.names[1]]))


def subject_of(data_hash: str, start: Recipe, params: TuningParams) -> dict[str, Any]:
    """What the trials of a search are about: two searches of the same subject may share a journal."""
    return {
        "data": data_hash,
        "start": _key(start),
        "splits": params.n_splits,
        "seed": params.seed,
        "split": asdict(params.split),
    }


def _key(recipe: Recipe) -> str:
    return hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode()).hexdigest()


def _whole_lines(path: Path) -> list[bytes]:
    """Return the lines of a file that end; a torn one is cut off, so that the next begins on a line of its own."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    return whole.splitlines()


def _around(value: int, least: int, most: int) -> list[int]:
    return [changed for changed in (2 * value, value // 2) if least <= changed <= most]


def _rounded(value: float) -> float:
    """To three digits: 30 halved and doubled is 30 again, and the same recipe is not tried twice."""
    return float(f"{value:.3g}")
