"""Mixtures, ways, opposites and evidence, on planted communities and on random catalogues."""

from itertools import pairwise

import numpy as np
import pytest

from catalogues import random_catalogue, random_plays
from communities import NAMES, community_plays
from recommender import space as space_module
from recommender.errors import ParameterError
from recommender.outcomes import ArtistPath, Blend, Dissimilar, Similar, TooFewInCommon, TooFewListeners, Why

INDIE, METAL, ICELAND = range(4), range(4, 8), range(8, 12)
UNHEARD = NAMES.index("Unheard Of")


@pytest.fixture(scope="module")
def random_one(tmp_path_factory):
    return random_catalogue(tmp_path_factory.mktemp("models") / "random", k=10, n_listeners=300, n_artists=200)


def test_a_mixture_of_two_communities_is_near_to_both(catalogue):
    outcome = catalogue.blend({0: 1.0, 8: 1.0}, k=6)
    assert isinstance(outcome, Blend)
    assert {row.artist.artist_idx for row in outcome.rows} == {1, 2, 3, 9, 10, 11}
    for row in outcome.rows:
        assert row.nearest.artist_idx == (0 if row.artist.artist_idx in INDIE else 8)
    assert [artist.artist_idx for artist in outcome.liked] == [0, 8]


def test_what_is_disliked_is_left_behind(catalogue):
    both = catalogue.blend({0: 1.0, 4: 1.0}, k=11)
    without = catalogue.blend({0: 1.0, 4: -1.0}, k=11)
    assert {row.artist.artist_idx for row in both.rows} & set(METAL)
    assert not {row.artist.artist_idx for row in without.rows} & set(METAL)
    assert [artist.artist_idx for artist in without.disliked] == [4]


def test_a_mixture_of_one_is_that_artist_s_neighbours(random_one):
    alone, similar = random_one.blend({3: 2.5}, k=25), random_one.similar(3, k=25)
    assert isinstance(similar, Similar)
    assert [row.artist for row in alone.rows] == [row.artist for row in similar.rows]
    assert [row.support for row in alone.rows] == [row.support for row in similar.rows]


def test_a_mixture_is_ranked_by_its_cosine_and_heard_by_someone_who_hears_a_liked_one(random_one):
    weights = {3: 1.0, 8: 2.0, 20: -0.5}
    outcome = random_one.blend(weights, k=40)
    factors = np.asarray(random_one._artifact.artist_factors, dtype=np.float64)
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    mixture = sum(weight * unit[idx] for idx, weight in weights.items())
    cosines = unit @ mixture / np.linalg.norm(mixture)
    for row in outcome.rows:
        assert row.score == pytest.approx(cosines[row.artist.artist_idx], abs=1e-6)
        assert row.support >= 1
        assert row.artist.artist_idx not in weights
    assert all(later.score <= earlier.score for earlier, later in pairwise(outcome.rows))


def test_what_cancels_out_leaves_nothing(catalogue):
    outcome = catalogue.blend({0: 1.0, 1: 0.0}, k=3)
    assert isinstance(outcome, Blend)
    assert outcome.rows
    with pytest.raises(ParameterError, match="at least one artist that is liked"):
        catalogue.blend({0: -1.0})
    with pytest.raises(ParameterError, match="at least one artist that is liked"):
        catalogue.blend({})
    with pytest.raises(ParameterError, match="not a number"):
        catalogue.blend({0: float("nan")})


@pytest.mark.parametrize("n_between", [0, 1, 5, 12])
def test_each_step_of_a_path_comes_nearer_and_no_artist_comes_twice(random_one, n_between):
    lengths = []
    for start, goal in ((0, 1), (5, 40), (60, 2), (90, 91)):
        outcome = random_one.path(start, goal, n_between=n_between)
        assert isinstance(outcome, ArtistPath)
        stops = [outcome.start, *(stop.artist for stop in outcome.stops)]
        assert stops[-1].artist_idx == goal
        assert len(set(stops)) == len(stops) <= n_between + 2
        to_goal = [stop.to_goal for stop in outcome.stops]
        assert all(earlier < later for earlier, later in pairwise(to_goal))
        assert to_goal[-1] == pytest.approx(1, abs=1e-6)
        assert all(stop.support >= 1 for stop in outcome.stops[:-1])
        lengths.append(len(outcome.stops))
    assert max(lengths) == min(n_between + 1, 5)  # among so few artists no step of a longer way could be split


def test_more_stops_make_no_longer_steps(random_one):
    longest = []
    for n_between in range(10):
        outcome = random_one.path(5, 40, n_between=n_between)
        assert isinstance(outcome, ArtistPath)
        longest.append(min(stop.score for stop in outcome.stops))
    assert all(earlier <= later for earlier, later in pairwise(longest))
    assert longest[-1] > longest[0] + 0.1


def slow_path(catalogue, plays, start, goal, n_between, margin=1e-4):
    """The documented rule over all artists, in float64, without any list that could be too short."""
    factors = np.asarray(catalogue._artifact.artist_factors, dtype=np.float64)
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    cosine, together = unit @ unit.T, (plays.T @ plays).toarray()
    answerable = np.array([catalogue.artist(idx).listeners >= 3 for idx in range(catalogue.n_artists)])
    stops, splittable = [start, goal], [True]
    while len(stops) - 2 < n_between and any(splittable):
        steps = [cosine[a, b] if may else np.inf for (a, b), may in zip(pairwise(stops), splittable, strict=True)]
        place = int(np.argmin(steps))
        a, b = stops[place], stops[place + 1]
        lower = np.minimum(cosine[a], cosine[b])
        may_split = (
            answerable
            & (cosine[goal] > cosine[goal, a] + margin)
            & (cosine[goal] < (1 if b == goal else cosine[goal, b]) - margin)
            & (lower > max(cosine[a, b] + margin, 0))
            & (together[a] >= 1)
            & (together[b] >= 1)
        )
        may_split[[a, b]] = False
        if may_split.any():
            stops.insert(place + 1, int(np.where(may_split, lower, -2).argmax()))
            splittable[place : place + 1] = [True, True]
        else:
            splittable[place] = False
    return stops[1:]


