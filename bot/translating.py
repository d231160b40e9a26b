"""What Discord shows of the commands before they are given: descriptions and choices in each member's language."""

from discord import Locale, app_commands

from bot.languages import ENGLISH, NAMES, language_of

_OWN_NAMES = frozenset(
    {
        app_commands.TranslationContextLocation.command_name,
        app_commands.TranslationContextLocation.group_name,
        app_commands.TranslationContextLocation.parameter_name,
    }
)


class CommandTranslator(app_commands.Translator):
    """Translates descriptions, options and choices; the commands' own names are the same everywhere."""

    async def translate(
        self, string: app_commands.locale_str, locale: Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """Translate one text; None leaves it in English."""
        if context.location is app_commands.TranslationContextLocation.choice_name and string.message in NAMES:
            return NAMES[string.message]  # who looks for their language knows its own name, not its code
        language = language_of(locale.value)
        if language is ENGLISH or (
            context.location in _OWN_NAMES and not isinstance(context.data, app_commands.ContextMenu)
        ):
            return None
        said = language.say(string.message)
        return None if said == string.message else said
