"""Pure: an answer becomes the lines that a member reads, in their language, in Discord's markdown or plain."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote_plus

from bot.feedback.records import AlreadySaved, OptedOut, Saved, UnknownImpression, VoteOutcome
from bot.languages import ENGLISH, Language, later
from bot.replies import Answer, ChoiceAnswer, Row, SimilarAnswer, TooFewAnswer
from recommender.catalogue import Artist
from recommender.confidence import Strength
from recommender.names import LAYER_WORDS, REFUSALS, Layer
from recommender.wording import MAX_NAME_CHARACTERS, SYNTHETIC_NOTE, plain_name

MAX_LABEL_CHARACTERS = 80
MAX_URL_CHARACTERS = 160
SHORT_NAME_CHARACTERS = 30

# Discord takes a backslash before every character that is neither a letter nor a digit.
_MARKUP = re.compile(r"[\\*_~`|\[\]<>#]")
_INVITE = re.compile(r"(discord(?:app)?\.(?:gg|com))/", re.IGNORECASE)
_NOT_IN_A_LINK = re.compile(r"[\[\]()<>\\]|://")
# What a layer is called where "read from" alone would not explain the artist.
_NEEDS_NO_WORDS: frozenset[Layer | None] = frozenset({None, "name", "key"})

# In the words of recommender.confidence, which measured them.
STRENGTHS: dict[Strength, str] = {"strong": later("very close"), "fair": later("close"), "weak": later("related")}
# Cosines of a mixture of factors, which nothing has judged.
CLOSENESS = ((0.7, later("very close")), (0.45, later("close")), (0.25, later("related")), (-1.0, later("distant")))


@dataclass(frozen=True, slots=True)
class Style:
    """How text is written: for Discord or plain for a terminal, in which language, how briefly.

    Parameters
    ----------
    markdown : for Discord.
    language : of the sentences.
    links : names lead to Last.fm.
    name_limit : characters of a name, >= 2.
    """

    markdown: bool
    language: Language = ENGLISH
    links: bool = False
    name_limit: int = MAX_NAME_CHARACTERS

    def name(self, text: str) -> str:
        """Someone else's words as harmless text: one line, clipped, without markup, mentions or directions."""
        visible = plain_name(text, limit=self.name_limit)
        return _harmless(visible) if self.markdown else visible

    def strong(self, text: str) -> str:
        """Emphasise a name."""
        return f"**{self.name(text)}**" if self.markdown else self.name(text)

    def linked(self, artist: Artist) -> str:
        """Emphasise an artist's name and, where this is wanted and safe, make it lead to the artist on Last.fm."""
        url = lastfm_url(artist)
        if not self.links or url is None or _NOT_IN_A_LINK.search(plain_name(artist.name, limit=self.name_limit)):
            return self.strong(artist.name)
        return f"**[{self.name(artist.name)}](<{url}>)**"

    def small(self, text: str) -> str:
        """A line that matters less."""
        return f"-# {text}" if self.markdown else text

    def say(self, sentence: str, /, **values: object) -> str:
        """Say a sentence in the language."""
        return self.language.say(sentence, **values)


DISCORD = Style(markdown=True)
TERMINAL = Style(markdown=False)


@dataclass(frozen=True, slots=True)
class Card:
    """The text of one message: a first line, what follows it, and small notes."""

    headline: str
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it, line by line."""
        return "\n".join((self.headline, *self.lines, *self.notes))


def styles(language: Language) -> Iterator[Style]:
    """Ways to write for Discord, each shorter than the one before."""
    whole = Style(markdown=True, language=language, links=True)
    yield whole
    yield replace(whole, links=False)
    yield replace(whole, links=False, name_limit=SHORT_NAME_CHARACTERS)


def lastfm_url(artist: Artist) -> str | None:
    """Address of an artist's page at Last.fm; None where it would be too long."""
    url = f"https://www.last.fm/music/{quote_plus(plain_name(artist.name, limit=200))}"
    return url if len(url) <= MAX_URL_CHARACTERS else None


def musicbrainz_url(artist: Artist) -> str | None:
    """Address of an artist's page at MusicBrainz, None when its id is unknown."""
    return None if artist.mbid is None else f"https://musicbrainz.org/artist/{artist.mbid}"


def _harmless(text: str) -> str:
    """Text that Discord shows letter by letter: no markup, mention, channel, time stamp or link in it is active."""
    escaped = _MARKUP.sub(r"\\\g<0>", text)
    return _INVITE.sub("\\1\u200b/", escaped.replace("@", "@\u200b").replace("://", ":\u200b//"))


def card(answer: Answer, style: Style) -> Card:
    """Write an answer about similar artists."""
    lines = tuple(row_line(row, style) for row in answer.rows) if isinstance(answer, SimilarAnswer) else ()
    return Card(headline(answer, style), lines, tuple(footnotes(answer, style)))


