"""The feedback log as arrays: what reports, simulations and re-ranking compute with; no database in it."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from bot.feedback.records import Outcome, Source, Team
from recommender.names import MatchKind

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Codes are places in these; 0 stands for NULL.
TEAMS: tuple[str, ...] = ("", *get_args(Team))
SOURCES: tuple[str, ...] = ("", *get_args(Source))
MATCH_KINDS: tuple[str, ...] = ("", *get_args(MatchKind))
OUTCOMES: tuple[str, ...] = ("", *get_args(Outcome))

TEAM_CODES = {team: code for code, team in enumerate(TEAMS)}
Side = Literal["a", "b"]


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """Requests in the order of their ids; all arrays of shape (n_requests,).

    ``member`` : number of the person, from 0, shared with :class:`Votes`; ``seed`` : artist id, 0 for none.
    """

    id: Ints
    member: Ints
    source: Codes
    match_kind: Codes
    outcome: Codes
    seed: Ints
    shuffled: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Impressions:
    """Shown rows in the order of their ids; all arrays of shape (n_impressions,).

    ``request`` : place in :class:`Requests`; ``page`` : from 1; ``rank_in_a``, ``rank_in_b`` : 0 for none;
    ``bucket`` : -1 for unknown.
    """

    id: Ints
    request: Ints
    rank: Codes
    page: Codes
    team: Codes
    rank_in_a: Codes
    rank_in_b: Codes
    propensity: Floats
    bucket: Codes


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """Votes that count now, -1 or 1, in the order in which they were given; all arrays of shape (n_votes,).

    ``impression`` : place in :class:`Impressions`; ``voter`` : number of the person.
    """

    impression: Ints
    voter: Ints
    value: Codes


@dataclass(frozen=True, slots=True, eq=False)
class FeedbackLog:
    """Everything a report needs. Test requests and answers that never arrived are not part of it."""

    requests: Requests
    impressions: Impressions
    votes: Votes
    n_people: int


@dataclass(frozen=True, slots=True, eq=False)
class VotedPairs:
    """Votes that count now on rows similar to one seed, in the order in which they were given; shape (n_votes,) each.

    ``request`` : id; ``seed``, ``artist`` : ids; ``score``, ``model`` : of the row, models numbered; ``voter`` : number
    of the person.
    """

    request: Ints
    seed: Ints
    artist: Ints
    model: Ints
    score: Floats
    voter: Ints
    value: Codes

    def chosen(self, flags: Flags) -> "VotedPairs":
        """Keep some of them."""
        return VotedPairs(*(getattr(self, name)[flags] for name in self.__dataclass_fields__))

    def last_words(self) -> Ints:
        """Find each person's last vote on each pair, whatever they said in other answers before; rising places."""
        key = np.stack((self.seed, self.artist, self.voter))
        # The last of equal columns: the first of the reversed ones.
        _, first = np.unique(key[:, ::-1], axis=1, return_index=True)
        places: Ints = np.sort(self.value.size - 1 - first)
        return places
