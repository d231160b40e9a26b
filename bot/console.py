"""The bot without Discord: the same answers and votes in a terminal."""

import asyncio
import re
import secrets
from collections.abc import Iterable

import numpy as np
from rich.console import Console

from bot.answers import Answer, Answers, Asker, ChoiceAnswer, Row, SimilarAnswer
from bot.explorations import COMMANDS, Explorations, Unclear
from bot.feedback.records import Verdict
from bot.pairs import split_mixture, split_pair
from bot.rendering import TERMINAL, footnotes, headline, row_line, vote_line
from bot.replies import BlendAnswer, Exploration, MixedRow, Named, Wish
from bot.views.tastes import taste_line
from bot.writing import exploration_card
from recommender.catalogue import Artist
from recommender.errors import FeedbackError
from recommender.wording import counted, plain_name

MEMBER = "console"

HELP = """\
similar arcade fire                 artists similar to one; the word "similar" may be left out
up 3, down 3                        vote for or against a row of the last answer
undo 3                              take that vote back
2                                   choose a name from a list of names
blend radiohead + björk - coldplay  artists between some, away from others
path metallica | abba               a way from one to another
why metallica | slayer              what two have in common
dissimilar björk                    well-known artists that are nothing like one
artist björk                        an artist's card
like björk, dislike coldplay        say what recommend shall go by, beside your votes
recommend                           artists for you
surprise                            somebody by chance, and who is similar
quit                                leave (or Ctrl-D)"""

EXAMPLES: dict[str, str] = {
    "blend": "blend radiohead + björk - coldplay",
    "path": "path metallica | abba",
    "why": "why metallica | slayer",
    "dissimilar": "dissimilar björk",
    "artist": "artist björk",
    "like": "like björk",
    "dislike": "dislike coldplay",
}
BARE = ("recommend", "surprise", "help", "quit", "exit")

VERDICTS = {"up": 1, "down": -1, "undo": 0}

DEMO_SCRIPT = (
    "similar arcade fire",
    "up 1",
    "down 2",
    "undo 2",
    "similar arcad fyre",
    "similar bjork",
    "similar xqzzk",
)

_VOTE = re.compile(r"(up|down|undo)\s*#?([0-9]{1,6})[.!]?", re.IGNORECASE)
_NUMBER = re.compile(r"([0-9]{1,6})[.)]?")


