"""Random catalogues whose factors, listening and table are all known, for tests of what a catalogue answers."""

from pathlib import Path

import numpy as np

from communities import CREATED
from recommender.catalogue import Catalogue
from recommender.factors import Factors
from recommender.matrix import CSR
from recommender.neighbours import NeighbourParams, nearest_artists
from recommender.plays import LoadReport, PlayCounts
from recommender.recipes import PRESETS, adjusted
from recommender.saving import save_model
from recommender.training import TrainedModel


def random_plays(n_listeners: int, n_artists: int, *, seed: int = 0) -> CSR:
    """Listeners with a long tail of artists: the first are heard by most, the last by few."""
    chance = 0.9 / (1 + np.arange(n_artists) / 8)
    return CSR((np.random.default_rng(seed).random((n_listeners, n_artists)) < chance).astype(np.float32))


def random_factors(n_artists: int, *, n_factors: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_artists, n_factors)).astype(np.float32)


def save_random_model(folder: Path, plays: CSR, artist_factors: np.ndarray, params: NeighbourParams) -> Path:
    """Save factors that nobody trained as a model."""
    n_listeners, n_artists = plays.shape
    report = LoadReport(rows=plays.nnz, bad=(), duplicates=0, merged_names=0)
    names = [f"artist {idx}" for idx in range(n_artists)]
    counts = PlayCounts(plays, [str(u) for u in range(n_listeners)], names, [""] * n_artists, report, "0" * 64)
    factors = Factors(np.zeros((n_listeners, artist_factors.shape[1]), dtype=np.float32), artist_factors)
    recipe = adjusted(PRESETS["als"], n_factors=artist_factors.shape[1], k=params.k, min_listeners=params.min_listeners)
    trained = TrainedModel(recipe, factors, nearest_artists(artist_factors, plays, params))
    save_model(folder, trained, counts, preset="als", seed=0, data_name="random", synthetic=True, created=CREATED)
    return folder


def random_catalogue(
    folder: Path, *, k: int, n_listeners: int = 60, n_artists: int = 90, min_listeners: int = 3, seed: int = 0
) -> Catalogue:
    """Open a random catalogue whose table keeps ``k`` neighbours."""
    params = NeighbourParams(k=k, min_listeners=min_listeners)
    plays = random_plays(n_listeners, n_artists, seed=seed)
    return Catalogue.open(save_random_model(folder, plays, random_factors(n_artists, seed=seed), params))
