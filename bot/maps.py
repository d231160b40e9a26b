"""A picture of an artist's neighbourhood: near artists lie near each other, well-known ones are larger."""

import asyncio
import io
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from bot.answers import Answers
from bot.replies import Row
from recommender.neighbourhood import positions
from recommender.outcomes import Artist, TooFewListeners
from recommender.wording import plain_name

log = logging.getLogger(__name__)

ARTISTS_ON_A_MAP = 16
PICTURES_KEPT = 64
MAX_LABEL_CHARACTERS = 28
_INK, _ACCENT, _PAPER = "#1f2430", "#7a3cff", "#ffffff"


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """An artist and its nearest, with the picture of them; no picture where none can be drawn here."""

    seed: Artist
    rows: tuple[Row, ...]
    png: bytes | None


class Maps:
    """Draws maps, one at a time and off the event loop, and keeps the latest.

    Parameters
    ----------
    answers : knows the model.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._drawing = threading.Lock()  # Matplotlib is not made for threads
        self._kept: OrderedDict[tuple[str, int], Neighbourhood] = OrderedDict()

    @property
    def synthetic(self) -> bool:
        """Whether the model's listeners are synthetic."""
        return self._answers.synthetic

    async def of(self, seed: Artist) -> Neighbourhood | TooFewListeners:
        """Return the neighbourhood of an artist."""
        key = (self._answers.catalogue.manifest.identity, seed.artist_id)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        made = await asyncio.to_thread(self._make, seed)
        if isinstance(made, Neighbourhood):
            self._kept[key] = made
            if len(self._kept) > PICTURES_KEPT:
                self._kept.popitem(last=False)
        return made

    def _make(self, seed: Artist) -> Neighbourhood | TooFewListeners:
        catalogue = self._answers.catalogue
        found = catalogue.similar(seed.artist_idx, k=ARTISTS_ON_A_MAP)
        if isinstance(found, TooFewListeners):
            return found
        rows = tuple(Row(row.rank, row.artist, row.score, row.support, row.strength) for row in found.rows)
        if not rows:
            return Neighbourhood(seed, (), None)
        artists = [seed, *(row.artist for row in rows)]
        places = positions(catalogue.directions([artist.artist_idx for artist in artists]))
        with self._drawing:
            return Neighbourhood(seed, rows, _draw(artists, places))


def _draw(artists: list[Artist], places: Any) -> bytes | None:
    """Draw; None where the extra for plotting is not installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        log.warning("no picture was drawn: Matplotlib is missing; install segue[plot]")
        return None
    figure = Figure(figsize=(8, 6), dpi=110, facecolor=_PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.02, 0.02, 0.96, 0.96))
    axes.set_axis_off()
    most = max(artist.listeners for artist in artists)
    sizes = [40 + 360 * (artist.listeners / most) ** 0.5 for artist in artists]
    # The seed is a star, the others are dots: colour alone says nothing.
    axes.scatter(places[1:, 0], places[1:, 1], s=sizes[1:], color=_INK, alpha=0.75, linewidths=0)
    axes.scatter(places[:1, 0], places[:1, 1], s=sizes[0] + 200, color=_ACCENT, marker="*", linewidths=0)
    for number, (artist, (x, y)) in enumerate(zip(artists, places, strict=True)):
        label = _label(artist.name, number)
        axes.annotate(label, (x, y), xytext=(7, 7), textcoords="offset points", fontsize=10, color=_INK)
    axes.margins(0.18)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _label(name: str, number: int) -> str:
    """Number and name; the number alone where the font lacks letters of the name."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    shown = plain_name(name, limit=MAX_LABEL_CHARACTERS).replace("$", r"\$")
    font = get_font(findfont(FontProperties()))
    has_all = all(font.get_char_index(ord(character)) for character in shown)
    numbered = f"{number} " if number else ""
    return f"{numbered}{shown}" if has_all else str(number or "★")
