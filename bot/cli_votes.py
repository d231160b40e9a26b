"""``segue feedback rerank`` and ``segue feedback listeners``: votes flow back into models, when somebody says so."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.cli_feedback import opened_store
from recommender.errors import ParameterError
from recommender.store import ModelStore
from recommender.terminal import ModelOption, StoreOption, out
from recommender.wording import counted


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
    min_voters: Annotated[int, typer.Option(min=1, help="Leave out pairs that fewer people liked.")] = 2,
) -> None:
    """Write voters as further listeners for a training: each person is one at most, people who opted out are none.

    Then: cat plays.tsv votes.tsv | segue train --plays - --model NAME
    """
    from bot.feedback.reading import read_pairs
    from bot.learning import tiny_listeners
    from recommender.catalogue import Catalogue

    catalogue = Catalogue.open(ModelStore(store).folder(model))
    with opened_store() as feedback, feedback.reading() as connection:
        votes = read_pairs(connection)
    rows = list(tiny_listeners(votes, catalogue, min_voters=min_voters))
    with file.open("x", encoding="utf-8", newline="") as written:
        # No quoting, as in Last.fm-360K: names hold quotes, and no tabs or line breaks.
        tsv = csv.writer(written, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
        tsv.writerows((listener, "", artist, plays) for listener, artist, plays in rows)
    people = len({listener for listener, *_ in rows})
    out.print(f"Wrote {counted(people, 'listener')} and {counted(len(rows), 'row')} to {file}.", markup=False)
