"""The languages that Segue speaks: English in the code, the others in gettext catalogues beside it.

A catalogue is the ``.po`` file itself, read when its language is first spoken: a wheel and a checkout need no
compiling. Sentences hold named places, ``{name}``; a translation may move them, and leaves none out.
"""

import gettext
import io
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from importlib import resources

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

NAMES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "pt-BR": "Português do Brasil",
    "ja": "日本語",
    "zh-CN": "简体中文",
}
"""Codes of the languages, as Discord writes them, and what each calls itself."""

_BABEL = {"en": "en_US", "pt-BR": "pt_BR", "zh-CN": "zh_Hans_CN"}


@dataclass(frozen=True, slots=True)
class Language:
    """One language: sentences, counted things, numbers and lists as its speakers write them.

    Parameters
    ----------
    code : one of :data:`NAMES`.
    """

    code: str
    _catalogue: gettext.NullTranslations = field(repr=False, compare=False, default_factory=gettext.NullTranslations)

    @property
    def locale(self) -> Locale:
        """The rules for numbers and lists."""
        return _locale(self.code)

    def say(self, sentence: str, /, **values: object) -> str:
        """Translate a sentence, then fill its places; numbers are written as the language writes them."""
        return self._catalogue.gettext(sentence).format(**self._written(values)) if sentence else ""

    def count(self, one: str, many: str, n: int, /, **values: object) -> str:
        """Translate what is said of ``n`` things; ``{n}`` is the number in it."""
        return self._catalogue.ngettext(one, many, n).format(**self._written({"n": n, **values}))

    def number(self, value: float) -> str:
        """Write a number: 1,234 or 1.234 or 1 234."""
        return _number(value, self.code)

    def percent(self, share: float) -> str:
        """Write a share, such as 0.25, in whole percent; small ones not as 0."""
        return format_percent(share, format="#,##0.#%" if 0 < share < 0.01 else None, locale=self.locale)

    def day(self, moment: datetime) -> str:
        """Write a day."""
        return format_date(moment, format="medium", locale=self.locale)

    def listed(self, things: list[str]) -> str:
        """Join things: "a, b and c"."""
        return format_list(things, locale=self.locale) if things else ""

    def _written(self, values: dict[str, object]) -> dict[str, object]:
        return {
            name: self.number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
            for name, value in values.items()
        }


def later(sentence: str) -> str:
    """Mark a sentence for translation that is said elsewhere."""
    return sentence


ENGLISH = Language("en")


def language_of(locale: str | None) -> Language:
    """Find the language for a locale of Discord's (``de``, ``es-419``, ``zh-CN``); English where there is none."""
    if not locale:
        return ENGLISH
    if locale in NAMES:
        return _load(locale)
    # No zh-TW: who reads traditional characters is not helped by simplified ones.
    kin = {"es-ES": "es", "es-419": "es", "pt": "pt-BR", "zh": "zh-CN"}.get(locale, locale.partition("-")[0])
    return _load(kin) if kin in NAMES and kin != "zh" else ENGLISH


@cache
def _load(code: str) -> Language:
    if code == "en":
        return ENGLISH
    source = resources.files("bot") / "locales" / code / "LC_MESSAGES" / "segue.po"
    compiled = io.BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=_BABEL.get(code, code)))
    compiled.seek(0)
    return Language(code, gettext.GNUTranslations(compiled))


@lru_cache(maxsize=8192)  # a tenth of an answer's time went into writing its numbers
def _number(value: float, code: str) -> str:
    return format_decimal(value, locale=_locale(code))


@cache
def _locale(code: str) -> Locale:
    return Locale.parse(_BABEL.get(code, code))
