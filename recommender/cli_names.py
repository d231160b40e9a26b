"""``segue names``: what a typed name means to a model or to a list, why, and how good that is on a test set."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from recommender.errors import ParameterError
from recommender.folders import at_home
from recommender.names import LAYER_WORDS, REFUSALS, Ambiguous, Explained, Found, NotFound, resolver_of
from recommender.naming.evaluation import Score, evaluate, offered, read_labelled
from recommender.naming.lists import read_names
from recommender.naming.phrases import Blend, Journey, parse_phrase
from recommender.store import ModelStore
from recommender.terminal import JsonOption, ModelOption, StoreOption, err, out, print_json
from recommender.typed_artists import EXIT_NO_ANSWER
from recommender.wording import counted, plain_name


@dataclass(frozen=True, slots=True)
class _Source:
    """Names to resolve against: of a model or of a list."""

    explain: Callable[[str], Explained]
    is_name: Callable[[str], bool]
    name_of: Callable[[int], str]
    listeners_of: Callable[[int], int]


def names(
    store: StoreOption,
    query: Annotated[
        list[str] | None, typer.Argument(help="What somebody might type; quotes are not needed.", show_default=False)
    ] = None,
    model: ModelOption = None,
    names_file: Annotated[
        Path | None,
        typer.Option(
            "--names",
            parser=at_home,
            help="Resolve against this list instead of a model: TSV of name, popularity; .gz too.",
            show_default=False,
        ),
    ] = None,
    evaluate_file: Annotated[
        Path | None,
        typer.Option(
            "--eval",
            parser=at_home,
            help="Score a labelled TSV instead: group, query, expected (empty: names no artist).",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a typed name means: the outcome, the layers that were asked, and the time it took.

    Exit status: 0 when an artist was found; 3 when none or several could be meant; 1 after an error.

    Examples: segue names arcad fyre · segue names --eval queries.tsv --names names.tsv.gz
    """
    text = " ".join(query or [])
    if (evaluate_file is None) == (query is None):
        raise ParameterError('type a name, for example: segue names "arcad fyre" - or give a test set with --eval FILE')
    source = _from_list(names_file) if names_file is not None else _from_model(ModelStore(store).folder(model))
    if evaluate_file is not None:
        _evaluate(source, evaluate_file, as_json=as_json)
        return
    source.explain("warm up")  # pages of the index come from the disk once
    started = time.perf_counter()
    explained = source.explain(text)
    milliseconds = 1000 * (time.perf_counter() - started)
    if as_json:
        print_json(_as_json(source, explained, milliseconds))
    else:
        _print(source, text, explained, milliseconds)
    if not isinstance(explained.resolution, Found):
        raise typer.Exit(EXIT_NO_ANSWER)


def _from_model(folder: Path) -> _Source:
    from recommender.catalogue import Catalogue

    catalogue = Catalogue.open(folder, verify=False)
    return _Source(
        catalogue.explain,
        catalogue.is_name,
        lambda idx: catalogue.artist(idx).name,
        lambda idx: catalogue.artist(idx).listeners,
    )


def _from_list(path: Path) -> _Source:
    from recommender.aliases import shipped_aliases

    all_names, popularity = read_names(path)
    started = time.process_time()
    resolver, _ = resolver_of(all_names, popularity, aliases=shipped_aliases())
    seconds = time.process_time() - started
    size = resolver.index.nbytes / 1e6
    err.print(f"Indexed {counted(len(all_names), 'name')} in {seconds:.1f} s of processor time: {size:.0f} MB.")
    return _Source(resolver.explain, resolver.is_name, all_names.__getitem__, lambda idx: int(popularity[idx]))


