"""A trained model becomes an artifact: its arrays laid out, its card filled in, its names indexed."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import numpy as np

from recommender.aliases import shipped_aliases
from recommender.artifact import FACTOR_COSINE, DataCard, Manifest, TableCard, label_arrays, write_artifact
from recommender.confidence import strength_bounds
from recommender.listening import listening_arrays
from recommender.naming.building import build_index
from recommender.play_counts import PlayCounts
from recommender.similarity import SimilarityParams
from recommender.training import TrainedModel


def _in_what_terms(similarity: SimilarityParams) -> str:
    """Name what the scores of a table are, for its card."""
    match similarity.method:
        case "knn":
            return f"{similarity.knn.measure} of the listeners"
        case "pmi":
            return "company kept (PMI)"
        case "ease":
            return "listening that predicts both (EASE)"
        case "fusion" | "auto":
            return "fusion of LSA, PMI and the factors"
        case "factors":
            return FACTOR_COSINE


def save_model(
    folder: Path,
    model: TrainedModel,
    counts: PlayCounts,
    *,
    preset: str,
    seed: int,
    data_name: str,
    synthetic: bool,
    created: datetime,
) -> Manifest:
    """Write a trained model into a new folder, so that it is there whole or not at all.

    Parameters
    ----------
    folder : must not exist; its name becomes the model's id.
    model, counts : what was trained, and on what.
    preset, seed, data_name, synthetic, created : the rest of its card; ``created`` is aware.

    Raises
    ------
    ModelError : the folder exists or cannot be written.
    """
    params = model.recipe.neighbours
    listeners = np.bincount(counts.plays.indices, minlength=len(counts.artist_names))
    compared_by = model.similarity_factors
    if compared_by is None:
        compared_by = np.zeros((len(listeners), 0), dtype=np.float32)
    arrays = label_arrays(counts.artist_names, counts.artist_mbids) | {
        "artist_factors": model.factors.artist_factors,
        "listeners": listeners,
        "similarity_factors": compared_by[listeners >= params.min_listeners],
        "neighbour_idx": model.neighbours.idx,
        "neighbour_score": model.neighbours.score,
        "support": model.neighbours.support,
        **listening_arrays(counts.plays, min_listeners=params.min_listeners),
    }
    if model.links is not None:
        arrays |= {"link_idx": model.links.idx, "link_weight": model.links.weight}
    n_listeners, n_artists = counts.plays.shape
    card = {
        "id": folder.name,
        "algorithm": model.recipe.algorithm,
        "preset": preset,
        "parameters": model.recipe.parameters() | {"typical_weight": model.typical_weight},
        "seed": seed,
        "objective": model.factors.objective,
        "data": asdict(
            DataCard(
                data_name,
                counts.data_hash,
                synthetic,
                n_listeners,
                n_artists,
                n_pairs=int(counts.plays.nnz),
                n_variants=len(counts.variants),
            )
        ),
        "created": created.isoformat(),
        "n_factors": model.factors.n_factors,
        "k": model.neighbours.idx.shape[1],
        "min_listeners": params.min_listeners,
        "neighbours": asdict(
            TableCard(
                _in_what_terms(model.recipe.similarity),
                exact=True,
                recall=1.0,
                min_common_listeners=params.min_common_listeners,
                strength=strength_bounds(model.neighbours.idx, model.neighbours.score),
            )
        ),
    }
    # Whoever types a merged name finds the artist, whatever the two have in common.
    name_index = build_index(counts.artist_names, listeners, [*counts.variants, *shipped_aliases()])
    return write_artifact(folder, arrays, card, name_index=name_index)
