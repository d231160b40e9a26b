"""How a message looks: a layout of components, an embed, or plain text, by what a channel allows."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

import discord
from discord import ui
from discord.ext import commands

from bot.languages import Language
from bot.rendering import Card, Style, styles

Control: TypeAlias = ui.DynamicItem[Any] | ui.Button[Any]
"""A button or a select of a message."""


class Surface(Enum):
    """What a message is made of; the value names it in logs."""

    LAYOUT = "layout"
    EMBED = "embed"
    PLAIN = "plain text"


# What Discord allows in all texts of one message.
MAX_CHARACTERS = {Surface.LAYOUT: 4000, Surface.EMBED: 4096, Surface.PLAIN: 2000}

Compose: TypeAlias = Callable[[Surface], dict[str, Any]]
"""Makes the arguments of discord.py's ``send`` for one surface."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and the text that says the same."""

    png: bytes
    name: str
    alt: str


def permissions_at(source: discord.Interaction[Any] | commands.Context[Any]) -> discord.Permissions:
    """What the bot may do where it was asked; between two people everything that matters here is allowed."""
    interaction = source.interaction if isinstance(source, commands.Context) else source
    if interaction is not None:
        return discord.Permissions.all() if interaction.guild_id is None else interaction.app_permissions
    assert isinstance(source, commands.Context)
    return source.bot_permissions


def surfaces_for(permissions: discord.Permissions) -> tuple[Surface, ...]:
    """List what may be sent with these permissions, the best first; the next is for when Discord refuses one."""
    # Who may not embed links may not post what looks like it either.
    return (Surface.LAYOUT, Surface.EMBED, Surface.PLAIN) if permissions.embed_links else (Surface.PLAIN,)


def surface_of(message: discord.Message) -> Surface:
    """Tell what a message is made of; an edit cannot change it."""
    if message.flags.components_v2:
        return Surface.LAYOUT
    return Surface.EMBED if message.embeds else Surface.PLAIN


def notice(text: str) -> Compose:
    """Compose a sentence without anything to press; it fits wherever it is sent."""

    def compose(surface: Surface) -> dict[str, Any]:
        if surface is not Surface.LAYOUT:
            return {"content": text}
        view = ui.LayoutView(timeout=None)
        view.add_item(ui.TextDisplay(text))
        return {"view": view}

    return compose


def composer(
    write: Callable[[Style], Card],
    language: Language,
    *,
    controls: Callable[[], Sequence[Sequence[Control]]] = lambda: (),
    picture: Picture | None = None,
) -> Compose:
    """Compose a card with its controls.

    Parameters
    ----------
    write : writes the card in a style; asked again in a shorter one if it does not fit.
    controls : makes at most five rows, each one select or at most five buttons.
    """

    def compose(surface: Surface) -> dict[str, Any]:
        card = _that_fits(write, language, MAX_CHARACTERS[surface])
        rows = [row for row in controls() if row]
        message = _layout(card, rows, picture) if surface is Surface.LAYOUT else _classic(card, rows, picture, surface)
        if picture is not None:
            file = discord.File(io.BytesIO(picture.png), filename=picture.name, description=picture.alt[:1024])
            message["file"] = file
        return message

    return compose


def _that_fits(write: Callable[[Style], Card], language: Language, limit: int) -> Card:
    card = Card("")
    for style in styles(language):
        card = write(style)
        if len(card.text) <= limit:
            return card
    # Nothing that we write is so long; should it ever be, whole lines go, never the first.
    lines = list(card.lines)
    while lines and len(Card(card.headline, tuple(lines)).text) > limit:
        lines.pop()
    return Card(card.headline[:limit], tuple(lines))


def _layout(card: Card, rows: Sequence[Sequence[Control]], picture: Picture | None) -> dict[str, Any]:
    container: ui.Container[ui.LayoutView] = ui.Container(ui.TextDisplay(card.headline))
    if card.lines:
        container.add_item(ui.TextDisplay("\n".join(card.lines)))
    if picture is not None:
        gallery: ui.MediaGallery[ui.LayoutView] = ui.MediaGallery()
        gallery.add_item(media=f"attachment://{picture.name}", description=picture.alt[:1024])
        container.add_item(gallery)
    for row in rows:
        container.add_item(ui.ActionRow(*row))
    if card.notes:
        container.add_item(ui.TextDisplay("\n".join(card.notes)))
    view = ui.LayoutView(timeout=None)
    view.add_item(container)
    return {"view": view}


def _classic(
    card: Card, rows: Sequence[Sequence[Control]], picture: Picture | None, surface: Surface
) -> dict[str, Any]:
    message: dict[str, Any] = {}
    if rows:
        view = ui.View(timeout=None)
        for number, row in enumerate(rows):
            for control in row:
                control.row = number
                view.add_item(control)
        message["view"] = view
    if surface is Surface.PLAIN:
        return {"content": card.text, "suppress_embeds": True, **message}
    embed = discord.Embed(description=card.text)
    if picture is not None:
        embed.set_image(url=f"attachment://{picture.name}")
    return {"embed": embed, **message}