def _print(source: _Source, text: str, explained: Explained, milliseconds: float) -> None:
    resolution, typed = explained.resolution, plain_name(text)
    match resolution:
        case Found(artist_idx=idx):
            layer = resolution.layer or "name"
            line = f'"{typed}" is {_named(source, idx)}: {LAYER_WORDS[layer]} ({resolution.match_score:.2f}).'
        case Ambiguous():
            line = f'"{typed}" could be several artists:'
        case NotFound(reason=reason) if reason in REFUSALS:
            line = REFUSALS[reason]
        case NotFound(nearest=()):
            line = f'No artist is called "{typed}", and none is spelt like it.'
        case NotFound():
            line = f'No artist is called "{typed}". The nearest names:'
    out.print(line, markup=False, soft_wrap=True)
    for idx in offered(resolution)[isinstance(resolution, Found) :]:
        prefix = "  or " if isinstance(resolution, Found) else "  "
        out.print(f"{prefix}{_named(source, idx)}", markup=False, soft_wrap=True)
    match parse_phrase(text, is_name=source.is_name):
        case Blend(wanted, unwanted):
            less = f", without {', '.join(unwanted)}" if unwanted else ""
            out.print(f"As a phrase: a blend of {', '.join(wanted)}{less}.", markup=False, soft_wrap=True)
        case Journey(start, end):
            out.print(f"As a phrase: a journey from {start} to {end}.", markup=False, soft_wrap=True)
        case _:
            pass
    asked = ", ".join(f"{tried.layer} {tried.n_found}" for tried in explained.tried) or "none"
    out.print(f"Layers asked, and artists each knew: {asked}. {milliseconds:.2f} ms.", markup=False, soft_wrap=True)


def _named(source: _Source, idx: int) -> str:
    return f"{plain_name(source.name_of(idx))} ({counted(source.listeners_of(idx), 'listener')})"


def _as_json(source: _Source, explained: Explained, milliseconds: float) -> dict[str, Any]:
    resolution = explained.resolution
    kinds = {Found: "found", Ambiguous: "ambiguous", NotFound: "not_found"}
    artists = [{"name": source.name_of(idx), "listeners": source.listeners_of(idx)} for idx in offered(resolution)]
    card: dict[str, Any] = {"outcome": kinds[type(resolution)]}
    if isinstance(resolution, Found):
        card |= {"artist": artists[0], "layer": resolution.layer, "score": round(resolution.match_score, 4)}
        artists = artists[1:]
    elif isinstance(resolution, NotFound):
        card |= {"reason": resolution.reason}
    tried = [{"layer": tried.layer, "artists": tried.n_found} for tried in explained.tried]
    return card | {"choices": artists, "layers": tried, "milliseconds": round(milliseconds, 3)}


def _evaluate(source: _Source, path: Path, *, as_json: bool) -> None:
    queries = read_labelled(path)
    scores = evaluate(lambda text: source.explain(text).resolution, queries, names=source.name_of)
    everything = Score(milliseconds=[one for score in scores.values() for one in score.milliseconds])
    if as_json:
        print_json({group: _score_json(score) for group, score in scores.items()})
        return
    table = Table("group", "queries", "accepted", "wrong", "top 1", "top 5", "p50 ms", "p99 ms")
    for column in table.columns[1:]:
        column.justify = "right"
    for group, score in scores.items():
        card = _score_json(score)
        shares = (card[name] for name in ("accepted", "wrong", "top_1", "top_5"))
        right = ["" if share is None else f"{share:.3f}" for share in shares]
        table.add_row(group, str(score.n), *right, f"{card['p50_ms']:.2f}", f"{card['p99_ms']:.2f}")
    out.print(table)
    out.print(
        "accepted: answered without asking, and right; wrong: answered without asking, and not (for queries that name "
        "no artist: answered at all).",
        soft_wrap=True,
    )
    milliseconds = [everything.percentile(percent) for percent in (50, 99, 100)]
    out.print("Processor time of a query: p50 {:.2f} ms, p99 {:.2f} ms, worst {:.2f} ms.".format(*milliseconds))


def _score_json(score: Score) -> dict[str, Any]:
    names_artists = score.top_5 > 0 or score.accepted > 0
    shares = {
        "accepted": score.accepted / score.n if names_artists else None,
        "wrong": score.wrong / score.n,
        "top_1": score.top_1 / score.n if names_artists else None,
        "top_5": score.top_5 / score.n if names_artists else None,
    }
    return {
        "queries": score.n,
        **shares,
        "p50_ms": round(score.percentile(50), 3),
        "p99_ms": round(score.percentile(99), 3),
    }
