"""One question, one reply: asks the models on the shelf and puts what they say into plain values."""

from bot.explorer.circles import place_circles
from bot.explorer.queries import (
    ArtistQuery,
    BlendQuery,
    CompleteQuery,
    NoQuery,
    PathQuery,
    ResolveQuery,
    SimilarQuery,
)
from bot.explorer.replies import (
    ArtistReply,
    BlendReply,
    BlendRow,
    CircleReply,
    CompleteReply,
    ModelReply,
    ModelsReply,
    OverlapReply,
    PairReply,
    PathReply,
    ResolveReply,
    SimilarReply,
    SimilarRow,
    StopReply,
    artist_reply,
)
from bot.explorer.shelf import Shelf, ShelvedModel
from recommender.artists import parse_artist_id
from recommender.catalogue import Catalogue
from recommender.errors import ParameterError
from recommender.exploring import MIN_SHOWN_IN_COMMON, Overlapping
from recommender.names import LAYER_WORDS, REFUSALS, Ambiguous, Found
from recommender.outcomes import Artist, TooFewListeners
from recommender.wording import counted, plain_name

# The article's examples, and what is a good start where the data have not heard of these.
EXAMPLES = ("Arcade Fire", "Bob Dylan", "Radiohead", "Miles Davis", "Metallica", "Björk")


class UnknownModelError(ParameterError):
    """A model was named that is not on the shelf."""


