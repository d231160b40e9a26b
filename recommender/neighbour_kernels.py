"""The compiled inner loops of the neighbour table.

An artist's row is found in one of two ways, whichever costs less. *Through listeners*: from the artist to its
listeners and on to all that these heard, which counts the common listeners on the way; it costs the listening. *Through
products*: the cosines with all artists as a matrix product, then the common listeners of the best; it costs the
catalogue, and bounds what a few listeners of very many artists can cost. Which way is taken depends on the data alone.
"""

import numba
import numpy as np

from recommender.kernels import FASTMATH, insert, kernel

PRODUCT_ROWS = 16
N_BINS = 4096
# A product sums in another order than the final cosine does.
ROUNDING = np.float32(1e-5)


@kernel(parallel=True)
def summed_rows(indptr, indices, values, sums):  # type: ignore[no-untyped-def]
    """``sums[row]`` becomes the sum of ``values`` over the row's ``indices``."""
    for row in numba.prange(indptr.shape[0] - 1):
        total = 0
        for position in range(indptr[row], indptr[row + 1]):
            total += values[indices[position]]
        sums[row] = total


@kernel(fastmath=FASTMATH)
def _cosine(x, y):  # type: ignore[no-untyped-def]
    cosine = np.float32(0)
    for f in range(x.shape[0]):
        cosine += x[f] * y[f]
    return cosine


@kernel(parallel=True, fastmath=FASTMATH)
def rows_through_listeners(  # type: ignore[no-untyped-def]
    listeners_indptr,
    listeners,
    artists_indptr,
    artists,
    starts,
    is_wanted,
    unit,
    min_common,
    idx,
    score,
    support,
):
    """Fill the wanted artists' rows of ``idx``, ``score`` and ``support`` with their most similar artists, best first.

    Only artists with common listeners are looked at: they are met on the way from the artist to its listeners
    (``listeners``) and on to all that these heard (``artists``), which counts them as well.
    """
    n_artists = unit.shape[0]
    for block in numba.prange(starts.shape[0] - 1):
        common = np.zeros(n_artists, dtype=np.int32)
        met = np.empty(n_artists, dtype=np.int32)
        for artist in range(starts[block], starts[block + 1]):
            if not is_wanted[artist]:
                continue
            n_met = 0
            for position in range(listeners_indptr[artist], listeners_indptr[artist + 1]):
                listener = listeners[position]
                for other_position in range(artists_indptr[listener], artists_indptr[listener + 1]):
                    other = artists[other_position]
                    if common[other] == 0:
                        met[n_met] = other
                        n_met += 1
                    common[other] += 1
            n_kept = 0
            for other in met[:n_met]:
                together = common[other]
                common[other] = 0
                if together < min_common or other == artist:
                    continue
                cosine = _cosine(unit[artist], unit[other])
                if cosine <= 0:  # the opposite is not similar
                    continue
                n_kept = insert(idx[artist], score[artist], support[artist], n_kept, other, cosine, together)


@kernel(fastmath=FASTMATH)
def _between(products, artist, unit, lower, upper):  # type: ignore[no-untyped-def]
    """The artists whose cosine with one is in [lower, upper), above 0: their numbers, best first, and the cosines."""
    others = np.flatnonzero((products >= lower - ROUNDING) & (products < upper + ROUNDING))
    cosines = np.empty(others.shape[0], dtype=np.float32)
    n_kept = 0
    for other in others:
        cosine = _cosine(unit[artist], unit[other])
        if other != artist and lower <= cosine < upper and cosine > 0:
            others[n_kept], cosines[n_kept] = other, cosine
            n_kept += 1
    best = np.argsort(-cosines[:n_kept], kind="mergesort")
    return others[:n_kept][best], cosines[:n_kept][best]


@kernel(fastmath=FASTMATH)
def _row_through_products(  # type: ignore[no-untyped-def]
    products, artist, marked, listeners_indptr, listeners, unit, min_common, idx, score, support
):
    """Fill one row: the best by product, as many at a time as it takes, whom enough of the marked listeners heard."""
    k = idx.shape[0]
    n_in_bin = np.zeros(N_BINS, dtype=np.int64)
    for product in products:
        if product > 0:
            n_in_bin[min(int(product * N_BINS), N_BINS - 1)] += 1
    n_kept, wanted, upper_bin, upper = 0, 2 * k, N_BINS, np.float32(2)
    while n_kept < k and upper_bin > 0:
        lower_bin, n_within = upper_bin, 0
        while lower_bin > 0 and n_within < wanted:
            lower_bin -= 1
            n_within += n_in_bin[lower_bin]
        lower = np.float32(lower_bin / N_BINS)
        others, cosines = _between(products, artist, unit, lower, upper)
        for place in range(others.shape[0]):
            together = 0
            for position in range(listeners_indptr[others[place]], listeners_indptr[others[place] + 1]):
                together += marked[listeners[position]]
            if together >= min_common:
                idx[n_kept], score[n_kept], support[n_kept] = others[place], cosines[place], together
                n_kept += 1
                if n_kept == k:
                    break
        upper_bin, upper, wanted = lower_bin, lower, 4 * wanted


@kernel(parallel=True, fastmath=FASTMATH)
def rows_through_products(  # type: ignore[no-untyped-def]
    wanted, listeners_indptr, listeners, n_listeners, unit, min_common, idx, score, support
):
    """Fill the rows of the artists in ``wanted``, as :func:`rows_through_listeners` would."""
    n_factors = unit.shape[1]
    everybody = unit.T
    for block in numba.prange((wanted.shape[0] + PRODUCT_ROWS - 1) // PRODUCT_ROWS):
        artists = wanted[block * PRODUCT_ROWS : (block + 1) * PRODUCT_ROWS]
        rows = np.empty((artists.shape[0], n_factors), dtype=np.float32)
        for place in range(artists.shape[0]):
            rows[place] = unit[artists[place]]
        products = np.dot(rows, everybody)
        marked = np.zeros(n_listeners, dtype=np.uint8)
        for place in range(artists.shape[0]):
            artist = artists[place]
            own = listeners[listeners_indptr[artist] : listeners_indptr[artist + 1]]
            for listener in own:
                marked[listener] = 1
            _row_through_products(
                products[place],
                artist,
                marked,
                listeners_indptr,
                listeners,
                unit,
                min_common,
                idx[artist],
                score[artist],
                support[artist],
            )
            for listener in own:
                marked[listener] = 0
