"""How surely a text is a slip of the pen in a name, and not a name that is not here.

Both leave a text near a known name. A slip tends to make letters that no name has in a row, in a word that no name
has; a name that is absent reads like a name. The weights are a logistic regression over 3,000 slips made up on a
keyboard model in names that are here, and 2,500 names taken out of a list of 300,000; measured on as many others.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from recommender.naming.index import NameIndex, groups_with_word, trigrams_of
from recommender.naming.spelling import Spelt

SURE = -0.5
"""From these log odds on it is a slip: where as many typos are accepted as by fixed rules, for half the mistakes."""

# Listeners of the most-heard artist in the list that the weights were learnt on; others are scaled to it.
_MOST_LISTENERS = 611.0
_LAST_LETTER = np.uint64(2**21 - 1)
_BASE = 14.3
_COST_PER_LETTER = -30.5
_LETTERS = -4.0  # per e-fold
_ONE_WORD = -3.7
_ONE_WORD_COST = 1.0
_LETTERS_LIKE_A_NAME = -0.35  # per nat by which the query's own letters are likelier in names than those they replace
_KNOWN_WORD = -3.8
_COMMON_WORD = -0.37
_LETTER_LEFT_OUT = 2.4
_LETTER_TOO_MANY = -1.3
_LEAD = 0.28
_POPULAR = 0.28  # times the cost: for a popular artist a less likely slip will do
_OTHERS_NEAR = -0.55


def slip_log_odds(
    index: NameIndex,
    tight: str,
    best: Spelt,
    *,
    words: Sequence[str],
    name_words: Sequence[str],
    lead: float,
    n_near: int,
) -> float:
    """Weigh that a query is a slip in a name against its being another name.

    Parameters
    ----------
    tight, words : of the query.
    best : the likeliest name, whose words are ``name_words``.
    lead : nats by which it is likelier than the next.
    n_near : names near the query, >= 1.

    Returns
    -------
    Log odds; above :data:`SURE` the name is meant.
    """
    changed = [word for word in words if word not in name_words]
    # All words are the name's own, in another number or order: as good as known.
    known = math.log1p(min((groups_with_word(index, word) for word in changed), default=8000))
    is_one = len(words) == 1
    longer = len(tight) - len(best.text)
    most = max(int(index.group_listeners[0]), 1)
    popularity = max(math.log(max(index.listeners(best.group), 1) * _MOST_LISTENERS / most), 0.0)
    return (
        _BASE
        + _COST_PER_LETTER * best.cost / len(best.text)
        + _LETTERS * math.log(len(best.text))
        + (_ONE_WORD + _ONE_WORD_COST * best.cost if is_one else 0.0)
        + _LETTERS_LIKE_A_NAME * min(max(_likelier_in_names(index, tight, best.text), -20.0), 20.0)
        + _KNOWN_WORD * min(known, math.log(2))
        + _COMMON_WORD * min(max(known - 2.2, 0.0), 4.0)
        + (_LETTER_TOO_MANY if longer > 0 else _LETTER_LEFT_OUT if longer < 0 else 0.0)
        + _LEAD * min(lead, 8.0)
        + _POPULAR * popularity * best.cost
        + _OTHERS_NEAR * math.log(n_near)
    )


def _likelier_in_names(index: NameIndex, tight: str, text: str) -> float:
    """Nats by which the letters that only one text has are likelier in names than those that only the other has."""
    own, _ = trigrams_of([tight])
    replaced, _ = trigrams_of([text])
    own, replaced = own[~np.isin(own, replaced)], replaced[~np.isin(replaced, own)]
    return float(_log_chances(index, own).sum() - _log_chances(index, replaced).sum())


def _log_chances(index: NameIndex, trigrams: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Log chance of each trigram's last letter after its first two, from how many names have each."""
    if not len(index.trigram):
        return np.zeros(len(trigrams))
    begin = np.searchsorted(index.trigram, trigrams & ~_LAST_LETTER)
    end = np.searchsorted(index.trigram, trigrams | _LAST_LETTER, side="right")
    n_pair = index.trigram_offsets[end] - index.trigram_offsets[begin]
    place = np.minimum(np.searchsorted(index.trigram, trigrams), len(index.trigram) - 1)
    n_here = np.where(
        index.trigram[place] == trigrams, index.trigram_offsets[place + 1] - index.trigram_offsets[place], 0
    )
    chances: npt.NDArray[np.float64] = np.log((n_here + 0.5) / (n_pair + 20.0))
    return chances
