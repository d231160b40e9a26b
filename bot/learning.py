"""Votes flow back: a model re-ranked by them, and voters as further listeners for the next training."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from bot.evidence.pairs import PairRates, RerankParams
from bot.feedback.log import Floats, VotedPairs
from recommender.artifact import FILES, Artifact, Manifest, open_artifact, write_artifact
from recommender.catalogue import Catalogue
from recommender.confidence import strength_bounds
from recommender.matrix import CSR, NO_NEIGHBOUR


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


def likes_of_voters(votes: VotedPairs, *, min_voters: int) -> list[tuple[int, ...]]:
    """Turn voters into listeners of what they liked: the ids of their artists, each once, for each person.

    A person is one listener at most, however much they voted, and of several words on a pair the last counts. Pairs
    that fewer than ``min_voters`` people liked are left out, and people of whom nothing remains: nobody is to be found
    again by a taste that is theirs alone.
    """
    if not votes.value.size:
        return []
    last = votes.last_words()
    up = last[votes.value[last] > 0]
    pair, place = np.unique(np.stack((votes.seed[up], votes.artist[up])), axis=1, return_inverse=True)
    likes = np.bincount(place.ravel(), minlength=pair.shape[1])  # after the last words, each person once per pair
    liked: dict[int, set[int]] = {}
    for number, person in zip(place.ravel().tolist(), votes.voter[up].tolist(), strict=True):
        if likes[number] >= min_voters:
            liked.setdefault(person, set()).update(pair[:, number].tolist())
    return [tuple(sorted(liked[person])) for person in sorted(liked)]


def tiny_listeners(
    votes: VotedPairs, catalogue: Catalogue, *, min_voters: int, label: str = "voter"
) -> Iterator[tuple[str, str, int]]:
    """Name them: rows of listener, artist and one play, as listening data has them.

    Parameters
    ----------
    votes, min_voters : see :func:`likes_of_voters`.
    catalogue : names the artists; those that it does not know are left out.
    label : begins the listeners' names. It has to be new each time: a listener of the data with the same name would
        be added to, and count for more than one.
    """
    for number, artists in enumerate(likes_of_voters(votes, min_voters=min_voters), start=1):
        names = sorted(artist.name for one in artists if (artist := catalogue.by_id(one)) is not None)
        yield from ((f"{label}-{number}", name, 1) for name in names)


def with_listeners(plays: CSR, artist_ids: npt.NDArray[np.int64], likes: Sequence[Sequence[int]]) -> CSR:
    """Add voters as listeners below those of the data: one row a person, one play an artist, so never more than 1.

    Parameters
    ----------
    plays : shape (n_listeners, n_artists), counts >= 1.
    artist_ids : of the columns, shape (n_artists,).
    likes : from :func:`likes_of_voters`; what no column stands for is left out.

    Returns
    -------
    Shape (n_listeners + at most n_people, n_artists); no rows for people of whom fewer than two artists remain.
    """
    column = {artist_id: place for place, artist_id in enumerate(artist_ids.tolist())}
    rows = [sorted({column[one] for one in artists if one in column}) for artists in likes]
    rows = [row for row in rows if len(row) > 1]  # one artist alone brings nothing together
    indptr = np.concatenate(([0], np.cumsum([len(row) for row in rows], dtype=np.int64)))
    indices = np.fromiter((place for row in rows for place in row), dtype=plays.indices.dtype, count=int(indptr[-1]))
    added = CSR((np.ones(indices.size, dtype=np.float32), indices, indptr), shape=(len(rows), plays.shape[1]))
    return CSR(scipy.sparse.vstack((plays, added), format="csr", dtype=np.float32))


@dataclass(frozen=True, slots=True)
class Table:
    """What a training says is similar: artist numbers and scores, shape (n_artists, k), best first."""

    idx: npt.NDArray[np.int32]
    score: npt.NDArray[np.float32]


def scores_without_and_with(
    votes: VotedPairs,
    plays: CSR,
    artist_ids: npt.NDArray[np.int64],
    fit: Callable[[CSR], Table],
    *,
    min_voters: int,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Score each vote's pair by a model of the plays alone, and by one that half of the people became listeners of.

    Nobody's votes are scored by a model that learned from them: each half of the people is the other's judge.

    Parameters
    ----------
    votes : in the order in which they were given.
    plays, artist_ids : see :func:`with_listeners`.
    fit : trains on plays; called three times, and has to draw the same each time.
    min_voters : see :func:`likes_of_voters`.
    rng : splits the people.

    Returns
    -------
    Shape (n_votes,) each; 0 where a table does not hold the pair.
    """
    column = {artist_id: place for place, artist_id in enumerate(artist_ids.tolist())}
    before = _scores(votes, column, fit(plays))
    after = before.copy()
    half = rng.permutation(int(votes.voter.max(initial=-1)) + 1) % 2
    for asked in (0, 1):
        is_asked = half[votes.voter] == asked
        likes = likes_of_voters(votes.chosen(~is_asked), min_voters=min_voters)
        table = fit(with_listeners(plays, artist_ids, likes))
        after[is_asked] = _scores(votes.chosen(is_asked), column, table)
    return before, after


def _scores(votes: VotedPairs, column: Mapping[int, int], table: Table) -> Floats:
    scores = np.zeros(votes.value.size)
    for place, (seed, artist) in enumerate(zip(votes.seed.tolist(), votes.artist.tolist(), strict=True)):
        if seed in column and artist in column:
            found = np.flatnonzero(table.idx[column[seed]] == column[artist])
            scores[place] = table.score[column[seed], found[0]] if found.size else 0.0
    return scores


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
