"""The model in memory: immutable, answers which artists are similar, and why."""

import uuid
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

from recommender.artifact import Artifact, Manifest, open_artifact
from recommender.errors import ParameterError
from recommender.names import Resolution, Resolver
from recommender.neighbours import NO_NEIGHBOUR


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
    """One opened model with its name index.

    Parameters
    ----------
    artifact : the model's files.
    """

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        blob, offsets = artifact.names.tobytes(), artifact.name_offsets.tolist()
        self._names = [blob[begin:end].decode() for begin, end in pairwise(offsets)]
        self._idx_by_id = {artist_id: idx for idx, artist_id in enumerate(artifact.artist_ids.tolist())}
        self._resolver = Resolver(self._names, artifact.listeners)

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
        return len(self._names)

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
            name=self._names[artist_idx],
            listeners=int(self._artifact.listeners[artist_idx]),
            mbid=str(uuid.UUID(bytes=packed.tobytes())) if packed.any() else None,
        )

    def by_id(self, artist_id: int) -> Artist | None:
        """Return the artist with this stable id, None when this model has none."""
        idx = self._idx_by_id.get(artist_id)
        return None if idx is None else self.artist(idx)

    def resolve(self, text: str) -> Resolution:
        """Resolve what a person typed; see :meth:`recommender.names.Resolver.resolve`."""
        return self._resolver.resolve(text)

    def complete(self, text: str, *, limit: int = 25) -> list[Artist]:
        """Suggest at most ``limit`` artists while a person types."""
        return [self.artist(idx) for idx in self._resolver.complete(text, limit=limit)]

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
