"""Messages of everything besides similar artists, and what asks when one of several names is unclear."""

from bot.explorations import Command, Unclear
from bot.languages import Language
from bot.rendering import Card, Style, headline
from bot.replies import ArtistAnswer, BlendAnswer, Exploration
from bot.surfaces import Compose, Control, composer
from bot.views.closer import link_buttons
from bot.views.controls import AgainButton, ChoiceButton, RateSelect, label_of
from bot.writing import exploration_card

MOST_ARTISTS_IN_AN_ID = 4


def compose_exploration(answer: Exploration, language: Language) -> Compose:
    """Compose an answer with its controls."""

    def controls() -> list[list[Control]]:
        match answer:
            case BlendAnswer(rows=rows) if answer.votable:
                return [[RateSelect(rows, language)]]
            case ArtistAnswer(seed=seed):
                similar = ChoiceButton(seed.artist.artist_id, label=language.say("Similar artists"))
                return [[similar, *link_buttons(seed.artist)]]
            case _:
                return []

    return composer(lambda style: exploration_card(answer, style), language, controls=controls)


def compose_unclear(unclear: Unclear, command: Command, language: Language) -> Compose:
    """Ask which artist was meant; where all others are known, a button goes on with the command."""

    def controls() -> list[list[Control]]:
        known = unclear.known
        if known is None or len(known) > MOST_ARTISTS_IN_AN_ID:
            return []
        return [
            [
                AgainButton(
                    command,
                    tuple((choice.artist_id, unclear.sign) if one is None else one for one in known),
                    label=label_of(choice.name),
                )
                for choice in unclear.answer.choices
            ]
        ]

    def write(style: Style) -> Card:
        lines: tuple[str, ...] = ()
        if not controls() and unclear.answer.choices:
            lines = (style.language.listed([style.strong(choice.name) for choice in unclear.answer.choices]),)
        return Card(headline(unclear.answer, style), lines)

    return composer(write, language, controls=controls)
