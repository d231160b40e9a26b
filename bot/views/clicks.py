"""What happens when a member presses a button or chooses from a list."""

import asyncio
from dataclasses import replace
from typing import Any

import discord

from bot.answers import Answers
from bot.asking import Visit, visit_of
from bot.explorations import COMMANDS, Explorations
from bot.feedback.records import AlreadyProposed, Saved
from bot.maps import Maps
from bot.rendering import Card, Style, vote_line
from bot.replies import Named, SimilarAnswer, Wish
from bot.sending import fill_in
from bot.surfaces import composer, notice, permissions_at
from bot.views.answer import compose_answer
from bot.views.closer import closer_controls
from bot.views.controls import ChoiceButton, LookButton, VoteButton, label_of
from bot.views.exploring import compose_exploration
from bot.views.ids import Place
from bot.views.maps import compose_map
from bot.views.tastes import save_taste
from bot.writing import closer_card
from recommender.errors import FeedbackError

Click = discord.Interaction[Any]


class Clicks:
    """Answers clicks; each is acknowledged before any work.

    Parameters
    ----------
    answers : what it answers with.
    """

    def __init__(self, answers: Answers, explorations: Explorations, maps: Maps) -> None:
        self._answers = answers
        self._explorations = explorations
        self._maps = maps

    async def vote(self, click: Click, impression_id: int, value: int) -> None:
        """Save a vote and tell the member, and nobody else, what became of it."""
        visit = await self._privately(click)
        style = discord_style(visit)
        if value and not visit.manners.votes_enabled:
            await fill_in(click, notice(style.say("Votes are switched off in this server.")))
            return
        try:
            outcome, artist_name = await self._answers.vote(
                impression_id, value, visit.asker, interaction_id=str(click.id)
            )
        except FeedbackError:
            # The store has logged why; the member only needs to know that this vote does not count yet.
            await fill_in(click, notice(style.say("Your vote could not be saved. Try again in a moment.")))
            return

        def take_back() -> list[list[VoteButton]]:
            if not isinstance(outcome, Saved) or not outcome.value:
                return []
            return [[VoteButton(impression_id, "none", label=style.say("Take back"))]]

        await fill_in(
            click,
            composer(lambda style: Card(vote_line(outcome, artist_name, style)), visit.language, controls=take_back),
        )

    async def turn(self, click: Click, page: int, place: Place) -> None:
        """Show another page in the place of this one."""
        await click.response.defer()
        visit = await visit_of(click, "button")
        answer = await self._answers.pages.turn(
            place.anchor, place.artist_id, max(page, 1), visit.asker, wish=_as_here(place.wish, visit)
        )
        if answer is None:
            await self._gone(click, visit)
            return
        await fill_in(click, compose_answer(answer, visit.language))
        anchor = answer.anchor if isinstance(answer, SimilarAnswer) else 0
        await self._answers.note(anchor, "page", visit.asker, interaction_id=str(click.id))

    async def look_closer(self, click: Click, seed_id: int, artist_id: int, impression_id: int) -> None:
        """Tell the member alone more of a row."""
        visit = await self._privately(click)
        await self._show_closer(click, visit, seed_id, artist_id, impression_id)
        await self._answers.note(impression_id, "drill_down", visit.asker, interaction_id=str(click.id))

    async def look_again(self, click: Click, seed_id: int, artist_id: int, impression_id: int) -> None:
        """Lead back to what was said of a row."""
        await click.response.defer()
        await self._show_closer(click, await visit_of(click, "button"), seed_id, artist_id, impression_id)

    async def dig(self, click: Click, seed_id: int, artist_id: int, impression_id: int) -> None:
        """Show what is similar to a row in the place of what was said of it, with a way back."""
        await click.response.defer()
        visit = await visit_of(click, "button")
        answer = await self._answers.similar_to(artist_id, visit.asker, wish=visit.wish())
        if answer is None:
            await self._gone(click, visit)
            return
        back = LookButton(seed_id, artist_id, impression_id, label=visit.language.say("Go back"))
        async with self._answers.delivering(answer):
            await fill_in(click, compose_answer(answer, visit.language, below=[back]))

    async def choose(self, click: Click, artist_id: int, wish: Wish | None = None, typed: str = "") -> None:
        """Answer for a chosen artist, below the list."""
        await click.response.defer(thinking=True)
        visit = await visit_of(click, "button")
        wish = visit.wish() if wish is None else _as_here(wish, visit)
        answer = await self._answers.similar_to(artist_id, visit.asker, wish=wish)
        if answer is None:
            await self._gone(click, visit)
            return
        async with self._answers.delivering(answer):
            await fill_in(click, compose_answer(answer, visit.language, learn=typed))

    async def not_this(self, click: Click, place: Place, typed: str) -> None:
        """Offer, to this member alone, other artists that could have been meant."""
        visit = await self._privately(click)
        others = await self._answers.alternatives(place.artist_id, typed)
        say = visit.language.say
        if others:
            text = say("Who was meant? If none of these, type more of the name, or the name in quotes.")
        else:
            text = say("No other artist here has a name like that. Type more of the name, or the name in quotes.")
        await fill_in(
            click,
            composer(
                lambda _style: Card(text),
                visit.language,
                controls=lambda: [[ChoiceButton(one.artist_id, label=label_of(one.name)) for one in others]],
            ),
        )
        await self._answers.note(place.anchor, "not_this_artist", visit.asker, interaction_id=str(click.id))

    async def propose_name(self, click: Click, artist_id: int, typed: str) -> None:
        """Propose what was typed as another name of an artist; a moderator decides."""
        visit = await self._privately(click)
        artist = self._answers.catalogue.by_id(artist_id)
        if artist is None:
            await self._gone(click, visit)
            return
        style = discord_style(visit)
        names = {"typed": style.name(typed), "artist": style.strong(artist.name)}
        try:
            outcome = await self._answers.members.propose_name(typed, artist, visit.asker)
        except FeedbackError:
            text = style.say("That could not be saved. Try again in a moment.")
        else:
            if outcome is None:
                text = style.say("You opted out of logging, so nothing was saved.")
            elif isinstance(outcome, AlreadyProposed):
                text = style.say("“{typed}” was proposed for {artist} before.", **names)
            else:
                text = style.say("Proposed: “{typed}” means {artist}. Whoever runs the bot decides.", **names)
        await fill_in(click, notice(text))

    async def again(self, click: Click, command: str, artists: tuple[tuple[int, int], ...]) -> None:
        """Go on with a command whose artists are known now."""
        known = next((one for one in COMMANDS if one == command), None)
        if known is None:
            return
        private = known in ("like", "dislike")
        await click.response.defer(ephemeral=private, thinking=True)
        visit = await visit_of(click, "button")
        terms = self._explorations.chosen(artists, visit.asker)
        if terms is None:
            await self._gone(click, visit)
        elif known in ("like", "dislike"):
            await fill_in(click, await save_taste(self._answers, terms[0].understood.named, known, visit))
        elif known == "map":
            may_attach = permissions_at(click).attach_files
            await fill_in(click, await compose_map(self._maps, terms[0].understood.named, visit, may_attach=may_attach))
        else:
            answer = await self._explorations.explore(known, terms, visit.asker, visit.wish())
            async with self._answers.delivering(answer):
                await fill_in(click, compose_exploration(answer, visit.language))

    async def forget_taste(self, click: Click, artist_id: int) -> None:
        """Take back what a member said of an artist."""
        visit = await self._privately(click)
        artist = self._answers.catalogue.by_id(artist_id)
        if artist is None:
            await self._gone(click, visit)
            return
        await fill_in(click, await save_taste(self._answers, Named(artist), None, visit))

    async def _privately(self, click: Click) -> Visit:
        await click.response.defer(ephemeral=True, thinking=True)
        return await visit_of(click, "button")

    async def _show_closer(self, click: Click, visit: Visit, seed_id: int, artist_id: int, impression_id: int) -> None:
        closer = await asyncio.to_thread(self._answers.closer, seed_id, artist_id)
        if closer is None:
            await self._gone(click, visit)
            return
        votable = impression_id if visit.manners.votes_enabled else 0
        await fill_in(
            click,
            composer(
                lambda style: closer_card(closer, style),
                visit.language,
                controls=lambda: closer_controls(closer, visit.language, impression_id, votable=bool(votable)),
            ),
        )

    async def _gone(self, click: Click, visit: Visit) -> None:
        gone = visit.language.say("The model was retrained and no longer has this artist. Ask by name.")
        await fill_in(click, notice(gone))


def discord_style(visit: Visit) -> Style:
    """How to write a single sentence to this member."""
    return Style(markdown=True, language=visit.language)


def _as_here(wish: Wish, visit: Visit) -> Wish:
    """What an old button wished, within what holds in the server now."""
    return replace(wish, votes=visit.manners.votes_enabled, exploration=visit.manners.exploration_enabled)
