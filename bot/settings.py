"""Typed settings from the environment; built only by the composition root, which reads ``.env`` into it first."""

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from recommender.errors import SettingsError
from recommender.folders import at_home, default_folder

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

# In our words, where pydantic's are about Python.
_MESSAGES = {
    "bool_parsing": "use true or false",
    "literal_error": "use DEBUG, INFO, WARNING or ERROR",
    "string_too_long": "use at most 10 characters",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens; port 0 takes a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Settings(BaseSettings):
    """Everything an operator can set; each field names its variable."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    discord_token: SecretStr | None = Field(None, validation_alias="DISCORD_TOKEN")
    models: Path = Field(default_factory=lambda: default_folder("models"), validation_alias="SEGUE_MODELS")
    model: str | None = Field(None, validation_alias="SEGUE_MODEL")
    database_url: str = Field(
        default_factory=lambda: default_database_url(default_folder("segue.sqlite3")),
        validation_alias="SEGUE_DATABASE_URL",
    )
    prefix: str = Field("!", min_length=1, max_length=10, validation_alias="SEGUE_PREFIX")
    message_content: bool = Field(True, validation_alias="SEGUE_MESSAGE_CONTENT")
    log_level: LogLevel = Field("INFO", validation_alias="SEGUE_LOG_LEVEL")
    metrics_port: str | None = Field(None, validation_alias="SEGUE_METRICS_PORT")
    metrics_public: bool = Field(False, validation_alias="SEGUE_METRICS_PUBLIC")

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("models")
    @classmethod
    def _at_home(cls, value: Path) -> Path:
        return at_home(value)

    @field_validator("prefix")
    @classmethod
    def _visible(cls, value: str) -> str:
        if any(character.isspace() for character in value):
            raise ValueError("must not hold white space")
        return value


def default_database_url(path: Path) -> str:
    """Return the SQLAlchemy URL of a SQLite file."""
    return f"sqlite:///{quote(str(path), safe='/:')}"


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises
    ------
    SettingsError : a variable has a value that cannot be; names the variable, never a secret's value.
    """
    try:
        return Settings()  # type: ignore[call-arg]  # all fields come from the environment
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "a setting"
        value = "" if name == "DISCORD_TOKEN" else f" is {os.environ.get(name, '')!r}"
        what = _MESSAGES.get(first["type"], first["msg"].removeprefix("Value error, "))
        raise SettingsError(f"{name}{value}: {what}; correct it in the environment or .env") from None


def require_token(settings: Settings) -> str:
    """Return the bot's token.

    Raises
    ------
    SettingsError : there is none, or it cannot be one.
    """
    token = settings.discord_token.get_secret_value().strip() if settings.discord_token else ""
    if not token:
        raise SettingsError(
            "DISCORD_TOKEN is not set; copy the bot's token from discord.com/developers/applications into .env"
        )
    if not token.isascii() or any(character.isspace() for character in token):
        raise SettingsError("DISCORD_TOKEN holds characters that no token has; copy it again, without quotes or spaces")
    return token


def metrics_address(settings: Settings) -> Address | None:
    """Return where health and metrics are served: this machine alone, if nothing else was said; None: nowhere.

    Raises
    ------
    SettingsError : it is no port and no host:port, or other machines could reach it and nobody said that they may.
    """
    given = settings.metrics_port
    if given is None:
        return None
    host, _, port = given.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) < 65536):
        raise SettingsError(f"SEGUE_METRICS_PORT is {given!r}: write a port such as 9108, or 127.0.0.1:9108")
    if not is_loopback(host) and not settings.metrics_public:
        raise SettingsError(
            f"SEGUE_METRICS_PORT is {given!r}, which other machines can reach; name only a port, or set "
            "SEGUE_METRICS_PUBLIC=true if they may"
        )
    return Address(host, int(port))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
