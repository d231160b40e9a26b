"""What a server's admins chose: read and written, in the transaction that is given."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from bot.feedback.records import ServerChoices
from bot.feedback.subjects import key_for, known_key
from bot.feedback.tables import GuildSettings


def choices_of(connection: Connection, guild: str) -> ServerChoices:
    """Read what a server chose; nothing for one that never did."""
    key = known_key(connection, "guild", guild)
    if key is None:
        return ServerChoices()
    row = connection.execute(
        select(
            GuildSettings.prefix,
            GuildSettings.language,
            GuildSettings.allowed_channels,
            GuildSettings.rows_per_answer,
            GuildSettings.cooldown_seconds,
            GuildSettings.votes_enabled,
            GuildSettings.exploration_enabled,
            GuildSettings.prefix_commands_enabled,
        ).where(GuildSettings.guild_key == key)
    ).one_or_none()
    if row is None:
        return ServerChoices()
    chosen: tuple[Any, ...] = tuple(row)
    prefix, language, channels, *rest = chosen
    return ServerChoices(prefix, language, tuple(channels or ()), *rest)


def choose(connection: Connection, guild: str, choices: ServerChoices, *, now: datetime) -> None:
    """Write what a server chose, in the place of what it chose before."""
    key = key_for(connection, "guild", guild)
    connection.execute(delete(GuildSettings).where(GuildSettings.guild_key == key))
    row = asdict(choices) | {"allowed_channels": list(choices.allowed_channels) or None}
    connection.execute(insert(GuildSettings), {"guild_key": key, "updated_at": now, **row})
