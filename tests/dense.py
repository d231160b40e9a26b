"""Slow and obvious dense versions of the numeric kernels, straight from the formulas."""

import numpy as np

from recommender.least_squares import RidgeParams


def ridge_of(played: np.ndarray, ridge: RidgeParams) -> np.ndarray:
    """The ridge of each row of a matrix of booleans."""
    n_rows, n_columns = played.shape
    ridges = {
        "plain": [1.0 for _ in range(n_rows)],
        "als-wr": [row.sum() for row in played],
        "ials": [(row.sum() + ridge.unobserved_weight * n_columns) ** ridge.frequency_exponent for row in played],
    }
    return ridge.regularization * np.array(ridges[ridge.kind])


def als_weights(confidence: np.ndarray, ridge: RidgeParams) -> tuple[np.ndarray, np.ndarray]:
    """Of every cell, the weight of its squared error, and its target; ``confidence`` is 0 where nothing was played."""
    played = confidence > 0
    if ridge.kind != "ials":
        return np.where(played, confidence, 1.0), played.astype(float)
    # w (1 - s)^2 + a0 s^2 is (w + a0) (w / (w + a0) - s)^2, and a constant.
    weight = np.where(played, confidence - 1, 0.0) + ridge.unobserved_weight
    return weight, np.where(played, confidence - 1, 0.0) / weight


def als_loss(confidence: np.ndarray, x: np.ndarray, y: np.ndarray, ridge: RidgeParams) -> float:
    """The loss of implicit ALS over all cells, as the papers write it."""
    played, scores = confidence > 0, x @ y.T
    if ridge.kind == "ials":
        errors = np.where(played, (confidence - 1) * (1 - scores) ** 2, 0.0) + ridge.unobserved_weight * scores**2
    else:
        errors = np.where(played, confidence, 1.0) * (played - scores) ** 2
    sides = ((played, x), (played.T, y))
    return float(errors.sum() + sum((ridge_of(side, ridge) * (rows**2).sum(axis=1)).sum() for side, rows in sides))


def als_rows(confidence: np.ndarray, fixed: np.ndarray, ridge: RidgeParams) -> np.ndarray:
    """Each row's ridge regression, by its normal equations."""
    rows = np.zeros((confidence.shape[0], fixed.shape[1]))
    weights, targets = als_weights(confidence, ridge)
    ridges = ridge_of(confidence > 0, ridge)
    for row, (weight, target) in enumerate(zip(weights, targets, strict=True)):
        normal = fixed.T @ (weight[:, None] * fixed) + ridges[row] * np.eye(fixed.shape[1])
        rows[row] = np.linalg.solve(normal, fixed.T @ (weight * target))
    return rows


def als(
    confidence: np.ndarray, start: np.ndarray, ridge: RidgeParams, iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Alternate exact half-steps from the given artist factors."""
    y = start.astype(float)
    for _ in range(iterations):
        x = als_rows(confidence, y, ridge)
        y = als_rows(confidence.T, x, ridge)
    return x, y


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
