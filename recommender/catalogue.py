"""The model in memory: immutable, answers which artists are similar, and why."""

import threading
import uuid
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recommender import exploring
from recommender.aliases import shipped_aliases
from recommender.artifact import FACTOR_COSINE, Artifact, Manifest, open_artifact
from recommender.artists import artist_id
from recommender.errors import ParameterError
from recommender.exploring import MIN_SHOWN_IN_COMMON, Familiarity, Overlapping
from recommender.listening import Listening
from recommender.matrix import NO_NEIGHBOUR
from recommender.names import (
    MAX_TYPED_CHARACTERS,
    NO_OTHER_NAMES,
    Completer,
    Explained,
    Found,
    NameIndex,
    OtherNames,
    Resolution,
    Resolver,
    build_index,
    prepared,
)
from recommender.outcomes import (
    Artist,
    ArtistPath,
    Blend,
    BlendedArtist,
    BlendOutcome,
    Dissimilar,
    DissimilarArtist,
    DissimilarOutcome,
    PathOutcome,
    Similar,
    SimilarArtist,
    SimilarOutcome,
    Stop,
    TooFewInCommon,
    TooFewListeners,
    Why,
    WhyOutcome,
)
from recommender.space import ArtistSpace, BoolArray, Near

__all__ = ["Artist", "Catalogue", "Similar", "SimilarArtist", "SimilarOutcome", "TooFewListeners"]


N_GUESSES = 3
MIN_GUESSED_FROM = 2
"""From one listener alone nothing is guessed: it would be that person's taste."""


