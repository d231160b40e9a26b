"""A slip of the pen is told from a name that is not here by what the letters look like."""

import numpy as np
import pytest

from recommender.names import Found, resolver_of
from recommender.naming.building import build_index
from recommender.naming.index import trigrams_of
from recommender.naming.weighing import _log_chances

NAMES = [
    "Moonshade", "Shadowland", "Moonlight", "Nightshadow", "Lightning Shade", "Moon Duo", "Headstone", "Hedgehog",
    "Fairyland", "Stoneage", "Bedstone", "Fairport", "Daylight", "Talesman", "Talespin", "Fairytales",
]  # fmt: skip


@pytest.fixture(scope="module")
def resolver():
    return resolver_of(NAMES, np.full(len(NAMES), 5))[0]


@pytest.mark.parametrize("typed", ["moonshqde", "moonshae", "shadowlznd", "fairyalnd", "lihgtning shade", "headstnoe"])
def test_letters_that_no_name_has_in_a_row_are_a_slip(resolver, typed):
    assert isinstance(resolver.resolve(typed), Found)


@pytest.mark.parametrize("typed", ["light shade", "headshadow", "moon land", "talesman fairport"])
def test_what_reads_like_a_name_is_not_taken_for_another(resolver, typed):
    assert not isinstance(resolver.resolve(typed), Found)


def test_chances_of_a_letter_after_two_others_are_counts_of_names():
    index = build_index(["abc", "abd", "abcd", "xyz"], np.ones(4, dtype=np.int64))
    # "ab" begins a trigram in three texts, twice followed by "c"; "zq" in none.
    packed, _ = trigrams_of(["abc"])
    wanted = packed[1:2]
    assert _log_chances(index, wanted) == pytest.approx(np.log(2.5 / 23))
    unseen, _ = trigrams_of(["zqj"])
    assert _log_chances(index, unseen[1:2]) == pytest.approx(np.log(0.5 / 20))
