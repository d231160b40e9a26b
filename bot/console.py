"""The bot without Discord: the same answers and votes in a terminal."""

import asyncio
import secrets
from collections.abc import Iterable

from rich.console import Console

from bot.answers import Answer, Answers, Asker, ChoiceAnswer, SimilarAnswer
from bot.rendering import TERMINAL, footnotes, headline, row_line, vote_line
from recommender.errors import FeedbackError

MEMBER = "console"

HELP = """\
similar arcade fire   artists similar to one; the word "similar" may be left out
up 3, down 3          vote for or against a row of the last answer
undo 3                take that vote back
2                     choose a name from a list of names
quit                  leave (or Ctrl-D)"""

VERDICTS = {"up": 1, "down": -1, "undo": 0}

DEMO_SCRIPT = (
    "!similar arcade fire",
    "up 1",
    "down 2",
    "undo 2",
    "!similar arcad fyre",
    "!similar bjork",
    "!similar xqzzk",
)


class Chat:
    """One conversation in a terminal.

    Parameters
    ----------
    answers : what it answers with.
    console : where it prints.
    prefix : what commands may begin with, as on Discord.
    is_test : marks what is logged as nobody's real request.
    """

    def __init__(self, answers: Answers, console: Console, *, prefix: str, is_test: bool = False) -> None:
        self._answers = answers
        self._console = console
        self._prefix = prefix
        self._asker = Asker(member=MEMBER, source="console", is_test=is_test)
        self._last: Answer | None = None

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
                    self._say(f"> {line}")
                command = line.strip().removeprefix(self._prefix).strip()
                if command.casefold() in {"quit", "exit"}:
                    break
                if command:
                    runner.run(self._answer(command))

    async def _answer(self, command: str) -> None:
        word, _, rest = command.partition(" ")
        word, rest = word.casefold(), rest.strip()
        if command.casefold() == "help":
            self._say(HELP)
        elif word in VERDICTS and rest.isdecimal():
            await self._vote(int(rest), VERDICTS[word])
        elif (
            command.isdecimal() and isinstance(self._last, ChoiceAnswer) and 0 < int(command) <= len(self._last.choices)
        ):
            chosen = self._last.choices[int(command) - 1]
            answer = await self._answers.similar_to(chosen.artist_id, self._asker)
            if answer is not None:
                self._show(answer)
        else:
            self._show(await self._answers.similar(rest if word == "similar" else command, self._asker))

    async def _vote(self, rank: int, value: int) -> None:
        rows = self._last.rows if isinstance(self._last, SimilarAnswer) else ()
        impression_id = next((row.impression_id for row in rows if row.rank == rank), None)
        if impression_id is None:
            self._say(f"There is no row {rank} to vote on; ask for similar artists first.")
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
        self._last = answer
        self._say(headline(answer, TERMINAL))
        if isinstance(answer, SimilarAnswer):
            for row in answer.rows:
                self._say(f"  {row_line(row, TERMINAL)}")
        elif isinstance(answer, ChoiceAnswer):
            for number, choice in enumerate(answer.choices, start=1):
                self._say(f"  {number}. {TERMINAL.name(choice.name)}")
        for note in footnotes(answer, TERMINAL):
            self._say(note)

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
