"""``segue blend``, ``path``, ``dissimilar`` and ``why``: walk around in the music, and say what speaks for it."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape
from rich.table import Table

from recommender.catalogue import Catalogue
from recommender.errors import ParameterError
from recommender.exploring import MIN_SHOWN_IN_COMMON, Familiarity
from recommender.naming import phrases
from recommender.outcomes import ArtistPath, Blend, Dissimilar, TooFewInCommon, TooFewListeners, Why
from recommender.store import ModelStore
from recommender.terminal import JsonOption, ModelOption, StoreOption, out, print_json
from recommender.typed_artists import EXIT_NO_ANSWER, artist_json, typed_artist
from recommender.wording import SYNTHETIC_NOTE, counted, plain_name

app = typer.Typer(no_args_is_help=True)

RowsOption = Annotated[int, typer.Option("--k", min=1, help="How many artists.")]
FamiliarityOption = Annotated[
    Familiarity,
    typer.Option("--familiarity", help="Well-known artists only, all, or only those far from the charts."),
]
EXIT_STATUS = "Exit status: 0 with an answer; 3 when a name means none, several, or one with too few listeners."


@app.command(epilog=EXIT_STATUS)
def blend(
    store: StoreOption,
    artists: Annotated[
        list[str] | None, typer.Argument(help="Artists joined by + and -, as in: radiohead + björk - coldplay")
    ] = None,
    like: Annotated[list[str] | None, typer.Option("--like", help="One more liked artist; may be repeated.")] = None,
    unlike: Annotated[
        list[str] | None, typer.Option("--unlike", help="An artist to stay away from; may be repeated.")
    ] = None,
    model: ModelOption = None,
    k: RowsOption = 10,
    familiarity: FamiliarityOption = "balanced",
    as_json: JsonOption = False,
) -> None:
    """Name the artists nearest to a mixture of several."""
    catalogue = Catalogue.open(ModelStore(store).folder(model))
    terms = mixture_terms(artists, is_name=catalogue.is_name) if artists else []
    terms += [(1.0, name) for name in like or []] + [(-1.0, name) for name in unlike or []]
    weights: dict[int, float] = {}
    for weight, text in terms:
        artist = typed_artist(catalogue, text, as_json=as_json)
        weights[artist.artist_idx] = weights.get(artist.artist_idx, 0.0) + weight
    outcome = catalogue.blend(weights, k=k, familiarity=familiarity)
    if isinstance(outcome, TooFewListeners):
        _refuse_too_few(catalogue, outcome, as_json=as_json)
    if as_json:
        print_json(_card(catalogue, "blend") | _blend_json(outcome))
    else:
        _print_blend(catalogue, outcome)
    if not outcome.rows:
        raise typer.Exit(EXIT_NO_ANSWER)


@app.command(epilog=EXIT_STATUS)
def path(
    store: StoreOption,
    artists: Annotated[list[str], typer.Argument(help="Two names in quotes, or as in: from radiohead to metallica")],
    model: ModelOption = None,
    between: Annotated[int, typer.Option("--between", min=0, max=50, help="Stops in between, at most.")] = 5,
    as_json: JsonOption = False,
) -> None:
    """Lead from one artist to another in short steps, each of them nearer to the goal."""
    catalogue = Catalogue.open(ModelStore(store).folder(model))
    names = journey_names(artists, is_name=catalogue.is_name)
    start, goal = (typed_artist(catalogue, text, as_json=as_json).artist_idx for text in names)
    outcome = catalogue.path(start, goal, n_between=between)
    if isinstance(outcome, TooFewListeners):
        _refuse_too_few(catalogue, outcome, as_json=as_json)
    if as_json:
        print_json(_card(catalogue, "path") | _path_json(outcome))
    else:
        _print_path(catalogue, outcome)


@app.command(epilog=EXIT_STATUS)
def dissimilar(
    store: StoreOption,
    artist: Annotated[list[str], typer.Argument(help="The artist, as you would type it; quotes are not needed.")],
    model: ModelOption = None,
    k: RowsOption = 10,
    as_json: JsonOption = False,
) -> None:
    """Name well-known artists of another world."""
    catalogue = Catalogue.open(ModelStore(store).folder(model))
    seed = typed_artist(catalogue, " ".join(artist), as_json=as_json)
    outcome = catalogue.dissimilar(seed.artist_idx, k=k)
    if isinstance(outcome, TooFewListeners):
        _refuse_too_few(catalogue, outcome, as_json=as_json)
    if as_json:
        print_json(_card(catalogue, "dissimilar") | _dissimilar_json(outcome))
    else:
        _print_dissimilar(catalogue, outcome)


@app.command(epilog=EXIT_STATUS)
def why(
    store: StoreOption,
    artists: Annotated[list[str], typer.Argument(help="Two names in quotes, or with the word and between them.")],
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how many of one artist's listeners play another too, and how that compares with chance."""
    catalogue = Catalogue.open(ModelStore(store).folder(model))
    names = pair_names(artists, is_name=catalogue.is_name)
    artist, other = (typed_artist(catalogue, text, as_json=as_json).artist_idx for text in names)
    outcome = catalogue.why(artist, other)
    if isinstance(outcome, TooFewListeners):
        _refuse_too_few(catalogue, outcome, as_json=as_json)
    if as_json:
        print_json(_why_json(catalogue, outcome))
    else:
        out.print(why_sentence(outcome), markup=False, soft_wrap=True)
        _note_synthetic(catalogue)
    if isinstance(outcome, TooFewInCommon):
        raise typer.Exit(EXIT_NO_ANSWER)


