"""Circles are true: each area is its listeners, and each two overlap by those in common."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.explorer.circles import centre_distance, lens_area, place_circles

sizes = st.integers(1, 100_000)


@given(sizes, sizes, st.floats(0, 1))
def test_two_circles_overlap_by_the_area_asked_for(a, b, share):
    radius, other = np.sqrt(a / np.pi), np.sqrt(b / np.pi)
    area = share * min(a, b)
    distance = centre_distance(radius, other, area)
    assert lens_area(radius, other, distance) == pytest.approx(area, abs=1e-3 * min(a, b) + 1e-6)


def test_a_lens_has_the_area_that_counting_points_finds():
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 3, (400_000, 2))
    inside = (np.hypot(*points.T) < 1) & (np.hypot(points[:, 0] - 1.2, points[:, 1]) < 0.8)
    assert lens_area(1.0, 0.8, 1.2) == pytest.approx(inside.mean() * 16, rel=0.02)


@given(sizes, sizes, sizes, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_first_artist_overlaps_both_others_truly(a, b, c, ab, ac, bc):
    common = (int(ab * min(a, b)), int(ac * min(a, c)), int(bc * min(b, c)))
    first, second, third = place_circles((a, b, c), common)
    for one, size in ((first, a), (second, b), (third, c)):
        assert np.pi * one.radius**2 == pytest.approx(size)
        assert np.isfinite([one.x, one.y]).all()
    for other, shared in ((second, common[0]), (third, common[1])):
        distance = float(np.hypot(other.x - first.x, other.y - first.y))
        assert lens_area(first.radius, other.radius, distance) == pytest.approx(shared, abs=1e-3 * a + 1e-3)


def test_all_three_pairs_are_true_where_a_triangle_closes():
    circles = place_circles((742, 302, 324), (96, 99, 37))
    for (i, j), shared in (((0, 1), 96), ((0, 2), 99), ((1, 2), 37)):
        distance = float(np.hypot(circles[i].x - circles[j].x, circles[i].y - circles[j].y))
        assert lens_area(circles[i].radius, circles[j].radius, distance) == pytest.approx(shared, rel=1e-3)
