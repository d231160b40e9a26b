"""Which rows are shown: the one place that decides, for each page of an answer, and says what has to be logged of it.

:class:`OneModel` shows what the serving model says. An experiment puts another :class:`RowPolicy` in its place.
"""

from dataclasses import dataclass
from typing import Protocol

from bot.feedback.records import Shown
from bot.replies import Row, Wish
from recommender.catalogue import Catalogue
from recommender.confidence import Strength
from recommender.outcomes import Artist, TooFewListeners


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page that is to be shown.

    Parameters
    ----------
    seed : the artist that was understood.
    page : 1 is the first page.
    shown : ids of the artists that this answer has shown so far, in the order of their ranks.
    wish : how the answer is wanted; a page has at most ``wish.size`` rows.
    guild : outside id of the server, None elsewhere.
    experiment_id, assignment_seed : what the first page was logged with; None for a first page.
    is_test : not a member's own request.
    """

    seed: Artist
    page: int
    shown: tuple[int, ...]
    wish: Wish
    guild: str | None
    experiment_id: int | None = None
    assignment_seed: int | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class ChosenRow:
    """One row to show: the artist as this model knows it, the row as it is logged, and how sure its model is of it."""

    artist: Artist
    logged: Shown
    strength: Strength | None = None


@dataclass(frozen=True, slots=True)
class ChosenPage:
    """The rows of one page, and what is logged of the whole request.

    Parameters
    ----------
    rows : at most the wanted number; none when there is nothing more.
    n_candidates : artists that could be shown, over all pages.
    """

    rows: tuple[ChosenRow, ...]
    n_candidates: int
    experiment_id: int | None = None
    assignment_seed: int | None = None
    shuffled: bool = False


class RowPolicy(Protocol):
    """Decides which rows are shown; called in a thread, for each page of each answer about similar artists."""

    def choose(self, request: PageRequest, /) -> ChosenPage | TooFewListeners:
        """Choose the rows of a page, with their exact propensities given the rows shown so far."""


class OneModel:
    """Shows the serving model's rows in their order: every propensity is 1.

    Parameters
    ----------
    catalogue : the model that serves.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def choose(self, request: PageRequest, /) -> ChosenPage | TooFewListeners:
        """Choose the next rows that were not shown yet."""
        n_shown = len(request.shown)
        # One more than is shown tells whether there is another page.
        found = self._catalogue.similar(
            request.seed.artist_idx, k=n_shown + request.wish.size + 1, familiarity=request.wish.familiarity
        )
        if isinstance(found, TooFewListeners):
            return found
        seen = set(request.shown)
        fresh = [row for row in found.rows if row.artist.artist_id not in seen]
        size = min(request.wish.size, request.wish.most - n_shown)
        model_id = self._catalogue.manifest.identity
        rows = tuple(
            ChosenRow(
                row.artist,
                Shown(
                    rank=n_shown + place,
                    artist_id=row.artist.artist_id,
                    model_id=model_id,
                    score=row.score,
                    support=row.support,
                    page=request.page,
                    popularity_bucket=popularity_bucket(row.artist.listeners),
                ),
                row.strength,
            )
            for place, row in enumerate(fresh[: max(size, 0)], start=1)
        )
        return ChosenPage(rows, max(found.n_candidates, n_shown + len(fresh)))


def popularity_bucket(listeners: int) -> int:
    """Octave of an artist's popularity: 0 for up to one listener, 1 for 2-3, 2 for 4-7 ... of the training data."""
    return max(listeners.bit_length() - 1, 0)


def shown_row(row: ChosenRow) -> Row:
    """The row of an answer, not yet logged."""
    return Row(row.logged.rank, row.artist, row.logged.score, row.logged.support or 0, row.strength)
