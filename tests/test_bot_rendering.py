"""Answers are rendered within Discord's limits, whatever the artists are called, and read like sentences."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answers import ChoiceAnswer, Row, SimilarAnswer, TooFewAnswer
from bot.feedback.records import AlreadySaved, Saved, UnknownImpression
from bot.languages import ENGLISH, language_of
from bot.languages import NAMES as LANGUAGES
from bot.rendering import DISCORD, TERMINAL, footnotes, headline, row_line, vote_line
from bot.surfaces import Surface
from bot.views.answer import compose_answer
from loopback.limits import COMPONENTS_V2, check_message, walk
from recommender.catalogue import Artist
from recommender.wording import plain_name

BJORK = Artist(artist_idx=3, artist_id=-(2**63), name="Björk", listeners=120, mbid=None)


def similar_answer(name: str, *, n_rows: int = 10, read_from: str | None = None, logged: bool = True) -> SimilarAnswer:
    artist = dataclasses.replace(BJORK, name=name)
    rows = tuple(
        Row(rank, artist, 0.5, support=12, strength="fair", impression_id=2**63 - rank if logged else None)
        for rank in range(1, n_rows + 1)
    )
    return SimilarAnswer(artist, rows, read_from, synthetic=True)


def components(answer):
    return compose_answer(answer, ENGLISH)(Surface.LAYOUT)["view"].to_components()


def test_an_outweighed_name_is_told_of():
    outweighed = dataclasses.replace(BJORK, name="*Bjork*")
    answer = dataclasses.replace(similar_answer("Björk"), outweighed=outweighed)
    assert any("\\*Bjork\\*” in quotes" in note for note in footnotes(answer, DISCORD))
    assert not any("quotes" in note for note in footnotes(similar_answer("Björk"), DISCORD))


NAMES = st.one_of(
    st.text(min_size=1, max_size=400),
    st.sampled_from(
        ["*" * 400, "<" * 400, "[a](http://x)" * 20, "`" * 300, "\u202e" + "a" * 300, "𝕏" * 300, "@everyone"]
    ),
)


@given(NAMES, st.integers(0, 10), st.sampled_from(sorted(LANGUAGES)))
def test_every_answer_fits_into_one_message(name, n_rows, code):
    """Discord allows 4,000 characters, 40 components, and ids and labels of limited length."""
    answer = dataclasses.replace(similar_answer(name, n_rows=n_rows, read_from=name), has_more=True, page=2)
    for page in (1, 2):
        compose = compose_answer(dataclasses.replace(answer, page=page), language_of(code), learn=name[:50])
        check_message({"components": compose(Surface.LAYOUT)["view"].to_components(), "flags": COMPONENTS_V2}, set())
        for surface in (Surface.EMBED, Surface.PLAIN):
            message = compose(surface)
            embeds = [message["embed"].to_dict()] if "embed" in message else []
            content, view = message.get("content", ""), message.get("view")
            rows = view.to_components() if view else []
            check_message({"content": content, "embeds": embeds, "components": rows, "flags": 0}, set())


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_every_choice_fits_into_a_button(names):
    choices = tuple(Artist(idx, idx, name, 1, None) for idx, name in enumerate(names))
    payload = components(ChoiceAnswer("x" * 90, choices, nearest=True))
    found = [item for _, item in walk(payload) if "custom_id" in item]
    assert len(found) == len(names)
    assert all(1 <= len(item["label"]) <= 80 for item in found)


@given(st.text(max_size=300))
def test_names_are_one_visible_line(text):
    line = plain_name(text)
    assert 1 <= len(line) <= 80
    assert line.isprintable()


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (similar_answer("Björk"), "Similar to Björk"),
        (similar_answer("Björk", read_from="bjork"), "Similar to Björk - read from “bjork”"),
        (similar_answer("Björk", n_rows=0), "Björk: no other artist shares enough listeners with them."),
        (
            TooFewAnswer(dataclasses.replace(BJORK, listeners=1), 5, None, synthetic=False),
            "Björk: only 1 person in the data listened to them; it takes 5 to say who is similar.",
        ),
        (ChoiceAnswer("", (), nearest=True), "Which artist? Type a name, for example: similar arcade fire"),
        (ChoiceAnswer("xyz", (), nearest=True), "No artist here is called “xyz”, and none is spelt like it."),
        (ChoiceAnswer("bjrk", (BJORK,), nearest=True), "No artist here is called “bjrk”. Did you mean:"),
        (ChoiceAnswer("b", (BJORK, BJORK), nearest=False), "“b” could be several artists. Which one?"),
    ],
)
def test_the_first_line_says_what_was_understood(answer, line):
    assert headline(answer, TERMINAL) == line


def test_a_row_says_why():
    row = similar_answer("Björk").rows[0]
    assert row_line(row, TERMINAL) == "1. Björk - close: shares 12 of its 120 listeners"
    assert row_line(row, DISCORD) == "1. **Björk** - close: shares 12 of its 120 listeners"
    nobody = dataclasses.replace(row, support=0)
    assert row_line(nobody, TERMINAL) == "1. Björk - close: heard with the same artists, by its own 120 listeners"


def test_synthetic_data_is_always_called_so():
    assert any("synthetic" in note for note in footnotes(similar_answer("Björk"), DISCORD))
    assert any("synthetic" in note for note in footnotes(TooFewAnswer(BJORK, 5, None, synthetic=True), TERMINAL))
    assert footnotes(dataclasses.replace(similar_answer("Björk"), synthetic=False), TERMINAL) == []


def test_votes_that_cannot_be_saved_are_not_offered():
    answer = similar_answer("Björk", logged=False)
    assert footnotes(answer, TERMINAL)[0] == "Votes cannot be saved at the moment."
    assert not [item for _, item in walk(components(answer)) if item.get("custom_id") == "rate"]


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (Saved(1, 0, 7), "Saved: 👍 for Björk."),
        (Saved(-1, 1, 7), "Changed: 👎 for Björk."),
        (Saved(0, 1, 7), "Taken back: you have no vote on Björk here now."),
        (AlreadySaved(1, 7), "Already saved: 👍 for Björk."),
        (AlreadySaved(0, 7), "You have no vote on Björk here."),
    ],
)
def test_a_vote_is_answered_with_what_is_true(outcome, line):
    assert vote_line(outcome, "Björk", TERMINAL) == line


def test_a_vote_on_nothing_is_not_called_saved():
    assert "was not saved" in vote_line(UnknownImpression(3), "", TERMINAL)
