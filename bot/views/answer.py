"""The message under which members vote and choose: a layout view whose buttons carry all they need in their ids."""

import re
from typing import Any, Self

import discord
from discord.ui import ActionRow, Button, Container, DynamicItem, LayoutView, TextDisplay

from bot.answers import Answer, Answers, ChoiceAnswer, SimilarAnswer
from bot.asking import asker_of
from bot.feedback.records import Saved
from bot.rendering import DISCORD, MAX_LABEL_CHARACTERS, footnotes, headline, row_line, vote_line
from bot.sending import follow_up
from bot.views.apology import apologising
from recommender.artists import format_artist_id, parse_artist_id
from recommender.errors import FeedbackError
from recommender.wording import plain_name

# Two artists share a text and a row of four buttons: ten rows are 33 of the 40 components that Discord allows.
ROWS_PER_BLOCK = 2
VERDICTS = {"up": 1, "down": -1, "none": 0}


class VoteButton(
    DynamicItem[Button[LayoutView]], template=r"vote:(?P<impression_id>[0-9]{1,19}):(?P<verdict>up|down|none)"
):
    """Votes for or against one shown row, or takes the vote back; works after a restart."""

    def __init__(self, impression_id: int, verdict: str, *, label: str = "") -> None:
        emoji = {"up": "👍", "down": "👎", "none": None}[verdict]
        super().__init__(Button(label=label or None, emoji=emoji, custom_id=f"vote:{impression_id}:{verdict}"))
        self.impression_id = impression_id
        self.verdict = verdict

    @classmethod
    async def from_custom_id(cls, _interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        return cls(int(match["impression_id"]), match["verdict"], label=item.label or "")

    @apologising
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Save the vote and tell the member, and nobody else, what became of it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        answers: Answers = interaction.client.answers
        try:
            outcome, artist_name = await answers.vote(
                self.impression_id,
                VERDICTS[self.verdict],
                asker_of(interaction, "button"),
                interaction_id=str(interaction.id),
            )
        except FeedbackError:
            # The store has logged why; the member only needs to know that this vote does not count yet.
            await follow_up(interaction, content="Your vote could not be saved. Try again in a moment.", ephemeral=True)
            return
        line = vote_line(outcome, artist_name, DISCORD)
        if isinstance(outcome, Saved) and outcome.value:
            take_back = LayoutView(timeout=None)
            take_back.add_item(TextDisplay(line))
            take_back.add_item(ActionRow(VoteButton(self.impression_id, "none", label="Take back")))
            await follow_up(interaction, view=take_back, ephemeral=True)
        else:
            await follow_up(interaction, content=line, ephemeral=True)


class ChoiceButton(DynamicItem[Button[LayoutView]], template=r"similar:(?P<artist_id>[0-9a-f]{16})"):
    """Asks for one artist of a list; works after a restart."""

    def __init__(self, artist_id: int, *, label: str = "") -> None:
        super().__init__(Button(label=label or None, custom_id=f"similar:{format_artist_id(artist_id)}"))
        self.artist_id = artist_id

    @classmethod
    async def from_custom_id(cls, _interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        return cls(parse_artist_id(match["artist_id"]), label=item.label or "")

    @apologising
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Answer for that artist, below the list."""
        await interaction.response.defer(thinking=True)
        answers: Answers = interaction.client.answers
        answer = await answers.similar_to(self.artist_id, asker_of(interaction, "button"))
        if answer is None:
            gone = "The model was retrained and no longer has this artist. Ask by name."
            await follow_up(interaction, content=gone)
            return
        async with answers.delivering(answer):
            await follow_up(interaction, view=answer_view(answer))


def answer_view(answer: Answer) -> LayoutView:
    """Lay out an answer as one Discord message."""
    container: Container[LayoutView] = Container(TextDisplay(headline(answer, DISCORD)))
    match answer:
        case SimilarAnswer():
            for start in range(0, len(answer.rows), ROWS_PER_BLOCK):
                block = answer.rows[start : start + ROWS_PER_BLOCK]
                container.add_item(TextDisplay("\n".join(row_line(row, DISCORD) for row in block)))
                buttons = [
                    VoteButton(row.impression_id, verdict, label=str(row.rank))
                    for row in block
                    if row.impression_id is not None
                    for verdict in ("up", "down")
                ]
                if buttons:
                    container.add_item(ActionRow(*buttons))
        case ChoiceAnswer(choices=choices) if choices:
            container.add_item(
                ActionRow(
                    *(
                        ChoiceButton(choice.artist_id, label=plain_name(choice.name, limit=MAX_LABEL_CHARACTERS))
                        for choice in choices
                    )
                )
            )
        case _:
            pass
    notes = footnotes(answer, DISCORD)
    if notes:
        container.add_item(TextDisplay("\n".join(notes)))
    view = LayoutView(timeout=None)
    view.add_item(container)
    return view
