"""Circles whose areas are listeners: two or three artists, and how their listeners overlap."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle on a plane whose unit of area is one listener."""

    x: float
    y: float
    radius: float


def place_circles(sizes: tuple[int, int, int], common: tuple[int, int, int]) -> tuple[Circle, Circle, Circle]:
    """Place three circles so that areas are listeners, and the overlap of each two is the listeners of both.

    Three numbers of pairs fix the three distances, so the part that all three share follows from them: it is drawn as
    it falls. Where no triangle has these distances, the first circle's overlaps are kept and the third's is not.

    Parameters
    ----------
    sizes : listeners of A, B and C, > 0.
    common : listeners of A and B, of A and C, of B and C.

    Returns
    -------
    A at the origin, B to its right, C above.
    """
    radii = [float(np.sqrt(size / np.pi)) for size in sizes]
    ab, ac, bc = (
        centre_distance(radii[i], radii[j], min(shared, sizes[i], sizes[j]))
        for (i, j), shared in zip(((0, 1), (0, 2), (1, 2)), common, strict=True)
    )
    # The law of cosines; beyond [-1, 1] the sides close no triangle.
    cosine = (ab**2 + ac**2 - bc**2) / (2 * ab * ac) if ab > 0 and ac > 0 else 0.0
    cosine = min(max(cosine, -1.0), 1.0)
    x, y = ac * cosine, ac * float(np.sqrt(1 - cosine**2))
    return Circle(0.0, 0.0, radii[0]), Circle(ab, 0.0, radii[1]), Circle(x, y, radii[2])


def centre_distance(radius: float, other: float, area: float) -> float:
    """Return how far apart two circles stand so that they overlap by an area."""
    apart, inside = radius + other, abs(radius - other)
    if area <= 0:
        return apart
    if area >= lens_area(radius, other, inside):
        return inside
    return float(brentq(lambda distance: lens_area(radius, other, distance) - area, inside, apart, xtol=1e-9))


def lens_area(radius: float, other: float, distance: float) -> float:
    """Return the area in which two circles overlap."""
    if distance >= radius + other:
        return 0.0
    if distance <= abs(radius - other):
        return float(np.pi * min(radius, other) ** 2)
    alpha = np.arccos(np.clip((distance**2 + radius**2 - other**2) / (2 * distance * radius), -1, 1))
    beta = np.arccos(np.clip((distance**2 + other**2 - radius**2) / (2 * distance * other), -1, 1))
    triangles = radius**2 * np.sin(2 * alpha) / 2 + other**2 * np.sin(2 * beta) / 2
    return float(radius**2 * alpha + other**2 * beta - triangles)
