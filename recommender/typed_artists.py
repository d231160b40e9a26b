"""The artist that a command was given by name: found, or what else the name could be is said. And artists as JSON."""

from typing import Any

import typer

from recommender.artists import format_artist_id
from recommender.catalogue import Artist, Catalogue
from recommender.names import REFUSALS, Ambiguous, Found, NotFound
from recommender.terminal import out, print_json
from recommender.wording import counted, plain_name

EXIT_NO_ANSWER = 3


def found_or_exit(catalogue: Catalogue, text: str, *, as_json: bool) -> Found:
    """Find the artist that a text means; where it means none or several, say so and leave.

    Parameters
    ----------
    text : as it was typed.
    as_json : say it as a JSON document.

    Raises
    ------
    typer.Exit : with :data:`EXIT_NO_ANSWER`.
    """
    resolution = catalogue.resolve(text)
    match resolution:
        case Found():
            return resolution
        case Ambiguous(choices=indices):
            kind, sentence = "ambiguous", f'"{plain_name(text)}" could be several artists; type one of them'
        case NotFound(nearest=indices, reason=reason):
            kind, sentence = "not_found", f'No artist here is called "{plain_name(text)}"'
            sentence += ". The nearest names" if indices else ", and none is spelt like it"
            sentence = REFUSALS.get(reason, sentence).rstrip(".")
    choices = [catalogue.artist(idx) for idx in indices]
    if as_json:
        print_json({"outcome": kind, "typed": text, "choices": [artist_json(choice) for choice in choices]})
    else:
        names = [f"  {plain_name(choice.name)} ({counted(choice.listeners, 'listener')})" for choice in choices]
        out.print("\n".join([f"{sentence}:", *names] if names else [f"{sentence}."]), markup=False, soft_wrap=True)
    raise typer.Exit(EXIT_NO_ANSWER)


def typed_artist(catalogue: Catalogue, text: str, *, as_json: bool) -> Artist:
    """The same as :func:`found_or_exit`, as an artist of the catalogue."""
    return catalogue.artist(found_or_exit(catalogue, text, as_json=as_json).artist_idx)


def artist_json(artist: Artist) -> dict[str, Any]:
    """Return an artist's id, name, listeners and MusicBrainz id as JSON values."""
    return {
        "id": format_artist_id(artist.artist_id),
        "name": artist.name,
        "listeners": artist.listeners,
        "mbid": artist.mbid,
    }
