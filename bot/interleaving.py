"""Which rows a page shows while an experiment runs: drafted from two models, each with the exact chance it had.

It is a :class:`bot.showing.RowPolicy`. What goes wrong with an experiment - its second model is missing, the
database does not answer - never costs a member the answer: then the serving model answers alone.
"""

import hashlib
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

import numpy as np

from bot.evidence.drafting import MAX_PAGE_ROWS, DraftedRow, DraftParams, draw_page
from bot.feedback.experiments import Experiments
from bot.feedback.records import ExperimentRecord, Familiarity, Shown
from bot.showing import ChosenPage, ChosenRow, OneModel, PageRequest, popularity_bucket
from recommender.catalogue import Catalogue
from recommender.errors import ModelError, SegueError
from recommender.outcomes import Artist, Similar, SimilarArtist, TooFewListeners
from recommender.store import ModelStore

log = logging.getLogger(__name__)

# An experiment that is started or stopped elsewhere is noticed after so many seconds.
NOTICED_AFTER_SECONDS = 5.0
# Besides the serving one: moderators of many servers may compare many models, and each of them takes memory.
MODELS_KEPT = 4
# A model that could not be opened is tried again after so many seconds: it may have been put back.
TRIED_AGAIN_AFTER_SECONDS = 60.0
# Deeper ranks are neither drafted nor explored: five pages of ten.
CANDIDATES = 50