def headline(answer: Answer, style: Style) -> str:
    """The first line: what was understood and how, or what the member should say instead."""
    say = style.say
    match answer:
        case TooFewAnswer(seed=seed):
            return style.language.count(
                "{artist}: only {n} person in the data listened to them; it takes {needed} to say who is similar.",
                "{artist}: only {n} people in the data listened to them; it takes {needed} to say who is similar.",
                seed.listeners,
                artist=_matched(answer, style),
                needed=answer.needed,
            )
        case SimilarAnswer(rows=(), page=1):
            matched = _matched(answer, style)
            return say("{artist}: no other artist shares enough listeners with them.", artist=matched)
        case SimilarAnswer(surprise=True):
            return say("A surprise: similar to {artist}", artist=_matched(answer, style))
        case SimilarAnswer():
            return say("Similar to {artist}", artist=_matched(answer, style))
        case ChoiceAnswer(typed="", nearest=False):
            return say("That message names several artists. Which one?")
        case ChoiceAnswer(typed="", choices=()):
            return say(REFUSALS["empty"])
        case ChoiceAnswer(reason=reason) if reason in REFUSALS:
            return say(REFUSALS[reason])
        case ChoiceAnswer(choices=()):
            return say("No artist here is called “{typed}”, and none is spelt like it.", typed=style.name(answer.typed))
        case ChoiceAnswer(nearest=True):
            return say("No artist here is called “{typed}”. Did you mean:", typed=style.name(answer.typed))
        case ChoiceAnswer():
            return say("“{typed}” could be several artists. Which one?", typed=style.name(answer.typed))


def _matched(answer: SimilarAnswer | TooFewAnswer, style: Style) -> str:
    return matched(answer.seed, answer.read_from, answer.layer, style)


def matched(artist: Artist, read_from: str | None, layer: Layer | None, style: Style) -> str:
    """Name an artist and, where something else was typed, what and how it was read."""
    if not read_from:
        return style.strong(artist.name)
    values = {"artist": style.strong(artist.name), "typed": style.name(read_from)}
    if layer in _NEEDS_NO_WORDS or layer is None:
        return style.say("{artist} - read from “{typed}”", **values)
    return style.say("{artist} - read from “{typed}” ({how})", how=style.say(LAYER_WORDS[layer]), **values)


def closeness(score: float, style: Style) -> str:
    """Say how close an artist is to a mixture, in a word."""
    return style.say(next(word for least, word in CLOSENESS if score >= least))


def row_line(row: Row, style: Style) -> str:
    """One similar artist and why: rank, name, how close, how many of its listeners also listen to the one asked for."""
    values = {
        "rank": str(row.rank),
        "artist": style.linked(row.artist),
        "evidence": _evidence(row.artist.listeners, row.support, style),
    }
    if row.strength is None:
        return style.say("{rank}. {artist} - {evidence}", **values)
    strength = style.say(STRENGTHS[row.strength])
    return style.say("{rank}. {artist} - {strength}: {evidence}", strength=strength, **values)


def _evidence(listeners: int, support: int, style: Style) -> str:
    if support == 0:  # nobody heard both: what speaks for the two is the company that they keep
        return style.language.count(
            "heard with the same artists, by its own {n} listener",
            "heard with the same artists, by its own {n} listeners",
            listeners,
        )
    return style.language.count(
        "shares {shared} of its {n} listener", "shares {shared} of its {n} listeners", listeners, shared=support
    )


def footnotes(answer: Answer, style: Style) -> list[str]:
    """What else has to be said: which page, how well known, other artists of the name, votes, synthetic data."""
    notes = []
    if isinstance(answer, SimilarAnswer):
        notes += [style.small(note) for note in _notes_on_rows(answer, style)]
    if not isinstance(answer, ChoiceAnswer) and answer.synthetic:
        notes.append(style.small(style.say(SYNTHETIC_NOTE)))
    return notes


def _notes_on_rows(answer: SimilarAnswer, style: Style) -> Iterator[str]:
    if answer.outweighed is not None:
        yield style.say(
            "There is also {artist}, heard by far fewer; for them type “{artist}” in quotes.",
            artist=style.name(answer.outweighed.name),
        )
    if not answer.rows:
        if answer.page > 1:
            yield style.say("There are no more.")
        return
    if answer.wish.familiarity == "familiar":
        yield style.say("Only well-known artists.")
    elif answer.wish.familiarity == "deep":
        yield style.say("Only little-known artists.")
    if answer.voting == "opted_out":
        yield style.say("You opted out of logging, so your votes are not saved.")
    elif answer.voting == "unavailable" or (answer.voting == "open" and not answer.votable):
        yield style.say("Votes cannot be saved at the moment.")


def vote_line(outcome: VoteOutcome, artist_name: str, style: Style) -> str:
    """What became of a vote, in words that are true."""
    say = style.say
    name = style.strong(artist_name) if artist_name else say("this artist")
    up_or_down = {1: "👍", -1: "👎"}
    match outcome:
        case UnknownImpression():
            return say("This answer is no longer on record, so the vote was not saved. Ask again and vote there.")
        case OptedOut():
            return say("You opted out of logging, so the vote was not saved.")
        case Saved(value=0):
            return say("Taken back: you have no vote on {artist} here now.", artist=name)
        case Saved(value=value, previous=0):
            return say("Saved: {vote} for {artist}.", vote=up_or_down[value], artist=name)
        case Saved(value=value):
            return say("Changed: {vote} for {artist}.", vote=up_or_down[value], artist=name)
        case AlreadySaved(value=0):
            return say("You have no vote on {artist} here.", artist=name)
        case AlreadySaved(value=value):
            return say("Already saved: {vote} for {artist}.", vote=up_or_down[value], artist=name)
