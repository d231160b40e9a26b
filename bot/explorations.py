"""Everything besides similar artists: mixtures, ways, opposites, reasons, cards; each logged as it is shown."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from bot.answers import Answers, Understood
from bot.feedback.records import RequestRecord, Shown
from bot.replies import (
    Answer,
    ArtistAnswer,
    Asker,
    BlendAnswer,
    ChoiceAnswer,
    DissimilarAnswer,
    Exploration,
    MixedRow,
    NothingKnown,
    PathAnswer,
    Row,
    SameAnswer,
    SimilarAnswer,
    TooFewAnswer,
    WhyAnswer,
    Wish,
)
from bot.showing import ChosenRow, popularity_bucket
from recommender.exploring import MIN_SHOWN_IN_COMMON
from recommender.outcomes import Artist, TooFewInCommon, TooFewListeners
from recommender.personal import Personal, RecommendOutcome, TooLittleKnown

NEAREST_ON_A_CARD = 5
STOPS_BETWEEN = 4
# A cosine from which two artists are called related.
LIKE_FROM = 0.25
MOST_LIKED = 50
# A liked artist that does less for a recommended one is not named as its reason.
LEAST_REASON = 0.2

Command: TypeAlias = Literal["blend", "path", "dissimilar", "why", "artist", "map", "like", "dislike"]
COMMANDS: tuple[Command, ...] = ("blend", "path", "dissimilar", "why", "artist", "map", "like", "dislike")


@dataclass(frozen=True, slots=True)
class Term:
    """One artist of a question, and whether it is wanted (1) or to be kept away from (-1)."""

    understood: Understood
    sign: int = 1


@dataclass(frozen=True, slots=True)
class Unclear:
    """One of the names was not understood.

    ``known`` are the other artists' signed ids in their places, None in the place of the one in question; None as a
    whole when more than one is in question.
    """

    answer: ChoiceAnswer
    sign: int
    known: tuple[tuple[int, int] | None, ...] | None


class Explorations:
    """Answers questions about several artists, or about one in another way than who is similar.

    Parameters
    ----------
    answers : understands names and keeps the log.
    rng : draws surprises.
    """

    def __init__(self, answers: Answers, *, rng: np.random.Generator) -> None:
        self._answers = answers
        self._rng = rng
        self._personal: Personal | None = None

    async def understand(self, names: Sequence[tuple[str, int]], asker: Asker) -> list[Term] | Unclear:
        """Understand all names of a question, each with its sign, or say which one is unclear."""
        understood = [await self._answers.understand(text, asker) for text, _ in names]
        signed = [(one, sign) for one, (_, sign) in zip(understood, names, strict=True)]
        unclear = [(one, sign) for one, sign in signed if isinstance(one, ChoiceAnswer)]
        if not unclear:
            return [Term(one, sign) for one, sign in signed if isinstance(one, Understood)]
        known = tuple((one.artist.artist_id, sign) if isinstance(one, Understood) else None for one, sign in signed)
        answer, sign = unclear[0]
        return Unclear(answer, sign, known if len(unclear) == 1 else None)

    def chosen(self, artists: Sequence[tuple[int, int]], asker: Asker) -> list[Term] | None:
        """Take artists by their ids and signs; None when the model no longer has one of them."""
        terms = [(self._answers.chosen(artist_id, asker), sign) for artist_id, sign in artists]
        return None if any(one is None for one, _ in terms) else [Term(one, sign) for one, sign in terms if one]

    async def explore(self, command: Command, terms: Sequence[Term], asker: Asker, wish: Wish) -> Exploration:
        """Answer a question about artists that were understood."""
        started = time.perf_counter()
        match command:
            case "blend":
                return await self._blend(terms, asker, wish, started)
            case "path":
                return await self._path(terms, asker, started)
            case "why":
                return await self._why(terms, asker, started)
            case "dissimilar":
                return await self._dissimilar(terms[0], asker, wish, started)
            case _:
                return await self._card(terms[0], asker, started)

    async def _blend(self, terms: Sequence[Term], asker: Asker, wish: Wish, started: float) -> Exploration:
        weights: dict[int, float] = {}
        for term in terms:
            row = term.understood.artist.artist_idx
            weights[row] = weights.get(row, 0.0) + term.sign
        weights = {row: weight for row, weight in weights.items() if weight}
        if not any(weight > 0 for weight in weights.values()):
            return SameAnswer(terms[0].understood.artist)
        outcome = await asyncio.to_thread(
            self._answers.catalogue.blend, weights, k=min(wish.size, wish.most), familiarity=wish.familiarity
        )
        if isinstance(outcome, TooFewListeners):
            return await self._too_few("blend", outcome, terms, asker, started)
        answer = BlendAnswer(
            tuple(term.understood.named for term in terms if term.sign > 0),
            tuple(term.understood.named for term in terms if term.sign < 0),
            tuple(MixedRow(row.rank, row.artist, row.score, row.support, (row.nearest,)) for row in outcome.rows),
            self._answers.synthetic,
            wish,
        )
        return await self._logged(answer, terms, asker, started)

    async def _logged(self, answer: BlendAnswer, terms: Sequence[Term], asker: Asker, started: float) -> BlendAnswer:
        """Log an answer and give its rows what a vote refers to, or say why there is nothing to refer to."""
        request = self._request(answer.command, answer, None, asker, max(len(answer.rows), 1), started)
        request = replace(request, familiarity=answer.wish.familiarity)
        ids = await self._answers.log(request, [self._chosen(row) for row in answer.rows], _seeds(terms))
        if ids is None:
            return replace(answer, voting="unavailable")
        if len(ids) != len(answer.rows):
            return replace(answer, voting="opted_out")
        rows = tuple(replace(row, impression_id=one) for row, one in zip(answer.rows, ids, strict=True))
        return replace(answer, rows=rows, voting="open" if answer.wish.votes else "switched_off")

    async def recommend(self, asker: Asker, wish: Wish) -> Exploration:
        """Recommend from what a member rated and liked.

        Raises
        ------
        FeedbackError : what they said cannot be read.
        """
        started = time.perf_counter()
        likes, dislikes = await asyncio.to_thread(self._tastes_of, asker.member)
        if not likes:
            return NothingKnown()
        outcome = await asyncio.to_thread(self._fold_in, likes, dislikes, wish)
        if isinstance(outcome, TooLittleKnown):
            return NothingKnown()
        rows = tuple(
            MixedRow(
                row.rank,
                row.artist,
                row.score,
                None,
                tuple(one.artist for one in row.because[:2] if one.share >= LEAST_REASON),
            )
            for row in outcome.rows
        )
        answer = BlendAnswer((), (), rows, self._answers.synthetic, wish, command="recommend")
        return await self._logged(answer, (), asker, started)

    def _fold_in(self, likes: list[int], dislikes: list[int], wish: Wish) -> RecommendOutcome:
        if self._personal is None:  # made at the first question: it reads all factors once
            self._personal = Personal(self._answers.catalogue)
        exclude = self._answers.catalogue.left_out_by(wish.familiarity).tolist()
        return self._personal.recommend(likes, disliked=dislikes, exclude=exclude, k=min(wish.size, wish.most))

    def _tastes_of(self, member: str) -> tuple[list[int], list[int]]:
        """Rows of the artists that a member likes, and does not: a like goes before the votes on the artist."""
        catalogue = self._answers.catalogue
        said: dict[int, int] = {}
        for vote in self._answers.feedback.votes_of(member):
            said[vote.artist_id] = said.get(vote.artist_id, 0) + vote.value
        for taste in self._answers.feedback.tastes_of(member):
            said.pop(taste.artist_id, None)
            said[taste.artist_id] = 1 if taste.verdict == "like" else -1
        known = [
            (artist.artist_idx, says) for one, says in said.items() if (artist := catalogue.by_id(one)) is not None
        ]
        likes = [row for row, says in known if says > 0]
        return likes[-MOST_LIKED:], [row for row, says in known if says < 0][-MOST_LIKED:]

    async def surprise(self, asker: Asker, wish: Wish) -> Answer | None:
        """Answer for an artist drawn by how much it is heard, little-known ones more often than their share."""
        catalogue = self._answers.catalogue

        def draw() -> Artist:
            heard = catalogue.listeners
            chance = np.where(heard >= catalogue.manifest.min_listeners, np.sqrt(heard), 0.0)
            return catalogue.artist(int(self._rng.choice(heard.size, p=chance / chance.sum())))

        artist = await asyncio.to_thread(draw)
        answer = await self._answers.similar_to(artist.artist_id, asker, wish=wish)
        return replace(answer, surprise=True) if isinstance(answer, SimilarAnswer) else answer

    async def _path(self, terms: Sequence[Term], asker: Asker, started: float) -> Exploration:
        start, goal = terms[0].understood, terms[1].understood
        if start.artist == goal.artist:
            return SameAnswer(start.artist)
        outcome = await asyncio.to_thread(
            self._answers.catalogue.path, start.artist.artist_idx, goal.artist.artist_idx, n_between=STOPS_BETWEEN
        )
        if isinstance(outcome, TooFewListeners):
            return await self._too_few("path", outcome, terms, asker, started)
        answer = PathAnswer(start.named, goal.named, outcome.stops, self._answers.synthetic)
        request = self._request("path", answer, start, asker, max(len(outcome.stops), 1), started)
        rows = [
            self._chosen(Row(rank, stop.artist, stop.score, stop.support))
            for rank, stop in enumerate(outcome.stops, start=1)
        ]
        await self._answers.log(request, rows, _seeds(terms))
        return answer

    async def _why(self, terms: Sequence[Term], asker: Asker, started: float) -> Exploration:
        one, other = terms[0].understood, terms[1].understood
        if one.artist == other.artist:
            return SameAnswer(one.artist)
        outcome = await asyncio.to_thread(self._answers.catalogue.why, one.artist.artist_idx, other.artist.artist_idx)
        if isinstance(outcome, TooFewListeners):
            return await self._too_few("why", outcome, terms, asker, started)
        evidence = None if isinstance(outcome, TooFewInCommon) else outcome.evidence
        answer = WhyAnswer(one.named, other.named, evidence, MIN_SHOWN_IN_COMMON, self._answers.synthetic)
        await self._answers.log(self._request("why", answer, one, asker, 1, started), (), _seeds(terms))
        return answer

    async def _dissimilar(self, term: Term, asker: Asker, wish: Wish, started: float) -> Exploration:
        seed = term.understood
        k = min(wish.size, wish.most)
        outcome = await asyncio.to_thread(self._answers.catalogue.dissimilar, seed.artist.artist_idx, k=k)
        if isinstance(outcome, TooFewListeners):
            return await self._too_few("dissimilar", outcome, [term], asker, started)
        # In a small catalogue even the furthest may be near: they are no opposites.
        unlike = tuple(row for row in outcome.rows if row.score < LIKE_FROM)
        answer = DissimilarAnswer(seed.named, unlike, self._answers.synthetic)
        rows = [self._chosen(Row(row.rank, row.artist, row.score, row.support)) for row in unlike]
        await self._answers.log(self._request("dissimilar", answer, seed, asker, k, started), rows)
        return answer

    async def _card(self, term: Term, asker: Asker, started: float) -> Exploration:
        seed, catalogue = term.understood, self._answers.catalogue

        def look() -> ArtistAnswer:
            found = catalogue.similar(seed.artist.artist_idx, k=NEAREST_ON_A_CARD)
            rows = () if isinstance(found, TooFewListeners) else found.rows
            place = 1 + int((catalogue.listeners > seed.artist.listeners).sum())
            nearest = tuple(Row(row.rank, row.artist, row.score, row.support, row.strength) for row in rows)
            return ArtistAnswer(seed.named, place, catalogue.n_artists, nearest, self._answers.synthetic)

        answer = await asyncio.to_thread(look)
        request = self._request("artist", answer, seed, asker, NEAREST_ON_A_CARD, started)
        await self._answers.log(request, [self._chosen(row) for row in answer.nearest])
        return answer

    async def _too_few(
        self, command: str, outcome: TooFewListeners, terms: Sequence[Term], asker: Asker, started: float
    ) -> TooFewAnswer:
        read = next((term.understood for term in terms if term.understood.artist == outcome.seed), None)
        answer = TooFewAnswer(
            outcome.seed,
            outcome.needed,
            read.read_from if read else None,
            self._answers.synthetic,
            read.found.layer if read else None,
        )
        await self._answers.log(self._request(command, answer, read, asker, 1, started), (), _seeds(terms))
        return answer

    def _request(
        self, command: str, answer: object, read: Understood | None, asker: Asker, k: int, started: float
    ) -> RequestRecord:
        request = self._answers.request(command, answer, read, asker, k, started)
        n_rows = len(getattr(answer, "rows", ()) or getattr(answer, "steps", ()))
        return replace(request, n_candidates=n_rows)

    def _chosen(self, row: Row | MixedRow) -> ChosenRow:
        return ChosenRow(
            row.artist,
            Shown(
                rank=row.rank,
                artist_id=row.artist.artist_id,
                model_id=self._answers.catalogue.manifest.identity,
                score=row.score,
                support=row.support,
                popularity_bucket=popularity_bucket(row.artist.listeners),
            ),
        )


def _seeds(terms: Sequence[Term]) -> list[tuple[int, int]]:
    return [(term.understood.artist.artist_id, term.sign) for term in terms]
