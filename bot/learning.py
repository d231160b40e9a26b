"""Votes flow back: a model re-ranked by them, and voters as further listeners for the next training."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.evidence.pairs import PairRates, RerankParams
from bot.feedback.log import VotedPairs
from recommender.artifact import FILES, Artifact, Manifest, open_artifact, write_artifact
from recommender.catalogue import Catalogue
from recommender.confidence import strength_bounds
from recommender.matrix import NO_NEIGHBOUR


def write_reranked(
    folder: Path, model: Path, rates: PairRates, params: RerankParams, *, created: datetime
) -> tuple[Manifest, int, int]:
    """Write a model whose neighbours are another model's, re-ranked by votes.

    It is a model like any other: compare it with the old one in an experiment, and promote it when it wins.

    Parameters
    ----------
    folder : must not exist; its name becomes the new model's id.
    model : the folder of the old one.
    rates, params : of the votes.
    created : aware.

    Returns
    -------
    The new card, the artists whose list changed, and the pairs that were hidden.
    """
    old = open_artifact(model)
    idx, score, support = np.array(old.neighbour_idx), np.array(old.neighbour_score), np.array(old.support)
    # Rows of the artists that were asked about; the model may have been trained on other data than the votes are on.
    of_seed = np.flatnonzero(np.isin(old.artist_ids, rates.seed))
    artists = old.artist_ids[np.maximum(idx[of_seed], 0)]
    seeds = np.repeat(old.artist_ids[of_seed], idx.shape[1])
    factors = rates.factors(seeds, artists.ravel(), params).reshape(artists.shape)
    factors[idx[of_seed] == NO_NEIGHBOUR] = 1.0
    n_changed = n_hidden = 0
    for row, of_row in zip(of_seed.tolist(), factors, strict=True):
        if (of_row == 1).all():
            continue
        known = idx[row] != NO_NEIGHBOUR
        fresh = score[row][known] * of_row[known]
        # Hidden pairs go; the others in their new order, equals as they were.
        kept = np.argsort(-fresh, kind="stable")
        kept = kept[of_row[known][kept] > 0]
        n_changed += 1
        n_hidden += int((of_row == 0).sum())
        blank = idx.shape[1] - kept.size
        score[row] = np.concatenate((fresh[kept], np.zeros(blank)))
        support[row] = np.concatenate((support[row][known][kept], np.zeros(blank, dtype=support.dtype)))
        idx[row] = np.concatenate((idx[row][known][kept], np.full(blank, NO_NEIGHBOUR, dtype=idx.dtype)))
    arrays = {name: getattr(old, name) for name in FILES} | {
        "neighbour_idx": idx,
        "neighbour_score": score,
        "support": support,
        # What follows after the table would be in the old terms, and hold the hidden pairs.
        "similarity_factors": old.similarity_factors[:, :0],
    }
    votes = asdict(params) | {
        "of": old.manifest.identity,
        "pairs": int(rates.seed.size),
        "voters": int(rates.voters.sum()),
    }
    card = _card(old, folder.name, created, votes, idx, score)
    return write_artifact(folder, arrays, card, name_index=old.name_index), n_changed, n_hidden


def tiny_listeners(votes: VotedPairs, catalogue: Catalogue, *, min_voters: int) -> Iterator[tuple[str, str, int]]:
    """Turn voters into listeners of what they liked: rows of listener, artist and one play.

    A person is one listener at most, however much they voted, under a number of this export alone. Pairs that fewer
    than ``min_voters`` people liked are left out, and people of whom nothing remains: nobody is to be found again by a
    taste that is theirs alone.
    """
    up = votes.value > 0
    pair, place = np.unique(np.stack((votes.seed[up], votes.artist[up])), axis=1, return_inverse=True)
    voter = votes.voter[up]
    by_pair = np.unique(np.stack((place.ravel(), voter)), axis=1)
    likes = np.bincount(by_pair[0], minlength=pair.shape[1])
    liked: dict[int, set[int]] = {}
    for number, person in by_pair.T.tolist():
        if likes[number] >= min_voters:
            liked.setdefault(person, set()).update(pair[:, number].tolist())
    for number, artists in enumerate(liked.values(), start=1):
        names = sorted(artist.name for one in artists if (artist := catalogue.by_id(one)) is not None)
        yield from ((f"voter-{number}", name, 1) for name in names)


def _card(
    old: Artifact,
    name: str,
    created: datetime,
    votes: dict[str, Any],
    idx: npt.NDArray[np.int32],
    score: npt.NDArray[np.float32],
) -> dict[str, Any]:
    manifest = old.manifest
    return {
        "id": name,
        "algorithm": manifest.algorithm,
        "preset": manifest.preset,
        "parameters": manifest.parameters | {"votes": votes},
        "seed": manifest.seed,
        "objective": manifest.objective,
        "data": asdict(manifest.data),
        "created": created.isoformat(),
        "n_factors": manifest.n_factors,
        "k": manifest.k,
        "min_listeners": manifest.min_listeners,
        "neighbours": asdict(manifest.neighbours)
        | {
            "similarity": f"{manifest.neighbours.similarity}, re-ranked by votes",
            "exact": False,
            "strength": asdict(strength_bounds(idx, score)),
        },
    }
