"""Names: how well and how fast typed text is resolved, beside plain rapidfuzz and plain trigrams.

    python benchmarks/names.py --names NAMES.tsv.gz --queries QUERIES.tsv

Every method runs in this process on one thread, over the same names and queries; times are processor time, after a
first pass that warms caches. "accepted" and "wrong" are answers given without asking: the others answer from a score
of 90 of 100 on, or a cosine of 0.6. ``--source hetrec`` keeps the names whose third column says so. The last lines are
ratios.
"""

import argparse
import gc
import gzip
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_array

from recommender.aliases import shipped_aliases
from recommender.names import Completer, Found, NameIndex, NotFound, Resolution, Resolver, build_index
from recommender.naming.evaluation import LabelledQuery, Score, evaluate, read_labelled
from recommender.naming.keys import clean_query, folded
from recommender.naming.lists import read_names

ACCEPT_SCORE = 90.0
ACCEPT_COSINE = 0.6
console = Console(width=120)


def main() -> None:
    """Index the names, run every method, print the tables and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=Path, required=True)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--source", help="keep only names whose third column is this")
    parser.add_argument("--every", type=int, default=4, help="the slow methods answer every nth query")
    parser.add_argument("--rounds", type=int, default=3, help="passes over the queries, after the first")
    options = parser.parse_args()
    names, popularity = listed(options.names, options.source)
    queries = read_labelled(options.queries)
    index = built(names, popularity)
    resolver = Resolver(index, names.__getitem__)
    ours = repeated(resolver.resolve, queries, names, rounds=options.rounds)
    few = queries[:: options.every]
    others = {
        "rapidfuzz extractOne, WRatio": plain_rapidfuzz(names, fuzz.WRatio),
        "rapidfuzz extractOne, ratio": plain_rapidfuzz(names, fuzz.ratio),
        "trigrams, cosine of TF-IDF": plain_trigrams(names),
    }
    few_ours = repeated(resolver.resolve, few, names, rounds=1)
    few_others = {method: repeated(resolve, few, names, rounds=1) for method, resolve in others.items()}
    console.print(f"Segue, all {len(queries)} queries, {options.rounds} times:")
    console.print(groups_table(ours))
    console.print(f"Every {options.every}th query, every method:")
    console.print(methods_table({"Segue": few_ours, **few_others}))
    for method, scores in few_others.items():
        ratio = total(scores).percentile(50) / total(few_ours).percentile(50)
        console.print(f"{method}: {ratio:,.1f} times Segue's median time")
    completed(Completer(index, names.__getitem__), names, popularity)


def listed(path: Path, source: str | None) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Read the names, perhaps of one source only."""
    names, popularity = read_names(path)
    if source is None:
        return names, popularity
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        kept = [number for number, line in enumerate(file) if line.rstrip("\n").split("\t")[2:3] == [source]]
    return [names[number] for number in kept], popularity[kept]


def built(names: list[str], popularity: npt.NDArray[np.int64]) -> NameIndex:
    """Build the index, write it, open it mapped as the artifact does; print what each costs."""
    started = time.process_time()
    index = build_index(names, popularity, shipped_aliases())
    seconds = time.process_time() - started
    with tempfile.TemporaryDirectory() as folder:
        for name, array in index.arrays().items():
            np.save(Path(folder) / f"{name}.npy", array)
        started = time.perf_counter()
        mapped = NameIndex(
            **{name: np.asarray(np.load(Path(folder) / f"{name}.npy", mmap_mode="r")) for name in index.arrays()}
        )
        milliseconds = 1000 * (time.perf_counter() - started)
    console.print(
        f"{len(names):,} names: index of {index.nbytes / 1e6:.0f} MB built in {seconds:.1f} s, opened in "
        f"{milliseconds:.1f} ms"
    )
    return mapped


def repeated(
    resolve: Callable[[str], Resolution], queries: list[LabelledQuery], names: list[str], *, rounds: int
) -> dict[str, Score]:
    """Score the queries, with the times of all rounds after a first one."""
    gc.collect()
    gc.disable()  # the list of names is one process's own; a collection over it is no part of a query
    try:
        if rounds > 1:
            evaluate(resolve, queries, names=names)
        passes = [evaluate(resolve, queries, names=names) for _ in range(rounds)]
    finally:
        gc.enable()
    for group, score in passes[0].items():
        score.milliseconds = [one for scores in passes for one in scores[group].milliseconds]
    return passes[0]


def plain_rapidfuzz(names: list[str], scorer: Callable[..., float]) -> Callable[[str], Resolution]:
    """Take the name with the highest score, of folded names; an answer from the cut on."""
    keys = [folded(name) for name in names]

    def resolve(text: str) -> Resolution:
        best = process.extractOne(folded(clean_query(text)), keys, scorer=scorer)
        if best is None:
            return NotFound(())
        return Found(best[2], "fuzzy", best[1] / 100) if best[1] >= ACCEPT_SCORE else NotFound((best[2],))

    return resolve


