"""Who heard what is kept for those who can be answered, and nothing more."""

import numpy as np
import pytest

from catalogues import random_plays
from recommender.listening import Listening, listening_arrays
from recommender.matrix import CSR


@pytest.fixture(scope="module")
def plays():
    return random_plays(40, 30)


def made(plays: CSR, *, min_listeners: int) -> Listening:
    arrays = listening_arrays(plays, min_listeners=min_listeners)
    return Listening(arrays["listening_offsets"], arrays["listening"], plays.shape[0])


def test_each_artist_has_its_listeners(plays):
    listening = made(plays, min_listeners=1)
    for artist_idx in range(30):
        assert listening.of(artist_idx).tolist() == np.flatnonzero(plays.toarray()[:, artist_idx]).tolist()


def test_of_artists_below_the_cut_nothing_is_kept(plays):
    listening = made(plays, min_listeners=12)
    n_heard = np.bincount(plays.indices, minlength=30)
    assert (n_heard < 12).any()
    assert [listening.of(idx).size for idx in range(30)] == np.where(n_heard >= 12, n_heard, 0).tolist()


def test_play_counts_leave_no_trace(plays):
    often = CSR((plays.data * 77, plays.indices, plays.indptr), shape=plays.shape)
    for first, second in zip(
        listening_arrays(plays, min_listeners=2).values(),
        listening_arrays(often, min_listeners=2).values(),
        strict=True,
    ):
        assert np.array_equal(first, second)


def test_common_listeners_are_counted(plays):
    listening, heard = made(plays, min_listeners=1), plays.toarray() > 0
    marked = listening.of_any([3, 8])
    assert marked.tolist() == (heard[:, 3] | heard[:, 8]).tolist()
    expected = (heard & marked[:, None]).sum(axis=0)
    few, many = np.array([29, 28]), np.array([29, 3, 3, *range(28)])
    for count in ("in_common", "in_common_with_each"):  # the second picks out few, and reads everything for many
        for some in (few, many):
            assert getattr(listening, count)(marked, some).tolist() == expected[some].tolist()
            assert getattr(made(plays, min_listeners=99), count)(marked, some).tolist() == [0] * some.size