class Chat:
    """One conversation in a terminal.

    Parameters
    ----------
    answers : what it answers with.
    console : where it prints.
    prefix : what commands may begin with, as on Discord.
    is_test : marks what is logged as nobody's real request.
    rng : draws surprises; another one each time when not given.
    """

    def __init__(
        self,
        answers: Answers,
        console: Console,
        *,
        prefix: str,
        is_test: bool = False,
        rng: np.random.Generator | None = None,
    ) -> None:
        self._answers = answers
        self._explorations = Explorations(answers, rng=rng or np.random.default_rng())
        self._console = console
        self._prefix = prefix
        self._asker = Asker(member=MEMBER, source="console", is_test=is_test)
        # Both stay until the next of their kind: a slip in between must not take the list that is still on the screen.
        self._rows: tuple[Row | MixedRow, ...] = ()
        self._choices: tuple[Artist, ...] = ()

    def hold(self, lines: Iterable[str], *, echo: bool) -> None:
        """Answer line after line until they end or one says quit.

        Parameters
        ----------
        lines : what is typed; a person's terminal shows it, a script's lines are shown with ``echo``.
        """
        self._say('Type an artist, or "help", or "quit".')
        with asyncio.Runner() as runner:
            for line in lines:
                if echo:
                    self._say(f"> {plain_name(line, limit=200)}")
                command = self._without_prefix(line.strip())
                if command.casefold() in {"quit", "exit"}:
                    break
                if command:
                    runner.run(self._answer(command))

    def _without_prefix(self, line: str) -> str:
        """Take off the prefix before a command; "!!!" and "!abba" are names."""
        command = line.removeprefix(self._prefix).lstrip()
        word = command.partition(" ")[0].casefold()
        return command if word in {"similar", *VERDICTS, *EXAMPLES, *BARE} else line

    async def _answer(self, command: str) -> None:
        word, _, rest = command.partition(" ")
        vote, number = _VOTE.fullmatch(command), _NUMBER.fullmatch(command)
        if command.casefold() == "help":
            self._say(HELP)
        elif vote:
            await self._vote(int(vote[2]), VERDICTS[vote[1].casefold()])
        elif command.casefold() in VERDICTS:
            self._say(f"Which row? For example: {command.casefold()} 1")
        elif number and 0 < int(number[1]) <= len(self._choices):
            chosen = self._choices[int(number[1]) - 1]
            answer = await self._answers.similar_to(chosen.artist_id, self._asker)
            if answer is not None:
                self._show(answer)
        elif self._answers.catalogue.is_name(command):
            self._show(await self._answers.similar(command, self._asker))
        elif word.casefold() in EXAMPLES:
            await self._explore(word.casefold(), rest.strip())
        elif command.casefold() == "recommend":
            self._show_exploration(await self._explorations.recommend(self._asker, Wish()))
        elif command.casefold() == "surprise":
            answer = await self._explorations.surprise(self._asker, Wish())
            if answer is not None:
                self._show(answer)
        else:
            is_command = word.casefold() == "similar" and rest.strip()
            self._show(await self._answers.similar(rest if is_command else command, self._asker))

    async def _explore(self, command: str, text: str) -> None:
        names = self._names(command, text)
        if isinstance(names, str):
            self._say(names)
            return
        terms = await self._explorations.understand(names, self._asker)
        if isinstance(terms, Unclear):
            self._say(headline(terms.answer, TERMINAL))
            for choice in terms.answer.choices:
                self._say(f"  {TERMINAL.name(choice.name)} ({counted(choice.listeners, 'listener')})")
        elif command in {"like", "dislike"}:
            await self._taste(terms[0].understood.named, "like" if command == "like" else "dislike")
        else:
            wanted = next(one for one in COMMANDS if one == command)
            self._show_exploration(await self._explorations.explore(wanted, terms, self._asker, Wish()))

    def _names(self, command: str, text: str) -> list[tuple[str, int]] | str:
        """The names of a question, each with its sign; a sentence says what is wrong with it."""
        is_name = self._answers.catalogue.is_name
        if command == "blend":
            names = split_mixture(text, is_name) if text else []
            if isinstance(names, str) or any(sign > 0 for _, sign in names):
                return names
        elif command in {"path", "why"}:
            pair = split_pair(text, is_name)
            if pair is not None:
                return [(pair[0], 1), (pair[1], 1)]
        elif text:
            return [(text, 1)]
        return f"For example: {EXAMPLES[command]}"

    async def _taste(self, named: Named, verdict: Verdict) -> None:
        try:
            changed = await self._answers.members.taste(named.artist, verdict, self._asker)
        except FeedbackError:
            changed = None
        self._say(taste_line(named, verdict, changed, TERMINAL))

    def _show_exploration(self, answer: Exploration) -> None:
        card = exploration_card(answer, TERMINAL)
        if isinstance(answer, BlendAnswer):
            self._rows = answer.rows if answer.votable else ()
        self._say(card.headline)
        for line in card.lines:
            self._say(f"  {line}")
        for note in card.notes:
            self._say(note)

    async def _vote(self, rank: int, value: int) -> None:
        if not self._rows:
            self._say("There is nothing to vote on yet; ask for similar artists first.")
            return
        impression_id = next((row.impression_id for row in self._rows if row.rank == rank), None)
        if impression_id is None:
            self._say(f"There is no row {rank} to vote on; the last list has 1 to {len(self._rows)}.")
            return
        try:
            outcome, artist_name = await self._answers.vote(
                impression_id, value, self._asker, interaction_id=f"console:{secrets.token_hex(8)}"
            )
        except FeedbackError as error:
            self._say(f"Your vote could not be saved: {error}")
            return
        self._say(vote_line(outcome, artist_name, TERMINAL))

    def _show(self, answer: Answer) -> None:
        self._say(headline(answer, TERMINAL))
        if isinstance(answer, SimilarAnswer):
            self._rows = answer.rows if answer.votable else ()
            for row in answer.rows:
                self._say(f"  {row_line(row, TERMINAL)}")
        elif isinstance(answer, ChoiceAnswer) and answer.choices:
            self._choices = answer.choices
            for number, choice in enumerate(answer.choices, start=1):
                self._say(f"  {number}. {TERMINAL.name(choice.name)} ({counted(choice.listeners, 'listener')})")
            self._say("Type a number, or a name.")
        for note in footnotes(answer, TERMINAL):
            self._say(note)

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
