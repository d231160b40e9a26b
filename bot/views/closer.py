"""A closer look at one row: why it is there, who they are, and where to go from there."""

from discord import ui

from bot.languages import Language
from bot.rendering import Card, Style, lastfm_url, musicbrainz_url
from bot.replies import Closer
from bot.surfaces import Control
from bot.views.controls import DigButton, VoteButton


def closer_card(closer: Closer, style: Style) -> Card:
    """Write what is known of a row."""
    names = {"artist": style.strong(closer.artist.name), "seed": style.strong(closer.seed.name)}
    lines = [
        style.language.count(
            "Heard by {n} listener in the data.", "Heard by {n} listeners in the data.", closer.artist.listeners
        )
    ]
    if closer.support:
        lines.append(
            style.language.count(
                "{n} of them listened to {seed} as well.",
                "{n} of them listened to {seed} as well.",
                closer.support,
                **names,
            )
        )
    return Card(style.say("Why {artist} for {seed}?", **names), tuple(lines))


def closer_controls(closer: Closer, language: Language, impression_id: int, *, votable: bool) -> list[list[Control]]:
    """Make the buttons under a closer look."""
    buttons: list[Control] = [
        DigButton(closer.seed.artist_id, closer.artist.artist_id, impression_id, label=language.say("Similar artists"))
    ]
    if votable:
        buttons += [
            VoteButton(impression_id, "up", label=language.say("fits")),
            VoteButton(impression_id, "down", label=language.say("does not fit")),
        ]
    links: list[Control] = [
        ui.Button(label=site, url=url)
        for site, url in (("Last.fm", lastfm_url(closer.artist)), ("MusicBrainz", musicbrainz_url(closer.artist)))
        if url is not None
    ]
    return [buttons, links]
