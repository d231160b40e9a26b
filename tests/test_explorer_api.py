"""The explorer's API answers what the models say, refuses what it must, and is described as it is."""

import gzip
import json

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.explorer.api import ENDPOINTS, describe
from bot.explorer.guard import RateLimiter, RateParams
from bot.explorer.serving import ServerParams, make_app
from bot.explorer.votes import VoteReports
from explorer_world import HOSTILE, small_app, small_store, strangers_store
from recommender.artists import artist_id, format_artist_id

ARCADE, WOLF, METALLICA, BJORK, UNHEARD = (
    format_artist_id(artist_id(name)) for name in ("Arcade Fire", "Wolf Parade", "Metallica", "Björk", "Unheard Of")
)
NOBODY = "0123456789abcdef"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return small_store(tmp_path_factory.mktemp("explored"))


@pytest.fixture
async def client(store):
    async with TestClient(TestServer(small_app(store))) as client:
        yield client


async def ask(client, address, status=200):
    response = await client.get(address)
    assert response.status == status, await response.text()
    return await response.json()


async def test_the_models_are_listed_with_the_current_one_first(client):
    reply = await ask(client, "/api/models")
    assert [model["id"] for model in reply["models"]] == ["by-als", "by-counting"]
    assert [model["has_map"] for model in reply["models"]] == [True, False]
    assert {model["synthetic"] for model in reply["models"]} == {True}
    assert [artist["name"] for artist in reply["examples"]] == ["Arcade Fire", "Metallica", "Björk"]


async def test_a_misspelt_name_is_resolved_and_said(client):
    reply = await ask(client, "/api/resolve?q=arcad%20fyre")
    assert reply["artist"]["id"] == ARCADE
    assert "arcad fyre" in reply["said"]
    assert (await ask(client, "/api/resolve?q=arcade%20fire"))["said"] == ""
    nobody = await ask(client, "/api/resolve?q=qqqqqqqqqq")
    assert (nobody["outcome"], nobody["artist"]) == ("not_found", None)
    assert "No artist here" in nobody["said"]


async def test_suggestions_begin_like_what_is_typed(client):
    reply = await ask(client, "/api/complete?q=the&limit=2")
    assert 1 <= len(reply["artists"]) <= 2
    assert all(artist["name"].startswith("The ") for artist in reply["artists"])


async def test_the_lists_are_those_of_each_model(client, store):
    from recommender.catalogue import Catalogue

    for model in ("by-als", "by-counting"):
        catalogue = Catalogue.open(store.folder(model))
        expected = catalogue.similar(catalogue.by_id(artist_id("Arcade Fire")).artist_idx, k=3)
        reply = await ask(client, f"/api/similar?artist={ARCADE}&k=3&model={model}")
        found = [(row["rank"], row["artist"]["name"], row["support"]) for row in reply["rows"]]
        assert found == [(row.rank, row.artist.name, row.support) for row in expected.rows]
        assert [row["score"] for row in reply["rows"]] == pytest.approx([row.score for row in expected.rows], abs=1e-5)


async def test_an_artist_that_cannot_be_answered_says_why(client):
    few = await ask(client, f"/api/similar?artist={UNHEARD}")
    assert (few["outcome"], few["rows"]) == ("too_few", [])
    assert "only 2 people" in few["said"]
    assert len(few["guesses"]) == 3  # marked as guesses, and none of them a row
    unknown = await ask(client, f"/api/similar?artist={NOBODY}")
    assert unknown["outcome"] == "unknown"
    for address in (
        f"path?start={ARCADE}&goal={NOBODY}",
        f"blend?like={NOBODY}",
        f"overlap?artist={NOBODY}",
        f"overlap?artist={UNHEARD}",
        f"path?start={ARCADE}&goal={UNHEARD}",
        f"blend?like={UNHEARD}",
    ):
        reply = await ask(client, f"/api/{address}")
        assert reply["outcome"] in ("unknown", "too_few")
        assert reply["said"].endswith(".")


