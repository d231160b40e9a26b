"""``segue recommend``: artists for somebody who likes some and not others, and which of the likes speak for each."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from recommender.catalogue import Catalogue
from recommender.personal import Personal, Recommendations, RecommendedArtist, TooLittleKnown
from recommender.store import ModelStore
from recommender.terminal import JsonOption, ModelOption, StoreOption, out, print_json
from recommender.typed_artists import EXIT_NO_ANSWER, artist_json, typed_artist
from recommender.wording import SYNTHETIC_NOTE, counted, plain_name

SHOWN_REASONS = 3
WORTH_NAMING = 0.05
"""A like that is less of what speaks for an artist than this is not shown as a reason, unless it is the first."""


def recommend(
    store: StoreOption,
    artists: Annotated[list[str], typer.Argument(help="Liked artists, each name in quotes.")],
    dislike: Annotated[
        list[str] | None,
        typer.Option("--dislike", help="A disliked artist; may be repeated.", show_default=False),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", help="An artist to leave out of the answer; may be repeated.", show_default=False),
    ] = None,
    model: ModelOption = None,
    k: Annotated[int, typer.Option("--k", min=1, help="How many artists.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """Recommend artists to somebody by what they like and dislike, and say why.

    Exit status: 0 with an answer; 3 when a name means none or several, or too few people heard what is liked.

    Example: segue recommend "arcade fire" "björk" --dislike coldplay
    """
    catalogue = Catalogue.open(ModelStore(store).folder(model))
    liked, disliked, left_out = (
        [typed_artist(catalogue, text, as_json=as_json).artist_idx for text in texts]
        for texts in (artists, dislike or [], exclude or [])
    )
    outcome = Personal(catalogue).recommend(liked, disliked=disliked, exclude=left_out, k=k)
    if as_json:
        print_json(_as_json(catalogue, outcome))
    else:
        _print(catalogue, outcome)
    if not (isinstance(outcome, Recommendations) and outcome.rows):
        raise typer.Exit(EXIT_NO_ANSWER)


def shown_reasons(row: RecommendedArtist) -> list[str]:
    """Name the likes that speak most for an artist, with their part: "Björk 61 %"."""
    most = row.because[:SHOWN_REASONS]
    named = [one for place, one in enumerate(most) if place == 0 or one.share >= WORTH_NAMING]
    return [f"{plain_name(one.artist.name)} {100 * one.share:.0f} %" for one in named]


def _print(catalogue: Catalogue, outcome: Recommendations | TooLittleKnown) -> None:
    liked = ", ".join(plain_name(artist.name) for artist in outcome.liked)
    if isinstance(outcome, TooLittleKnown):
        most = max(artist.listeners for artist in outcome.liked)
        out.print(
            f"{liked}: at most {counted(most, 'person', 'people')} in the data listened to any of them; it takes "
            f"{outcome.needed} to recommend from.",
            markup=False,
            soft_wrap=True,
        )
        return
    less = ", ".join(plain_name(artist.name) for artist in outcome.disliked)
    title = f"for who likes {liked}" + (f" and not {less}" if less else "")
    if not outcome.rows:
        out.print(f"{title}: nothing is left to recommend.", markup=False, soft_wrap=True)
        return
    table = Table("", "recommended", "score", "because of", "listeners", title=escape(title))
    table.columns[2].justify = table.columns[4].justify = "right"
    for row in outcome.rows:
        why = ", ".join(shown_reasons(row))
        name = escape(plain_name(row.artist.name))
        table.add_row(str(row.rank), name, f"{row.score:.2f}", escape(why), f"{row.artist.listeners:,}")
    out.print(table)
    if catalogue.manifest.data.synthetic:
        out.print(SYNTHETIC_NOTE)


def _as_json(catalogue: Catalogue, outcome: Recommendations | TooLittleKnown) -> dict[str, Any]:
    card: dict[str, Any] = {
        "outcome": "recommendations" if isinstance(outcome, Recommendations) else "too_little_known",
        "model": catalogue.manifest.id,
        "synthetic": catalogue.manifest.data.synthetic,
        "liked": [artist_json(artist) for artist in outcome.liked],
    }
    if isinstance(outcome, TooLittleKnown):
        return card | {"needed_listeners": outcome.needed}
    rows = [
        {
            "rank": row.rank,
            **artist_json(row.artist),
            "score": round(row.score, 6),
            "because": [{"name": one.artist.name, "share": round(one.share, 4)} for one in row.because],
        }
        for row in outcome.rows
    ]
    return card | {"disliked": [artist_json(artist) for artist in outcome.disliked], "recommended": rows}
