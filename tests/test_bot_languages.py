"""Every sentence is there in every language, with its places intact, and reads as its speakers write."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from string import Formatter

import discord
import pytest
from babel.messages.pofile import read_po
from discord import app_commands

import bot
from bot.languages import ENGLISH, NAMES, language_of
from bot.rendering import _NEEDS_NO_WORDS, LAYER_WORDS
from bot.translating import CommandTranslator
from recommender.names import REFUSALS
from recommender.naming.phrases import NoPhrase, parse_phrase
from recommender.wording import SYNTHETIC_NOTE

PACKAGE = Path(bot.__file__).parent
OTHERS = sorted(set(NAMES) - {"en"})
NOT_PHRASES = ("a" * 2000, "", " + ".join("abcdefghijklmnopq"), '" " - metallica')


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def _said_in(code: ast.AST) -> Iterator[str | tuple[str, ...]]:
    """Every call, also one among another's arguments, which Babel's own extraction passes over."""
    n_sentences = {"say": 1, "count": 2, "later": 1}
    for node in ast.walk(code):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            said = [one.value for one in node.args[: n_sentences.get(name, 0)] if isinstance(one, ast.Constant)]
            if said and len(said) == n_sentences[name] and all(isinstance(one, str) for one in said):
                yield said[0] if len(said) == 1 else tuple(said)


def said_in_the_code() -> set[str | tuple[str, ...]]:
    """Sentences that the bot says; those that only the code's own tables hold are added by hand."""
    found = {
        message
        for file in sorted(PACKAGE.rglob("*.py"))
        for message in _said_in(ast.parse(file.read_text(encoding="utf-8")))
    }
    found.discard("empty")  # say(REFUSALS["empty"])
    found |= set(REFUSALS.values()) | {SYNTHETIC_NOTE}
    found |= {word for layer, word in LAYER_WORDS.items() if layer not in _NEEDS_NO_WORDS}
    phrases = [parse_phrase(text, is_name=lambda _: False) for text in NOT_PHRASES]
    return found | {phrase.sentence for phrase in phrases if isinstance(phrase, NoPhrase)}


def shown_by_discord(tree: app_commands.CommandTree) -> set[str]:
    found = set()
    for command in tree.walk_commands():
        found.add(command.description)
        if isinstance(command, app_commands.Command):
            found |= {str(parameter.description) for parameter in command.parameters}
            names = {choice.name for parameter in command.parameters for choice in parameter.choices}
            found |= names - set(NAMES)  # languages are called what they call themselves
    return found | {menu.name for menu in tree.get_commands(type=discord.AppCommandType.message)}


def catalogue_of(code: str):
    with (PACKAGE / "locales" / code / "LC_MESSAGES" / "segue.po").open("rb") as file:
        return read_po(file)


@pytest.mark.parametrize("code", OTHERS)
async def test_every_sentence_is_translated_with_its_places_and_none_is_left_over(code, simcord_env):
    wanted = said_in_the_code() | shown_by_discord(simcord_env.bot.tree)
    catalogue = catalogue_of(code)
    translated = {message.id: message for message in catalogue if message.id}
    assert {message for message in wanted if message not in translated} == set()
    assert {message for message in translated if message not in wanted} == set()
    for message_id, message in translated.items():
        forms = [message.string] if isinstance(message_id, str) else list(message.string)
        assert len(forms) == (1 if isinstance(message_id, str) else catalogue.num_plurals)
        assert not message.fuzzy
        original = message_id if isinstance(message_id, str) else message_id[1]
        for form in forms:
            assert form.strip(), original
            assert places(form) == places(original), original


@pytest.mark.parametrize("code", OTHERS)
async def test_texts_of_commands_stay_within_discords_limits(code, simcord_env):
    language = language_of(code)
    for text in shown_by_discord(simcord_env.bot.tree):
        assert 1 <= len(language.say(text)) <= 100


