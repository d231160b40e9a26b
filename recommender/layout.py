"""A map of the catalogue: the most-heard artists laid out on a plane, similar ones close together, in clusters."""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.errors import ParameterError
from recommender.matrix import FloatMatrix


@dataclass(frozen=True, slots=True)
class LayoutParams:
    """Options of :func:`lay_out`.

    ``n_artists`` most-heard artists are drawn, each held near its ``n_neighbours`` nearest, and at least
    ``min_distance`` apart on a plane on which the nearest would else fall together. ``n_clusters`` is the number of
    colours, as many as people can tell apart.
    """

    n_artists: int = 50_000
    n_neighbours: int = 15
    min_distance: float = 0.2
    n_clusters: int = 12

    def __post_init__(self) -> None:
        if not 4 <= self.n_artists <= 50_000:
            raise ParameterError(f"a map of {self.n_artists} artists cannot be drawn; use 4 to 50000")
        if self.n_neighbours < 2 or self.n_clusters < 1:
            raise ParameterError("a map needs at least 2 neighbours of each artist, and 1 cluster")


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where artists are.

    ``artist_idx`` : shape (n,), rows of the model, the most-heard artist first.
    ``positions`` : shape (n, 2), in [-1, 1]; only distances mean something, directions do not.
    ``cluster`` : shape (n,), from 0, the largest cluster first.
    """

    artist_idx: npt.NDArray[np.int32]
    positions: FloatMatrix
    cluster: npt.NDArray[np.uint8]


def lay_out(
    artist_factors: FloatMatrix, listeners: npt.NDArray[np.integer], params: LayoutParams, *, seed: int
) -> Layout:
    """Lay artists out by UMAP of the directions of their factors, and cluster these by k-means.

    Parameters
    ----------
    artist_factors : shape (n_artists, n_factors); artists whose factors are zero are left out.
    listeners : shape (n_artists,).
    params : options.
    seed : the same one gives the same map, on one kind of machine, by one version of the libraries.

    Raises
    ------
    ParameterError : the libraries are not installed, or there are too few artists for a map.

    References
    ----------
    McInnes, Healy & Melville (2018), UMAP: Uniform Manifold Approximation and Projection, arXiv:1802.03426.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # UMAP misses Tensorflow, for something that is not used here
            import umap
            from sklearn.cluster import KMeans
    except ImportError as err:
        raise ParameterError(
            "a map needs two more libraries; install them: pip install '.[explore]' in Segue's folder"
        ) from err
    lengths = np.linalg.norm(artist_factors, axis=1)
    drawn = np.argsort(-np.asarray(listeners), kind="stable")
    drawn = drawn[lengths[drawn] > 0][: params.n_artists]
    if drawn.size < 4:
        raise ParameterError(f"a map needs at least 4 artists with factors, this model has {drawn.size}")
    directions = artist_factors[drawn] / lengths[drawn, None]
    n_neighbours = min(params.n_neighbours, drawn.size - 1)
    reducer = umap.UMAP(
        n_neighbors=n_neighbours,
        min_dist=params.min_distance,
        metric="cosine",
        random_state=seed,
        n_jobs=1,
        # The spectral start needs more points than a tiny catalogue has.
        init="spectral" if drawn.size > 4 * n_neighbours else "random",
    )
    n_clusters = min(params.n_clusters, drawn.size // 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they speak of UMAP's inner ways, to its developers
        positions = np.asarray(reducer.fit_transform(directions), dtype=np.float32)
        labels = KMeans(n_clusters, n_init=3, random_state=seed).fit_predict(directions)
    by_size = np.argsort(-np.bincount(labels, minlength=n_clusters), kind="stable")
    rank = np.argsort(by_size).astype(np.uint8)
    return Layout(drawn.astype(np.int32), _in_square(positions), rank[labels])


def _in_square(positions: FloatMatrix) -> FloatMatrix:
    """Centre and scale positions into [-1, 1], both axes alike; a few far ones shall not shrink the rest."""
    low, high = np.percentile(positions, [0.2, 99.8], axis=0)
    half = max(float((high - low).max()) / 2, np.finfo(np.float32).tiny)
    square: FloatMatrix = np.clip((positions - (low + high) / 2) / half, -1.0, 1.0).astype(np.float32)
    return square
