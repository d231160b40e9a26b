"""The model in memory: immutable, answers which artists are similar, and why."""

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np

from recommender.aliases import shipped_aliases
from recommender.artifact import Artifact, Manifest, open_artifact
from recommender.artists import artist_id
from recommender.errors import ModelError, ParameterError
from recommender.matrix import NO_NEIGHBOUR
from recommender.names import (
    MAX_TYPED_CHARACTERS,
    Completer,
    Explained,
    Found,
    NameIndex,
    Resolution,
    Resolver,
    build_index,
)
from recommender.store import ModelStore


@dataclass(frozen=True, slots=True)
class Artist:
    """One artist of the catalogue: ``artist_idx`` is its row, ``artist_id`` stays over retraining."""

    artist_idx: int
    artist_id: int
    name: str
    listeners: int
    mbid: str | None


@dataclass(frozen=True, slots=True)
class SimilarArtist:
    """One row of an answer.

    ``score`` is the cosine of the factors; ``support`` the listeners that heard both; ``rank`` counts from 1.
    """

    rank: int
    artist: Artist
    score: float
    support: int


@dataclass(frozen=True, slots=True)
class Similar:
    """The artists most similar to ``seed``, best first (none in a tiny catalogue), and how many the model keeps."""

    seed: Artist
    rows: tuple[SimilarArtist, ...]
    n_candidates: int


@dataclass(frozen=True, slots=True)
class TooFewListeners:
    """Too few people in the data heard ``seed`` to say who is similar; ``needed`` is the model's floor."""

    seed: Artist
    needed: int


SimilarOutcome: TypeAlias = Similar | TooFewListeners


class Catalogue:
    """One opened model; safe to share between threads.

    Parameters
    ----------
    artifact : the model's files.
    """

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self._by_id = np.argsort(artifact.artist_ids)
        self._index_made = artifact.name_index
        self._making_index = threading.Lock()

    @classmethod
    def open(cls, folder: Path, *, verify: bool = True) -> "Catalogue":
        """Open a model's folder; ``verify`` reads every file once to compare its sha256.

        Raises
        ------
        ModelError : missing, truncated, altered, or of a newer format.
        """
        return cls(open_artifact(folder, verify=verify))

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

    def resolve(self, text: str, *, other_names: Mapping[str, int] | None = None) -> Resolution:
        """Resolve what a person typed; see :meth:`recommender.naming.resolving.Resolver.resolve`.

        Parameters
        ----------
        text : anything.
        other_names : a community's own names for artists: artist ids by :func:`recommender.artists.artist_key`.
        """
        if self._index_made is None and not other_names:
            # An artist's id is a hash of its name: whoever types that needs no index of names.
            exact = self.by_id(artist_id(text)) if 0 < len(text.strip()) <= MAX_TYPED_CHARACTERS else None
            if exact is not None:
                return Found(exact.artist_idx, "exact", 1.0, "name")
        return self.explain(text, other_names=other_names).resolution

    def explain(self, text: str, *, other_names: Mapping[str, int] | None = None) -> Explained:
        """Resolve what a person typed, and say which layers were asked."""
        given = ((key, self.by_id(number)) for key, number in (other_names or {}).items())
        rows = {key: artist.artist_idx for key, artist in given if artist is not None}
        return Resolver(self._index(), self._name, other_names=rows).explain(text)

    def is_name(self, text: str) -> bool:
        """Whether this is an artist's name or another name of one, for reading phrases of several names."""
        return Resolver(self._index(), self._name).is_name(text)

    def complete(self, text: str, *, limit: int = 25, recent: Sequence[int] = ()) -> list[Artist]:
        """Suggest at most ``limit`` artists while a person types; those of the ids ``recent`` that fit come first."""
        known = (self.by_id(number) for number in recent)
        rows = [artist.artist_idx for artist in known if artist is not None]
        completer = Completer(self._index(), self._name)
        return [self.artist(idx) for idx in completer.complete(text, limit=limit, recent=rows)]

    def similar(self, artist_idx: int, *, k: int = 10) -> SimilarOutcome:
        """Find the artists most similar to one.

        Parameters
        ----------
        artist_idx : row of the seed.
        k : rows wanted, >= 1; the answer holds at most the :attr:`k` that the model keeps.

        Raises
        ------
        ParameterError : ``k`` is below 1.
        """
        if k < 1:
            raise ParameterError(f"{k} similar artists were asked for; ask for at least 1")
        seed = self.artist(artist_idx)
        neighbours = self._artifact.neighbour_idx[artist_idx]
        n_candidates = int((neighbours != NO_NEIGHBOUR).sum())
        if seed.listeners < self.manifest.min_listeners:
            return TooFewListeners(seed, needed=self.manifest.min_listeners)
        rows = tuple(
            SimilarArtist(
                rank=rank + 1,
                artist=self.artist(int(neighbours[rank])),
                score=float(self._artifact.neighbour_score[artist_idx, rank]),
                support=int(self._artifact.support[artist_idx, rank]),
            )
            for rank in range(min(k, n_candidates))
        )
        return Similar(seed, rows, n_candidates)

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