def why_sentence(outcome: Why | TooFewInCommon) -> str:
    """Say in one sentence what two artists share."""
    name, other = plain_name(outcome.artist.name), plain_name(outcome.other.name)
    if isinstance(outcome, TooFewInCommon):
        return f"Fewer than {outcome.needed} people in the data play both {name} and {other}: too few to tell."
    evidence = outcome.evidence
    return (
        f"{100 * evidence.share:.0f} % of {name}'s listeners also play {other} ({evidence.common:,} of "
        f"{outcome.artist.listeners:,}), {evidence.times_chance:.1f} times chance."
    )


def mixture_terms(words: Sequence[str], *, is_name: Callable[[str], bool]) -> list[tuple[float, str]]:
    """Read names joined by signs or commas; the weight of one is 1, or -1 after a minus.

    Parameters
    ----------
    words : as the shell cut them.
    is_name : whether a text is an artist's name, so that the signs in "Florence + the Machine" are none.

    Raises
    ------
    ParameterError : the words are no mixture of names.
    """
    phrase = phrases.parse_phrase(_one_line(words, is_whole=is_name), is_name=is_name)
    match phrase:
        case phrases.OneName(name):
            return [(1.0, name)]
        case phrases.Blend(wanted, unwanted):
            return [(1.0, name) for name in wanted] + [(-1.0, name) for name in unwanted]
        case phrases.Journey(start, end):
            raise ParameterError(f"that is the way from {start} to {end}; use segue path for it")
        case phrases.NoPhrase(sentence):
            raise ParameterError(sentence)


def journey_names(words: Sequence[str], *, is_name: Callable[[str], bool]) -> tuple[str, str]:
    """Read "from X to Y" or "X to Y"; two words are two names.

    Raises
    ------
    ParameterError : it is not clear which two are meant.
    """
    if len(words) == 2:
        return words[0], words[1]
    line = _one_line(words, is_whole=lambda _: True)
    for text in (line, f"from {line}"):
        phrase = phrases.parse_phrase(text, is_name=is_name)
        if isinstance(phrase, phrases.Journey):
            return phrase.start, phrase.end
    raise ParameterError('name two artists, each in quotes or with "to" between them')


def pair_names(words: Sequence[str], *, is_name: Callable[[str], bool]) -> tuple[str, str]:
    """Read "X and Y"; two words are two names.

    Raises
    ------
    ParameterError : it is not clear which two are meant.
    """
    if len(words) == 2:
        return words[0], words[1]
    phrase = phrases.parse_phrase(_one_line(words, is_whole=is_name), is_name=is_name)
    if isinstance(phrase, phrases.Blend) and len(phrase.wanted) == 2 and not phrase.unwanted:
        return phrase.wanted[0], phrase.wanted[1]
    # Of names that nobody knows yet, the only "and" parts two.
    places = [place for place, word in enumerate(words) if word.casefold() == "and" and 0 < place < len(words) - 1]
    if len(places) != 1:
        raise ParameterError('name two artists, each in quotes or with one "and" between them')
    return " ".join(words[: places[0]]), " ".join(words[places[0] + 1 :])


def _one_line(words: Sequence[str], *, is_whole: Callable[[str], bool]) -> str:
    """Join what the shell cut, and give back the quotes that it took from names of several words."""
    if len(words) == 1:
        return words[0]
    return " ".join(f'"{word}"' if " " in word and '"' not in word and is_whole(word) else word for word in words)


def _refuse_too_few(catalogue: Catalogue, outcome: TooFewListeners, *, as_json: bool) -> NoReturn:
    """Say that hardly anybody heard an artist, and leave with the status of no answer."""
    if as_json:
        card = {"artist": artist_json(outcome.seed), "needed_listeners": outcome.needed}
        print_json(_card(catalogue, "too_few_listeners") | card)
    else:
        out.print(
            f"{plain_name(outcome.seed.name)}: only {counted(outcome.seed.listeners, 'person', 'people')} in the data "
            f"listened to them; it takes {outcome.needed}.",
            markup=False,
            soft_wrap=True,
        )
    raise typer.Exit(EXIT_NO_ANSWER)