@pytest.mark.parametrize("share", [1, 1000])
def test_a_path_is_that_of_the_slow_rule_however_cosines_are_found(random_one, monkeypatch, share):
    """Whether few artists' cosines are computed or all, and with short lists as without."""
    monkeypatch.setattr(space_module, "FEW", share)
    monkeypatch.setattr(space_module, "SHORT", 5)
    monkeypatch.setattr(space_module, "FIRST", 2)
    monkeypatch.setattr(space_module, "LONGER", 2)
    plays = random_plays(300, 200)
    lengths = set()
    for start, goal in [(3 * i, (7 * i + 1) % 150) for i in range(40)]:
        if start == goal:
            continue
        outcome = random_one.path(start, goal, n_between=6)
        if isinstance(outcome, TooFewListeners):
            continue
        found = [stop.artist.artist_idx for stop in outcome.stops]
        assert found == slow_path(random_one, plays, start, goal, 6)
        lengths.add(len(found))
    assert len(lengths) > 2


def test_a_path_needs_two_artists_with_listeners(catalogue):
    assert catalogue.path(0, UNHEARD) == TooFewListeners(catalogue.artist(UNHEARD), 5)
    with pytest.raises(ParameterError, match="name two artists"):
        catalogue.path(3, 3)
    with pytest.raises(ParameterError, match="0 or more"):
        catalogue.path(3, 4, n_between=-1)


def test_the_dissimilar_are_of_other_communities_and_share_fewer_than_chance(catalogue):
    outcome = catalogue.dissimilar(0, k=3)
    assert isinstance(outcome, Dissimilar)
    assert outcome.rows
    for row in outcome.rows:
        assert row.artist.artist_idx not in INDIE
        assert row.support < row.by_chance
    assert all(earlier.score <= later.score for earlier, later in pairwise(outcome.rows))


def test_dissimilar_artists_are_well_known(random_one):
    outcome = random_one.dissimilar(0, k=200)
    familiar = random_one.similar(0, k=200, familiarity="familiar")
    assert isinstance(outcome, Dissimilar)
    least = min(row.artist.listeners for row in outcome.rows)
    assert all(row.artist.listeners >= least for row in familiar.rows)
    assert 5 < len(outcome.rows) < 100


def test_why_counts_listeners_and_compares_with_chance(catalogue):
    heard = community_plays(150).toarray() > 0
    outcome = catalogue.why(0, 1)
    assert isinstance(outcome, Why)
    together = int((heard[:, 0] & heard[:, 1]).sum())
    assert outcome.evidence.common == together
    assert outcome.evidence.share == pytest.approx(together / heard[:, 0].sum())
    assert outcome.evidence.times_chance == pytest.approx(together * 150 / (heard[:, 0].sum() * heard[:, 1].sum()))
    assert outcome.evidence.times_chance > 2


def test_nobody_can_be_singled_out(catalogue, random_one):
    assert isinstance(catalogue.why(0, UNHEARD), TooFewListeners)
    with pytest.raises(ParameterError):
        catalogue.why(2, 2)
    heard = np.array([random_one.artist(idx).listeners for idx in range(200)])
    n_told, n_hidden = 0, 0
    for other in np.flatnonzero(heard >= 3).tolist()[1:]:
        outcome = random_one.why(150, other) if other != 150 else None
        n_told += isinstance(outcome, Why)
        n_hidden += isinstance(outcome, TooFewInCommon)
        assert not isinstance(outcome, Why) or outcome.evidence.common >= 5
    assert n_told > 5
    assert n_hidden > 5


@pytest.mark.parametrize("seed", range(0, 200, 7))
def test_the_dial_moves_one_way(random_one, seed):
    """Never less known on average when asked for the familiar, never better known when asked for the deep."""
    means = []
    for familiarity in ("deep", "balanced", "familiar"):
        outcome = random_one.similar(seed, k=10, familiarity=familiarity)
        assert isinstance(outcome, Similar)
        means.append(np.mean([np.log(row.artist.listeners) for row in outcome.rows]))
    assert means == sorted(means)
    assert means[0] < means[-1]


def test_the_dial_has_three_settings(random_one):
    with pytest.raises(ParameterError, match="familiar, balanced, deep"):
        random_one.similar(0, familiarity="loud")


@pytest.mark.parametrize("artists", [(0, 1, 2), (5, 40, 3), (120, 2, 180), (199, 198, 197)])
def test_overlaps_are_those_counted_in_the_plays_and_small_ones_are_not_told(random_one, artists):
    heard = random_plays(300, 200).toarray()[:, artists] > 0
    a, b, c = heard.T

    def told(together):
        return int(together.sum()) if together.sum() >= 5 else None

    found = random_one.overlap(*artists)
    assert found.pairs == (told(a & b), told(a & c), told(b & c))
    assert found.all_three == told(a & b & c)


def test_an_overlap_needs_three_artists(random_one):
    with pytest.raises(ParameterError, match="name three artists"):
        random_one.overlap(1, 2, 1)
