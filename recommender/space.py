"""All artists as directions of their factors: exact answers that no stored table holds.

A table keeps the nearest artists of each one. What it cannot answer - the neighbours after its last, those in a range
of popularity, those of a mixture of artists - is computed here when it is asked for, from the mapped factors: a product
of the whole catalogue with one direction, then a short list in float64.
"""

from collections.abc import Callable
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
LONGER = 8
"""How many times longer the next short list is, when one did not suffice."""

BoolArray = npt.NDArray[np.bool_]


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
        artists: npt.NDArray[np.intp] | None = None,
    ) -> None:
        self.listening = listening
        self.listeners = listeners
        self._factors = factors
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

    def exact_cosines(self, direction: npt.NDArray[np.float64], artists: npt.NDArray[np.intp]) -> FloatMatrix:
        """The same for some artists, summed in float64 and then rounded, so that the rounding decides no order."""
        rows = self._factors[self._row_of(artists)].astype(np.float64)
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
        return self.best(
            self.cosines(direction),
            k,
            eligible=allowed & self.answerable,
            exact=lambda artists: self.exact_cosines(direction, artists),
            marked=(marked,),
        )

    def best(
        self,
        scores: FloatMatrix,
        k: int,
        *,
        eligible: BoolArray,
        exact: Callable[[npt.NDArray[np.intp]], FloatMatrix],
        marked: tuple[BoolArray, ...],
    ) -> list[Near]:
        """Find the eligible artists with the highest exact score, above 0, whom enough of the marked listeners heard.

        Parameters
        ----------
        scores : shape (n_artists,), within ``ROUNDING`` of the exact ones.
        exact : gives the exact scores of some artists.
        marked : one or more groups of listeners; enough of each must have heard an artist.
        """
        candidates = np.flatnonzero(eligible & (scores > 0))
        n_short, n_tried = max(4 * k, SHORT), 0
        while n_short < candidates.size:
            of_candidates = scores[candidates]
            place = np.argpartition(of_candidates, -n_short)[-n_short:]
            end = float(of_candidates[place].min()) + ROUNDING
            found = self._supported(candidates[place], exact, k, end=end, marked=marked)
            if len(found) == k:
                return found
            n_tried += 1
            if n_tried == 2:  # few of the nearest share listeners: from here on only those that do
                for group in marked:
                    together = self.listening.in_common_with_all(group)
                    candidates = candidates[together[candidates] >= self._min_common]
            n_short *= LONGER
        return self._supported(candidates, exact, k, end=0, marked=marked)

    def _supported(
        self,
        short: npt.NDArray[np.intp],
        exact: Callable[[npt.NDArray[np.intp]], FloatMatrix],
        k: int,
        *,
        end: float,
        marked: tuple[BoolArray, ...],
    ) -> list[Near]:
        """The first k of a short list that have support; nothing below ``end``, before which others may belong."""
        scores = exact(short)
        order = np.lexsort((short, -scores))
        order = order[(scores[order] >= end) & (scores[order] > 0)]
        found: list[Near] = []
        begin, length = 0, k
        while len(found) < k and begin < order.size:
            places = order[begin : begin + length]
            artists = short[places]
            support = np.minimum.reduce([self.listening.in_common(group, artists) for group in marked])
            enough = support >= self._min_common
            columns = (artists[enough].tolist(), scores[places[enough]].tolist(), support[enough].tolist())
            found += [Near(*row) for row in zip(*columns, strict=True)]
            begin, length = begin + length, 2 * length
        return found[:k]

    def _row_of(self, artists: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
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
