"""A shelf of two small models for the explorer, one artist of which has a name that would like to be markup."""

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from aiohttp import web

from bot.explorer.answering import Explorer
from bot.explorer.judging import judge
from bot.explorer.maps import map_reply
from bot.explorer.serving import ServerParams, make_app
from bot.explorer.shelf import open_shelf
from bot.explorer.votes import VoteReports
from catalogues import save_random_model
from communities import CREATED, NAMES, community_counts, small_recipe
from recommender.layout import Layout
from recommender.matrix import CSR
from recommender.neighbours import NeighbourParams
from recommender.saving import save_model
from recommender.store import ModelStore
from recommender.training import train

HOSTILE = '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'
NAMES_HERE = [HOSTILE if name == "Judas Priest" else name for name in NAMES]
MODELS = {"by-als": "als", "by-counting": "shrunk-cosine"}


def small_store(root):
    """Train both models into a store; the first one is current."""
    counts = replace(community_counts(), artist_names=NAMES_HERE)
    for model_id, preset in MODELS.items():
        trained = train(counts.plays, small_recipe(preset), rng=np.random.default_rng(0))
        save_model(
            root / model_id,
            trained,
            counts,
            preset=preset,
            seed=0,
            data_name="communities",
            synthetic=True,
            created=CREATED,
        )
    store = ModelStore(root)
    store.set_current("by-als")
    return store


def strangers_store(root):
    """A model of eight artists: whoever hears one of the first four hears none of the others."""
    side = np.repeat([0, 1], 4)
    heard = (np.arange(40)[:, None] % 2 == side) & (np.random.default_rng(0).random((40, 8)) < 0.8)
    angle = np.pi / 2 * side + np.tile([0.0, 0.1, 0.2, 0.3], 2) * np.where(side == 0, -1, 1)
    factors = np.column_stack((np.cos(angle), np.sin(angle))).astype(np.float32)
    save_random_model(root / "apart", CSR(heard.astype(np.float32)), factors, NeighbourParams(k=3, min_listeners=3))
    return ModelStore(root)


def small_layout(n_artists=12):
    """Three communities in three corners; the artist that two people heard is not drawn."""
    angle = np.repeat([0.3, 2.4, 4.5], 4) + np.tile([-0.12, -0.04, 0.04, 0.12], 3)
    positions = np.column_stack((np.cos(angle), np.sin(angle))).astype(np.float32) * 0.8
    layout = np.arange(12, dtype=np.int32), positions, np.repeat(np.arange(3, dtype=np.uint8), 4)
    return Layout(*(column[:n_artists] for column in layout))


def small_app(store, params=None, *, model=None, database_url=None):
    """The explorer's application over a store of small models, with a planted map of the first."""
    shelf = open_shelf(store, [model] if model else [])
    maps = {shelf.first.model_id: map_reply(shelf.first, small_layout(shelf.first.catalogue.n_artists))}
    explorer = Explorer(shelf, mapped=frozenset(maps))
    votes = VoteReports(database_url)
    return make_app(explorer, maps, judge(shelf, []), params or ServerParams(port=0), votes=votes)


@contextmanager
def served(app):
    """Serve an application on a free loopback port from a thread; gives its address."""
    loop, started, address = asyncio.new_event_loop(), threading.Event(), []

    async def run():
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address.append(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        started.set()
        await stop.wait()
        await runner.cleanup()

    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    try:
        assert started.wait(20), "the explorer did not start"
        yield address[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()
