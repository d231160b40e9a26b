"""What a model recommends to one person: an opened catalogue and a recommender over the same artists."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from recommender.artifact import Artifact
from recommender.catalogue import Artist, Catalogue
from recommender.errors import ModelError, ParameterError
from recommender.recommending import Objective, Recommended, Recommender, link_matrix
from recommender.ridge import RidgeParams


@dataclass(frozen=True, slots=True)
class Because:
    """A liked artist, and its part of what speaks for a recommended one: above 0; the parts sum to at most 1."""

    artist: Artist
    share: float


@dataclass(frozen=True, slots=True)
class RecommendedArtist:
    """One row of an answer: ``score`` ranks, 1 is as sure as an artist that was played; ``because``, largest first."""

    rank: int
    artist: Artist
    score: float
    because: tuple[Because, ...]


@dataclass(frozen=True, slots=True)
class Recommendations:
    """What somebody may like who likes ``liked`` and not ``disliked``, best first; no rows when nothing is left."""

    liked: tuple[Artist, ...]
    disliked: tuple[Artist, ...]
    rows: tuple[RecommendedArtist, ...]


@dataclass(frozen=True, slots=True)
class TooLittleKnown:
    """Too few people in the data heard any of ``liked`` to recommend from; ``needed`` is the model's floor."""

    liked: tuple[Artist, ...]
    needed: int


RecommendOutcome: TypeAlias = Recommendations | TooLittleKnown


class Personal:
    """Recommends from one opened model; immutable, safe to share between threads.

    Parameters
    ----------
    catalogue : the model.

    Raises
    ------
    ModelError : the model was written before its factors could be recommended from.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._recommender = recommender_of(catalogue.artifact)

    def recommend(
        self, liked: Sequence[int], *, disliked: Sequence[int] = (), exclude: Collection[int] = (), k: int = 10
    ) -> RecommendOutcome:
        """Recommend artists to somebody, without training: see :mod:`recommender.recommending`.

        Parameters
        ----------
        liked, disliked : rows of the model; one that is named twice counts once.
        exclude : rows of further artists that shall not be in the answer, such as those heard already.
        k : rows wanted, >= 1.

        Raises
        ------
        ParameterError : nothing is liked, an artist is both liked and disliked, or ``k`` is below 1.
        """
        likes, dislikes = list(dict.fromkeys(liked)), list(dict.fromkeys(disliked))
        both = [self._catalogue.artist(idx).name for idx in likes if idx in dislikes]
        if both:
            raise ParameterError(f"{both[0]} is both liked and disliked; say one of the two")
        needed = self._catalogue.manifest.min_listeners
        artists = {idx: self._catalogue.artist(idx) for idx in (*likes, *dislikes)}
        if likes and all(artists[idx].listeners < needed for idx in likes):
            return TooLittleKnown(tuple(artists[idx] for idx in likes), needed)
        taste = self._recommender.taste(_rows(likes), disliked=_rows(dislikes))
        found = self._recommender.recommend(taste, k, exclude=_rows(exclude))
        rows = tuple(self._row(rank, one, artists) for rank, one in enumerate(found, start=1))
        return Recommendations(tuple(artists[idx] for idx in likes), tuple(artists[idx] for idx in dislikes), rows)

    def _row(self, rank: int, found: Recommended, artists: Mapping[int, Artist]) -> RecommendedArtist:
        # Of what speaks for it: what speaks against it is no reason to name it.
        total = sum(reason.contribution for reason in found.reasons if reason.contribution > 0)
        because = tuple(
            Because(artists[reason.artist_idx], reason.contribution / total)
            for reason in found.reasons
            if reason.contribution > 0
        )
        return RecommendedArtist(rank, self._catalogue.artist(found.artist_idx), found.score, because)


def recommender_of(artifact: Artifact) -> Recommender:
    """Make an opened model ready to recommend; computes the Gram matrix of its factors, reading them once.

    Raises
    ------
    ModelError : its card does not say how it was trained.
    """
    manifest = artifact.manifest
    links, factor_share = None, 1.0
    if artifact.link_idx is not None and artifact.link_weight is not None:
        links = link_matrix(artifact.link_idx, artifact.link_weight)
        factor_share = float(manifest.parameters.get("links", {}).get("factor_share", 1.0))
    answerable = np.asarray(artifact.listeners) >= manifest.min_listeners
    objective = objective_of(manifest.algorithm, manifest.parameters, model=manifest.id)
    factors = np.asarray(artifact.artist_factors)
    return Recommender(factors, objective, answerable=answerable, links=links, factor_share=factor_share)


def objective_of(algorithm: str, parameters: Mapping[str, Any], *, model: str) -> Objective:
    """Read from a model's card what its loss says about one more row.

    Raises
    ------
    ModelError : the card does not say it; models of an earlier Segue do not.
    """
    try:
        if "typical_weight" not in parameters and parameters["weighting"]["scheme"] != "binary":
            raise KeyError("typical_weight")
        typical = float(parameters.get("typical_weight", 1.0))
        if algorithm == "lsa":
            return Objective(None, typical_weight=typical)
        ridge = RidgeParams(**parameters["als"]["ridge"])
        return Objective(ridge, float(parameters["alpha"]), typical)
    except (KeyError, TypeError, ValueError, ParameterError) as err:
        raise ModelError(
            f"the model {model} does not say how its factors were trained ({err}), so nothing can be recommended from "
            "it; train it again with this Segue"
        ) from err


def _rows(indices: Collection[int]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.fromiter(indices, dtype=np.intp, count=len(indices))
