"""A tiny bot for the test of the loopback Discord: one prefix command, one hybrid command, one dynamic button."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Self

import discord
from discord import app_commands, ui
from discord.ext import commands


class CountButton(ui.DynamicItem[ui.Button[Any]], template=r"count:(?P<n>\d+)"):
    def __init__(self, n: int) -> None:
        super().__init__(ui.Button(label=f"count {n}", custom_id=f"count:{n}"))
        self.n = n

    @classmethod
    async def from_custom_id(cls, _interaction: Any, _item: Any, match: re.Match[str], /) -> Self:
        return cls(int(match["n"]))

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"counted {self.n}", ephemeral=True)


class Panel(ui.LayoutView):
    def __init__(self) -> None:
        super().__init__(timeout=None)
        self.add_item(ui.Container(ui.TextDisplay("# panel"), ui.ActionRow(CountButton(1), CountButton(2))))


class PingBot(commands.Bot):
    def __init__(self) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
        intents.message_content = "no-content" not in sys.argv
        prefix = commands.when_mentioned_or("!")
        super().__init__(prefix, intents=intents, help_command=None, allowed_mentions=discord.AllowedMentions.none())

    async def setup_hook(self) -> None:
        self.add_dynamic_items(CountButton)
        if "sync" in sys.argv:
            await self.tree.sync()


bot = PingBot()


@bot.command()
async def ping(ctx: commands.Context[PingBot], *, rest: str = "") -> None:
    async with ctx.typing():
        await ctx.send(f"pong {rest}".strip())


@bot.command()
async def shout(ctx: commands.Context[PingBot], length: int) -> None:
    try:
        await ctx.send("a" * length)
    except discord.HTTPException as err:
        await ctx.send(f"refused: {err.status} {err.code} {err.text}")


@bot.command()
async def panel(ctx: commands.Context[PingBot]) -> None:
    await ctx.send(view=Panel())


@bot.command()
async def stop(ctx: commands.Context[PingBot]) -> None:
    await ctx.bot.close()


@bot.hybrid_command()
async def echo(ctx: commands.Context[PingBot], *, words: str) -> None:
    """Say it again."""
    await ctx.defer(ephemeral=True)
    await ctx.send(words)


@echo.autocomplete("words")
async def complete(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    n = 30 if typed == "many" else 2
    return [app_commands.Choice(name=f"{typed} {i}", value=str(i)) for i in range(n)]


async def main() -> None:
    import asyncio
    import signal

    discord.utils.setup_logging()
    async with bot:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: asyncio.ensure_future(bot.close()))
        await bot.start(os.environ["DISCORD_TOKEN"])


if __name__ == "__main__":
    import asyncio

    asyncio.run(main())