class Explorer:
    """Answers the API's questions; safe to share between threads, like the catalogues.

    Parameters
    ----------
    shelf : the models.
    mapped : ids of the models that have a map.
    """

    def __init__(self, shelf: Shelf, *, mapped: frozenset[str] = frozenset()) -> None:
        self._shelf = shelf
        self._mapped = mapped
        # Resolving the examples takes longer than all else on the page.
        self._models = ModelsReply(models=[self._card(model) for model in shelf], examples=self._examples())

    def models(self, _: NoQuery) -> ModelsReply:
        """List the models, and artists to start from."""
        return self._models

    def resolve(self, query: ResolveQuery) -> ResolveReply:
        """Say which artist a text means."""
        catalogue = self._catalogue(query.model)
        resolution = catalogue.resolve(query.q)
        typed = plain_name(query.q)
        match resolution:
            case Found(artist_idx=idx, layer=layer):
                artist = artist_reply(catalogue.artist(idx))
                how = f"read from “{typed}”: {LAYER_WORDS[layer]}" if layer and layer != "name" else ""
                return ResolveReply(outcome="found", said=how, artist=artist)
            case Ambiguous(choices=found):
                choices = [artist_reply(catalogue.artist(idx)) for idx in found]
                said = f"“{typed}” could be several artists. Which one?"
                return ResolveReply(outcome="ambiguous", said=said, choices=choices)
            case _:
                choices = [artist_reply(catalogue.artist(idx)) for idx in resolution.nearest]
                nearest = f"No artist here is called “{typed}”. Did you mean:"
                nobody = f"No artist here is called “{typed}”, and none is spelt like it."
                said = REFUSALS.get(resolution.reason, nearest if choices else nobody)
                return ResolveReply(outcome="not_found", said=said, choices=choices)

    def complete(self, query: CompleteQuery) -> CompleteReply:
        """Suggest artists while a person types."""
        artists = self._catalogue(query.model).complete(query.q, limit=query.limit)
        return CompleteReply(artists=[artist_reply(artist) for artist in artists])

    def similar(self, query: SimilarQuery) -> SimilarReply:
        """List the artists most similar to one."""
        model = self._model(query.model)
        artist = model.catalogue.by_id(parse_artist_id(query.artist))
        if artist is None:
            return SimilarReply(outcome="unknown", model=model.model_id, said=_not_in(model), artist=None, rows=[])
        outcome = model.catalogue.similar(artist.artist_idx, k=query.k)
        seed = artist_reply(artist)
        if isinstance(outcome, TooFewListeners):
            return SimilarReply(
                outcome="too_few",
                model=model.model_id,
                said=_too_few(outcome),
                artist=seed,
                rows=[],
                guesses=[artist_reply(guess) for guess in outcome.guesses],
            )
        rows = [
            SimilarRow(rank=row.rank, artist=artist_reply(row.artist), score=round(row.score, 5), support=row.support)
            for row in outcome.rows
        ]
        said = "" if rows else f"No other artist shares enough listeners with {seed.name}."
        return SimilarReply(outcome="similar", model=model.model_id, said=said, artist=seed, rows=rows)

    def path(self, query: PathQuery) -> PathReply:
        """Lead from one artist to another."""
        model = self._model(query.model)
        artists = self._artists(model, (query.start, query.goal))
        if artists is None:
            return PathReply(outcome="unknown", model=model.model_id, said=_not_in(model), stops=[])
        outcome = model.catalogue.path(artists[0].artist_idx, artists[1].artist_idx, n_between=query.stops)
        if isinstance(outcome, TooFewListeners):
            return PathReply(outcome="too_few", model=model.model_id, said=_too_few(outcome), stops=[])
        beginning = StopReply(artist=artist_reply(outcome.start), score=None, support=None, to_goal=None)
        stops = [
            StopReply(
                artist=artist_reply(stop.artist),
                score=round(stop.score, 5),
                support=stop.support if stop.support >= MIN_SHOWN_IN_COMMON else None,
                to_goal=round(stop.to_goal, 5),
            )
            for stop in outcome.stops
        ]
        if outcome.is_leap:
            ends = f"{beginning.artist.name} and {stops[0].artist.name}"
            said = f"No way leads there: {ends} have nothing in common, and no artist leads from one to the other."
            return PathReply(outcome="leap", model=model.model_id, said=said, stops=[beginning, *stops])
        fewer = len(stops) - 1 < query.stops
        said = f"More than {counted(len(stops) - 1, 'stop')} would not make shorter steps." if fewer else ""
        return PathReply(outcome="path", model=model.model_id, said=said, stops=[beginning, *stops])

    def blend(self, query: BlendQuery) -> BlendReply:
        """Find the artists nearest to a mixture."""
        model = self._model(query.model)
        if set(query.like) & set(query.unlike):
            raise ParameterError("an artist cannot be liked and disliked at once; leave it out of one of the two")
        artists = self._artists(model, (*query.like, *query.unlike))
        if artists is None:
            return BlendReply(
                outcome="unknown", model=model.model_id, said=_not_in(model), liked=[], disliked=[], rows=[]
            )
        n_liked = len(query.like)
        weights = {artist.artist_idx: 1.0 if place < n_liked else -1.0 for place, artist in enumerate(artists)}
        liked, disliked = (list(map(artist_reply, part)) for part in (artists[:n_liked], artists[n_liked:]))
        outcome = model.catalogue.blend(weights, k=query.k)
        if isinstance(outcome, TooFewListeners):
            return BlendReply(
                outcome="too_few", model=model.model_id, said=_too_few(outcome), liked=liked, disliked=disliked, rows=[]
            )
        rows = [
            BlendRow(
                rank=row.rank,
                artist=artist_reply(row.artist),
                score=round(row.score, 5),
                nearest_liked=artist_reply(row.nearest).id,
            )
            for row in outcome.rows
        ]
        said = "" if rows else "These cancel out; nothing is near such a mixture."
        return BlendReply(outcome="blend", model=model.model_id, said=said, liked=liked, disliked=disliked, rows=rows)

    def overlap(self, query: ArtistQuery) -> OverlapReply:
        """Count the listeners whom an artist and its nearest two share."""
        model = self._model(query.model)
        artist = model.catalogue.by_id(parse_artist_id(query.artist))
        if artist is None:
            return _no_overlap(model, "unknown", _not_in(model))
        outcome = model.catalogue.similar(artist.artist_idx, k=2)
        if isinstance(outcome, TooFewListeners):
            return _no_overlap(model, "too_few", _too_few(outcome))
        nearest = [row.artist for row in outcome.rows]
        if len(nearest) < 2:
            return _no_overlap(model, "too_few", f"{plain_name(artist.name)} has fewer than two similar artists.")
        return _overlap_reply(model, (artist, nearest[0], nearest[1]))

    def _catalogue(self, model_id: str | None) -> Catalogue:
        return self._model(model_id).catalogue

    def _model(self, model_id: str | None) -> ShelvedModel:
        model = self._shelf.find(model_id)
        if model is None:
            known = ", ".join(one.model_id for one in self._shelf)
            raise UnknownModelError(f"there is no model {model_id!r} here; there are: {known}")
        return model

    def _artists(self, model: ShelvedModel, ids: tuple[str, ...]) -> list[Artist] | None:
        found = [model.catalogue.by_id(parse_artist_id(number)) for number in ids]
        return None if None in found else [artist for artist in found if artist is not None]

    def _examples(self) -> list[ArtistReply]:
        catalogue = self._shelf.first.catalogue
        found = (catalogue.resolve(name) for name in EXAMPLES)
        rows = [one.artist_idx for one in found if isinstance(one, Found) and one.match_kind == "exact"]
        return [artist_reply(catalogue.artist(idx)) for idx in rows]

    def _card(self, model: ShelvedModel) -> ModelReply:
        manifest = model.catalogue.manifest
        similarity = manifest.parameters.get("similarity", {})
        return ModelReply(
            id=manifest.id,
            preset=manifest.preset,
            algorithm=manifest.algorithm,
            similarity=str(similarity.get("method", "factors")),
            data=plain_name(manifest.data.name),
            synthetic=manifest.data.synthetic,
            n_listeners=manifest.data.n_listeners,
            n_artists=manifest.data.n_artists,
            n_pairs=manifest.data.n_pairs,
            n_factors=manifest.n_factors,
            k=manifest.k,
            min_listeners=manifest.min_listeners,
            created=manifest.created.isoformat(),
            has_map=manifest.id in self._mapped,
        )


