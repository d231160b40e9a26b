"""The page as files that open without a server: the same scripts, and the API's replies as a script."""

import json
import shutil
from collections.abc import Mapping, Sequence
from itertools import permutations
from pathlib import Path
from urllib.parse import urlencode

from bot.explorer.answering import Explorer
from bot.explorer.api import ENDPOINTS
from bot.explorer.queries import ArtistQuery, BlendQuery, NoQuery, PathQuery, ResolveQuery, SimilarQuery
from bot.explorer.replies import ArtistReply, EvaluationReply, MapReply, Reply
from bot.explorer.serving import PAGE
from recommender.errors import ParameterError
from recommender.wording import plain_name

ROWS = 20
"""Rows of a list in the page, and so in its export."""
BLENDED_ROWS = 12
STOPS = 5
MAX_ARTISTS = 40


def export_site(
    folder: Path,
    explorer: Explorer,
    maps: Mapping[str, MapReply],
    evaluation: EvaluationReply,
    *,
    artists: Sequence[str],
) -> tuple[int, int]:
    """Write the page for some artists: their lists, overlaps, paths and blends of each two, by every model.

    Parameters
    ----------
    folder : must be empty or not exist.
    explorer : answers what is written.
    maps, evaluation : as they are served.
    artists : names as people type them; none: the examples of the page.

    Returns
    -------
    Number of artists, and of bytes.

    Raises
    ------
    ParameterError : the folder holds something, a name means no single artist, or there are too many.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ParameterError(f"{folder} is not an empty folder; name a new one for the page")
    chosen = _chosen(explorer, artists)
    replies = _replies(explorer, chosen)
    replies |= {address("evaluation"): evaluation} | {address("map", model=one): maps[one] for one in maps}
    folder.mkdir(parents=True, exist_ok=True)
    for path in PAGE.iterdir():
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    (folder / "data.js").write_text(_script(replies, chosen), encoding="utf-8")
    return len(chosen), sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def address(name: str, **parameters: object) -> str:
    """Write the address of a question as the page does: parameters in the order of their names."""
    query = urlencode(sorted((key, str(value)) for key, value in parameters.items()))
    return f"{ENDPOINTS[name].path}?{query}" if query else ENDPOINTS[name].path


def _chosen(explorer: Explorer, names: Sequence[str]) -> list[ArtistReply]:
    found: dict[str, ArtistReply] = {}
    for name in names:
        reply = explorer.resolve(ResolveQuery(q=name))
        if reply.artist is None:
            raise ParameterError(f"--artist {plain_name(name)}: {reply.said} Name another")
        found[reply.artist.id] = reply.artist
    chosen = list(found.values()) or explorer.models(NoQuery()).examples
    if not chosen:
        raise ParameterError("none of the page's examples is in this model; name artists with --artist")
    if len(chosen) > MAX_ARTISTS:
        raise ParameterError(f"{len(chosen)} artists are too many for one page; name at most {MAX_ARTISTS}")
    return chosen


def _replies(explorer: Explorer, chosen: list[ArtistReply]) -> dict[str, Reply]:
    models = explorer.models(NoQuery())
    replies: dict[str, Reply] = {address("models"): models.model_copy(update={"examples": chosen})}
    for model in (card.id for card in models.models):
        for one in chosen:
            replies[address("similar", artist=one.id, k=ROWS, model=model)] = explorer.similar(
                SimilarQuery(artist=one.id, k=ROWS, model=model)
            )
            replies[address("overlap", artist=one.id, model=model)] = explorer.overlap(
                ArtistQuery(artist=one.id, model=model)
            )
        for start, goal in permutations(chosen, 2):
            replies[address("path", start=start.id, goal=goal.id, stops=STOPS, model=model)] = explorer.path(
                PathQuery(start=start.id, goal=goal.id, stops=STOPS, model=model)
            )
            like = f"{start.id},{goal.id}"
            replies[address("blend", like=like, k=BLENDED_ROWS, model=model)] = explorer.blend(
                BlendQuery(like=(start.id, goal.id), k=BLENDED_ROWS, model=model)
            )
    return replies


def _script(replies: Mapping[str, Reply], chosen: list[ArtistReply]) -> str:
    content = {
        "artists": [one.model_dump() for one in chosen],
        "replies": {where: reply.model_dump() for where, reply in replies.items()},
    }
    # Nothing in a name may end the script or its line, should somebody paste this into a page.
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return f"window.SEGUE_DATA = {text};\n"
