"""Column types and checks that the tables are made of: what SQLite would let through, these do not."""

import operator
from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import BigInteger, Boolean, CheckConstraint, DateTime, Dialect, Double, Integer
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, stored as UTC; SQLite would silently drop the zone and hand back naive times."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - theirs
        """Refuse a naive time, which could mean any zone; turn every other into UTC."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"{value!r} has no time zone; use an aware time such as datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - theirs
        """Return an aware UTC time from every database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Whole(TypeDecorator[int]):
    """A whole number, also NumPy's: SQLite would store its bytes instead, and no CHECK can tell them from a number."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - theirs
        """Refuse fractions and text; turn every kind of whole number into Python's."""
        return None if value is None else operator.index(value)


class Id64(Whole):
    """A signed 64-bit number, such as an artist's id."""

    impl = BigInteger
    cache_ok = True


class Real(TypeDecorator[float]):
    """A number, also NumPy's; see :class:`Whole`. SQLAlchemy 2.0 would call it FLOAT, and 2.1 DOUBLE."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:  # noqa: ARG002 - theirs
        """Turn every kind of number into Python's."""
        return None if value is None else float(value)


# SQLite counts up only a column that is spelt INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")
# Ids stand in the buttons of old messages: an id freed by a deletion must never name another row.
NEVER_REUSE_IDS = {"sqlite_autoincrement": True}


def one_of(name: str, choices: Any, *, nullable: bool = False) -> CheckConstraint:
    """Allow the values of a ``Literal`` type, and NULL where the column may be."""
    listed = ", ".join(f"'{choice}'" for choice in get_args(choices))
    known = f"{name} IN ({listed})"
    return CheckConstraint(f"{name} IS NULL OR {known}" if nullable else known, name=f"{name}_known")


def within(name: str, low: float, high: float | None = None) -> CheckConstraint:
    """Allow numbers from low to high, both included; without high there is no upper end."""
    upper = "" if high is None else f" AND {name} <= {high}"
    return CheckConstraint(f"{name} >= {low}{upper}", name=f"{name}_in_range")


def length(name: str, low: int, high: int) -> CheckConstraint:
    """Allow texts of so many characters; SQLite does not hold a VARCHAR to its length."""
    return CheckConstraint(f"length({name}) BETWEEN {low} AND {high}", name=f"{name}_length")


def flag(name: str) -> Boolean:
    """Make a yes-or-no column type that takes nothing else."""
    return Boolean(create_constraint=True, name=name)  # SQLite has no booleans: without this it takes 7 for one
