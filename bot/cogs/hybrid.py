"""discord.py's decorators for hybrid commands, with types that mypy can solve: it cannot solve their ParamSpec."""

from collections.abc import Callable
from typing import Any, Protocol, cast

from discord.ext import commands


class Command(Protocol):
    """A hybrid command, as far as it is decorated further."""

    def autocomplete(self, name: str, /) -> Callable[[Any], Any]:
        """Complete an option while a member types."""


class Group(Protocol):
    """A hybrid group of commands."""

    def command(self, **options: Any) -> Callable[[Any], Command]:
        """Add a command."""


hybrid_command: Callable[..., Callable[[Any], Command]] = commands.hybrid_command
hybrid_group: Callable[..., Callable[[Any], Group]] = cast("Any", commands.hybrid_group)
