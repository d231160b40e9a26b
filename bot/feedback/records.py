"""What is written to and read from the feedback log, as plain values: no SQL, so that every room may import them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from recommender.names import MatchKind

Source = Literal["prefix", "slash", "mention", "button", "context_menu", "console", "api"]
Familiarity = Literal["familiar", "balanced", "deep"]
Team = Literal["a", "b", "both", "explore", "none"]
Outcome = Literal["answered", "too_few", "ambiguous", "not_found"]
VoteEvent = Literal["vote", "retract", "drill_down", "page", "not_this_artist"]
AliasSource = Literal["member", "moderator", "operator"]
AliasStatus = Literal["proposed", "accepted", "rejected"]
AliasVerdict = Literal["accepted", "rejected"]
PromotionKind = Literal["promote", "rollback"]
ExperimentState = Literal["defined", "running", "stopped", "archived"]
Verdict = Literal["like", "dislike"]


EVERYWHERE = "everywhere"
"""The scope of an experiment in all servers and outside of them; the other scopes are the random keys of servers."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of an answer, as it was shown.

    Parameters
    ----------
    rank : 1 is the top row; counts on over the pages of one answer.
    artist_id : signed 64 bits.
    model_id : the registered model that ranked this row.
    score : finite, in the model's own unit.
    support : listeners behind this neighbour, None when the model does not know.
    page : 1 is the first page.
    team : who drafted the row in an interleaved answer; ``none`` outside of experiments.
    propensity : chance in (0, 1] that the logging policy showed this row, given the rows already shown.
    rank_in_a, rank_in_b : where each model had it; required for the team that drafted it.
    popularity_bucket : >= 0, 0 is the least heard.
    """

    rank: int
    artist_id: int
    model_id: str
    score: float
    support: int | None
    page: int = 1
    team: Team = "none"
    propensity: float = 1.0
    rank_in_a: int | None = None
    rank_in_b: int | None = None
    popularity_bucket: int | None = None


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One thing a member asked for; what they typed is not part of it.

    Parameters
    ----------
    command : the command's name, at most 64 characters.
    k : rows asked for, >= 1.
    seed_artist_id : the artist that was understood; None for ``recommend`` and when nothing was understood.
    match_kind : how the typed name led to the seed; None without a seed, or when no name was typed.
    match_score : how sure the match is, from 0 to 1 (rapidfuzz's 0-100 divided by 100).
    member : outside id of the person, such as ``discord:123`` or ``console``; a random key is stored in its place.
    guild : outside id of the server, None in direct messages and in the console.
    locale : the member's where Discord tells it (interactions), else the server's.
    n_candidates : neighbours that the model keeps of the seed, over all pages; without a seed, the names offered.
    latency_ms : from the event to the finished answer.
    outcome : what the member got: rows, or why not; ``ambiguous`` and ``not_found`` have no seed.
    abstained : the seed is known, but the model has too little about it to answer.
    is_test : not a member's own request; reports leave it out.
    assignment_seed : signed 64 bits; reproduces the draft, the exploration and the shuffling.
    shuffled : the rows were shown in uniformly random order.
    """

    command: str
    source: Source
    k: int
    seed_artist_id: int | None
    match_kind: MatchKind | None
    match_score: float | None
    member: str
    guild: str | None
    locale: str | None
    n_candidates: int | None
    latency_ms: float | None
    outcome: Outcome = "answered"
    abstained: bool = False
    is_test: bool = False
    familiarity: Familiarity | None = None
    experiment_id: int | None = None
    assignment_seed: int | None = None
    shuffled: bool = False


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A trained model that answers may name, tied to its artifact by checksum.

    Parameters
    ----------
    id : unique for ever: name and checksum, so that a model trained anew under an old name is another one.
    sha256 : 64 lower-case hexadecimal digits, of the artifact's manifest.
    params, metrics : whatever JSON can hold; metrics are the offline ones, None when not evaluated.
    data_hash : checksum of the listening data, None when unknown.
    synthetic : the listeners are invented; every answer has to say so.
    trained_at : aware.
    """

    id: str
    sha256: str
    algorithm: str
    params: Mapping[str, Any]
    dataset: str
    data_hash: str | None
    synthetic: bool
    trained_at: datetime
    metrics: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """The row is committed.

    Parameters
    ----------
    value : what was saved: -1 or 1 for a vote, 0 for a retraction and for every other event.
    previous : the voter's vote on this row until now, 0 when there was none.
    artist_id : the artist of that row.
    """

    value: int
    previous: int
    artist_id: int


@dataclass(frozen=True, slots=True)
class AlreadySaved:
    """Nothing was added: the same click again, the same vote again, or a retraction where no vote stands.

    Parameters
    ----------
    value : the vote that stands, 0 when none does.
    artist_id : the artist of that row.
    """

    value: int
    artist_id: int


@dataclass(frozen=True, slots=True)
class UnknownImpression:
    """No such row was ever shown, or it was deleted at a member's wish."""

    impression_id: int