class Interleaving:
    """Draws pages while an experiment runs; else the serving model answers alone.

    Parameters
    ----------
    serving : the model that serves; its names of artists are shown where it knows them.
    experiments : of the open feedback store.
    open_model : opens a model by its identity, or raises :class:`SegueError`; the last few are kept.
    explores : whether a server (outside id; None elsewhere) lets answers explore.
    draw_seed : a signed number of 64 bits for each request, by default a random one.
    monotonic : seconds, for noticing changes.
    """

    def __init__(
        self,
        serving: Catalogue,
        experiments: Experiments,
        *,
        open_model: Callable[[str], Catalogue],
        explores: Callable[[str | None], bool] = lambda _: True,
        draw_seed: Callable[[], int] = lambda: secrets.randbits(64) - 2**63,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._serving = serving
        self._experiments = experiments
        self._open_model = open_model
        self._explores = explores
        self._alone = OneModel(serving)
        self._draw_seed = draw_seed
        self._monotonic = monotonic
        self._models: OrderedDict[str, Catalogue] = OrderedDict()
        self._broken: dict[str, float] = {}  # since when
        self._running: Mapping[str | None, ExperimentRecord] = {}
        self._looked_at: float | None = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Open the models of what runs now, so that no member's answer waits for it; blocks, and never fails."""
        try:
            running = self._experiments.all_running()
        except SegueError as error:
            log.warning("the experiments were not read: %s", error)
            return
        for experiment in list(running.values())[: MODELS_KEPT // 2]:
            self._both(experiment)

    def choose(self, request: PageRequest, /) -> ChosenPage | TooFewListeners:
        """Choose the rows of a page; blocks on the database, so it belongs in a thread."""
        drawn = self.draw(
            request.seed,
            page=request.page,
            shown=request.shown,
            size=min(request.wish.size, request.wish.most - len(request.shown)),
            guild=request.guild,
            familiarity=request.wish.familiarity,
            experiment_id=request.experiment_id,
            assignment_seed=request.assignment_seed,
        )
        return self._alone.choose(request) if drawn is None else drawn

    def draw(
        self,
        seed: Artist,
        *,
        page: int = 1,
        shown: tuple[int, ...] = (),
        size: int = MAX_PAGE_ROWS,
        guild: str | None = None,
        familiarity: Familiarity = "balanced",
        experiment_id: int | None = None,
        assignment_seed: int | None = None,
    ) -> ChosenPage | None:
        """Draw the rows of one page.

        Parameters
        ----------
        seed : the artist that was asked about.
        page : 1 is the first page.
        shown : ids of the artists that this answer has shown so far, in the order of their ranks.
        size : rows wanted, >= 1.
        guild : outside id of the server.
        familiarity : how well known the artists shall be, for both models.
        experiment_id, assignment_seed : what the first page was logged with; None for a first page.

        Returns
        -------
        None when no experiment runs (or none was running at the first page), or neither model has rows for this
        artist: then the serving model answers alone.
        """
        try:
            experiment = self._experiment(page, experiment_id, guild)
            explores = page == 1 and experiment is not None and self._explores(guild)
        except SegueError as error:
            log.warning("answered outside of the experiment: %s", error)
            return None
        models = None if experiment is None else self._both(experiment)
        if experiment is None or models is None:
            return None
        lists = tuple(_rows_by_id(model, seed.artist_id, familiarity) for model in models)
        if not any(lists):
            return None
        number = self._draw_seed() if assignment_seed is None else assignment_seed
        rate = experiment.explore_rate if explores else 0.0
        rows: list[ChosenRow] = []
        shuffled = False
        while len(rows) < size:
            params = DraftParams(min(size - len(rows), MAX_PAGE_ROWS), explore_rate=rate if not rows else 0.0)
            before = {*shown, *(row.artist.artist_id for row in rows)}
            rng = np.random.default_rng([_number(experiment.salt), number % 2**64, page, len(rows)])
            drawn = draw_page(tuple(lists[0]), tuple(lists[1]), params, rng=rng, shown=before)
            if not drawn.rows:
                break
            shuffled |= drawn.shuffled
            first = len(shown) + len(rows) + 1
            rows += [
                self._row(drafted, (lists[0], lists[1]), models, rank=rank, page=page)
                for rank, drafted in enumerate(drawn.rows, start=first)
            ]
        n_candidates = len(lists[0].keys() | lists[1].keys())
        return ChosenPage(tuple(rows), n_candidates, experiment.id, number, shuffled)

    def _row(
        self,
        drafted: DraftedRow,
        lists: tuple[dict[int, SimilarArtist], dict[int, SimilarArtist]],
        models: tuple[Catalogue, Catalogue],
        *,
        rank: int,
        page: int,
    ) -> ChosenRow:
        """Log the row with the model that drafted it; what is nobody's, with the one that ranks it higher."""
        far = CANDIDATES + 1
        by_b = drafted.team == "b" or (drafted.team != "a" and (drafted.rank_in_b or far) < (drafted.rank_in_a or far))
        found, model = lists[by_b][drafted.item], models[by_b]
        artist = self._serving.by_id(drafted.item) or found.artist
        logged = Shown(
            rank=rank,
            artist_id=drafted.item,
            model_id=model.manifest.identity,
            score=found.score,
            support=found.support,
            page=page,
            team=drafted.team,
            propensity=drafted.propensity,
            rank_in_a=drafted.rank_in_a,
            rank_in_b=drafted.rank_in_b,
            popularity_bucket=popularity_bucket(artist.listeners),
        )
        return ChosenRow(artist, logged, found.strength)

    def _experiment(self, page: int, experiment_id: int | None, guild: str | None) -> ExperimentRecord | None:
        if page > 1:  # goes on as it began, also when the experiment was stopped meanwhile
            return None if experiment_id is None else self._experiments.by_id(experiment_id)
        now = self._monotonic()
        if self._looked_at is None or now - self._looked_at >= NOTICED_AFTER_SECONDS:
            self._running, self._looked_at = self._experiments.all_running(), now
        return self._running.get(guild) or self._running.get(None)

    def _both(self, experiment: ExperimentRecord) -> tuple[Catalogue, Catalogue] | None:
        a, b = self._model(experiment.model_a), self._model(experiment.model_b)
        return None if a is None or b is None else (a, b)

    def _model(self, identity: str) -> Catalogue | None:
        if identity == self._serving.manifest.identity:
            return self._serving
        # Several threads ask at once: at worst a model is opened twice, and the lock is not held meanwhile.
        with self._lock:
            model, broken_since = self._models.get(identity), self._broken.get(identity)
            if model is not None:
                self._models.move_to_end(identity)
                return model
        if broken_since is not None and self._monotonic() - broken_since < TRIED_AGAIN_AFTER_SECONDS:
            return None
        try:
            model = self._open(identity)
        except SegueError as error:
            log.warning("the experiment's model %s cannot be used, the serving one answers alone: %s", identity, error)
            with self._lock:
                self._broken[identity] = self._monotonic()
            return None
        with self._lock:
            self._broken.pop(identity, None)
            self._models[identity] = model
            while len(self._models) > MODELS_KEPT:
                self._models.popitem(last=False)
        return model

    def _open(self, identity: str) -> Catalogue:
        model, serving = self._open_model(identity), self._serving.manifest
        # Every answer says whether its listeners are synthetic; one that mixes both kinds could not.
        if model.manifest.data.synthetic != serving.data.synthetic:
            raise ModelError(f"of {identity} and the serving {serving.identity} only one has synthetic listeners")
        return model


def _rows_by_id(model: Catalogue, artist_id: int, familiarity: Familiarity) -> dict[int, SimilarArtist]:
    """Return a model's rows for an artist, best first; none where it does not know the artist, or too little of it."""
    artist = model.by_id(artist_id)
    found = None if artist is None else model.similar(artist.artist_idx, k=CANDIDATES, familiarity=familiarity)
    return {row.artist.artist_id: row for row in found.rows} if isinstance(found, Similar) else {}


def open_identity(store: ModelStore, identity: str) -> Catalogue:
    """Open the very model that an identity (``id@beginning of its sha256``) names.

    Raises
    ------
    ModelError : it is not in the store, or another one was trained under its id.
    """
    catalogue = Catalogue.open(store.folder(identity.rpartition("@")[0]))
    if catalogue.manifest.identity != identity:
        raise ModelError(f"{catalogue.manifest.id} in {store.root} is not {identity} any more: it was trained anew")
    return catalogue


def _number(salt: str) -> int:
    return int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8])