async def test_a_path_begins_and_ends_where_it_was_asked_to(client):
    reply = await ask(client, f"/api/path?start={ARCADE}&goal={METALLICA}&stops=3")
    ids = [stop["artist"]["id"] for stop in reply["stops"]]
    assert (ids[0], ids[-1]) == (ARCADE, METALLICA)
    assert len(set(ids)) == len(ids) <= 5


async def test_a_leap_between_strangers_is_no_path(tmp_path):
    ids = [format_artist_id(artist_id(f"artist {idx}")) for idx in range(8)]
    app = small_app(strangers_store(tmp_path), model="apart")
    async with TestClient(TestServer(app)) as client:
        leap = await ask(client, f"/api/path?start={ids[0]}&goal={ids[4]}")
        assert (leap["outcome"], len(leap["stops"]), leap["stops"][1]["support"]) == ("leap", 2, None)
        assert leap["said"].startswith("No way leads there: artist 0 and artist 4 have nothing in common")
        for goal, stops in ((3, 0), (3, 2)):  # neighbours, whether or not there is somebody in between
            near = await ask(client, f"/api/path?start={ids[0]}&goal={ids[goal]}&stops={stops}")
            assert near["outcome"] == "path"
            assert near["stops"][-1]["support"] >= 5


async def test_a_blend_leaves_its_ingredients_out(client):
    reply = await ask(client, f"/api/blend?like={ARCADE},{BJORK}&unlike={METALLICA}&k=4")
    ids = [row["artist"]["id"] for row in reply["rows"]]
    assert ids
    assert not {ARCADE, BJORK, METALLICA} & set(ids)
    assert {row["nearest_liked"] for row in reply["rows"]} <= {ARCADE, BJORK}


async def test_overlaps_count_the_listeners_of_the_nearest_two(client):
    similar = await ask(client, f"/api/similar?artist={ARCADE}&k=2")
    reply = await ask(client, f"/api/overlap?artist={ARCADE}")
    assert [circle["artist"]["id"] for circle in reply["circles"]] == [
        ARCADE,
        *(row["artist"]["id"] for row in similar["rows"]),
    ]
    assert [pair["common"] for pair in reply["pairs"][:2]] == [row["support"] for row in similar["rows"]]
    for circle in reply["circles"]:
        assert 3.14159 * circle["radius"] ** 2 == pytest.approx(circle["artist"]["listeners"], rel=1e-3)


async def test_the_map_and_the_figures_are_sent_compressed_and_whole(client):
    async with client.get("/api/map", headers={"Accept-Encoding": "gzip"}, auto_decompress=False) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        reply = json.loads(gzip.decompress(await response.read()))
    assert {len(reply[name]) for name in ("ids", "names", "listeners", "x", "y", "cluster")} == {12}
    assert reply["cluster_names"][0] == "Arcade Fire, Wolf Parade, Broken Social Scene"
    async with client.get("/api/map", headers={"Accept-Encoding": "identity"}) as response:
        assert await response.json() == reply
    figures = await ask(client, "/api/evaluation")
    assert [one["model"] for one in figures["figures"]] == ["by-als", "by-counting"]
    assert 0 < figures["agreements"][0]["share"]["mean"] <= 1
    await ask(client, "/api/map?model=by-counting", status=404)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("similar", "artist: field required"),
        ("similar?artist=83645078", "artist:"),
        (f"similar?artist={ARCADE}&k=0", "k:"),
        (f"similar?artist={ARCADE}&k=101", "k:"),
        (f"similar?artist={ARCADE}&k=2&k=3", "given twice"),
        (f"similar?artist={ARCADE}&more=1", "more:"),
        (f"similar?artist={ARCADE}&model=..%2F..%2Fetc", "model:"),
        (f"path?start={ARCADE}&goal={WOLF}&stops=99", "stops:"),
        (f"path?start={ARCADE}&goal={ARCADE}", "name two artists"),
        ("blend?like=", "like:"),
        ("blend?like=" + ",".join([ARCADE] * 9), "like:"),
        (f"blend?like={ARCADE}&unlike={ARCADE}", "liked and disliked"),
        ("resolve?q=" + "x" * 5000, "q:"),
        ("complete?q=a&limit=26", "limit:"),
        ("models?x=1", "x:"),
    ],
)
async def test_what_is_out_of_bounds_is_refused_with_the_parameters_name(client, address, said):
    reply = await ask(client, f"/api/{address}", status=400)
    assert said in reply["error"]


