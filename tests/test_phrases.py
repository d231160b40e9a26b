"""Phrases of several names are cut where it makes sense, and names that look like phrases stay whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.names import resolver_of
from recommender.naming.phrases import MAX_NAMES, Blend, Journey, NoPhrase, OneName, parse_phrase

NAMES = [
    "Radiohead", "Björk", "Coldplay", "Florence + the Machine", "Belle & Sebastian", "blink-182", "+44", "a-ha",
    "Simon and Garfunkel", "ABBA", "From Autumn to Ashes", "A Day to Remember", "Converge", "Tyler, the Creator",
    "Echo & the Bunnymen", "Earth, Wind & Fire", "The The",
]  # fmt: skip


@pytest.fixture(scope="module")
def is_name():
    return resolver_of(NAMES, np.full(len(NAMES), 10))[0].is_name


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("radiohead", OneName("radiohead")),
        ("radiohead + björk - coldplay", Blend(("radiohead", "björk"), ("coldplay",))),
        ("radiohead − coldplay", Blend(("radiohead",), ("coldplay",))),
        ("radiohead plus abba minus coldplay", Blend(("radiohead", "abba"), ("coldplay",))),
        ("radiohead, bjork, abba", Blend(("radiohead", "bjork", "abba"))),
        ("Florence + the Machine", OneName("Florence + the Machine")),
        ("florence + the machine + belle & sebastian", Blend(("florence + the machine", "belle & sebastian"))),
        ("belle and sebastian and radiohead", Blend(("belle and sebastian", "radiohead"))),
        ("blink-182 - +44", Blend(("blink-182",), ("+44",))),
        ("a-ha + abba", Blend(("a-ha", "abba"))),
        ("simon & garfunkel, abba", Blend(("simon & garfunkel", "abba"))),
        ("tyler, the creator + earth, wind & fire", Blend(("tyler, the creator", "earth, wind & fire"))),
        ("radiohead and bjork", Blend(("radiohead", "bjork"))),
        ("somebody and her orchestra", OneName("somebody and her orchestra")),
        ("somebody + her orchestra", Blend(("somebody", "her orchestra"))),
        ("from autumn to ashes", OneName("from autumn to ashes")),
        ("from radiohead to abba", Journey("radiohead", "abba")),
        ("from a day to remember to converge", Journey("a day to remember", "converge")),
        ('from "from autumn to ashes" to abba', Journey("from autumn to ashes", "abba")),
        ('"here + there" + abba', Blend(("here + there", "abba"))),
        ("“radiohead”", OneName("radiohead")),
        ("radiohead + radiohead", OneName("radiohead")),
        ("radiohead+björk", Blend(("radiohead", "björk"))),
        ("radiohead +bjork-coldplay", Blend(("radiohead", "bjork"), ("coldplay",))),
        ("radiohead,bjork;abba", Blend(("radiohead", "bjork", "abba"))),
        ("radiohead&bjork", Blend(("radiohead", "bjork"))),
        ("blink-182+a-ha", Blend(("blink-182", "a-ha"))),
        ("+44+blink-182", Blend(("+44", "blink-182"))),
        ("jay+unknown-somebody", OneName("jay+unknown-somebody")),
        ("radiohead — coldplay", Blend(("radiohead",), ("coldplay",))),
        ("radiohead ＋ abba", Blend(("radiohead", "abba"))),
        ("radiohead +", OneName("radiohead")),
        ("radiohead - ", OneName("radiohead")),
        ("+ radiohead, abba,", Blend(("radiohead", "abba"))),
        ("- coldplay + abba", Blend(("abba",), ("coldplay",))),
        ("abba to radiohead", Journey("abba", "radiohead")),
        ("radiohaed -> bjrok", Journey("radiohaed", "bjrok")),
        ("somewhere to nowhere", OneName("somewhere to nowhere")),
        ("from from autumn to ashes to a-ha", Journey("from autumn to ashes", "a-ha")),
    ],
)
def test_phrases_mean_what_a_person_would_say(is_name, typed, meant):
    assert parse_phrase(typed, is_name=is_name) == meant


@pytest.mark.parametrize(
    "typed",
    ["", "\u200b", "x" * 2000, "a, " * 90, " + ".join("abcdefghijkl"), "- abba", "abba - ABBA", "+ + +", "- - -"],
)
def test_what_is_no_phrase_is_refused_with_a_sentence(is_name, typed):
    refusal = parse_phrase(typed, is_name=is_name)
    assert isinstance(refusal, NoPhrase)
    assert refusal.sentence[-1] in ".y"


@given(st.text(st.one_of(st.characters(), st.sampled_from(' +-,&"“”')), max_size=120))
def test_no_text_raises_and_no_name_is_empty(is_name, text):
    match parse_phrase(text, is_name=is_name):
        case Blend(wanted, unwanted):
            assert all((*wanted, *unwanted))
            assert wanted
            assert 2 <= len(wanted) + len(unwanted) <= MAX_NAMES
        case Journey(start, end):
            assert start
            assert end
        case OneName(name):
            assert name


@given(st.lists(st.sampled_from(NAMES), min_size=2, max_size=5, unique=True))
def test_known_names_joined_by_plus_come_apart_again(is_name, names):
    assert parse_phrase(" + ".join(names), is_name=is_name) == Blend(tuple(names))
