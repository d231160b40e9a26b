"""``reload``: whoever runs the bot lets a newly chosen model answer, from within Discord."""

from typing import Any

from discord.ext import commands

from bot.asking import visit_in
from bot.reloads import Changed, Failed, NoReload, Reload, Unchanged
from bot.rendering import DISCORD
from bot.sending import send_in
from bot.surfaces import notice

Context = commands.Context[Any]


class OwnerCog(commands.Cog):
    """What only the bot's owner does; typed behind the prefix or a mention, for nobody else needs to see it offered.

    Parameters
    ----------
    bot : whose ``reload_model`` is asked when the command comes: it is there only once the bot runs.
    """

    def __init__(self, bot: Any) -> None:
        self._bot = bot

    async def cog_check(self, context: Context) -> bool:
        """Let in the owner, or the team, of the application; other bots may have a command of this name."""
        if not await self._bot.is_owner(context.author):
            raise commands.NotOwner
        return True

    @commands.command(hidden=True)
    async def reload(self, context: Context) -> None:
        """Open the model that is chosen now and answer with it, as SIGHUP does."""
        async with context.typing():  # a large model takes seconds
            outcome: Reload = NoReload() if self._bot.reload_model is None else await self._bot.reload_model()
        say = (await visit_in(context)).language.say
        match outcome:
            case Changed(before=before, after=after):
                text = say("Changed the model: {after} answers now, before it was {before}.",
                           before=DISCORD.name(before), after=DISCORD.name(after))  # fmt: skip
            case Unchanged(model=model):
                text = say("Nothing to change: {model} is the model that is chosen.", model=DISCORD.name(model))
            case Failed(model=model):
                text = say("The new model cannot be opened, the log says why; {model} goes on answering.",
                           model=DISCORD.name(model))  # fmt: skip
            case NoReload():
                text = say("Models are not changed while the bot runs in this way.")
        await send_in(context, notice(text))
