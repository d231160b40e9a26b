"""Pure: an answer becomes the lines that a member reads, in Discord's markdown or plain, within Discord's limits."""

from dataclasses import dataclass

from discord.utils import escape_markdown, escape_mentions

from bot.answers import Answer, ChoiceAnswer, Row, SimilarAnswer, TooFewAnswer
from bot.feedback.records import AlreadySaved, Saved, UnknownImpression, VoteOutcome
from recommender.names import REFUSALS
from recommender.wording import SYNTHETIC_NOTE, counted, plain_name

MAX_LABEL_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class Style:
    """How text is marked: for Discord, or plain for a terminal."""

    markdown: bool

    def name(self, text: str) -> str:
        """Someone else's words as harmless text: one line, clipped, without markup, mentions or directions."""
        visible = plain_name(text)
        return _harmless(visible) if self.markdown else visible

    def strong(self, text: str) -> str:
        """Emphasise a name."""
        return f"**{self.name(text)}**" if self.markdown else self.name(text)

    def small(self, text: str) -> str:
        """A line that matters less."""
        return f"-# {text}" if self.markdown else text


DISCORD = Style(markdown=True)
TERMINAL = Style(markdown=False)


def _harmless(text: str) -> str:
    """Text that Discord shows letter by letter: no markup, mention, channel, time stamp or link in it is active."""
    escaped = escape_mentions(escape_markdown(text, ignore_links=False))
    return escaped.replace("<", "\\<").replace("://", ":\u200b//")


def headline(answer: Answer, style: Style) -> str:
    """The first line: what was understood, or what the member should say instead."""
    match answer:
        case SimilarAnswer(seed=seed) | TooFewAnswer(seed=seed):
            read_from = f" - read from “{style.name(answer.read_from)}”" if answer.read_from else ""
            if isinstance(answer, TooFewAnswer):
                few = counted(seed.listeners, "person", "people")
                return (
                    f"{style.strong(seed.name)}{read_from}: only {few} in the data listened to them; it takes "
                    f"{answer.needed} to say who is similar."
                )
            if not answer.rows:
                return f"{style.strong(seed.name)}{read_from}: no other artist shares enough listeners with them."
            return f"Similar to {style.strong(seed.name)}{read_from}"
        case ChoiceAnswer(typed="", choices=()):
            return REFUSALS["empty"]
        case ChoiceAnswer(reason=reason) if reason in REFUSALS:
            return REFUSALS[reason]
        case ChoiceAnswer(choices=()):
            return f"No artist here is called “{style.name(answer.typed)}”, and none is spelt like it."
        case ChoiceAnswer(nearest=True):
            return f"No artist here is called “{style.name(answer.typed)}”. Did you mean:"
        case ChoiceAnswer():
            return f"“{style.name(answer.typed)}” could be several artists. Which one?"


def row_line(row: Row, style: Style) -> str:
    """One similar artist and why: rank, name, how many of its listeners also listen to the one asked for."""
    listeners = counted(row.artist.listeners, "listener")
    if row.support == 0:  # nobody heard both: what speaks for the two is the company that they keep
        return f"{row.rank}. {style.strong(row.artist.name)} - heard with the same artists, by its own {listeners}"
    return f"{row.rank}. {style.strong(row.artist.name)} - shares {row.support:,} of its {listeners}"


def footnotes(answer: Answer, style: Style) -> list[str]:
    """What else has to be said: votes that cannot be saved, synthetic data."""
    notes = []
    if isinstance(answer, SimilarAnswer) and answer.outweighed is not None:
        name = style.name(answer.outweighed.name)
        notes.append(style.small(f"There is also {name}, heard by far fewer; for them type “{name}” in quotes."))
    if isinstance(answer, SimilarAnswer) and answer.rows and not answer.votable:
        notes.append(style.small("Votes cannot be saved at the moment."))
    if not isinstance(answer, ChoiceAnswer) and answer.synthetic:
        notes.append(style.small(SYNTHETIC_NOTE))
    return notes


def vote_line(outcome: VoteOutcome, artist_name: str, style: Style) -> str:
    """What became of a vote, in words that are true."""
    name = style.strong(artist_name) if artist_name else "this artist"
    words = {1: f"👍 for {name}", -1: f"👎 for {name}"}
    match outcome:
        case UnknownImpression():
            return "This answer is no longer on record, so the vote was not saved. Ask again and vote there."
        case Saved(value=0):
            return f"Taken back: you have no vote on {name} here now."
        case Saved(value=value, previous=0):
            return f"Saved: {words[value]}."
        case Saved(value=value):
            return f"Changed: {words[value]}."
        case AlreadySaved(value=0):
            return f"You have no vote on {name} here."
        case AlreadySaved(value=value):
            return f"Already saved: {words[value]}."
