"""The menu on a message: artists similar to the one that it names."""

import asyncio
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.answers import Answers
from bot.asking import visit_of
from bot.mentions import artists_named
from bot.replies import ChoiceAnswer
from bot.sending import fill_in
from bot.surfaces import notice
from bot.views.answer import compose_answer
from recommender.outcomes import Artist

MENU_NAME = "Similar artists"


class MenuCog(commands.Cog):
    """The menu entry; discord.py allows no decorator for it inside a class."""

    def __init__(self, bot: Any) -> None:
        self._bot = bot
        self._answers: Answers = bot.answers
        self._menu = app_commands.ContextMenu(name=app_commands.locale_str(MENU_NAME), callback=self.similar_to_message)

    async def cog_load(self) -> None:
        """Add the entry."""
        self._bot.tree.add_command(self._menu)

    async def cog_unload(self) -> None:
        """Take it away."""
        self._bot.tree.remove_command(self._menu.name, type=self._menu.type)

    async def similar_to_message(self, interaction: discord.Interaction[Any], message: discord.Message) -> None:
        """Answer for the artist that a message names, or ask which; the message itself is kept nowhere."""
        visit = await visit_of(interaction, "context_menu")
        await self._bot.enter(visit, interaction.channel, command="similar")
        await interaction.response.defer(thinking=True)
        found = await asyncio.to_thread(self._named, text_of(message))
        if not found:
            sentence = visit.language.say("I know no artist that this message names.")
            await fill_in(interaction, notice(sentence))
            return
        if len(found) > 1:
            several = ChoiceAnswer("", tuple(found), nearest=False)
            await fill_in(interaction, compose_answer(several, visit.language, wish=visit.wish()))
            return
        answer = await self._answers.similar_to(found[0].artist_id, visit.asker, wish=visit.wish())
        if answer is not None:
            async with self._answers.delivering(answer):
                await fill_in(interaction, compose_answer(answer, visit.language))

    def _named(self, text: str) -> list[Artist]:
        catalogue = self._answers.catalogue
        found: dict[int, Artist] = {}
        for name in artists_named(text, catalogue.is_name):
            row = getattr(catalogue.resolve(name), "artist_idx", None)
            if row is not None:
                artist = catalogue.artist(row)
                found[artist.artist_id] = artist
        return list(found.values())[:5]


def text_of(message: discord.Message) -> str:
    """All text of a message, also what other bots put into embeds."""
    texts = [message.content]
    for embed in message.embeds:
        texts += [embed.author.name or "", embed.title or "", embed.description or ""]
        texts += [text for field in embed.fields for text in (field.name or "", field.value or "")]
    return "\n".join(filter(None, texts))