def plain_trigrams(names: list[str]) -> Callable[[str], Resolution]:
    """Take the name with the highest cosine of TF-IDF weighted trigrams, of folded names; an answer from the cut on."""
    number_of: dict[str, int] = {}
    keys = [trigrams(folded(name)) for name in names]
    columns = [number_of.setdefault(one, len(number_of)) for key in keys for one in key]
    offsets = np.concatenate(([0], np.cumsum([len(key) for key in keys])))
    idf = np.log((len(names) + 1) / np.bincount(columns, minlength=len(number_of)))
    rows = np.repeat(np.arange(len(names)), np.diff(offsets))
    weights = idf[columns]
    norms = np.sqrt(np.bincount(rows, weights=weights**2, minlength=len(names)))
    scaled = weights / np.maximum(norms[rows], 1e-9)
    names_of_trigram = csr_array((scaled, columns, offsets), shape=(len(names), len(number_of))).tocsc()

    def resolve(text: str) -> Resolution:
        known = [number_of[one] for one in trigrams(folded(clean_query(text))) if one in number_of]
        if not known:
            return NotFound(())
        cosines = names_of_trigram[:, known] @ idf[known] / np.sqrt((idf[known] ** 2).sum())
        best = int(cosines.argmax())
        is_sure = cosines[best] >= ACCEPT_COSINE
        return Found(best, "fuzzy", min(float(cosines[best]), 1.0)) if is_sure else NotFound((best,))

    return resolve


def trigrams(text: str) -> list[str]:
    """Trigrams of a text with its ends marked, each once."""
    padded = f"  {text} "
    return sorted({padded[place : place + 3] for place in range(len(padded) - 2)})


def total(scores: dict[str, Score]) -> Score:
    """All groups' times together."""
    return Score(milliseconds=[one for score in scores.values() for one in score.milliseconds])


def groups_table(scores: dict[str, Score]) -> Table:
    """One row for each group of queries."""
    table = Table("group", "queries", "accepted", "wrong", "top 1", "top 5", "p50 ms", "p99 ms", "worst ms")
    for group, score in [*scores.items(), ("all", total(scores))]:
        counts = (score.accepted, score.wrong, score.top_1, score.top_5)
        shares = [f"{count / score.n:.3f}" if score.n else "" for count in counts]
        times = [f"{score.percentile(percent):.2f}" for percent in (50, 99, 100)]
        table.add_row(group, str(score.n or ""), *shares, *times)
    return table


def methods_table(methods: dict[str, dict[str, Score]]) -> Table:
    """One row for each method."""
    table = Table("method", "typo accepted", "wrong", "alias accepted", "wrong", "false accepts", "p50 ms", "p99 ms")
    for method, scores in methods.items():
        shares = []
        for group in ("typo", "alias"):
            score = scores.get(group, Score(n=1))
            shares += [f"{score.accepted / score.n:.3f}", f"{score.wrong / score.n:.3f}"]
        negatives = scores.get("neg", Score())
        times = [f"{total(scores).percentile(percent):.2f}" for percent in (50, 99)]
        table.add_row(method, *shares, f"{negatives.wrong} of {negatives.n}", *times)
    return table


def completed(completer: Completer, names: list[str], popularity: npt.NDArray[np.int64]) -> None:
    """Type the first characters of names that several people heard, also with the last two swapped; print times."""
    rng = np.random.default_rng(5)
    heard = np.flatnonzero(popularity >= min(2, popularity.max()))
    milliseconds: list[float] = []
    listed_after = {4: [0, 0], 6: [0, 0]}
    for idx in rng.choice(heard, size=min(400, len(heard)), replace=False).tolist():
        for n_typed in range(1, min(len(names[idx]), 14) + 1):
            typed = names[idx][:n_typed]
            started = time.process_time()
            suggested = completer.complete(typed)
            milliseconds.append(1000 * (time.process_time() - started))
            started = time.process_time()
            completer.complete(typed[:-2] + typed[-1:] + typed[-2:-1])
            milliseconds.append(1000 * (time.process_time() - started))
            if n_typed in listed_after:
                key = folded(names[idx])
                listed_after[n_typed][0] += any(folded(names[one]) == key for one in suggested)
                listed_after[n_typed][1] += 1
    shares = ", ".join(f"{hits / n:.3f} after {n_typed} characters" for n_typed, (hits, n) in listed_after.items())
    p50, p99, worst = np.percentile(milliseconds, (50, 99, 100))
    console.print(f"Completion: p50 {p50:.2f} ms, p99 {p99:.2f} ms, worst {worst:.2f} ms; the artist listed: {shares}")


if __name__ == "__main__":
    main()
