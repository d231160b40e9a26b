"""``segue feedback rerank`` and ``segue feedback listeners``: votes flow back into models, when somebody says so."""

import csv
import secrets
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_feedback import opened_store
from recommender.errors import ParameterError
from recommender.store import ModelStore
from recommender.terminal import (
    CacheOption,
    DatasetFolderOption,
    JsonOption,
    ModelOption,
    StoreOption,
    load,
    out,
    print_json,
)
from recommender.wording import counted

if TYPE_CHECKING:
    from recommender.matrix import CSR

MinVotersOption = Annotated[int, typer.Option(min=1, help="Leave out pairs that fewer people liked.")]


def rerank(
    store: StoreOption,
    model: ModelOption = None,
    new: Annotated[
        str | None, typer.Option("--new", help="Id of the re-ranked model; without it nothing is written.")
    ] = None,
    prior: Annotated[float, typer.Option(min=0.1, help="Votes that the mean counts for, 5 to 10.")] = 8.0,
    anyway: Annotated[bool, typer.Option("--anyway", help="Write it although it is not shown to help.")] = False,
) -> None:
    """Say whether re-ranking by votes would help, and with --new write a model re-ranked by them.

    Half of the people's votes re-rank, the other half's judge, both ways round. The new model does not serve: compare
    it with `segue experiment`, then `segue model promote`.
    """
    import numpy as np

    from bot.evidence.pairs import RerankParams, pair_rates, whether_it_helps
    from bot.feedback.reading import read_pairs
    from bot.learning import write_reranked

    params, models = RerankParams(prior_votes=prior), ModelStore(store)
    with opened_store() as feedback, feedback.reading() as connection:
        votes = read_pairs(connection)
    found = whether_it_helps(votes, params, rng=np.random.default_rng(0))
    interval = f"95 % interval {100 * found.low:.1f} % to {100 * found.high:.1f} %"
    out.print(f"{found.words} {interval}; {counted(found.voters, 'voter')}.", markup=False, soft_wrap=True)
    if new is None:
        return
    if not found.helps and not anyway:
        raise ParameterError(f"{new} was not written: re-ranking is not shown to help; --anyway writes it")
    folder = models.new_folder(new, default_id=new)
    card, changed, hidden = write_reranked(
        folder, models.folder(model), pair_rates(votes), params, created=datetime.now(UTC)
    )
    out.print(
        f"Wrote {card.id}: the lists of {counted(changed, 'artist')} changed, {counted(hidden, 'pair')} hidden. "
        f"Next: segue experiment define NAME --a {models.current_id() or 'MODEL'} --b {card.id}",
        markup=False,
        soft_wrap=True,
    )


def listeners(
    file: Annotated[Path, typer.Argument(help="TSV to write: listener, MusicBrainz id (empty), artist, plays.")],
    store: StoreOption,
    model: ModelOption = None,
    min_voters: MinVotersOption = 2,
) -> None:
    """Write voters as further listeners for a training: each person is one at most, people who opted out are none.

    Whether it would help says `segue feedback judge-listeners`. Then, with one such file and no older one:
    cat plays.tsv votes.tsv | segue train --plays - --model NAME
    """
    from bot.feedback.reading import read_pairs
    from bot.learning import tiny_listeners
    from recommender.catalogue import Catalogue

    catalogue = Catalogue.open(ModelStore(store).folder(model))
    with opened_store() as feedback, feedback.reading() as connection:
        votes = read_pairs(connection)
    # No listener of the data is called so, nor one of an earlier file.
    label = f"voter-{secrets.token_hex(4)}"
    rows = list(tiny_listeners(votes, catalogue, min_voters=min_voters, label=label))
    with file.open("x", encoding="utf-8", newline="") as written:
        # No quoting, as in Last.fm-360K: names hold quotes, and no tabs or line breaks.
        tsv = csv.writer(written, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
        tsv.writerows((listener, "", artist, plays) for listener, artist, plays in rows)
    people = len({listener for listener, *_ in rows})
    out.print(f"Wrote {counted(people, 'listener')} and {counted(len(rows), 'row')} to {file}.", markup=False)


def judge_listeners(
    store: StoreOption,
    folder: DatasetFolderOption,
    cache: CacheOption,
    plays: Annotated[
        str | None, typer.Option(help="The listening data that the model is trained on: a file, a folder, or -.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="A data set by name, instead of --plays; see `segue data list`.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="How it is trained, as in `segue train`.", show_default="best")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the training, and of who judges whom.")] = 0,
    min_voters: MinVotersOption = 2,
    as_json: JsonOption = False,
) -> None:
    """Say whether voters as further listeners would make a model better.

    Trains three times: on the plays alone, and with each half of the people as listeners, which the other half's votes
    then judge. Nothing is written.
    """
    import numpy as np

    from bot.evidence.listeners import judge
    from bot.feedback.reading import read_pairs
    from bot.learning import Table, scores_without_and_with
    from recommender.artists import artist_id
    from recommender.presets import chosen_recipe
    from recommender.recipes import fitted_to
    from recommender.training import train

    _, recipe = chosen_recipe(preset, None, store=store)
    with opened_store() as feedback, feedback.reading() as connection:
        votes = read_pairs(connection)
    counts = load(plays, data, folder=folder, cache=cache)
    fitted = fitted_to(recipe, counts.plays)

    def fit(of: "CSR") -> Table:
        neighbours = train(of, fitted, rng=np.random.default_rng(seed)).neighbours
        return Table(neighbours.idx, neighbours.score)

    ids = np.array([artist_id(name) for name in counts.artist_names], dtype=np.int64)
    rng = np.random.default_rng(seed)
    before, after = scores_without_and_with(votes, counts.plays, ids, fit, min_voters=min_voters, rng=rng)
    found = judge(votes, before, after, rng=rng)
    if as_json:
        print_json(asdict(found))
        return
    interval = f"Difference {found.after - found.before:+.3f}, 95 % interval {found.low:+.3f} to {found.high:+.3f}"
    out.print(
        f"{found.words} {interval}, p = {found.p:.3g}; {counted(found.judges, 'voter')}.", markup=False, soft_wrap=True
    )
