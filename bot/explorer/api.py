"""The JSON API: a table of endpoints, from which both the routes and their description are made."""

import asyncio
import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar

from aiohttp import web
from pydantic import ValidationError
from pydantic.json_schema import models_json_schema

from bot.explorer.answering import Explorer, UnknownModelError
from bot.explorer.queries import (
    ArtistQuery,
    BlendQuery,
    CompleteQuery,
    FeedbackQuery,
    MapQuery,
    NoQuery,
    PathQuery,
    Query,
    ResolveQuery,
    SimilarQuery,
)
from bot.explorer.replies import (
    BlendReply,
    CompleteReply,
    EvaluationReply,
    FeedbackReply,
    MapReply,
    ModelsReply,
    OverlapReply,
    PathReply,
    Problem,
    Reply,
    ResolveReply,
    SimilarReply,
)
from bot.explorer.votes import VoteReports
from recommender.errors import ParameterError

Q = TypeVar("Q", bound=Query)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of the API, what may be asked there, and what comes back."""

    path: str
    summary: str
    query: type[Query]
    reply: type[Reply]


ENDPOINTS = {
    "models": Endpoint("/api/models", "The models that can be asked.", NoQuery, ModelsReply),
    "resolve": Endpoint("/api/resolve", "Which artist a typed text means.", ResolveQuery, ResolveReply),
    "complete": Endpoint("/api/complete", "Artists that a text may become.", CompleteQuery, CompleteReply),
    "similar": Endpoint("/api/similar", "The artists most similar to one.", SimilarQuery, SimilarReply),
    "path": Endpoint("/api/path", "A way from one artist to another in short steps.", PathQuery, PathReply),
    "blend": Endpoint("/api/blend", "The artists nearest to a mixture.", BlendQuery, BlendReply),
    "overlap": Endpoint(
        "/api/overlap", "Listeners that an artist and its nearest two share.", ArtistQuery, OverlapReply
    ),
    "map": Endpoint("/api/map", "The map of a model's most-heard artists.", MapQuery, MapReply),
    "evaluation": Endpoint("/api/evaluation", "Figures of the models.", NoQuery, EvaluationReply),
    "feedback": Endpoint("/api/feedback", "What members' votes say.", FeedbackQuery, FeedbackReply),
}


@dataclass(frozen=True, slots=True)
class Packed:
    """A reply that never changes, as it is sent: JSON, compressed once."""

    body: bytes

    @classmethod
    def of(cls, reply: Reply) -> "Packed":
        """Pack a reply."""
        return cls(gzip.compress(reply.model_dump_json().encode(), compresslevel=6, mtime=0))

    def response(self, request: web.Request) -> web.Response:
        """Send it compressed to whoever takes that."""
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            return web.Response(body=self.body, content_type="application/json", headers=headers)
        return web.Response(body=gzip.decompress(self.body), content_type="application/json")


def add_api(
    app: web.Application,
    explorer: Explorer,
    maps: Mapping[str, MapReply],
    evaluation: EvaluationReply,
    votes: VoteReports,
) -> None:
    """Add all endpoints to an application.

    Parameters
    ----------
    app : the application.
    explorer : answers what depends on the question.
    maps : of the models that have one, by id; the first is answered where no model is named.
    evaluation : the figures.
    votes : reports on them.
    """
    packed_maps = {model_id: Packed.of(reply) for model_id, reply in maps.items()}
    packed_evaluation = Packed.of(evaluation)
    asked: dict[str, Callable[[Any], Reply]] = {
        name: getattr(explorer, name) for name in ENDPOINTS if name not in ("map", "evaluation", "feedback")
    }
    asked["feedback"] = votes.feedback
    for name, ask in asked.items():
        app.router.add_get(ENDPOINTS[name].path, _handler(ENDPOINTS[name].query, ask))

    async def map_(request: web.Request) -> web.Response:
        query = parse(MapQuery, request)
        model_id = query.model or next(iter(packed_maps), None)
        if model_id not in packed_maps:
            raise UnknownModelError("there is no map of this model; draw it with `segue map` and start again")
        return packed_maps[model_id].response(request)

    async def evaluation_(request: web.Request) -> web.Response:
        parse(NoQuery, request)
        return packed_evaluation.response(request)

    async def openapi(_: web.Request) -> web.Response:
        return web.json_response(describe())

    app.router.add_get(ENDPOINTS["map"].path, map_)
    app.router.add_get(ENDPOINTS["evaluation"].path, evaluation_)
    app.router.add_get("/api/openapi.json", openapi)


def _handler(query: type[Query], ask: Callable[[Any], Reply]) -> Callable[[web.Request], Any]:
    async def handle(request: web.Request) -> web.Response:
        question = parse(query, request)
        reply = await asyncio.to_thread(ask, question)
        return web.Response(text=reply.model_dump_json(), content_type="application/json")

    return handle


def parse(query: type[Q], request: web.Request) -> Q:
    """Read a request's parameters.

    Raises
    ------
    ParameterError : one is missing, unknown, given twice, or out of its bounds.
    """
    given = request.query
    if len(set(given)) < len(given):
        raise ParameterError("a parameter is given twice; give each once")
    try:
        return query.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(map(str, first["loc"])) or "the query"
        raise ParameterError(f"{name}: {first['msg'][:1].lower()}{first['msg'][1:]}") from error


def describe() -> dict[str, Any]:
    """Describe the API as OpenAPI 3.1."""
    replies = [endpoint.reply for endpoint in ENDPOINTS.values()] + [Problem]
    _, schemas = models_json_schema(
        [(reply, "serialization") for reply in replies], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Segue's explorer",
            "version": version("segue"),
            "summary": "Read-only questions to trained models of similar artists.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": {endpoint.path: {"get": _operation(name, endpoint)} for name, endpoint in ENDPOINTS.items()},
        "components": {"schemas": schemas["$defs"]},
    }


def _operation(name: str, endpoint: Endpoint) -> dict[str, Any]:
    schema = endpoint.query.model_json_schema(mode="validation")
    parameters = [
        {
            "name": parameter,
            "in": "query",
            "required": parameter in schema.get("required", ()),
            "description": content.pop("description", ""),
            "schema": content,
            # Arrays are one parameter, joined by commas.
            **({"style": "form", "explode": False} if content.get("type") == "array" else {}),
        }
        for parameter, content in schema.get("properties", {}).items()
    ]
    return {
        "operationId": name,
        "summary": endpoint.summary,
        "parameters": parameters,
        "responses": {
            "200": _response("The answer.", endpoint.reply),
            **{status: _response(said, Problem) for status, said in _PROBLEMS.items()},
        },
    }


_PROBLEMS = {
    "400": "A parameter is wrong.",
    "404": "There is no such model or map.",
    "429": "Too many requests.",
}


def _response(said: str, reply: type[Reply]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{reply.__name__}"}}}
    return {"description": said, "content": content}
