"""Claims about artist keys, ids, and which spellings are one artist."""

import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recommender.artists import (
    artist_id,
    artist_key,
    artist_keys,
    format_artist_id,
    merge_artists,
    parse_artist_id,
    refuse_collisions,
)
from recommender.errors import DataError, ParameterError
from worlds import MBID_BEATLES, MBID_BJORK


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Arcade Fire", "arcade fire"),
        ("  Arcade \t\u00a0\u3000Fire\n", "arcade fire"),
        ("ＡＢＢＡ", "abba"),
        ("Motörhead", "motörhead"),
        ("Moto\u0308rhead", "mot\u00f6rhead"),
        ("Die Straße", "die strasse"),
        ("BJÖRK", "björk"),
        ("½", "1⁄2"),
        ("", ""),
        (" \u2003 ", ""),
    ],
)
def test_key_folds_case_width_composition_and_blanks(name: str, key: str) -> None:
    assert artist_key(name) == unicodedata.normalize("NFKC", key)


@given(st.text())
@example("ᾳ͟ʹ")
@example("\u1fb3\u0345\u00b5")
def test_key_of_a_key_is_itself(name: str) -> None:
    assert artist_key(artist_key(name)) == artist_key(name)


ASSIGNED = [c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) not in {"Cn", "Co", "Cs"}]


def test_key_of_a_key_is_itself_for_every_character() -> None:
    for character in ASSIGNED:
        key = artist_key(f"a{character}\u0345")
        assert artist_key(key) == key, ascii(character)


def test_only_white_space_has_an_empty_key() -> None:
    for character in ASSIGNED:
        assert (artist_key(character) == "") == (character.strip() == ""), ascii(character)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_short_cut_for_ascii_agrees_with_unicode(name: str) -> None:
    assert artist_key(name) == " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def test_id_is_the_documented_hash() -> None:
    """The golden numbers were computed with b2sum -l 64: ids stand in buttons and in the log, and must never change."""
    assert format_artist_id(artist_id("Arcade  FIRE")) == "83645078f4f095b4"
    assert format_artist_id(artist_id("björk")) == "84f62049d39a2cbf"


@given(st.text(), st.integers(-(2**63), 2**63 - 1))
def test_ids_fit_64_bits_and_survive_writing(name: str, number: int) -> None:
    assert -(2**63) <= artist_id(name) < 2**63
    assert parse_artist_id(format_artist_id(number)) == number
    assert len(format_artist_id(number)) == 16


@pytest.mark.parametrize("text", ["", "12", "g" * 16, "0" * 17, "+00000000000000f", " " + "0" * 15, "０" * 16])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="16 hexadecimal digits"):
        parse_artist_id(text)


def test_number_beyond_64_bits_is_refused() -> None:
    with pytest.raises(ParameterError, match="64 bits"):
        format_artist_id(2**63)


def test_two_artists_with_one_id_are_refused() -> None:
    refuse_collisions(["a", "b"], [1, 2])
    with pytest.raises(DataError, match=r"'a' and 'c' have the same id 0000000000000001"):
        refuse_collisions(["a", "b", "c"], [1, 2, 1])


def merged(spellings: list[str], rows: list[int], links: list[tuple[int, int, int]], mbids: list[str]) -> tuple:
    table = np.array(links, np.int64).reshape(-1, 3)
    artists = merge_artists(
        spellings,
        n_rows=np.array(rows, np.int64),
        n_plays=np.array(rows, np.float64) * 10,
        link_spelling=table[:, 0],
        link_mbid=table[:, 1],
        link_rows=table[:, 2],
        mbids=mbids,
    )
    return artists.column_of_spelling.tolist(), artists.names, artists.mbids


def test_spellings_of_one_key_are_one_artist_under_the_most_heard() -> None:
    assert merged(["ABBA", "Blur", "Abba"], [2, 1, 5], [], []) == ([0, 1, 0], ["Abba", "Blur"], ["", ""])


def test_equally_heard_spellings_are_settled_by_text() -> None:
    assert merged(["abba", "ABBA"], [2, 2], [], [])[1] == ["ABBA"]


def test_ids_and_keys_link_spellings_over_several_steps() -> None:
    """Beatles -id 1- Fab Four -key- FAB FOUR -id 2- Los Beatles; Other shares only the unknown id with them."""
    spellings = ["Beatles", "Other", "Fab Four", "FAB FOUR", "Los Beatles"]
    links = [(0, 1, 9), (1, 0, 4), (2, 1, 1), (3, 2, 1), (4, 2, 3), (4, 0, 2)]
    columns, names, mbids = merged(spellings, [9, 4, 1, 1, 5], links, ["", MBID_BEATLES, MBID_BJORK])
    assert columns == [0, 1, 0, 0, 0]
    assert names == ["Beatles", "Other"]
    assert mbids == [MBID_BEATLES, ""]


@given(
    st.lists(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("aA \t\n\u0345\u0301ßẞΣς\u3000")), max_size=8))
)
@example(["Ab", "\u0301x", "ab\u00b5", "ᾳ͟ʹ"])
@example(["ABBA", " a  b "])
@example([])
def test_keys_of_many_names_are_those_of_each(names: list[str]) -> None:
    assert artist_keys(names) == [artist_key(name) for name in names]
