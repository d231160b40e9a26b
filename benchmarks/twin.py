"""A seeded synthetic twin of Last.fm-360K: its size, its popularity tail, its communities; nobody's listening.

Model: 100 communities x 10 niches. An artist sits in one to three niches; a listener mixes one to five communities and,
in each, one to three niches. A draw is by global popularity (20 %), by community (30 %) or by niche (50 %); in each,
artists are drawn in proportion to popularity, so the whole stays a Zipf-Mandelbrot tail. Plays are log-normal, with an
effect of the listener and a boost for niche draws, so that counts carry signal.

    python benchmarks/twin.py --scale 0.1 --out twin.npz
"""

import argparse
import hashlib
import uuid
from pathlib import Path

import numpy as np
import scipy.sparse as sp

N_LISTENERS, N_ARTISTS, NNZ, TOP_LISTENERS = 359_347, 292_385, 17_535_655, 77_000
N_COMMUNITIES, N_NICHES = 100, 10
TAIL = 1.45
SEED = 7
_SYLLABLES = "ka ro mi ten sha lo vi dar el on qui ba the mo zu ri an dé sø ül na po gri st fle".split()  # noqa: SIM905


def generate(scale: float = 1.0, seed: int = SEED) -> sp.csr_array:
    """Draw the twin, listeners x artists, float32 plays; ``scale`` 1 is full size, 0.1 a tenth of the listeners."""
    rng = np.random.default_rng(seed)
    n_listeners, nnz = round(N_LISTENERS * scale), NNZ * scale
    n_artists = round(N_ARTISTS * (1.0 if scale == 1.0 else scale**0.62))
    n_catalogue = int(n_artists * 1.15)  # artists whom nobody draws drop out
    popularity = _popularity(n_catalogue, nnz * 1.08, TOP_LISTENERS * scale * 1.95)
    cdf, indptr, indices, niche_mass = _artist_cdf(rng, n_catalogue, popularity)
    taste = _tastes(rng, n_listeners, niche_mass)
    length = _lengths(rng, n_listeners, nnz)
    listener, artist, level = _draw(rng, taste, length, cdf, indptr, indices, n_catalogue)
    effect = rng.normal(0, 0.75, n_listeners)[listener] + np.array([0.2, 0.0, -0.3])[level]
    plays = np.maximum(1, np.round(np.exp(np.log(99.5) + effect + rng.normal(0, 1.0, len(listener)))))
    heard = np.flatnonzero(np.bincount(artist, minlength=n_catalogue))
    column = np.full(n_catalogue, -1)
    column[heard] = rng.permutation(len(heard))
    shape = (n_listeners, len(heard))
    matrix = sp.coo_array((plays.astype(np.float32), (listener, column[artist])), shape=shape).tocsr()
    matrix.sort_indices()
    return matrix


def cached(scale: float, folder: Path) -> sp.csr_array:
    """Return the twin, drawn once and kept in ``folder``."""
    path = folder / f"twin-{scale}-{SEED}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        save(path, generate(scale))
    return load(path)


def tsv(scale: float, folder: Path) -> Path:
    """Return the path of the twin as a TSV, written once and kept in ``folder``."""
    path = folder / f"twin-{scale}.tsv"
    if not path.exists():
        matrix, part = cached(scale, folder), path.with_suffix(".part")
        write_tsv(matrix, part)
        part.replace(path)
    return path


def save(path: Path, matrix: sp.csr_array) -> None:
    """Keep a matrix as its CSR parts."""
    np.savez(path, indptr=matrix.indptr, indices=matrix.indices, data=matrix.data, shape=np.array(matrix.shape))


def load(path: Path) -> sp.csr_array:
    """Read what :func:`save` wrote, with 32-bit indices where they suffice."""
    parts = np.load(path)
    indptr, indices = parts["indptr"].astype(np.int32), parts["indices"].astype(np.int32)
    return sp.csr_array((parts["data"], indices, indptr), shape=tuple(parts["shape"]))


