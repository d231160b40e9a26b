"""What members type is taken apart as they mean it: options behind names, two names in one text, names in messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mentions import artists_named
from bot.options import BadOption, Options, split_options
from bot.pairs import split_pair

KNOWN = {
    "metallica",
    "abba",
    "iron maiden",
    "björk",
    "simon & garfunkel",
    "belle and sebastian",
    "sigur ros",
    "311",
    "am",
}


def is_name(text: str) -> bool:
    return text.casefold() in KNOWN


@pytest.mark.parametrize(
    ("typed", "name", "options"),
    [
        ("50 cent --count 20 --deep", "50 cent", Options(20, "deep")),
        ("311", "311", Options()),
        ("311 --count=3", "311", Options(3)),
        ("65daysofstatic —deep", "65daysofstatic", Options(None, "deep")),
        ("björk --familiarity FAMILIAR", "björk", Options(None, "familiar")),
        ("--deep", "", Options(None, "deep")),  # no name at all, and so it is answered
        ("--count 5", "", Options(5)),
        ("--best", "--best", Options()),
        ("a-ha", "a-ha", Options()),
        ("blink - 182 --balanced", "blink - 182", Options()),
        ("guns n' roses   --count 5", "guns n' roses", Options(5)),
    ],
)
def test_options_stand_behind_the_name(typed, name, options):
    assert split_options(typed, Options()) == (name, options)


@pytest.mark.parametrize(
    "typed",
    ["x --count", "x --count 0", "x --count 51", "x --count ٣", "x --best", "x --deep y", "x --familiarity a"],
)
def test_an_option_that_cannot_be_is_said(typed):
    assert isinstance(split_options(typed, Options()), BadOption)


def test_what_was_typed_goes_before_what_was_given():
    assert split_options("x --count 2", Options(9, "deep")) == ("x", Options(2, "deep"))


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text):
    read = split_options(text, Options())
    assert isinstance(read, BadOption) or read[0] in text.strip()
    split_pair(text, is_name)
    assert len(artists_named(text, is_name)) <= 5


@pytest.mark.parametrize(
    ("typed", "pair"),
    [
        ("metallica | abba", ("metallica", "abba")),
        ("metallica and abba", ("metallica", "abba")),
        ("belle and sebastian and abba", ("belle and sebastian", "abba")),
        ("abba and simon & garfunkel", ("abba", "simon & garfunkel")),
        ("from metallica to abba", ("metallica", "abba")),
        ("metallica -> abba", ("metallica", "abba")),
        ("metallica und abba", ("metallica", "abba")),
        ("metallica, abba", ("metallica", "abba")),
        ("metallica vs. abba", ("metallica", "abba")),
        ("metallica", None),
        ("", None),
        ("| abba", None),
    ],
)
def test_two_names_in_one_text(typed, pair):
    assert split_pair(typed, is_name) == pair


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ("Iron Maiden", ["Iron Maiden"]),
        ("metallica", ["metallica"]),
        ("tonight I am going to hear Metallica and Iron Maiden", ["Iron Maiden", "Metallica"]),
        ("now playing: **ABBA** - Waterloo", ["ABBA"]),
        ("[Björk](https://example.org) is on", ["Björk"]),
        ("I am glad that you came", []),
        ("https://example.org/Metallica <@123456789012345678>", []),
    ],
)
def test_names_that_a_message_names(message, names):
    assert artists_named(message, is_name) == names
