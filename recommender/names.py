"""The way into :mod:`recommender.naming` for everybody outside: what a typed name can mean, and who resolves it."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from recommender.naming.building import build_index
from recommender.naming.completing import Completer
from recommender.naming.index import NameIndex
from recommender.naming.keys import MAX_QUERY_CHARACTERS, MAX_TYPED_CHARACTERS, clean_query, tight_key, without_accents
from recommender.naming.others import NO_OTHER_NAMES, OtherNames, prepared
from recommender.naming.outcomes import (
    LAYER_WORDS,
    REFUSALS,
    Ambiguous,
    Found,
    Layer,
    MatchKind,
    NotFound,
    Reason,
    Resolution,
)
from recommender.naming.queries import Tried
from recommender.naming.resolving import Explained, Resolver

__all__ = [
    "LAYER_WORDS",
    "MAX_QUERY_CHARACTERS",
    "MAX_TYPED_CHARACTERS",
    "NO_OTHER_NAMES",
    "REFUSALS",
    "Ambiguous",
    "Completer",
    "Explained",
    "Found",
    "Layer",
    "MatchKind",
    "NameIndex",
    "NotFound",
    "OtherNames",
    "Reason",
    "Resolution",
    "Resolver",
    "Tried",
    "build_index",
    "clean_query",
    "prepared",
    "resolver_of",
    "tight_key",
    "without_accents",
]


def resolver_of(
    names: Sequence[str],
    listeners: npt.NDArray[np.integer],
    *,
    aliases: Iterable[tuple[str, str]] = (),
    other_names: OtherNames = NO_OTHER_NAMES,
) -> tuple[Resolver, Completer]:
    """Index names in memory, for a list that is no model.

    Parameters
    ----------
    names : of all artists.
    listeners : shape (n_artists,), how many heard each.
    aliases : pairs of another name and an artist's name.
    other_names : see :class:`recommender.naming.resolving.Resolver`.
    """
    index = build_index(names, listeners, aliases)
    name_of = names.__getitem__
    return Resolver(index, name_of, other_names=other_names), Completer(index, name_of, other_names=other_names)
