"""The labelled queries over real names are resolved as well as promised; where the data is absent, this is skipped."""

import os

import numpy as np
import pytest

from recommender.aliases import shipped_aliases
from recommender.names import resolver_of
from recommender.naming.evaluation import evaluate, read_labelled
from recommender.naming.keys import tight_key
from recommender.naming.lists import read_names
from recommender.naming.outcomes import NotFound
from worlds import SHARED_DATA

NAMES, QUERIES = SHARED_DATA / "names" / "names_300k.tsv.gz", SHARED_DATA / "names" / "dev.tsv"


@pytest.fixture(scope="module")
def listed():
    if not (NAMES.exists() and QUERIES.exists()):
        if os.environ.get("SEGUE_REQUIRE_ALL"):
            pytest.fail(f"{NAMES.parent} is absent")
        pytest.skip(f"{NAMES.parent} is absent")
    return read_names(NAMES)


@pytest.fixture(scope="module")
def resolver(listed):
    aliases = shipped_aliases()
    return resolver_of(*listed, aliases=aliases)[0]


def test_labelled_queries_over_300_000_names(listed, resolver):
    scores = evaluate(resolver.resolve, read_labelled(QUERIES), names=listed[0])
    assert scores["typo"].accepted / scores["typo"].n >= 0.95
    assert scores["typo"].wrong / scores["typo"].n <= 0.02
    assert scores["typo"].top_5 == scores["typo"].n
    assert scores["variant"].accepted / scores["variant"].n >= 0.99
    assert scores["alias"].accepted / scores["alias"].n >= 0.88
    assert scores["neg"].wrong == 0
    assert resolver.index.nbytes < 250e6


def test_a_sample_of_300_000_names_find_themselves_or_are_offered(listed, resolver):
    names, popularity = listed
    for idx in np.random.default_rng(3).choice(len(names), size=1500, replace=False).tolist():
        outcome = resolver.resolve(names[idx])
        if isinstance(outcome, NotFound):
            assert outcome.reason in {"link", "mention"}, names[idx]
            continue
        offered = getattr(outcome, "choices", None) or (outcome.artist_idx, *outcome.others)
        assert tight_key(names[idx]) in {tight_key(names[one]) for one in offered}, names[idx]
        assert popularity[offered[0]] >= popularity[idx]