async def test_a_model_that_is_not_there_is_named(client):
    reply = await ask(client, f"/api/similar?artist={ARCADE}&model=gone", status=404)
    assert "by-als" in reply["error"]


async def test_nothing_can_be_changed_and_nothing_else_is_there(client):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        response = await client.request(method, "/api/models")
        assert response.status == 405
    for path in ("/nothing", "/..%2f..%2fpyproject.toml", "/page/index.html", "/api/", "/__init__.py"):
        assert (await client.get(path)).status == 404


async def test_every_answer_carries_the_headers_and_allows_no_other_origin(client):
    for path in ("/", "/main.js", "/api/models", "/api/similar", "/nothing"):
        response = await client.get(path, headers={"Origin": "https://elsewhere.example"})
        policy = response.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Set-Cookie" not in response.headers


async def test_a_name_that_points_here_from_elsewhere_is_refused(client):
    response = await client.get("/api/models", headers={"Host": "rebound.example:80"})
    assert response.status == 421
    for host in ("localhost:8475", "127.0.0.1", "[::1]:8475"):
        assert (await client.get("/api/models", headers={"Host": host})).status == 200


async def test_on_a_network_address_any_name_is_answered(store):
    async with TestClient(TestServer(small_app(store, ServerParams(host="192.0.2.1")))) as client:
        assert (await client.get("/api/models", headers={"Host": "music.example"})).status == 200


async def test_too_many_questions_have_to_wait(store):
    params = ServerParams(rate=RateParams(per_second=0.001, burst=3))
    async with TestClient(TestServer(small_app(store, params))) as client:
        statuses = [(await client.get("/api/models")).status for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        assert int((await client.get("/api/models")).headers["Retry-After"]) > 0
        assert (await client.get("/")).status == 200


def test_a_bucket_fills_again_with_time():
    now = [0.0]
    limiter = RateLimiter(RateParams(per_second=2.0, burst=2), clock=lambda: now[0])
    assert [limiter.wait("a") for _ in range(2)] == [0.0, 0.0]
    assert limiter.wait("a") == pytest.approx(0.5)
    assert limiter.wait("b") == 0.0
    now[0] = 0.5
    assert limiter.wait("a") == 0.0


async def test_a_mistake_inside_is_not_told_outside(caplog):
    class Broken:
        def __getattr__(self, name):
            return self._fail

        def _fail(self, _):
            raise RuntimeError("secret detail")

    from bot.explorer.replies import EvaluationReply

    app = make_app(
        Broken(),
        {},
        EvaluationReply(figures=[], agreements=[], report=[], said=""),
        ServerParams(),
        votes=VoteReports(None),
    )
    async with TestClient(TestServer(app)) as client:
        reply = await ask(client, "/api/models", status=500)
    assert "secret" not in json.dumps(reply)
    assert "secret detail" in caplog.text


async def test_a_hostile_name_is_text_in_json(client):
    metallica = await ask(client, f"/api/similar?artist={METALLICA}&k=8")
    assert HOSTILE in [row["artist"]["name"] for row in metallica["rows"]]
    response = await client.get(f"/api/similar?artist={METALLICA}")
    assert response.content_type == "application/json"


async def test_the_description_names_every_address_and_parameter(client):
    described = await ask(client, "/api/openapi.json")
    assert described == json.loads(json.dumps(describe()))
    assert set(described["paths"]) == {endpoint.path for endpoint in ENDPOINTS.values()}
    for endpoint in ENDPOINTS.values():
        operation = described["paths"][endpoint.path]["get"]
        assert {one["name"] for one in operation["parameters"]} == set(endpoint.query.model_fields)
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        assert set(described["components"]["schemas"][schema]["properties"]) == set(endpoint.reply.model_fields)
    references = json.dumps(described).split("#/components/schemas/")[1:]
    assert all(reference.split('"')[0] in described["components"]["schemas"] for reference in references)