@pytest.mark.parametrize("code", OTHERS)
def test_no_language_says_the_same_as_english_by_mistake(code):
    language = language_of(code)
    assert language is not ENGLISH
    assert language.say("Similar to {artist}", artist="x") != "Similar to x"


@pytest.mark.parametrize(
    ("locale", "code"),
    [
        ("de", "de"),
        ("es-ES", "es"),
        ("es-419", "es"),
        ("pt-BR", "pt-BR"),
        ("ja", "ja"),
        ("zh-CN", "zh-CN"),
        ("zh-TW", "en"),
        ("en-GB", "en"),
        ("fr", "fr"),
        ("tlh", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_a_locale_finds_its_language(locale, code):
    assert language_of(locale).code == code


def test_every_locale_of_discord_finds_a_language():
    assert {language_of(locale.value).code for locale in discord.Locale} == set(NAMES)


def test_numbers_plurals_and_lists_are_written_as_the_language_writes_them():
    german, japanese = language_of("de"), language_of("ja")
    assert ENGLISH.count("{n} row", "{n} rows", 1234) == "1,234 rows"
    assert german.count("Deleted: {n} row.", "Deleted: {n} rows.", 1) == "Gelöscht: 1 Zeile."
    assert german.count("Deleted: {n} row.", "Deleted: {n} rows.", 1234) == "Gelöscht: 1.234 Zeilen."
    assert japanese.count("Deleted: {n} row.", "Deleted: {n} rows.", 1) == "1行を削除しました。"
    assert ENGLISH.listed(["a", "b", "c"]) == "a, b, and c"
    assert german.listed(["a", "b", "c"]) == "a, b und c"
    assert ENGLISH.percent(0.25) == "25%"
    assert ENGLISH.percent(0.004) == "0.4%"
    assert "2026" in japanese.day(datetime(2026, 1, 2, tzinfo=UTC))


def test_what_fills_a_place_is_never_read_as_a_place():
    assert ENGLISH.say("Similar to {artist}", artist="{rank} {0}") == "Similar to {rank} {0}"


async def told_to_discord(tree: app_commands.CommandTree) -> dict[str, dict]:
    payloads = [await one.get_translated_payload(tree, CommandTranslator()) for one in tree.get_commands()]
    return {payload["name"]: payload for payload in payloads}


async def test_discord_is_told_of_commands_in_all_languages_but_their_names_stay(simcord_env):
    payload = await told_to_discord(simcord_env.bot.tree)
    similar = payload["similar"]
    assert not similar["name_localizations"]
    assert similar["description_localizations"]["de"] == "Finde Künstler, die einem ähneln, den du magst"
    assert set(similar["description_localizations"]) == {"de", "fr", "es-ES", "es-419", "pt-BR", "ja", "zh-CN"}
    assert re.search("Tippfehler", similar["options"][0]["description_localizations"]["de"])


async def test_choices_are_shown_in_the_members_language_and_keep_their_values(simcord_env):
    payload = await told_to_discord(simcord_env.bot.tree)
    familiarity = payload["similar"]["options"][2]["choices"]
    assert [choice["value"] for choice in familiarity] == ["familiar", "balanced", "deep"]
    assert [choice["name_localizations"]["de"] for choice in familiarity] == [
        "sehr bekannt",
        "ausgewogen",
        "wenig bekannt",
    ]
    settings = {
        one["name"]: one["options"][0]["choices"]
        for one in payload["settings"]["options"]
        if one["options"] and "choices" in one["options"][0]
    }
    switch = {choice["value"]: choice["name_localizations"] for choice in settings["votes"]}
    assert switch["on"]["ja"] == "オン"
    assert switch["off"]["fr"] == "désactivé"
    languages = {choice["value"]: choice["name_localizations"] for choice in settings["language"]}
    assert languages["automatic"]["de"] == "automatisch"
    assert (
        {code: languages[code]["en-US"] for code in NAMES} == {code: languages[code]["ko"] for code in NAMES} == NAMES
    )
