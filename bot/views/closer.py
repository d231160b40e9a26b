"""A closer look at one row: the buttons under it."""

from discord import ui

from bot.languages import Language
from bot.rendering import lastfm_url, musicbrainz_url
from bot.replies import Closer
from bot.surfaces import Control
from bot.views.controls import DigButton, VoteButton
from recommender.outcomes import Artist


def closer_controls(closer: Closer, language: Language, impression_id: int, *, votable: bool) -> list[list[Control]]:
    """Make the buttons under a closer look: similar artists, votes, and links."""
    artist = closer.artist
    similar = language.say("Similar artists")
    buttons: list[Control] = [DigButton(closer.seed.artist_id, artist.artist_id, impression_id, label=similar)]
    if votable:
        buttons += [
            VoteButton(impression_id, "up", label=language.say("fits")),
            VoteButton(impression_id, "down", label=language.say("does not fit")),
        ]
    return [buttons, link_buttons(artist)]


def link_buttons(artist: Artist) -> list[Control]:
    """Make buttons that lead to an artist's pages."""
    sites = (("Last.fm", lastfm_url(artist)), ("MusicBrainz", musicbrainz_url(artist)))
    return [ui.Button(label=site, url=url) for site, url in sites if url is not None]
