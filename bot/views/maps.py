"""The message of a map: the picture, its content in words, and a way to the artist's own list."""

from bot.asking import Visit
from bot.maps import Maps
from bot.rendering import Card, Style, headline, matched, row_line
from bot.replies import Named, TooFewAnswer
from bot.surfaces import Compose, Control, Picture, composer
from bot.views.controls import ChoiceButton
from recommender.outcomes import TooFewListeners
from recommender.wording import SYNTHETIC_NOTE

MAX_ALT_CHARACTERS = 1000


async def compose_map(maps: Maps, named: Named, visit: Visit, *, may_attach: bool) -> Compose:
    """Draw and compose; where no picture can be shown, the words say the same."""
    made = await maps.of(named.artist)
    if isinstance(made, TooFewListeners):
        too_few = TooFewAnswer(made.seed, made.needed, named.read_from, maps.synthetic, named.layer)
        return composer(lambda style: Card(headline(too_few, style)), visit.language)
    show = made.png is not None and may_attach

    def write(style: Style) -> Card:
        artist = matched(named.artist, named.read_from, named.layer, style)
        notes = [style.small(style.say(SYNTHETIC_NOTE))] if maps.synthetic else []
        if not show and made.rows:
            notes.insert(0, style.small(style.say("No picture can be shown here; the words say the same.")))
        return Card(
            style.say("The neighbourhood of {artist}, the nearest first", artist=artist),
            tuple(row_line(row, style) for row in made.rows),
            tuple(notes),
        )

    def controls() -> list[list[Control]]:
        return [[ChoiceButton(named.artist.artist_id, label=visit.language.say("Similar artists"))]]

    plain = Style(markdown=False, language=visit.language, name_limit=40)
    alt = " ".join(
        [
            visit.language.say(
                "A map with {artist} in the middle; who is near lies near.", artist=plain.name(named.artist.name)
            ),
            *(row_line(row, plain) for row in made.rows),
        ]
    )
    picture = None
    if show and made.png is not None:
        picture = Picture(made.png, "map.png", alt[:MAX_ALT_CHARACTERS])
    return composer(write, visit.language, controls=controls, picture=picture)
