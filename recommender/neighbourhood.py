"""Where artists lie on a map of two dimensions, so that near artists lie near each other."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def positions(directions: FloatArray) -> FloatArray:
    """Place artists on a plane by classical multidimensional scaling, the first one in the middle.

    With unit rows U, the squared distance of two artists is ``2 - 2 cos``; double centring gives
    ``B = -1/2 J D2 J = J U Ut J``, and its two strongest eigenvectors, times the root of their eigenvalues, are the
    plane that keeps the distances best.

    Parameters
    ----------
    directions : shape (n_artists, n_factors), rows of length 1.

    Returns
    -------
    Shape (n_artists, 2), float64; the first row is 0. The same input gives the same plane: of each axis, the end with
    the furthest artist is positive.

    References
    ----------
    Torgerson (1952), Multidimensional scaling I, Psychometrika 17; Gower (1966), Biometrika 53.
    """
    centred = directions - directions.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((directions.shape[0], 2))
    n_axes = min(2, singular.size)
    plane[:, :n_axes] = left[:, :n_axes] * singular[:n_axes]
    plane -= plane[0]
    furthest = np.abs(plane).argmax(axis=0)
    signs = np.sign(plane[furthest, [0, 1]])
    placed: FloatArray = plane * np.where(signs == 0, 1.0, signs)
    return placed
