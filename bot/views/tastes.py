"""What a member is told of a ``like`` or ``dislike``."""

from bot.answers import Answers
from bot.asking import Visit
from bot.feedback.records import OptedOut, Verdict
from bot.rendering import Card, Style, matched
from bot.replies import Named
from bot.surfaces import Compose, Control, composer
from bot.views.controls import ForgetTasteButton
from recommender.errors import FeedbackError


async def save_taste(answers: Answers, named: Named, verdict: Verdict | None, visit: Visit) -> Compose:
    """Keep what a member thinks of an artist (None takes it back), and compose what became of it."""
    changed: bool | OptedOut | None
    try:
        changed = await answers.members.taste(named.artist, verdict, visit.asker)
    except FeedbackError:
        changed = None

    def write(style: Style) -> Card:
        return Card(taste_line(named, verdict, changed, style))

    def controls() -> list[list[Control]]:
        if verdict is None or changed is None or isinstance(changed, OptedOut):
            return []
        return [[ForgetTasteButton(named.artist.artist_id, label=visit.language.say("Take back"))]]

    return composer(write, visit.language, controls=controls)


def taste_line(named: Named, verdict: Verdict | None, changed: bool | OptedOut | None, style: Style) -> str:
    """What became of it, in words that are true; None: it could not be saved."""
    artist = matched(named.artist, named.read_from, named.layer, style)
    match verdict, changed:
        case _, None:
            return style.say("That could not be saved. Try again in a moment.")
        case _, OptedOut():
            return style.say("You opted out of logging, so nothing was saved.")
        case "like", True:
            return style.say("Saved: you like {artist}.", artist=artist)
        case "like", _:
            return style.say("Already saved: you like {artist}.", artist=artist)
        case "dislike", True:
            return style.say("Saved: you do not like {artist}.", artist=artist)
        case "dislike", _:
            return style.say("Already saved: you do not like {artist}.", artist=artist)
        case _, True:
            return style.say("Taken back: nothing is kept of what you think of {artist}.", artist=artist)
        case _:
            return style.say("Nothing was kept of what you think of {artist}.", artist=artist)
