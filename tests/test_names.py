"""Typed text resolves to the right artist, to a question, or to a refusal; never to a wrong artist."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.names import MAX_QUERY_CHARACTERS, Ambiguous, Found, NotFound, Resolver, clean_query, tight_key

NAMES = [
    "Arcade Fire", "Björk", "The The", "!!!", "+44", "AC/DC", "N.W.A", "311", "Sigur Rós", "Guns N' Roses",
    "Florence + the Machine", "宇多田ヒカル", "The Beatles", "Beatle", "Nirvana", "Nirvana (UK)", "Bush",
    "BUSH!", "Death Cab for Cutie", "The Band", "Band", "Yes",
]  # fmt: skip
LISTENERS = np.array([90, 80, 5, 9, 9, 70, 30, 20, 60, 50, 40, 7, 100, 1, 95, 2, 30, 20, 10, 40, 35, 3])


@pytest.fixture(scope="module")
def resolver():
    return Resolver(NAMES, LISTENERS)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("arcade fire", "Arcade Fire"),
        ("  ARCADE\tfire ", "Arcade Fire"),
        ("bjork", "Björk"),
        ("The The", "The The"),
        ("!!!", "!!!"),
        ("+44", "+44"),
        ("acdc", "AC/DC"),
        ("ac dc", "AC/DC"),
        ("nwa", "N.W.A"),
        ("311", "311"),
        ("sigur ros", "Sigur Rós"),
        ("guns n roses", "Guns N' Roses"),
        ("florence and the machine", "Florence + the Machine"),
        ("宇多田ヒカル", "宇多田ヒカル"),
        ("beatles", "The Beatles"),
        ("ｂｊöｒｋ", "Björk"),
        ("arcade\u200b fire", "Arcade Fire"),
        ("the band", "The Band"),
        ("band", "Band"),
    ],
)
def test_names_and_their_usual_spellings_are_exact(resolver, typed, name):
    assert resolver.resolve(typed) == Found(NAMES.index(name), "exact", 1.0)


@pytest.mark.parametrize(
    ("typed", "name"),
    [("arcad fyre", "Arcade Fire"), ("arcadefir", "Arcade Fire"), ("deth cab for cutie", "Death Cab for Cutie")],
)
def test_a_slip_is_found_as_fuzzy_and_says_so(resolver, typed, name):
    outcome = resolver.resolve(typed)
    assert isinstance(outcome, Found)
    assert NAMES[outcome.artist_idx] == name
    assert outcome.match_kind == "fuzzy"
    assert 0.7 < outcome.match_score < 1


def test_two_artists_with_one_key_are_both_offered():
    resolver = Resolver(["Bush!", "Bush?", "Yes"], np.array([30, 20, 3]))
    assert resolver.resolve("bush") == Ambiguous((0, 1))


def test_of_two_artists_with_one_key_the_far_more_popular_is_meant():
    resolver = Resolver(["Bush!", "Bush?", "Yes"], np.array([300, 20, 3]))
    assert resolver.resolve("bush") == Found(0, "exact", 1.0)


@pytest.mark.parametrize(
    "typed", ["xqzzk", "", "   ", "\u200b\u202e", "yas", "taylor swift", "💩", "' OR 1=1 --", "<@123>"]
)
def test_what_names_no_artist_is_refused(resolver, typed):
    assert isinstance(resolver.resolve(typed), NotFound)


def test_a_refusal_offers_the_nearest_names(resolver):
    outcome = resolver.resolve("arcade fore fire")
    assert isinstance(outcome, NotFound)
    assert [NAMES[idx] for idx in outcome.nearest] == ["Arcade Fire"]


@pytest.mark.parametrize(
    ("typed", "name"), [("cutie", "Death Cab for Cutie"), ("guns", "Guns N' Roses"), ("fire", "Arcade Fire")]
)
def test_a_part_of_a_name_is_offered_before_names_spelt_like_it(resolver, typed, name):
    outcome = resolver.resolve(typed)
    assert isinstance(outcome, NotFound)
    assert NAMES[outcome.nearest[0]] == name


@pytest.mark.parametrize(("typed", "names"), [("creep", ["Creed"]), ("bowie", ["Zowie"]), ("mouse", ["Muse"])])
def test_a_short_word_is_never_taken_for_another(typed, names):
    assert Resolver(names, np.array([100])).resolve(typed) == NotFound((0,))


def test_marks_that_make_another_letter_are_kept():
    resolver = Resolver(["ガガ", "カカ"], np.array([5, 500]))
    assert resolver.resolve("ガガ") == Found(0, "exact", 1.0)
    assert resolver.resolve("カカ") == Found(1, "exact", 1.0)
    assert tight_key("ガ") != tight_key("カ")


def test_every_name_finds_itself(resolver):
    for idx, name in enumerate(NAMES):
        assert resolver.resolve(name) == Found(idx, "exact", 1.0)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_no_text_raises(text):
    resolver = Resolver(NAMES, LISTENERS)
    assert isinstance(resolver.resolve(text), Found | Ambiguous | NotFound)
    assert len(resolver.complete(text)) <= 25


@given(st.text(max_size=200))
def test_cleaning_is_idempotent_and_bounded(text):
    cleaned = clean_query(text)
    assert len(cleaned) <= MAX_QUERY_CHARACTERS
    assert clean_query(cleaned) == cleaned
    assert cleaned.isprintable()


@given(st.text(max_size=60))
def test_tight_key_is_idempotent(text):
    assert tight_key(tight_key(text)) == tight_key(text)


def test_a_huge_query_costs_no_more_than_a_long_one(resolver):
    assert isinstance(resolver.resolve("a\u0301" * 4000), NotFound)
    assert isinstance(resolver.resolve("x" * 1_000_000), NotFound)


def test_completion_puts_beginnings_first_then_words_then_slips(resolver):
    names = [NAMES[idx] for idx in resolver.complete("be")]
    assert names[:1] == ["Beatle"]
    assert "The Beatles" in names
    assert [NAMES[idx] for idx in resolver.complete("arcad fi")] == ["Arcade Fire"]
    assert [NAMES[idx] for idx in resolver.complete("machine")] == ["Florence + the Machine"]


def test_completion_of_nothing_is_the_most_heard(resolver):
    assert [NAMES[idx] for idx in resolver.complete("")][:3] == ["The Beatles", "Nirvana", "Arcade Fire"]


def test_completion_is_limited():
    resolver = Resolver([f"Band {number}" for number in range(100)], np.arange(100))
    assert len(resolver.complete("band")) == 25
    assert len(resolver.complete("band", limit=3)) == 3
