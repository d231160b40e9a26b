"""What the table cannot answer is computed as if the table had no end."""

import numpy as np
import pytest

import dense
from catalogues import random_catalogue, random_factors, random_plays
from recommender import space as space_module
from recommender.catalogue import Similar
from recommender.listening import Listening, listening_arrays
from recommender.matrix import CSR
from recommender.space import ArtistSpace


def make_space(plays, factors, *, min_listeners=1, min_common=1) -> ArtistSpace:
    arrays = listening_arrays(plays, min_listeners=min_listeners)
    return ArtistSpace(
        factors,
        np.bincount(plays.indices, minlength=plays.shape[1]).astype(np.int32),
        Listening(arrays["listening_offsets"], arrays["listening"], plays.shape[0]),
        min_listeners=min_listeners,
        min_common=min_common,
    )


def rows(outcome):
    assert isinstance(outcome, Similar)
    return [(row.artist.artist_idx, row.support) for row in outcome.rows]


@pytest.mark.parametrize("seed", range(4))
def test_a_short_table_with_computed_rows_equals_a_long_table(tmp_path, seed):
    short = random_catalogue(tmp_path / "short", k=4, seed=seed)
    long = random_catalogue(tmp_path / "long", k=89, seed=seed)
    n_longer = 0
    for artist_idx in range(short.n_artists):
        if short.artist(artist_idx).listeners < 3:
            continue
        kept, computed, expected = (
            catalogue.similar(artist_idx, k=k) for catalogue, k in ((short, 4), (short, 60), (long, 60))
        )
        assert rows(computed) == rows(expected)
        assert [row.rank for row in computed.rows] == list(range(1, len(computed.rows) + 1))
        assert [row.score for row in computed.rows] == pytest.approx([row.score for row in expected.rows], abs=1e-6)
        # Where the table answers, it is the answer, bit by bit.
        assert [row.score for row in computed.rows[:4]] == [row.score for row in kept.rows]
        n_longer += len(computed.rows) > 4
    assert n_longer > 20


@pytest.mark.parametrize("familiarity", ["familiar", "balanced", "deep"])
def test_exclusions_and_familiarity_only_take_rows_away(tmp_path, familiarity):
    short = random_catalogue(tmp_path / "short", k=4)
    everything = random_catalogue(tmp_path / "long", k=89).similar(0, k=89)
    excluded = [row.artist.artist_idx for row in everything.rows[1::2]]
    outcome = short.similar(0, k=12, exclude=excluded, familiarity=familiarity)
    listeners = sorted(row.artist.listeners for row in everything.rows)
    kept = [row for row in rows(everything) if row[0] not in excluded]
    if familiarity != "balanced":
        found = [row.artist.listeners for row in outcome.rows]
        is_in_range = max(found).__ge__ if familiarity == "deep" else min(found).__le__
        assert listeners[0] < listeners[-1]
        kept = [row for row in kept if is_in_range(short.artist(row[0]).listeners)]
    assert rows(outcome) == kept[:12]
    assert rows(outcome)


def test_a_row_that_is_not_full_is_the_whole_answer(tmp_path, monkeypatch):
    catalogue = random_catalogue(tmp_path / "long", k=89)
    monkeypatch.setattr(ArtistSpace, "nearest", lambda *_, **__: pytest.fail("the factors were read"))
    assert len(rows(catalogue.similar(0, k=89))) == len(rows(catalogue.similar(0, k=500))) < 89


@pytest.mark.parametrize("ties", [1, 40])
def test_the_nearest_equal_a_full_sort_however_short_the_first_list(monkeypatch, ties):
    """Forty copies of each direction do not fit the short list, and their order is that of the artists."""
    monkeypatch.setattr(space_module, "LONGER", 2)
    monkeypatch.setattr(space_module, "SHORT", 12)
    plays = random_plays(50, 400)
    factors = np.repeat(random_factors(400 // ties, n_factors=3), ties, axis=0)
    space = make_space(plays, factors, min_common=2)
    seed = 7
    together = (plays.T @ plays).toarray()[seed]
    candidates = [other for other in range(400) if together[other] >= 2]
    nearest = space.nearest(
        space.direction(seed),
        10,
        allowed=np.arange(400) != seed,
        marked=space.listening.of_any([seed]),
    )
    assert [near.artist_idx for near in nearest] == dense.cosine_ranking(factors, seed, candidates, 10)
    assert [near.support for near in nearest] == [int(together[near.artist_idx]) for near in nearest]


def test_artists_below_the_cut_or_without_factors_are_in_no_answer():
    plays = random_plays(40, 30)
    factors = random_factors(30)
    factors[2] = 0
    space = make_space(plays, factors, min_listeners=6)
    allowed = np.ones(30, dtype=bool)
    for direction in (space.direction(0), -space.direction(0), space.direction(2)):
        nearest = space.nearest(direction, 30, allowed=allowed, marked=np.ones(40, dtype=bool))
        assert all(space.listeners[near.artist_idx] >= 6 and near.artist_idx != 2 for near in nearest)
    assert (space.direction(2) == 0).all()


def test_percentiles_of_listening_are_of_listening():
    plays = np.zeros((16, 4), dtype=np.float32)
    for artist_idx, n in enumerate((1, 2, 4, 9)):
        plays[:n, artist_idx] = 1
    space = make_space(CSR(plays), random_factors(4))
    assert [space.listeners_at(share) for share in (0, 1 / 16, 0.1, 3 / 16, 0.4, 0.44, 1)] == [1, 1, 2, 2, 4, 9, 9]
