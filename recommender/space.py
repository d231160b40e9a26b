"""All artists as directions of their factors: exact answers that no stored table holds.

A table keeps the nearest artists of each one. What it cannot answer - the neighbours after its last, those in a range
of popularity, those of a mixture of artists - is computed here when it is asked for, from the mapped factors: a product
of the whole catalogue with one direction, then a short list in float64.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recommender.listening import Listening
from recommender.matrix import FloatMatrix

# The product is float32; what is nearer than this to the end of the short list could belong before it.
ROUNDING = 1e-5
TINY = 1e-30
"""A length below which factors count as vanished."""
SHORT = 256
"""Artists on the first short list, at least."""
FIRST = 16
"""Artists of it that are looked at first, at least."""
LONGER = 8
"""How many times longer the next short list is, and the next part of one, when one did not suffice."""
FEW = 3
"""Picking an artist's row out costs at most this many times what it costs in a product of all."""

BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Near:
    """An artist of an answer: its row, its cosine, and the marked listeners that heard it too."""

    artist_idx: int
    score: float
    support: int


class ArtistSpace:
    """The directions of a catalogue's artists; immutable, safe to share between threads.

    Parameters
    ----------
    factors : shape (n_artists, n_factors), float32, may be memory-mapped; with ``artists``, a row for each of these.
    listeners : shape (n_artists,), how many heard each.
    listening : who they are.
    min_listeners : artists with fewer are in no answer.
    min_common : artists that share fewer listeners with what is asked for are in no answer about neighbours.
    artists : shape (n_rows,), rising, the artists that have a row; those that have none are in no answer.
    """

    def __init__(
        self,
        factors: FloatMatrix,
        listeners: npt.NDArray[np.int32],
        listening: Listening,
        *,
        min_listeners: int,
        min_common: int,
        artists: IndexArray | None = None,
    ) -> None:
        self.listening = listening
        # As plain arrays over the same mapped files: a memmap costs 10 us at each of the many small look-ups.
        self.listeners = np.asarray(listeners)
        self._factors = np.asarray(factors)
        self._min_listeners = min_listeners
        self._min_common = min_common
        self._artists = artists

    @cached_property
    def answerable(self) -> BoolArray:
        """Which artists may be in an answer: enough listeners, and factors that did not vanish; shape (n_artists,)."""
        return (self.listeners >= self._min_listeners) & (self._by_artist(self._inverse_norms) > 0)

    def direction(self, artist_idx: int) -> npt.NDArray[np.float64]:
        """An artist's factors, scaled to length 1; zero where they vanished.

        ``artist_idx`` : one that has a row.
        """
        factors = self._factors[self._row_of(np.array([artist_idx]))[0]].astype(np.float64)
        direction: npt.NDArray[np.float64] = factors / max(float(np.linalg.norm(factors)), TINY)
        return direction

    def cosines(self, direction: npt.NDArray[np.float64]) -> FloatMatrix:
        """Cosine of each artist with a direction (length 1), to float32's rounding; shape (n_artists,)."""
        cosines: FloatMatrix = self._factors @ direction.astype(np.float32)
        cosines *= self._inverse_norms
        return self._by_artist(cosines)

    def cosines_of(self, direction: npt.NDArray[np.float64], artists: IndexArray) -> FloatMatrix:
        """The same for some artists, in their order."""
        if artists.size * FEW > self.listeners.size:
            return self.cosines(direction)[artists]
        rows = self._row_of(artists)
        cosines: FloatMatrix = self._factors.take(rows, axis=0, mode="clip") @ direction.astype(np.float32)
        cosines *= self._inverse_norms[rows]
        return cosines

    def exact_cosines(self, direction: npt.NDArray[np.float64], artists: IndexArray) -> FloatMatrix:
        """The same for some artists, summed in float64 and then rounded, so that the rounding decides no order."""
        rows = self._factors.take(self._row_of(artists), axis=0, mode="clip").astype(np.float64)
        norms = np.sqrt(np.einsum("af,af->a", rows, rows))
        cosines = np.einsum("af,f->a", rows, direction) / np.maximum(norms, TINY)
        rounded: FloatMatrix = np.clip(cosines, -1.0, 1.0).astype(np.float32)
        return rounded

    def listeners_at(self, share: float) -> int:
        """How many heard the artist that is at this percentile of listening.

        Parameters
        ----------
        share : in [0, 1], the part of all listening to answerable artists that went to less heard ones and to it.
        """
        rising, heard_so_far = self._rising
        return int(rising[np.searchsorted(heard_so_far, share)]) if rising.size else 0

    def nearest(
        self,
        direction: npt.NDArray[np.float64],
        k: int,
        *,
        allowed: BoolArray,
        marked: BoolArray,
    ) -> list[Near]:
        """Find the artists with the highest cosine, above 0, that enough of the marked listeners heard.

        Parameters
        ----------
        direction : length 1.
        k : rows wanted.
        allowed : shape (n_artists,); others are left out.
        marked : shape (n_listeners,).

        Returns
        -------
        At most ``k``, best first; equal cosines come in the order of the artists.
        """
        cosines = self.cosines(direction)
        candidates = np.flatnonzero(allowed & self.answerable & (cosines > 0))
        return self.best(
            candidates,
            cosines[candidates],
            k,
            exact=lambda artists: self.exact_cosines(direction, artists),
            marked=(marked,),
        )

    def best(
        self,
        candidates: IndexArray,
        scores: FloatMatrix,
        k: int,
        *,
        exact: Callable[[IndexArray], FloatMatrix],
        marked: tuple[BoolArray, ...],
    ) -> list[Near]:
        """Find the candidates with the highest exact score, above 0, whom enough of the marked listeners heard.

        Parameters
        ----------
        candidates : artists, rising.
        scores : of these, within ``ROUNDING`` of the exact ones.
        exact : gives the exact scores of some artists.
        marked : one or more groups of listeners; enough of each must have heard an artist.
        """
        found: list[Near] = []
        for artists, highest_after in self._falling(candidates, scores, k, marked):
            found += self._supported(artists, exact, marked)
            found.sort(key=lambda near: (-near.score, near.artist_idx))
            del found[k:]
            if len(found) == k and found[-1].score > highest_after:
                break
        return found

    def _falling(
        self, candidates: IndexArray, scores: FloatMatrix, k: int, marked: tuple[BoolArray, ...]
    ) -> Iterator[tuple[IndexArray, float]]:
        """Go through the candidates from the highest score on, in growing parts.

        Yields
        ------
        The artists of a part, and what no exact score of a later one is above.
        """
        n_short, n_tried = max(4 * k, SHORT), 0
        while candidates.size:
            if n_tried == 2:  # few of the nearest share listeners: from here on only those that do
                for group in marked:
                    together = self.listening.in_common_with_each(group, candidates) >= self._min_common
                    candidates, scores = candidates[together], scores[together]
            rising = np.argpartition(scores, -n_short) if n_short < candidates.size else np.arange(candidates.size)
            later, short = rising[:-n_short], rising[-n_short:]
            short = short[np.argsort(-scores[short])]
            begin, length = 0, max(k, FIRST)
            while begin < short.size:
                part = short[begin : begin + length]
                yield candidates[part], float(scores[part[-1]]) + ROUNDING
                begin, length = begin + length, LONGER * length
            candidates, scores = candidates[later], scores[later]
            n_short, n_tried = n_short * LONGER, n_tried + 1

    def _supported(
        self,
        artists: IndexArray,
        exact: Callable[[IndexArray], FloatMatrix],
        marked: tuple[BoolArray, ...],
    ) -> list[Near]:
        """Those of some artists that enough of each group heard, with their exact scores, where these are above 0."""
        support = np.full(artists.size, np.iinfo(np.int32).max, dtype=np.int32)
        for group in marked:
            support = np.minimum(support, self.listening.in_common(group, artists))
            artists, support = artists[support >= self._min_common], support[support >= self._min_common]
        if not artists.size:
            return []
        rows = zip(artists.tolist(), exact(artists).tolist(), support.tolist(), strict=True)
        return [Near(*row) for row in rows if row[1] > 0]

    def _row_of(self, artists: IndexArray) -> IndexArray:
        return artists if self._artists is None else np.searchsorted(self._artists, artists)

    def _by_artist(self, of_rows: FloatMatrix) -> FloatMatrix:
        """Lay out one value per row as one per artist; 0 where an artist has no row."""
        if self._artists is None:
            return of_rows
        of_artists = np.zeros(self.listeners.shape[0], dtype=of_rows.dtype)
        of_artists[self._artists] = of_rows
        return of_artists

    @cached_property
    def _rising(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        rising = np.sort(self.listeners[self.answerable])
        return rising, np.cumsum(rising, dtype=np.float64) / max(int(rising.sum(dtype=np.int64)), 1)

    @cached_property
    def _inverse_norms(self) -> FloatMatrix:
        norms: FloatMatrix = np.sqrt(np.einsum("af,af->a", self._factors, self._factors))
        return np.where(norms > TINY, 1 / np.maximum(norms, TINY), 0).astype(np.float32)
