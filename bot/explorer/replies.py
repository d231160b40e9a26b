"""What the API answers: plain values, and from them the schemas of its description."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from recommender.artists import format_artist_id
from recommender.outcomes import Artist
from recommender.wording import plain_name


class Reply(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(frozen=True)


class ArtistReply(Reply):
    """An artist. ``id`` is the same in all models; ``name`` is one line without invisible characters."""

    id: str
    name: str
    listeners: int
    mbid: str | None


class ModelReply(Reply):
    """A model's card. ``synthetic`` data must be called so wherever results are shown."""

    id: str
    preset: str
    algorithm: str
    similarity: str
    data: str
    synthetic: bool
    n_listeners: int
    n_artists: int
    n_pairs: int
    n_factors: int
    k: int
    min_listeners: int
    created: str
    has_map: bool


class ModelsReply(Reply):
    """All models on the shelf, the one that answers where none is named first."""

    models: list[ModelReply]
    examples: list[ArtistReply]


class ResolveReply(Reply):
    """What a text means: one artist, a choice, or the nearest names, with a sentence that says so."""

    outcome: Literal["found", "ambiguous", "not_found"]
    said: str
    artist: ArtistReply | None = None
    choices: list[ArtistReply] = []


class CompleteReply(Reply):
    """Artists that a text may become, best first."""

    artists: list[ArtistReply]


class SimilarRow(Reply):
    """One similar artist; ``score`` is the model's own, ``support`` the listeners of both."""

    rank: int
    artist: ArtistReply
    score: float
    support: int


class SimilarReply(Reply):
    """The artists most similar to one; ``too_few`` and ``unknown`` have no rows and say why.

    ``guesses`` : for ``too_few``, whom the few listeners there are point to; too little to call it an answer.
    """

    outcome: Literal["similar", "too_few", "unknown"]
    model: str
    said: str
    artist: ArtistReply | None
    rows: list[SimilarRow]
    guesses: list[ArtistReply] = []


class StopReply(Reply):
    """A stop of a path: cosine and listeners in common with the stop before, and cosine with the goal.

    The first stop has none of these; fewer than five listeners are not told.
    """

    artist: ArtistReply
    score: float | None
    support: int | None
    to_goal: float | None


class PathReply(Reply):
    """A way from one artist to another, both of them among the stops; a ``leap`` is one step between strangers."""

    outcome: Literal["path", "leap", "too_few", "unknown"]
    model: str
    said: str
    stops: list[StopReply]


class BlendRow(Reply):
    """An artist near a mixture, and the liked artist that it is nearest to."""

    rank: int
    artist: ArtistReply
    score: float
    nearest_liked: str


class BlendReply(Reply):
    """The artists nearest to a mixture."""

    outcome: Literal["blend", "too_few", "unknown"]
    model: str
    said: str
    liked: list[ArtistReply]
    disliked: list[ArtistReply]
    rows: list[BlendRow]


class CircleReply(Reply):
    """A circle whose area is listeners; lengths are square roots of listeners."""

    artist: ArtistReply
    x: float
    y: float
    radius: float


class PairReply(Reply):
    """Listeners of two artists; None where they are too few to be told."""

    first: str
    second: str
    common: int | None


class OverlapReply(Reply):
    """An artist and its nearest two: circles true to area, each two of which overlap by their common listeners."""

    outcome: Literal["overlap", "too_few", "unknown"]
    model: str
    said: str
    circles: list[CircleReply]
    pairs: list[PairReply]
    common_to_all: int | None


class MapReply(Reply):
    """The map of one model, the most-heard artist first: ``x`` and ``y`` are whole numbers in [-32767, 32767].

    ``cluster_names`` are the most-heard artists of each cluster.
    """

    model: str
    ids: list[str]
    names: list[str]
    listeners: list[int]
    x: list[int]
    y: list[int]
    cluster: list[int]
    cluster_names: list[str]


class EstimateReply(Reply):
    """A mean over ``n`` artists with its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int


class FiguresReply(Reply):
    """What a model's table of similar artists is like, over the first ten rows of each list."""

    model: str
    answered: float
    coverage: float
    hub_skew: float
    largest_hub: int
    shared: EstimateReply
    familiarity: EstimateReply


class AgreementReply(Reply):
    """Which share of an artist's ten similar artists two models have in common."""

    first: str
    second: str
    share: EstimateReply


class ReportFigure(Reply):
    """One figure of a report that was made elsewhere, with its interval where it has one."""

    system: str
    metric: str
    value: float
    low: float | None = None
    high: float | None = None


class EvaluationReply(Reply):
    """Figures of the tables, computed when the explorer starts, and those of a report that it was given."""

    figures: list[FiguresReply]
    agreements: list[AgreementReply]
    report: list[ReportFigure]
    said: str


class SectionReply(Reply):
    """A part of a report in words: sentences, and perhaps a table."""

    title: str
    sentences: list[str]
    header: list[str]
    rows: list[list[str]]


class ComparisonReply(Reply):
    """What votes say of model A against B: the share that A won with its 95 % interval, and p whenever one looks."""

    verdict: str
    words: str
    votes: int
    voters: int
    win_rate: float
    low: float
    high: float
    always_valid_p: float


class FeedbackReply(Reply):
    """The report of members' votes, coverage first; ``none`` has only a sentence that says why."""

    outcome: Literal["report", "none"]
    said: str
    title: str
    made_at: str | None
    experiment: str | None
    experiments: list[str]
    comparison: ComparisonReply | None
    sections: list[SectionReply]


class Problem(Reply):
    """What was wrong with a request, in one sentence."""

    error: str


def artist_reply(artist: Artist) -> ArtistReply:
    """Say an artist as a plain value; other people's words become one harmless line."""
    return ArtistReply(
        id=format_artist_id(artist.artist_id),
        name=plain_name(artist.name),
        listeners=artist.listeners,
        mbid=artist.mbid,
    )
