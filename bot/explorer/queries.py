"""What may be asked: every parameter of the API with its bounds, checked before anything is computed."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from recommender.naming.keys import MAX_TYPED_CHARACTERS

MAX_ROWS = 100
MAX_INGREDIENTS = 8
MAX_STOPS = 12

ArtistId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{16}$"), Field(description="An artist's id, 16 hexadecimal digits.")
]
ModelId = Annotated[
    str | None,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"),
    Field(description="A model's id; left out: the first one of /api/models."),
]
Typed = Annotated[str, Field(max_length=MAX_TYPED_CHARACTERS, description="What a person typed.")]
Rows = Annotated[int, Field(ge=1, le=MAX_ROWS, description="Rows wanted.")]


def _ids(value: object) -> object:
    """Split what a query string holds: ids joined by commas."""
    return tuple(part for part in value.split(",") if part) if isinstance(value, str) else value


ArtistIds = Annotated[
    tuple[ArtistId, ...], BeforeValidator(_ids), Field(max_length=MAX_INGREDIENTS, description="Ids joined by commas.")
]


class Query(BaseModel):
    """Parameters of one endpoint; an unknown one is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Query):
    """No parameters."""


class ResolveQuery(Query):
    """Which artist a text means."""

    q: Typed
    model: ModelId = None


class CompleteQuery(Query):
    """Which artists a text may become."""

    q: Typed
    limit: int = Field(10, ge=1, le=25, description="Artists wanted.")
    model: ModelId = None


class ArtistQuery(Query):
    """One artist, by one model."""

    artist: ArtistId
    model: ModelId = None


class SimilarQuery(ArtistQuery):
    """The artists most similar to one, by one model."""

    k: Rows = 20


class PathQuery(Query):
    """A way from one artist to another."""

    start: ArtistId
    goal: ArtistId
    stops: int = Field(5, ge=0, le=MAX_STOPS, description="Artists wanted in between.")
    model: ModelId = None


class BlendQuery(Query):
    """The artists nearest to a mixture."""

    like: ArtistIds = Field(min_length=1)
    unlike: ArtistIds = ()
    k: Rows = 12
    model: ModelId = None


class MapQuery(Query):
    """The map of one model."""

    model: ModelId = None


class FeedbackQuery(Query):
    """The report of members' votes."""

    experiment: str | None = Field(
        None, max_length=100, description="An experiment's name; left out: the one that runs, else all answers."
    )
    everything: bool = Field(False, description="All answers, whatever experiment runs.")
