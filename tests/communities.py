"""Tiny planted worlds of listeners who keep to their community's artists, so that the right answer is known."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from recommender.artifact import Manifest
from recommender.matrix import CSR
from recommender.plays import LoadReport, PlayCounts
from recommender.recipes import PRESETS, Recipe, adjusted
from recommender.saving import save_model
from recommender.training import train

# Twelve artists in three communities of four, real names so that answers read like answers, and one nobody knows.
NAMES = [
    "Arcade Fire", "Wolf Parade", "Broken Social Scene", "The New Pornographers",
    "Metallica", "Iron Maiden", "Judas Priest", "Motörhead",
    "Björk", "Sigur Rós", "múm", "The Sugarcubes",
    "Unheard Of",
]  # fmt: skip
CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def community_plays(n_listeners: int = 60, *, seed: int = 0, strays: float = 0.03) -> CSR:
    """Listener u plays most artists of community u % 3 and a few others, 1-200 times; two play the last artist."""
    rng = np.random.default_rng(seed)
    community = np.arange(n_listeners) % 3
    chance = np.where(np.arange(12)[None, :] // 4 == community[:, None], 0.8, strays)
    heard = rng.random(chance.shape) < chance
    dense = np.zeros((n_listeners, len(NAMES)), dtype=np.float32)
    dense[:, :12] = heard * rng.integers(1, 200, size=chance.shape)
    dense[:2, 12] = 3
    return CSR(dense)


def community_counts(n_listeners: int = 150, *, seed: int = 0) -> PlayCounts:
    """The same as loaded data."""
    plays = community_plays(n_listeners, seed=seed)
    report = LoadReport(rows=plays.nnz, bad=(), duplicates=0, merged_names=0)
    listeners = [f"listener-{idx}" for idx in range(n_listeners)]
    mbids = ["52074ba6-e495-4ef3-9bb4-0703888a9f68"] + [""] * (len(NAMES) - 1)
    return PlayCounts(plays, listeners, list(NAMES), mbids, report, data_hash="0" * 64)


def small_recipe(preset: str = "als") -> Recipe:
    """A preset with as many factors as there are communities: one more would fit their noise."""
    return adjusted(PRESETS[preset], n_factors=3, regularization=1.0, k=8)


def community_model(folder: Path, *, preset: str = "als", seed: int = 0, synthetic: bool = False) -> Manifest:
    """Train on the planted world and save the model into ``folder``."""
    counts = community_counts()
    trained = train(counts.plays, small_recipe(preset), rng=np.random.default_rng(seed))
    return save_model(
        folder, trained, counts, preset=preset, seed=seed, data_name="communities", synthetic=synthetic, created=CREATED
    )