def _print_blend(catalogue: Catalogue, outcome: Blend) -> None:
    liked = " + ".join(plain_name(artist.name) for artist in outcome.liked)
    title = liked + "".join(f" - {plain_name(artist.name)}" for artist in outcome.disliked)
    if not outcome.rows:
        out.print(f"{title}: these cancel out, nothing is left to look for.", markup=False, soft_wrap=True)
        return
    table = _table("", "artist", "similarity", "most like", "heard one of these", "of", title=title)
    for row in outcome.rows:
        name, nearest = escape(plain_name(row.artist.name)), escape(plain_name(row.nearest.name))
        table.add_row(
            str(row.rank), name, f"{row.score:z.2f}", nearest, _people(row.support), f"{row.artist.listeners:,}"
        )
    out.print(table)
    _note_synthetic(catalogue)


def _print_path(catalogue: Catalogue, outcome: ArtistPath) -> None:
    goal = outcome.stops[-1].artist
    title = f"from {plain_name(outcome.start.name)} to {plain_name(goal.name)}"
    table = _table("", "artist", "similarity to the one before", "listeners in common", "to the goal", title=title)
    table.add_row("", escape(plain_name(outcome.start.name)), "", "", "")
    for number, stop in enumerate(outcome.stops, start=1):
        name = escape(plain_name(stop.artist.name))
        table.add_row(str(number), name, f"{stop.score:z.2f}", _people(stop.support), f"{stop.to_goal:z.2f}")
    out.print(table)
    if outcome.is_leap:
        out.print("That is a leap: the two have nothing in common, and no artist leads from one to the other.")
    _note_synthetic(catalogue)


def _print_dissimilar(catalogue: Catalogue, outcome: Dissimilar) -> None:
    title = f"well-known, and unlike {plain_name(outcome.seed.name)}"
    table = _table("", "artist", "similarity", "listeners in common", "by chance", "of", title=title)
    for row in outcome.rows:
        table.add_row(
            str(row.rank),
            escape(plain_name(row.artist.name)),
            f"{row.score:z.2f}",
            _people(row.support),
            f"{row.by_chance:,.0f}",
            f"{row.artist.listeners:,}",
        )
    out.print(table)
    _note_synthetic(catalogue)


def _table(*columns: str, title: str) -> Table:
    table = Table(*columns, title=escape(title))
    for column in table.columns[2:]:
        column.justify = "right"
    return table


def _people(count: int) -> str:
    return f"{count:,}" if count >= MIN_SHOWN_IN_COMMON else f"under {MIN_SHOWN_IN_COMMON}"


def _note_synthetic(catalogue: Catalogue) -> None:
    if catalogue.manifest.data.synthetic:
        out.print(SYNTHETIC_NOTE)


def _card(catalogue: Catalogue, outcome: str) -> dict[str, Any]:
    return {"outcome": outcome, "model": catalogue.manifest.id, "synthetic": catalogue.manifest.data.synthetic}


def _people_json(count: int) -> int | None:
    return count if count >= MIN_SHOWN_IN_COMMON else None


def _blend_json(outcome: Blend) -> dict[str, Any]:
    rows = [
        {
            "rank": row.rank,
            **artist_json(row.artist),
            "score": round(row.score, 6),
            "common_listeners": _people_json(row.support),
            "most_like": row.nearest.name,
        }
        for row in outcome.rows
    ]
    return {
        "liked": [artist_json(artist) for artist in outcome.liked],
        "disliked": [artist_json(artist) for artist in outcome.disliked],
        "artists": rows,
    }


def _path_json(outcome: ArtistPath) -> dict[str, Any]:
    stops = [
        {
            **artist_json(stop.artist),
            "score": round(stop.score, 6),
            "common_listeners": _people_json(stop.support),
            "score_to_goal": round(stop.to_goal, 6),
        }
        for stop in outcome.stops
    ]
    return {"start": artist_json(outcome.start), "stops": stops}


def _dissimilar_json(outcome: Dissimilar) -> dict[str, Any]:
    rows = [
        {
            "rank": row.rank,
            **artist_json(row.artist),
            "score": round(row.score, 6),
            "common_listeners": _people_json(row.support),
            "by_chance": round(row.by_chance, 2),
        }
        for row in outcome.rows
    ]
    return {"artist": artist_json(outcome.seed), "dissimilar": rows}


def _why_json(catalogue: Catalogue, outcome: Why | TooFewInCommon) -> dict[str, Any]:
    card = _card(catalogue, "why" if isinstance(outcome, Why) else "too_few_in_common")
    card |= {"artist": artist_json(outcome.artist), "other": artist_json(outcome.other)}
    if isinstance(outcome, TooFewInCommon):
        return card | {"needed_in_common": outcome.needed}
    return card | {
        "common_listeners": outcome.evidence.common,
        "share": round(outcome.evidence.share, 6),
        "times_chance": round(outcome.evidence.times_chance, 4),
    }
