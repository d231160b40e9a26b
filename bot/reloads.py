"""What became of the wish to answer with the model that is chosen now."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Changed:
    """Another model answers; both by their identities."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The model that answers is the chosen one."""

    model: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The chosen model cannot be opened, the log says why; ``model`` goes on answering."""

    model: str


@dataclass(frozen=True, slots=True)
class NoReload:
    """The bot was started without a way to open another model."""


Reload: TypeAlias = Changed | Unchanged | Failed | NoReload
