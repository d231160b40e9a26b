"""The buttons and selects of messages: each holds in its id all it needs, and hands the click on.

They are rebuilt from their ids, so they work after a restart; what a click does is in :mod:`bot.views.clicks`.
"""

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import discord
from discord import ui

from bot.languages import Language
from bot.rendering import MAX_LABEL_CHARACTERS, STRENGTHS, Style
from bot.replies import MixedRow, Row
from bot.views.apology import apologising
from bot.views.ids import ARTIST, NUMBER, PLACE, ROW, TYPED, Place
from recommender.artists import format_artist_id, parse_artist_id
from recommender.wording import plain_name

VERDICTS = {"up": 1, "down": -1, "none": 0}
MAX_TYPED_CHARACTERS = 40

Click = discord.Interaction[Any]
_NO_ID = r"(?!)"  # of a class that only others are made from


def label_of(name: str, *, limit: int = MAX_LABEL_CHARACTERS) -> str:
    """A name as it may stand on a button."""
    return plain_name(name, limit=limit)


def _only(values: list[str]) -> str:
    return values[0] if values else ""


class VoteButton(
    ui.DynamicItem[ui.Button[Any]], template=rf"vote:(?P<impression_id>{NUMBER}):(?P<verdict>up|down|none)"
):
    """Votes for or against one shown row, or takes the vote back."""

    def __init__(self, impression_id: int, verdict: str, *, label: str = "") -> None:
        emoji = {"up": "👍", "down": "👎", "none": None}[verdict]
        super().__init__(ui.Button(label=label or None, emoji=emoji, custom_id=f"vote:{impression_id}:{verdict}"))
        self.impression_id = impression_id
        self.verdict = verdict

    @classmethod
    async def from_custom_id(cls, _interaction: Click, item: Any, match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        return cls(int(match["impression_id"]), match["verdict"], label=item.label or "vote")

    @apologising
    async def callback(self, interaction: Click) -> None:
        """Save the vote."""
        await interaction.client.clicks.vote(interaction, self.impression_id, VERDICTS[self.verdict])


class RateSelect(ui.DynamicItem[ui.Select[Any]], template=r"rate"):
    """Votes for or against one of the rows."""

    def __init__(self, rows: Sequence[Row | MixedRow] = (), language: Language | None = None) -> None:
        select: ui.Select[Any] = ui.Select(custom_id="rate")
        if language is not None:
            select.placeholder = language.say("Rate a row: does it fit?")
            words = (("up", "👍", language.say("fits")), ("down", "👎", language.say("does not fit")))
            for row in rows:
                for verdict, emoji, word in words:
                    name = label_of(row.artist.name)
                    value = f"{row.impression_id}:{verdict}"
                    select.add_option(label=f"{row.rank}. {name}", value=value, emoji=emoji, description=word)
        super().__init__(select)

    @classmethod
    async def from_custom_id(cls, _interaction: Click, _item: Any, _match: re.Match[str], /) -> Self:
        """Rebuild the select; what was chosen comes with the click."""
        return cls()

    @apologising
    async def callback(self, interaction: Click) -> None:
        """Save the vote."""
        chosen = re.fullmatch(rf"({NUMBER}):(up|down)", _only(self.item.values))
        if chosen:
            await interaction.client.clicks.vote(interaction, int(chosen[1]), VERDICTS[chosen[2]])


class CloserSelect(ui.DynamicItem[ui.Select[Any]], template=rf"closer:(?P<artist>{ARTIST})"):
    """Tells more of one of the rows, to this member alone."""

    def __init__(self, artist_id: int, rows: tuple[Row, ...] = (), language: Language | None = None) -> None:
        select: ui.Select[Any] = ui.Select(custom_id=f"closer:{format_artist_id(artist_id)}")
        if language is not None:
            select.placeholder = language.say("Look closer: why, and who is like them")
            style = Style(markdown=False, language=language)
            for row in rows:
                value = f"{row.impression_id or 0}:{format_artist_id(row.artist.artist_id)}"
                label = f"{row.rank}. {label_of(row.artist.name)}"
                how_sure = None if row.strength is None else style.say(STRENGTHS[row.strength])
                select.add_option(label=label, value=value, description=how_sure)
        super().__init__(select)
        self.artist_id = artist_id

    @classmethod
    async def from_custom_id(cls, _interaction: Click, _item: Any, match: re.Match[str], /) -> Self:
        """Rebuild the select; what was chosen comes with the click."""
        return cls(parse_artist_id(match["artist"]))

    @apologising
    async def callback(self, interaction: Click) -> None:
        """Show the row."""
        chosen = re.fullmatch(rf"({NUMBER}):({ARTIST})", _only(self.item.values))
        if chosen:
            await interaction.client.clicks.look_closer(
                interaction, self.artist_id, parse_artist_id(chosen[2]), int(chosen[1])
            )


class _RowButton(ui.DynamicItem[ui.Button[Any]], template=_NO_ID):
    """A button about one row: the artist it was shown for, its own artist, and what a vote refers to."""

    word: ClassVar[str]
    emoji: ClassVar[str | None] = None
    button_style: ClassVar[discord.ButtonStyle] = discord.ButtonStyle.secondary

    def __init__(self, seed_id: int, artist_id: int, impression_id: int, *, label: str) -> None:
        ids = f"{format_artist_id(seed_id)}:{format_artist_id(artist_id)}:{impression_id}"
        button: ui.Button[Any] = ui.Button(
            label=label, emoji=self.emoji, custom_id=f"{self.word}:{ids}", style=self.button_style
        )
        super().__init__(button)
        self.seed_id, self.artist_id, self.impression_id = seed_id, artist_id, impression_id

    @classmethod
    async def from_custom_id(cls, _interaction: Click, item: Any, match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        seed_id, artist_id = parse_artist_id(match["seed"]), parse_artist_id(match["artist"])
        return cls(seed_id, artist_id, int(match["impression_id"]), label=item.label)


class LookButton(_RowButton, template=rf"look:{ROW}"):
    """Leads back to what was said of a row."""

    word = "look"
    emoji = "↩️"

    @apologising
    async def callback(self, interaction: Click) -> None:
        """Show the row in the place of this message."""
        await interaction.client.clicks.look_again(interaction, self.seed_id, self.artist_id, self.impression_id)


class DigButton(_RowButton, template=rf"dig:{ROW}"):
    """Asks for artists similar to a row, with a way back to it."""

    word = "dig"
    button_style = discord.ButtonStyle.primary

    @apologising
    async def callback(self, interaction: Click) -> None:
        """Show them in the place of this message."""
        await interaction.client.clicks.dig(interaction, self.seed_id, self.artist_id, self.impression_id)


class PageButton(ui.DynamicItem[ui.Button[Any]], template=rf"page:(?P<page>[0-9]{{1,2}}):{PLACE}"):
    """Turns to another page of an answer."""

    def __init__(self, page: int, place: Place, *, label: str, emoji: str | None = None) -> None:
        super().__init__(ui.Button(label=label, emoji=emoji, custom_id=f"page:{page}:{place.written()}"))
        self.page, self.place = page, place

    @classmethod
    async def from_custom_id(cls, _interaction: Click, item: Any, match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        return cls(int(match["page"]), Place.read(match), label=item.label)

    @apologising
    async def callback(self, interaction: Click) -> None:
        """Show the page in the place of this one."""
        await interaction.client.clicks.turn(interaction, self.page, self.place)


class _TypedButton(ui.DynamicItem[ui.Button[Any]], template=_NO_ID):
    """A button that holds what was typed, beside the place of an answer."""

    word: ClassVar[str]

    def __init__(self, place: Place, typed: str, *, label: str) -> None:
        custom_id = f"{self.word}:{place.written()}:{typed[:MAX_TYPED_CHARACTERS]}"
        super().__init__(ui.Button(label=label, custom_id=custom_id))
        self.place, self.typed = place, typed

    @classmethod
    async def from_custom_id(cls, _interaction: Click, item: Any, match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        return cls(Place.read(match), match["typed"], label=item.label)


class OtherButton(_TypedButton, template=rf"other:{PLACE}:{TYPED}"):
    """Says that another artist was meant."""

    word = "other"

    @apologising
    async def callback(self, interaction: Click) -> None:
        """Offer others."""
        await interaction.client.clicks.not_this(interaction, self.place, self.typed)


class DidYouMeanButton(_TypedButton, template=rf"choose:{PLACE}:{TYPED}"):
    """Chooses the artist that was meant, with the options that were given."""

    word = "choose"

    @apologising
    async def callback(self, interaction: Click) -> None:
        """Answer below."""
        await interaction.client.clicks.choose(interaction, self.place.artist_id, self.place.wish, self.typed)


class NameButton(ui.DynamicItem[ui.Button[Any]], template=rf"name:(?P<artist>{ARTIST}):{TYPED}"):
    """Proposes what was typed as another name of the artist that was meant."""

    def __init__(self, artist_id: int, typed: str, *, label: str) -> None:
        custom_id = f"name:{format_artist_id(artist_id)}:{typed[:MAX_TYPED_CHARACTERS]}"
        super().__init__(ui.Button(label=label, emoji="📌", custom_id=custom_id))
        self.artist_id, self.typed = artist_id, typed

    @classmethod
    async def from_custom_id(cls, _interaction: Click, item: Any, match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        return cls(parse_artist_id(match["artist"]), match["typed"], label=item.label)

    @apologising
    async def callback(self, interaction: Click) -> None:
        """Propose the name."""
        await interaction.client.clicks.propose_name(interaction, self.artist_id, self.typed)


class _ArtistButton(ui.DynamicItem[ui.Button[Any]], template=_NO_ID):
    """A button about one artist."""

    word: ClassVar[str]

    def __init__(self, artist_id: int, *, label: str) -> None:
        super().__init__(ui.Button(label=label, custom_id=f"{self.word}:{format_artist_id(artist_id)}"))
        self.artist_id = artist_id

    @classmethod
    async def from_custom_id(cls, _interaction: Click, item: Any, match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        return cls(parse_artist_id(match["artist"]), label=item.label)


class ChoiceButton(_ArtistButton, template=rf"similar:(?P<artist>{ARTIST})"):
    """Asks for artists similar to one."""

    word = "similar"

    @apologising
    async def callback(self, interaction: Click) -> None:
        """Answer below."""
        await interaction.client.clicks.choose(interaction, self.artist_id)


class ForgetTasteButton(_ArtistButton, template=rf"untaste:(?P<artist>{ARTIST})"):
    """Takes back what a member said of an artist."""

    word = "untaste"

    @apologising
    async def callback(self, interaction: Click) -> None:
        """Take it back."""
        await interaction.client.clicks.forget_taste(interaction, self.artist_id)


class AgainButton(
    ui.DynamicItem[ui.Button[Any]], template=rf"again:(?P<command>[a-z]+):(?P<artists>(?:[+-]{ARTIST}){{1,4}})"
):
    """Goes on with a command now that all its artists are known."""

    def __init__(self, command: str, artists: tuple[tuple[int, int], ...], *, label: str) -> None:
        written = "".join(f"{'+' if sign > 0 else '-'}{format_artist_id(artist_id)}" for artist_id, sign in artists)
        super().__init__(ui.Button(label=label, custom_id=f"again:{command}:{written}"))
        self.command, self.artists = command, artists

    @classmethod
    async def from_custom_id(cls, _interaction: Click, item: Any, match: re.Match[str], /) -> Self:
        """Rebuild the button from its id."""
        found = re.findall(rf"([+-])({ARTIST})", match["artists"])
        artists = tuple((parse_artist_id(written), 1 if sign == "+" else -1) for sign, written in found)
        return cls(match["command"], artists, label=item.label)

    @apologising
    async def callback(self, interaction: Click) -> None:
        """Answer."""
        await interaction.client.clicks.again(interaction, self.command, self.artists)


ALL_CONTROLS = (
    VoteButton,
    RateSelect,
    CloserSelect,
    LookButton,
    DigButton,
    PageButton,
    OtherButton,
    ChoiceButton,
    DidYouMeanButton,
    NameButton,
    AgainButton,
    ForgetTasteButton,
)
"""All of them, so that the bot knows them after a restart."""
