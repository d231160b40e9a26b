"""What stands under an answer about similar artists: rating, a closer look, other pages, other artists."""

from collections.abc import Sequence

from bot.languages import Language
from bot.rendering import MAX_LABEL_CHARACTERS, card
from bot.replies import Answer, ChoiceAnswer, SimilarAnswer, Wish
from bot.surfaces import Compose, Control, composer
from bot.views.controls import (
    MAX_TYPED_CHARACTERS,
    CloserSelect,
    DidYouMeanButton,
    NameButton,
    OtherButton,
    PageButton,
    RateSelect,
    label_of,
)
from bot.views.ids import Place


def compose_answer(
    answer: Answer,
    language: Language,
    *,
    wish: Wish | None = None,
    learn: str = "",
    below: Sequence[Control] = (),
) -> Compose:
    """Compose an answer with its controls.

    Parameters
    ----------
    wish : how the list is wanted once one of several artists is chosen.
    learn : what was typed for the artist that a member then chose; offered as another name.
    below : further buttons, at most five.
    """

    def controls() -> list[list[Control]]:
        match answer:
            case SimilarAnswer():
                return [*similar_controls(answer, language, learn=learn), list(below)]
            case ChoiceAnswer(choices=choices) if choices:
                places = [Place(0, choice.artist_id, wish or Wish()) for choice in choices]
                named = zip(choices, places, strict=True)
                return [[DidYouMeanButton(place, answer.typed, label=label_of(one.name)) for one, place in named]]
            case _:
                return [list(below)]

    return composer(lambda style: card(answer, style), language, controls=controls)


def similar_controls(answer: SimilarAnswer, language: Language, *, learn: str = "") -> list[list[Control]]:
    """Make the rows of controls under similar artists; 14 components at most, whatever is in them."""
    rows: list[list[Control]] = []
    if answer.votable:
        rows.append([RateSelect(answer.rows, language)])
    if answer.rows:
        rows.append([CloserSelect(answer.seed.artist_id, answer.rows, language)])
    place = Place.of(answer)
    last: list[Control] = []
    if answer.page > 1:
        last.append(PageButton(answer.page - 1, place, label=language.say("Back"), emoji="◀️"))
    if answer.has_more:
        last.append(PageButton(answer.page + 1, place, label=language.say("More"), emoji="▶️"))
    if answer.page == 1 and not learn:
        last.append(OtherButton(place, answer.read_from or "", label=language.say("Not this artist")))
    if learn and len(learn) <= MAX_TYPED_CHARACTERS:
        names = {"typed": label_of(learn, limit=26), "artist": label_of(answer.seed.name, limit=26)}
        label = language.say("“{typed}” means {artist}", **names)
        last.append(NameButton(answer.seed.artist_id, learn, label=label[:MAX_LABEL_CHARACTERS]))
    return [*rows, last]
