"""Names: how often made-up slips are understood, and names that are not in the list taken for others.

    python benchmarks/names_made_up.py --names NAMES.tsv.gz --targets hetrec --derived synthvariant

Slips: one, in longer names two, neighbouring keys, letters dropped, doubled or swapped, in names whose third column is
``--targets``. Absent names: taken out of the rest of the list, with all that share their key, and with names of the
third column ``--derived``, themselves made of other names, that hold them or are two slips away. ``--without FILE``
leaves the artists of a labelled file out. Nothing here is read from a labelled set.
"""

import argparse
import gzip
import random
from pathlib import Path

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA
from rich.console import Console

from recommender.aliases import shipped_aliases
from recommender.names import Found, resolver_of, tight_key
from recommender.naming.evaluation import LabelledQuery, evaluate, read_labelled
from recommender.naming.keys import folded, split_words

ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
console = Console(width=120)


def main() -> None:
    """Make both sets, index what is left, and print what the resolver does with them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=Path, required=True)
    parser.add_argument("--targets", required=True)
    parser.add_argument("--derived", required=True)
    parser.add_argument("--without", type=Path)
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)  # noqa: S311 - no secret
    with gzip.open(options.names, "rt", encoding="utf-8", newline="\n") as file:
        rows = [tuple(line.rstrip("\n").split("\t")[:3]) for line in file]
    labelled = read_labelled(options.without) if options.without else []
    known = {tight_key(text) for one in labelled for text in (one.query, one.expected) if text}
    slips = made_slips([row for row in rows if row[2] == options.targets], rng, n=options.n, without=known)
    absent, left = taken_out(rows, rng, n=options.n, without=known, targets=options.targets, derived=options.derived)
    names = [row[0] for row in left]
    resolver, _ = resolver_of(names, np.array([int(row[1]) for row in left]), aliases=shipped_aliases())
    for group, score in evaluate(resolver.resolve, slips, names=names).items():
        console.print(
            f"{group}: {score.n} queries, accepted {score.accepted / score.n:.3f}, wrong {score.wrong / score.n:.3f}"
        )
    answers = [outcome for name in absent if isinstance(outcome := resolver.resolve(name), Found)]
    layers = sorted({str(answer.layer) for answer in answers})
    counted = ", ".join(f"{layer} {sum(answer.layer == layer for answer in answers)}" for layer in layers)
    console.print(f"absent: {len(answers)} of {len(absent)} answered, {len(answers) / len(absent):.3f}: {counted}")


def made_slips(rows: list[tuple[str, ...]], rng: random.Random, *, n: int, without: set[str]) -> list[LabelledQuery]:
    """Make slips in names, half of them drawn by the root of their popularity."""
    rows = [
        row for row in rows if row[0].isascii() and len(tight_key(row[0])) >= 5 and tight_key(row[0]) not in without
    ]
    weights = [float(row[1]) ** 0.5 for row in rows]
    made: list[LabelledQuery] = []
    while len(made) < n:
        name = (rng.choices(rows, weights)[0] if rng.random() < 0.5 else rng.choice(rows))[0]
        n_slips = 2 if len(tight_key(name)) >= 8 and rng.random() < 0.36 else 1
        typed = name if rng.random() < 0.5 else name.lower()
        for _ in range(n_slips):
            typed = slipped(typed, rng)
        if tight_key(typed) != tight_key(name):
            made.append(LabelledQuery(f"typo{n_slips}", typed, name))
    return made


def slipped(text: str, rng: random.Random) -> str:
    """Make one slip of the pen."""
    place = rng.choice([place for place, letter in enumerate(text) if letter.isalnum()])
    before, letter, after = text[:place], text[place], text[place + 1 :]
    kind = rng.choice(["replaced", "added", "dropped", "swapped"])
    if kind == "replaced":
        return before + near(letter, rng) + after
    if kind == "added":
        return before + (letter if rng.random() < 0.4 else near(letter, rng)) + letter + after
    if kind == "swapped" and after and after[0] != letter:
        return before + after[0] + letter + after[1:]
    return before + after


def near(letter: str, rng: random.Random) -> str:
    """A neighbouring key, or now and then any letter."""
    row = next((row for row in ROWS if letter.lower() in row), "")
    place = row.find(letter.lower())
    beside = row[max(place - 1, 0) : place] + row[place + 1 : place + 2]
    return rng.choice(beside) if beside and rng.random() < 0.6 else rng.choice(LETTERS)


def taken_out(
    rows: list[tuple[str, ...]], rng: random.Random, *, n: int, without: set[str], targets: str, derived: str
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Take names out of the list, with what was made of them; return them and what is left."""
    tight = [tight_key(row[0]) for row in rows]
    kept = without | {key for key, row in zip(tight, rows, strict=True) if row[2] == targets}
    chosen: dict[str, str] = {}
    for place in rng.sample(range(len(rows)), len(rows)):
        name, _, source = rows[place]
        if source not in {targets, derived} and name.isascii() and len(tight[place]) >= 4 and tight[place] not in kept:
            chosen.setdefault(tight[place], name)
        if len(chosen) == n:
            break
    made = [place for place, row in enumerate(rows) if row[2] == derived]
    gone = {place for place, key in enumerate(tight) if key in chosen}
    for begin in range(0, len(made), 20_000):
        block = made[begin : begin + 20_000]
        slips = process.cdist(
            [tight[one] for one in block], list(chosen), scorer=OSA.distance, score_cutoff=2, dtype=np.uint8
        )
        gone |= {block[row] for row in np.flatnonzero((slips <= 2).any(axis=1)).tolist()}
    gone |= {place for place in made if runs(rows[place][0]) & chosen.keys()}
    return list(chosen.values()), [row for place, row in enumerate(rows) if place not in gone]


def runs(name: str) -> set[str]:
    """All neighbouring words of a name, joined."""
    words = split_words(folded(name))
    return {"".join(words[first:last]) for first in range(len(words)) for last in range(first + 1, len(words) + 1)}


if __name__ == "__main__":
    main()