class Catalogue:
    """One opened model; safe to share between threads.

    Parameters
    ----------
    artifact : the model's files.
    """

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        manifest = artifact.manifest
        # Plain arrays over the mapped files, which cost less at each look-up than memmaps.
        offsets, pairs = np.asarray(artifact.listening_offsets), np.asarray(artifact.listening)
        listening = Listening(offsets, pairs, manifest.data.n_listeners)
        min_common = manifest.neighbours.min_common_listeners
        # What mixes artists and walks between them: without anybody who hears both, there is nothing to show for it.
        self._space = ArtistSpace(
            artifact.artist_factors,
            artifact.listeners,
            listening,
            min_listeners=manifest.min_listeners,
            min_common=max(min_common, 1),
        )
        # What goes on where the table ends, in its own terms: these factors, others, or nothing.
        self._compared: ArtistSpace | None = None
        if manifest.neighbours.similarity == FACTOR_COSINE:
            self._compared = self._space
        elif artifact.similarity_factors.shape[1]:
            self._compared = ArtistSpace(
                artifact.similarity_factors,
                artifact.listeners,
                listening,
                min_listeners=manifest.min_listeners,
                min_common=min_common,
                artists=np.flatnonzero(artifact.listeners >= manifest.min_listeners),
            )
        self._by_id = np.argsort(artifact.artist_ids)
        self._index_made = artifact.name_index
        self._making_index = threading.Lock()

    @classmethod
    def open(cls, folder: Path, *, verify: bool = True) -> "Catalogue":
        """Open a model's folder; ``verify`` reads every file that was not yet, to compare its sha256.

        Raises
        ------
        ModelError : missing, truncated, altered, or of another format.
        """
        return cls(open_artifact(folder, verify=verify))

    @property
    def artifact(self) -> Artifact:
        """The model's files."""
        return self._artifact

    @property
    def manifest(self) -> Manifest:
        """The model's card."""
        return self._artifact.manifest

    @property
    def n_artists(self) -> int:
        """Number of artists."""
        return self.manifest.data.n_artists

    @property
    def k(self) -> int:
        """Number of neighbours kept for each artist."""
        return self.manifest.k

    @property
    def answers_beyond_its_table(self) -> bool:
        """Whether :meth:`similar` can name more artists than the table keeps, and fill what exclusions leave."""
        return self._compared is not None

    @property
    def listeners(self) -> npt.NDArray[np.int32]:
        """How many heard each artist; shape (n_artists,), read-only."""
        return self._artifact.listeners

    def directions(self, artists: Sequence[int]) -> npt.NDArray[np.float64]:
        """Return the factors of some artists' rows, each scaled to length 1; zero where they vanished.

        Returns
        -------
        Shape (number of artists, n_factors).
        """
        factors = self._artifact.artist_factors[list(artists)].astype(np.float64)
        norms = np.linalg.norm(factors, axis=1, keepdims=True)
        directions: npt.NDArray[np.float64] = factors / np.maximum(norms, 1e-30)
        return directions

    def left_out_by(self, familiarity: Familiarity) -> npt.NDArray[np.intp]:
        """Return the rows of the artists that a setting of the dial leaves out; none for ``balanced``.

        Raises
        ------
        ParameterError : there is no such setting.
        """
        return np.flatnonzero(~exploring.allowed_by(familiarity, self._space))

    def artist(self, artist_idx: int) -> Artist:
        """Return the artist in a row of the model."""
        packed = self._artifact.artist_mbids[artist_idx]
        return Artist(
            artist_idx=artist_idx,
            artist_id=int(self._artifact.artist_ids[artist_idx]),
            name=self._name(artist_idx),
            listeners=int(self._artifact.listeners[artist_idx]),
            mbid=str(uuid.UUID(bytes=packed.tobytes())) if packed.any() else None,
        )

    def by_id(self, number: int) -> Artist | None:
        """Return the artist with this stable id, None when this model has none."""
        ids = self._artifact.artist_ids
        place = int(np.searchsorted(ids, number, sorter=self._by_id))
        if place == self.n_artists or ids[self._by_id[place]] != number:
            return None
        return self.artist(int(self._by_id[place]))

    def prepare(self) -> None:
        """Make the index of names now, where an older model has none; else the first name not to the letter waits."""
        self._index()

    def other_names(self, names: Mapping[str, int]) -> OtherNames:
        """Prepare a community's own names for artists, for the methods that take them; costs time, so keep the result.

        Parameters
        ----------
        names : artist ids by name; those that this model does not have are left out.
        """
        artists = {name: self.by_id(number) for name, number in names.items()}
        return prepared({name: artist.artist_idx for name, artist in artists.items() if artist is not None})

    def resolve(self, text: str, *, other_names: OtherNames = NO_OTHER_NAMES) -> Resolution:
        """Resolve what a person typed; see :meth:`recommender.naming.resolving.Resolver.resolve`.

        Parameters
        ----------
        text : anything.
        other_names : a community's own, from :meth:`other_names`.
        """
        if self._index_made is None and not other_names:
            # An artist's id is a hash of its name: whoever types that needs no index of names.
            exact = self.by_id(artist_id(text)) if 0 < len(text.strip()) <= MAX_TYPED_CHARACTERS else None
            if exact is not None:
                return Found(exact.artist_idx, "exact", 1.0, "name")
        return self.explain(text, other_names=other_names).resolution

    def explain(self, text: str, *, other_names: OtherNames = NO_OTHER_NAMES) -> Explained:
        """Resolve what a person typed, and say which layers were asked."""
        return Resolver(self._index(), self._name, other_names=other_names).explain(text)

    def is_name(self, text: str, *, other_names: OtherNames = NO_OTHER_NAMES) -> bool:
        """Whether this is an artist's name or another name of one, for reading phrases of several names."""
        return Resolver(self._index(), self._name, other_names=other_names).is_name(text)

    def complete(
        self, text: str, *, limit: int = 25, recent: Sequence[int] = (), other_names: OtherNames = NO_OTHER_NAMES
    ) -> list[Artist]:
        """Suggest at most ``limit`` artists while a person types; those of the ids ``recent`` that fit come first."""
        known = (self.by_id(number) for number in recent)
        rows = [artist.artist_idx for artist in known if artist is not None]
        completer = Completer(self._index(), self._name, other_names=other_names)
        return [self.artist(idx) for idx in completer.complete(text, limit=limit, recent=rows)]

    def similar(
        self, artist_idx: int, *, k: int = 10, exclude: Collection[int] = (), familiarity: Familiarity = "balanced"
    ) -> SimilarOutcome:
        """Find the artists most similar to one.

        The table answers; what it does not hold (more than :attr:`k`, or what is left of it after exclusions or in a
        range of popularity) follows, computed in the same terms. Methods without factors (see
        :attr:`answers_beyond_its_table`) have only the table; then :attr:`Similar.is_cut` says that there may be more.

        Parameters
        ----------
        artist_idx : row of the seed.
        k : rows wanted, >= 1.
        exclude : rows of artists that shall not be in the answer.
        familiarity : how well known the artists shall be, see :func:`recommender.exploring.allowed_by`.

        Raises
        ------
        ParameterError : ``k`` is below 1, or there is no such familiarity.
        """
        _require_rows(k)
        seed = self.artist(artist_idx)
        if seed.listeners < self.manifest.min_listeners:
            return TooFewListeners(seed, self.manifest.min_listeners, self._guesses(seed))
        kept = self._artifact.neighbour_idx[artist_idx]
        kept = kept[kept != NO_NEIGHBOUR]
        if k <= kept.size and not exclude and familiarity == "balanced":
            nears, n_candidates, is_cut = self._from_table(artist_idx, k), int(kept.size), False
        else:
            allowed = exploring.allowed_by(familiarity, self._space)
            allowed[list(exclude)] = False
            nears = [near for near in self._from_table(artist_idx, kept.size) if allowed[near.artist_idx]]
            # A row that is not full holds everybody there is.
            is_cut = len(nears) < k and kept.size == self.k
            if is_cut and self._compared is not None:
                nears += self._after_table(self._compared, artist_idx, k - len(nears), allowed)
                is_cut = False
            n_candidates = len(nears)
        strength = self.manifest.neighbours.strength.strength
        rows = (
            SimilarArtist(
                rank, self.artist(near.artist_idx), near.score, near.support, strength(near.score, near.support)
            )
            for rank, near in enumerate(nears[:k], start=1)
        )
        return Similar(seed, tuple(rows), n_candidates, is_cut)

    def blend(
        self, weights: Mapping[int, float], *, k: int = 10, familiarity: Familiarity = "balanced"
    ) -> BlendOutcome:
        """Find the artists nearest to a mixture; see :func:`recommender.exploring.blend`.

        Parameters
        ----------
        weights : of each artist's row, above 0 where it is liked, below 0 where disliked.

        Raises
        ------
        ParameterError : nothing is liked, a weight is not a number, or ``k`` is below 1.
        """
        _require_rows(k)
        artists = {artist_idx: self.artist(artist_idx) for artist_idx in weights}
        too_few = self._too_few(*artists.values())
        if too_few is not None:
            return too_few
        found = exploring.blend(self._space, weights, k, allowed=exploring.allowed_by(familiarity, self._space))
        rows = (
            BlendedArtist(
                rank, self.artist(row.near.artist_idx), row.near.score, row.near.support, artists[row.nearest_liked]
            )
            for rank, row in enumerate(found, start=1)
        )
        liked = tuple(artist for artist_idx, artist in artists.items() if weights[artist_idx] > 0)
        disliked = tuple(artist for artist_idx, artist in artists.items() if weights[artist_idx] < 0)
        return Blend(liked, disliked, tuple(rows))

    def path(self, start_idx: int, goal_idx: int, *, n_between: int = 5) -> PathOutcome:
        """Lead from one artist to another by at most ``n_between`` others; see :func:`recommender.exploring.path`.

        Raises
        ------
        ParameterError : start and goal are the same, or ``n_between`` is below 0.
        """
        if n_between < 0:
            raise ParameterError(f"{n_between} stops in between were asked for; ask for 0 or more")
        if start_idx == goal_idx:
            raise ParameterError(f"the path begins and ends at {self.artist(start_idx).name}; name two artists")
        start = self.artist(start_idx)
        too_few = self._too_few(start, self.artist(goal_idx))
        if too_few is not None:
            return too_few
        stops = exploring.path(self._space, start_idx, goal_idx, n_between)
        return ArtistPath(
            start,
            tuple(Stop(self.artist(stop.artist_idx), stop.score, stop.support, stop.to_goal) for stop in stops),
        )

    def dissimilar(self, artist_idx: int, *, k: int = 10) -> DissimilarOutcome:
        """Find the well-known artists least like one; see :func:`recommender.exploring.dissimilar`.

        Raises
        ------
        ParameterError : ``k`` is below 1.
        """
        _require_rows(k)
        seed = self.artist(artist_idx)
        too_few = self._too_few(seed)
        if too_few is not None:
            return too_few
        rows = (
            DissimilarArtist(rank, self.artist(row.artist_idx), row.score, row.support, row.by_chance)
            for rank, row in enumerate(exploring.dissimilar(self._space, artist_idx, k), start=1)
        )
        return Dissimilar(seed, tuple(rows))

    def why(self, artist_idx: int, other_idx: int) -> WhyOutcome:
        """Say how many of one artist's listeners hear another too, and how that compares with chance.

        Raises
        ------
        ParameterError : both are the same.
        """
        artist, other = self.artist(artist_idx), self.artist(other_idx)
        if artist_idx == other_idx:
            raise ParameterError(f"both are {artist.name}; name two artists")
        too_few = self._too_few(artist, other)
        if too_few is not None:
            return too_few
        evidence = exploring.in_common(self._space, artist_idx, other_idx)
        if evidence is None:
            return TooFewInCommon(artist, other, needed=MIN_SHOWN_IN_COMMON)
        return Why(artist, other, evidence)

    def overlap(self, a_idx: int, b_idx: int, c_idx: int) -> Overlapping:
        """Count the listeners whom three artists share; see :func:`recommender.exploring.overlap`.

        Raises
        ------
        ParameterError : two of them are the same.
        """
        if len({a_idx, b_idx, c_idx}) < 3:
            raise ParameterError("two of the three artists are the same; name three artists")
        return exploring.overlap(self._space, a_idx, b_idx, c_idx)

    def _guesses(self, seed: Artist) -> tuple[Artist, ...]:
        """Whom the factors of an artist with few listeners point to; none where a single person would be told of."""
        if seed.listeners < MIN_GUESSED_FROM:
            return ()
        nearest = exploring.nearest(self._space, seed.artist_idx, N_GUESSES)
        return tuple(self.artist(artist_idx) for artist_idx in nearest)

    def _too_few(self, *artists: Artist) -> TooFewListeners | None:
        needed = self.manifest.min_listeners
        return next((TooFewListeners(artist, needed) for artist in artists if artist.listeners < needed), None)

    def _from_table(self, artist_idx: int, n: int) -> list[Near]:
        columns = (
            self._artifact.neighbour_idx[artist_idx, :n].tolist(),
            self._artifact.neighbour_score[artist_idx, :n].tolist(),
            self._artifact.support[artist_idx, :n].tolist(),
        )
        return [Near(*row) for row in zip(*columns, strict=True)]

    def _after_table(self, space: ArtistSpace, artist_idx: int, n: int, allowed: BoolArray) -> list[Near]:
        """The nearest of those that the artist's row of the table, which is full, has no place for."""
        allowed = allowed.copy()
        allowed[self._artifact.neighbour_idx[artist_idx]] = False
        allowed[artist_idx] = False
        nears = space.nearest(
            space.direction(artist_idx), n, allowed=allowed, marked=space.listening.of_any([artist_idx])
        )
        # The table summed in another order: a last digit must not make a later row the better one.
        least = float(self._artifact.neighbour_score[artist_idx, -1])
        return [Near(near.artist_idx, min(near.score, least), near.support) for near in nears]

    def _name(self, artist_idx: int) -> str:
        begin, end = self._artifact.name_offsets[artist_idx : artist_idx + 2].tolist()
        return self._artifact.names[begin:end].tobytes().decode()

    def _index(self) -> NameIndex:
        with self._making_index:  # two threads at once would both make it
            if self._index_made is None:
                blob, offsets = self._artifact.names.tobytes(), self._artifact.name_offsets.tolist()
                names = [blob[begin:end].decode() for begin, end in pairwise(offsets)]
                self._index_made = build_index(names, self._artifact.listeners, shipped_aliases())
            return self._index_made


def _require_rows(k: int) -> None:
    if k < 1:
        raise ParameterError(f"{k} artists were asked for; ask for at least 1")
