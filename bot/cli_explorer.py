"""``segue explore`` and ``segue map``: the page that compares models, served or written as files."""

import asyncio
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import platformdirs
import typer

from recommender.errors import ParameterError
from recommender.folders import at_home
from recommender.layout import LayoutParams
from recommender.store import ModelStore
from recommender.terminal import StoreOption, err, out
from recommender.wording import counted

# aiohttp and pydantic take half a second to import; `segue --help` must not pay it.
if TYPE_CHECKING:
    from bot.explorer.maps import MapFolder
    from bot.explorer.shelf import Shelf, ShelvedModel
    from recommender.layout import Layout

MapsOption = Annotated[
    Path,
    typer.Option(
        "--maps",
        help="Folder in which drawn maps are kept.",
        parser=at_home,
        default_factory=lambda: platformdirs.user_cache_path("segue", appauthor=False) / "maps",
        show_default="segue/maps in your cache folder",
    ),
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model", help="A model's id or folder; repeat it to compare several.", show_default="all, the current first"
    ),
]


def explore(
    store: StoreOption,
    maps: MapsOption,
    model: ModelsOption = None,
    host: Annotated[str, typer.Option(help="Address to listen on; others than loopback are open to the network.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8475,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in your browser.")] = True,
    draw: Annotated[bool, typer.Option("--draw/--no-draw", help="Draw the first model's map if there is none.")] = True,
    evaluation: Annotated[
        Path | None,
        typer.Option(parser=at_home, help="What `segue evaluate --json` printed, to show.", show_default=False),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            parser=at_home,
            help="Write the page into this folder instead, to open without a server.",
            show_default=False,
        ),
    ] = None,
    votes: Annotated[
        bool,
        typer.Option("--votes/--no-votes", help="Report on members' votes too, from SEGUE_DATABASE_URL; only read."),
    ] = True,
    artist: Annotated[
        list[str] | None,
        typer.Option("--artist", help="An artist to export; repeat it.", show_default="the page's examples"),
    ] = None,
) -> None:
    """Open the page that compares models: similar artists side by side, a map, paths and blends.

    Examples: segue explore · segue explore --model als --model article-lsa · segue explore --export site
    """
    from bot.explorer.answering import Explorer
    from bot.explorer.exporting import export_site
    from bot.explorer.judging import judge, read_report
    from bot.explorer.maps import map_reply
    from bot.explorer.serving import ServerParams, make_app, serve
    from bot.explorer.shelf import open_shelf
    from bot.explorer.votes import VoteReports
    from bot.settings import is_loopback, load_settings

    if artist and export is None:
        raise ParameterError("--artist chooses what --export writes; give both, or neither")
    report = [] if evaluation is None else read_report(evaluation)
    shelf = open_shelf(ModelStore(store), model or [])
    layouts = _layouts(shelf, maps, draw=draw)
    replies = {one.model_id: map_reply(one, layouts[one.model_id]) for one in shelf if one.model_id in layouts}
    explorer, figures = Explorer(shelf, mapped=frozenset(replies)), judge(shelf, report)
    if export is not None:
        n_artists, n_bytes = export_site(export, explorer, replies, figures, artists=artist or [])
        out.print(
            f"Wrote {counted(n_artists, 'artist')}, {n_bytes / 1e6:.1f} MB. Open {export / 'index.html'}",
            markup=False,
            soft_wrap=True,
        )
        return
    params = ServerParams(host=host, port=port)
    if not is_loopback(host):
        shown = "these models and the report of votes" if votes else "these models"
        err.print(f"{host} is open to your network: whoever reaches it can read {shown}.", markup=False)

    def ready(address: str) -> None:
        out.print(f"Exploring {counted(len(shelf.models), 'model')} at {address} - Ctrl-C stops.", markup=False)
        if browser:
            webbrowser.open(address)

    reports = VoteReports(load_settings().database_url if votes else None)
    asyncio.run(serve(make_app(explorer, replies, figures, params, votes=reports), params, ready=ready))


def map_(
    store: StoreOption,
    maps: MapsOption,
    model: ModelsOption = None,
    artists: Annotated[int, typer.Option(min=4, max=50_000, help="Artists to draw, the most heard.")] = 50_000,
    seed: Annotated[int, typer.Option(min=0, help="Same model and seed: the same map.")] = 0,
) -> None:
    """Draw the maps that `segue explore` shows, anew; without --model that of the current model."""
    from bot.explorer.maps import MapFolder
    from bot.explorer.shelf import open_shelf

    models = ModelStore(store)
    # Without names only the current model: a whole store may take long.
    shelf = open_shelf(models, model or [str(models.folder(None))])
    for one in shelf:
        layout = _draw(one, MapFolder(maps), LayoutParams(n_artists=artists), seed=seed)
        drawn = counted(layout.artist_idx.size, "artist")
        out.print(f"Drew {drawn} of {one.model_id}: {MapFolder(maps).path(one)}", markup=False, soft_wrap=True)


def _layouts(shelf: "Shelf", maps: Path, *, draw: bool) -> "dict[str, Layout]":
    from bot.explorer.maps import MapFolder

    folder = MapFolder(maps)
    layouts = {one.model_id: layout for one in shelf if (layout := folder.load(one)) is not None}
    if draw and shelf.first.model_id not in layouts:
        try:
            layouts = {shelf.first.model_id: _draw(shelf.first, folder, LayoutParams(), seed=0)} | layouts
        except ParameterError as error:  # all else can be explored without a map
            err.print(f"There will be no map: {error}", markup=False, soft_wrap=True)
    return layouts


def _draw(model: "ShelvedModel", folder: "MapFolder", params: LayoutParams, *, seed: int) -> "Layout":
    n_artists = min(params.n_artists, model.catalogue.n_artists)
    with err.status(f"Drawing a map of {counted(n_artists, 'artist')}; it is kept for the next time."):
        return folder.draw(model, params, seed=seed)