@dataclass(frozen=True, slots=True)
class OptedOut:
    """Nothing was written: this person asked not to be logged."""


VoteOutcome = Saved | AlreadySaved | UnknownImpression | OptedOut


@dataclass(frozen=True, slots=True)
class StandingVote:
    """A vote that counts now: the last of its voter on its impression, and not retracted."""

    impression_id: int
    artist_id: int
    seed_artist_id: int | None
    value: int
    voted_at: datetime


@dataclass(frozen=True, slots=True)
class AliasRecord:
    """A further name of an artist, as it stands in the database.

    Parameters
    ----------
    alias : the proposed text as :func:`recommender.artists.artist_key` writes it.
    artist_name : how the artist was written when it was proposed.
    guild_key : random key of the server; None stands for everywhere.
    proposed_by, decided_by : random keys of the persons, None where nobody is known.
    proposed_at, decided_at : aware; decided_at is None while it is a proposal.
    """

    id: int
    guild_key: str | None
    alias: str
    artist_id: int
    artist_name: str
    source: AliasSource
    status: AliasStatus
    proposed_by: str | None
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Proposed:
    """The proposal is committed and waits for a moderator."""

    alias: AliasRecord


@dataclass(frozen=True, slots=True)
class AlreadyProposed:
    """The same alias was proposed for the same artist in this server before; it stands as its status says."""

    alias: AliasRecord


ProposalOutcome = Proposed | AlreadyProposed


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision is committed.

    Parameters
    ----------
    alias : as it stands now.
    previous : what it was until now; not "proposed" when a moderator thought again.
    """

    alias: AliasRecord
    previous: AliasStatus


@dataclass(frozen=True, slots=True)
class AlreadyDecided:
    """It was decided so before; nothing was changed."""

    alias: AliasRecord


@dataclass(frozen=True, slots=True)
class AliasTaken:
    """It was not accepted: in the same server the alias already leads to another artist.

    Parameters
    ----------
    alias : the one that was to be accepted.
    holder : the accepted one; it has to be rejected first.
    """

    alias: AliasRecord
    holder: AliasRecord


@dataclass(frozen=True, slots=True)
class UnknownAlias:
    """There is no alias with this number."""

    alias_id: int


DecisionOutcome = Decided | AlreadyDecided | AliasTaken | UnknownAlias


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """A live comparison of two models.

    Parameters
    ----------
    scope : :data:`EVERYWHERE`, or the random key of the server whose answers alone take part.
    model_a, model_b : ids of registered models, see :class:`ModelRecord`.
    explore_rate : share of its answers that explore, from 0 to 1.
    salt : keeps its coins apart from those of other experiments.
    created_at, started_at, ended_at, archived_at : aware; None for what has not happened.
    """

    id: int
    name: str
    model_a: str
    model_b: str
    explore_rate: float
    salt: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    archived_at: datetime | None
    scope: str = EVERYWHERE

    @property
    def state(self) -> ExperimentState:
        """What it is at now."""
        if self.archived_at is not None:
            return "archived"
        if self.ended_at is not None:
            return "stopped"
        return "defined" if self.started_at is None else "running"

    @property
    def is_everywhere(self) -> bool:
        """Whether it runs in all servers and outside of them."""
        return self.scope == EVERYWHERE


@dataclass(frozen=True, slots=True)
class PromotionRecord:
    """A change of the serving model, as it was logged; see :class:`bot.feedback.tables.Promotion`."""

    model_id: str
    previous_id: str | None
    kind: PromotionKind
    is_override: bool
    reason: str | None
    evidence: Mapping[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row that was shown, as it was logged."""

    impression_id: int
    rank: int
    page: int
    artist_id: int
    model_id: str
    score: float
    support: int | None


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """An answer on record, with the rows of all its pages in the order of their ranks."""

    request_id: int
    seed_artist_id: int | None
    familiarity: Familiarity | None
    experiment_id: int | None
    assignment_seed: int | None
    is_test: bool
    rows: tuple[ShownRow, ...]


@dataclass(frozen=True, slots=True)
class Taste:
    """What a member said of an artist outside of any answer."""

    artist_id: int
    verdict: Verdict
    said_at: datetime


@dataclass(frozen=True, slots=True)
class ServerChoices:
    """What a server's admins chose; None, and no channels, leave it to the bot's own defaults.

    Parameters
    ----------
    language : code of a language.
    allowed_channels : ids of the channels in which the bot answers; none: in all.
    cooldown_seconds : per member, between two commands.
    """

    prefix: str | None = None
    language: str | None = None
    allowed_channels: tuple[str, ...] = ()
    rows_per_answer: int | None = None
    cooldown_seconds: float | None = None
    votes_enabled: bool | None = None
    exploration_enabled: bool | None = None
    prefix_commands_enabled: bool | None = None
