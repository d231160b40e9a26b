"""One place where every error of a command becomes a sentence for the member, in their language."""

import logging
from dataclasses import dataclass
from typing import Any

from discord import app_commands
from discord.ext import commands

from bot.cogs.server import NotAMember
from bot.gate import Elsewhere, Later
from bot.languages import Language
from bot.views.apology import APOLOGY, error_id

log = logging.getLogger(__name__)

Context = commands.Context[Any]


class TurnedAway(commands.CheckFailure, app_commands.CheckFailure):
    """A command that the gate did not let in."""

    def __init__(self, reason: Elsewhere | Later) -> None:
        super().__init__(f"not let in: {reason}")
        self.reason = reason


class SwitchedOff(commands.CheckFailure):
    """A prefix command in a server that wants none; nothing is said."""


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and whether it is an error of ours."""

    sentence: str
    ours: bool = False


def told(error: Exception, language: Language, *, usage: str = "") -> Told:
    """Say what is wrong.

    Parameters
    ----------
    error : what a command raised, wrapped by discord.py or not.
    usage : how the command is used.
    """
    say = language.say
    cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    match cause:
        case TurnedAway(reason=Elsewhere(channels=channels)):
            places = language.listed([f"<#{channel}>" for channel in channels[:10]])
            return Told(say("Here I keep quiet; ask me in {channels}.", channels=places))
        case TurnedAway(reason=Later(seconds=seconds)):
            wait = max(1, round(seconds + 0.5))
            return Told(
                language.count(
                    "That was a lot at once; ask again in {n} second.",
                    "That was a lot at once; ask again in {n} seconds.",
                    wait,
                )
            )
        case commands.NoPrivateMessage() | app_commands.NoPrivateMessage():
            return Told(say("That works only in a server."))
        case NotAMember():
            return Told(say("I am no member of this server, so nothing is set here; its admins can invite me."))
        case commands.MissingPermissions() | app_commands.MissingPermissions():
            return Told(say("Only people who may manage the server can do that."))
        case commands.UserInputError() if usage:
            return Told(say("That is used like this: {usage}", usage=f"`{usage}`"))
        case _:
            number = error_id()
            log.error("a command failed: error=%s", number, exc_info=error)
            return Told(say(APOLOGY, id=number), ours=True)