def write_tsv(matrix: sp.csr_array, path: Path) -> None:
    """Write Last.fm-360K's layout in its order: by listener, plays falling; three artists in a hundred have no id."""
    tails = [f"\t{_mbid(artist)}\t{name_of(artist)}\t" for artist in range(matrix.shape[1])]
    with path.open("w", encoding="utf-8", buffering=1 << 22) as file:
        for listener in range(matrix.shape[0]):
            begin, end = matrix.indptr[listener], matrix.indptr[listener + 1]
            order = np.argsort(-matrix.data[begin:end], kind="stable")
            label = _digest(f"u{listener}", 20).hex()
            artists, plays = (
                matrix.indices[begin:end][order].tolist(),
                matrix.data[begin:end][order].astype(int).tolist(),
            )
            file.write("".join(f"{label}{tails[a]}{n}\n" for a, n in zip(artists, plays, strict=True)))


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=size).digest()


def _mbid(artist: int) -> str:
    return "" if _digest(f"m{artist}", 1)[0] < 8 else str(uuid.UUID(bytes=_digest(f"a{artist}", 16)))


def name_of(artist: int) -> str:
    """Make up a name for an artist."""
    bits = _digest(f"name{artist}", 12)
    words = (
        "".join(_SYLLABLES[b % len(_SYLLABLES)] for b in bits[1 + 3 * w : 4 + 3 * w]) for w in range(1 + bits[0] % 3)
    )
    return ("the " if bits[11] % 5 == 0 else "") + " ".join(words) + f" {artist}"


def _popularity(n: int, nnz: float, top: float) -> np.ndarray:
    rank = np.arange(n, dtype=np.float64)
    low, high = 1.0, 5000.0
    for _ in range(80):  # solve for the knee with which the sum is nnz
        knee = np.sqrt(low * high)
        low, high = (knee, high) if (top / (1 + rank / knee) ** TAIL).sum() < nnz else (low, knee)
    return top / (1 + rank / knee) ** TAIL