def _overlap_reply(model: ShelvedModel, artists: tuple[Artist, Artist, Artist]) -> OverlapReply:
    a, b, c = artists
    counts: Overlapping = model.catalogue.overlap(a.artist_idx, b.artist_idx, c.artist_idx)
    drawn = tuple(common or 0 for common in counts.pairs)
    circles = place_circles((a.listeners, b.listeners, c.listeners), (drawn[0], drawn[1], drawn[2]))
    replies = [artist_reply(artist) for artist in artists]
    return OverlapReply(
        outcome="overlap",
        model=model.model_id,
        said="",
        circles=[
            CircleReply(artist=reply, x=round(circle.x, 4), y=round(circle.y, 4), radius=round(circle.radius, 4))
            for reply, circle in zip(replies, circles, strict=True)
        ],
        pairs=[
            PairReply(first=replies[i].id, second=replies[j].id, common=common)
            for (i, j), common in zip(((0, 1), (0, 2), (1, 2)), counts.pairs, strict=True)
        ],
        common_to_all=counts.all_three,
    )


def _no_overlap(model: ShelvedModel, outcome: str, said: str) -> OverlapReply:
    return OverlapReply.model_validate(
        {"outcome": outcome, "model": model.model_id, "said": said, "circles": [], "pairs": [], "common_to_all": None}
    )


def _not_in(model: ShelvedModel) -> str:
    return f"The model {model.model_id} does not know this artist."


def _too_few(outcome: TooFewListeners) -> str:
    few = counted(outcome.seed.listeners, "person", "people")
    name = plain_name(outcome.seed.name)
    return f"{name}: only {few} in the data listened to them; it takes {outcome.needed} to say who is similar."
