"""Slow and obvious dense versions of the numeric kernels, straight from the formulas."""

import numpy as np


def als_loss(confidence: np.ndarray, x: np.ndarray, y: np.ndarray, regularization: float) -> float:
    """The loss of implicit ALS over all cells; ``confidence`` is dense with 0 where nothing was played."""
    preference = confidence > 0
    weight = np.where(preference, confidence, 1.0)
    return float((weight * (preference - x @ y.T) ** 2).sum() + regularization * ((x**2).sum() + (y**2).sum()))


def als_rows(confidence: np.ndarray, fixed: np.ndarray, regularization: float) -> np.ndarray:
    """Each row's ridge regression, by its normal equations."""
    rows = np.zeros((confidence.shape[0], fixed.shape[1]))
    for row, played in enumerate(confidence):
        weight = np.where(played > 0, played, 1.0)
        normal = fixed.T @ (weight[:, None] * fixed) + regularization * np.eye(fixed.shape[1])
        rows[row] = np.linalg.solve(normal, fixed.T @ (weight * (played > 0)))
    return rows


def bm25(plays: np.ndarray, *, k1: float, b: float) -> np.ndarray:
    """BM25 of a dense listeners x artists matrix, cell by cell: an artist is a document, a listener a term."""
    n_listeners, n_artists = plays.shape
    length = plays.sum(axis=0)
    weights = np.zeros(plays.shape)
    for listener in range(n_listeners):
        idf = max(np.log(n_artists) - np.log(1 + (plays[listener] > 0).sum()), 0)
        for artist in range(n_artists):
            count = plays[listener, artist]
            norm = 1 - b + b * length[artist] / length.mean()
            weights[listener, artist] = count * (k1 + 1) / (count + k1 * norm) * idf
    return weights


def cosine_ranking(factors: np.ndarray, artist: int, candidates: list[int], k: int) -> list[int]:
    """The k candidates most similar to an artist, only those with a positive cosine, ties by number."""
    unit = factors / np.linalg.norm(factors, axis=1, keepdims=True)
    scores = {other: float(np.float32(unit[other] @ unit[artist])) for other in candidates if other != artist}
    similar = [other for other, score in scores.items() if score > 0]
    return sorted(similar, key=lambda other: (-scores[other], other))[:k]