def _artist_cdf(
    rng: np.random.Generator, n: int, popularity: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For each niche, each community and all: the artists in it, as one concatenated cumulative distribution."""
    n_all = N_COMMUNITIES * N_NICHES
    community_weight = rng.gamma(2.0, size=N_COMMUNITIES)
    community_weight /= community_weight.sum()
    niche_weight = (community_weight[:, None] * rng.dirichlet(np.full(N_NICHES, 2.0), size=N_COMMUNITIES)).ravel()
    n_niches = np.where(rng.random(n) < 0.15 + 0.6 * (popularity / popularity[0]) ** 0.3, 3, 1)
    n_niches = np.where((n_niches == 3) & (rng.random(n) < 0.5), 2, n_niches)
    first = rng.choice(n_all, size=n, p=niche_weight)
    artist, niche = [np.arange(n)], [first]
    share = [np.where(n_niches == 1, 1.0, np.where(n_niches == 2, 0.65, 0.5))]
    for k in (2, 3):
        spread = np.flatnonzero(n_niches >= k)
        same = rng.random(len(spread)) < 0.6  # a second niche is mostly in the same community
        near = first[spread] // N_NICHES * N_NICHES + rng.integers(0, N_NICHES, len(spread))
        artist.append(spread)
        niche.append(np.where(same, near, rng.choice(n_all, size=len(spread), p=niche_weight)))
        share.append(np.where(n_niches[spread] == 2, 0.35, 0.25))
    artists, niches, weight = np.concatenate(artist), np.concatenate(niche), np.concatenate(share)
    weight = weight * popularity[artists]
    by_niche = sp.csr_matrix((weight, (niches, artists)), shape=(n_all, n))
    by_community = sp.csr_matrix((weight, (niches // N_NICHES, artists)), shape=(N_COMMUNITIES, n))
    every = sp.vstack([by_niche, by_community, sp.csr_matrix(popularity[None, :])]).tocsr()
    cdf = np.empty(every.nnz)
    for category in range(every.shape[0]):
        begin, end = every.indptr[category], every.indptr[category + 1]
        summed = np.cumsum(every.data[begin:end])
        cdf[begin:end] = category + (summed / summed[-1] if end > begin else summed)
    mass = np.asarray(by_niche.sum(1)).ravel()
    return cdf, every.indptr, every.indices, mass / mass.sum()


def _mixtures(rng: np.random.Generator, n_rows: int, shares: list[float]) -> np.ndarray:
    """Cumulative weights of 1 to k things, k with the given probabilities."""
    k = rng.choice(np.arange(1, len(shares) + 1), size=n_rows, p=shares)
    weight = rng.gamma(0.7, size=(n_rows, len(shares))) + 1e-3
    weight[np.arange(len(shares))[None, :] >= k[:, None]] = 0
    return np.cumsum(weight / weight.sum(1, keepdims=True), 1)


def _pick(cumulative: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    chance = rng.random(len(rows))
    return np.minimum((cumulative[rows] < chance[:, None]).sum(1), cumulative.shape[1] - 1)


def _tastes(rng: np.random.Generator, n: int, niche_mass: np.ndarray) -> tuple[np.ndarray, ...]:
    by_community = niche_mass.reshape(N_COMMUNITIES, N_NICHES)
    communities = _mixtures(rng, n, [0.25, 0.3, 0.22, 0.13, 0.10])
    community = rng.choice(N_COMMUNITIES, size=(n, 5), p=by_community.sum(1))
    niches = _mixtures(rng, n * 5, [0.4, 0.35, 0.25])
    within = np.cumsum(by_community, 1)
    within /= within[:, -1:]
    niche = (within[community.ravel()][:, None, :] < rng.random((n * 5, 3, 1))).sum(2)
    return communities, community, niches, niche


def _lengths(rng: np.random.Generator, n: int, nnz: float) -> np.ndarray:
    length = rng.integers(47, 52, n)
    few = rng.random(n) < 0.14
    length[few] = rng.integers(5, 50, few.sum())
    many = rng.random(n) < 0.165
    length[many] = np.minimum(51 + rng.exponential(12, many.sum()).astype(int), 166)
    return np.maximum(1, np.round(length * (nnz / length.sum()) ** 0.999)).astype(np.int64)


def _draw(
    rng: np.random.Generator,
    taste: tuple[np.ndarray, ...],
    length: np.ndarray,
    cdf: np.ndarray,
    indptr: np.ndarray,
    indices: np.ndarray,
    n_catalogue: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw each listener's artists, again for those drawn twice; returns listener, artist, level of the draw."""
    communities, community, niches, niche = taste
    n_all, n = N_COMMUNITIES * N_NICHES, len(length)
    keys, levels = np.empty(0, np.int64), np.empty(0, np.int8)
    need = length.copy()
    for attempt in range(5):
        n_draws = (need * (1.25 if attempt == 0 else 2.0)).astype(np.int64) + (2 if attempt == 0 else (need > 0) * 3)
        listener = np.repeat(np.arange(n), n_draws)
        level = rng.choice(3, size=len(listener), p=[0.50, 0.30, 0.20]).astype(np.int8)
        slot = listener * 5 + _pick(communities, listener, rng)
        where = community.ravel()[slot]
        small = where * N_NICHES + niche[slot, _pick(niches, slot, rng)]
        category = np.where(level == 0, small, np.where(level == 1, n_all + where, n_all + N_COMMUNITIES))
        order = np.argsort(category, kind="stable")
        position = np.searchsorted(cdf, category[order] + rng.random(len(order)))
        position = np.minimum(position, indptr[category[order] + 1] - 1)
        artist = np.empty(len(order), np.int64)
        artist[order] = indices[position]
        keys = np.concatenate([keys, listener * n_catalogue + artist])
        levels = np.concatenate([levels, level])
        _, first = np.unique(keys, return_index=True)  # the earliest draw of a pair stays
        first.sort()
        keys, levels = keys[first], levels[first]
        order = np.argsort(keys // n_catalogue, kind="stable")
        keys, levels = keys[order], levels[order]
        owner = keys // n_catalogue
        count = np.bincount(owner, minlength=n)
        kept = (np.arange(len(owner)) - (np.cumsum(count) - count)[owner]) < length[owner]
        keys, levels = keys[kept], levels[kept]
        need = length - np.minimum(count, length)
        if need.sum() < 1e-4 * length.sum():
            break
    return keys // n_catalogue, keys % n_catalogue, levels


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    save(options.out, generate(options.scale, options.seed))
