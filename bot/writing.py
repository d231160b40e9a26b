"""Pure: answers besides similar artists become the lines that a member reads."""

from collections.abc import Sequence

from bot.rendering import Card, Style, closeness, headline, lastfm_url, matched, musicbrainz_url, row_line
from bot.replies import (
    ArtistAnswer,
    BlendAnswer,
    Closer,
    DissimilarAnswer,
    Exploration,
    MixedRow,
    Named,
    NothingKnown,
    PathAnswer,
    SameAnswer,
    TooFewAnswer,
    WhyAnswer,
)
from recommender.exploring import InCommon
from recommender.outcomes import Artist, DissimilarArtist, Stop
from recommender.wording import SYNTHETIC_NOTE


def exploration_card(answer: Exploration, style: Style) -> Card:
    """Write an answer."""
    match answer:
        case BlendAnswer():
            written = _blend(answer, style)
        case PathAnswer():
            written = _path(answer, style)
        case DissimilarAnswer():
            written = _dissimilar(answer, style)
        case WhyAnswer():
            written = _why(answer, style)
        case ArtistAnswer():
            written = _artist(answer, style)
        case TooFewAnswer():
            written = Card(headline(answer, style))
        case SameAnswer(artist=artist):
            return Card(style.say("Both are {artist}; name two artists.", artist=style.strong(artist.name)))
        case NothingKnown():
            return Card(
                style.say("I know nothing yet that you like."),
                (style.say("Rate rows with 👍, or say for example: like björk"),),
            )
    if not answer.synthetic:
        return written
    note = style.small(style.say(SYNTHETIC_NOTE))
    return Card(written.headline, written.lines, (*written.notes, note))


def _named(named: Named, style: Style) -> str:
    return matched(named.artist, named.read_from, named.layer, style)


def _all(names: Sequence[Named], style: Style) -> str:
    return style.language.listed([_named(one, style) for one in names])


def _blend(answer: BlendAnswer, style: Style) -> Card:
    say = style.say
    liked, disliked = _all(answer.liked, style), _all(answer.disliked, style)
    if answer.command == "recommend":
        first = say("For you, from what you rated and liked")
    elif disliked:
        first = say("Between {liked}, away from {disliked}", liked=liked, disliked=disliked)
    elif len(answer.liked) == 1:
        first = say("Similar to {artist}", artist=liked)
    else:
        first = say("Between {liked}", liked=liked)
    if not answer.rows:
        return Card(first, (say("Nothing is left of it: what is liked and what is not cancel out."),))
    notes = []
    if answer.wish.familiarity == "familiar":
        notes.append(style.small(say("Only well-known artists.")))
    elif answer.wish.familiarity == "deep":
        notes.append(style.small(say("Only little-known artists.")))
    if answer.voting == "opted_out":
        notes.append(style.small(say("You opted out of logging, so your votes are not saved.")))
    elif answer.voting == "unavailable":
        notes.append(style.small(say("Votes cannot be saved at the moment.")))
    is_recommended = answer.command == "recommend"
    lines = tuple(_mixed_row(row, style, is_recommended=is_recommended) for row in answer.rows)
    return Card(first, lines, tuple(notes))


def _mixed_row(row: MixedRow, style: Style, *, is_recommended: bool) -> str:
    liked = style.language.listed([style.name(one.name) for one in row.because])
    names = {"rank": str(row.rank), "artist": style.linked(row.artist), "liked": liked}
    if is_recommended:
        return style.say("{rank}. {artist} - because of {liked}", **names)
    return style.say("{rank}. {artist} - {strength}; nearest to {liked}", strength=closeness(row.score, style), **names)


def _path(answer: PathAnswer, style: Style) -> Card:
    first = style.say("From {start} to {goal}", start=_named(answer.start, style), goal=_named(answer.goal, style))
    lines = [f"1. {style.linked(answer.start.artist)}"]
    lines += [_step(number, stop, style) for number, stop in enumerate(answer.steps, start=2)]
    return Card(first, tuple(lines))


def _step(number: int, stop: Stop, style: Style) -> str:
    if stop.support == 0:
        return style.say("{rank}. {artist} - no listener in common", rank=str(number), artist=style.linked(stop.artist))
    return style.language.count(
        "{rank}. {artist} - {n} listener in common with the one before",
        "{rank}. {artist} - {n} listeners in common with the one before",
        stop.support,
        rank=str(number),
        artist=style.linked(stop.artist),
    )


def _dissimilar(answer: DissimilarAnswer, style: Style) -> Card:
    first = style.say("Well known, and nothing like {artist}", artist=_named(answer.seed, style))
    if not answer.rows:
        return Card(style.say("Nobody here is unlike {artist}.", artist=_named(answer.seed, style)))
    return Card(first, tuple(_opposite(row, style) for row in answer.rows))


def _opposite(row: DissimilarArtist, style: Style) -> str:
    return style.language.count(
        "{rank}. {artist} - {n} listener in common; by chance it would be {chance}",
        "{rank}. {artist} - {n} listeners in common; by chance it would be {chance}",
        row.support,
        rank=str(row.rank),
        artist=style.linked(row.artist),
        chance=round(row.by_chance, 1) if row.by_chance < 10 else round(row.by_chance),
    )


def _why(answer: WhyAnswer, style: Style) -> Card:
    first = style.say("{one} and {other}", one=_named(answer.one, style), other=_named(answer.other, style))
    return Card(first, evidence_lines(answer.one.artist, answer.other.artist, answer.evidence, answer.needed, style))


def evidence_lines(one: Artist, other: Artist, evidence: InCommon | None, needed: int, style: Style) -> tuple[str, ...]:
    """Say what two artists share in the data."""
    names = {"one": style.strong(one.name), "other": style.strong(other.name)}
    if evidence is None:
        return (
            style.say("Fewer than {needed} people in the data listened to both; that says nothing.", needed=needed),
        )
    shared = style.language.count(
        "{n} person listened to both: {share} of the listeners of {one}, {back} of those of {other}.",
        "{n} people listened to both: {share} of the listeners of {one}, {back} of those of {other}.",
        evidence.common,
        share=style.language.percent(evidence.share),
        back=style.language.percent(evidence.common / max(other.listeners, 1)),
        **names,
    )
    times = evidence.times_chance
    if times >= 1.25:
        chance = style.say(
            "That is {times} times as many as if the two had nothing to do with each other.", times=_rounded(times)
        )
    elif times <= 0.8:
        chance = style.say(
            "That is fewer than chance alone would bring together: {times} times as many.", times=_rounded(times)
        )
    else:
        chance = style.say("That is about as many as chance alone would bring together.")
    return (shared, chance)


def _rounded(times: float) -> float:
    return round(times) if times >= 10 else round(times, 1) if times >= 1 else round(times, 2)


def _artist(answer: ArtistAnswer, style: Style) -> Card:
    artist = answer.seed.artist
    lines = [
        style.language.count(
            "{n} listener in the data; place {place} of {all} artists.",
            "{n} listeners in the data; place {place} of {all} artists.",
            artist.listeners,
            place=answer.place,
            all=answer.n_artists,
        )
    ]
    sites = (("Last.fm", lastfm_url(artist)), ("MusicBrainz", musicbrainz_url(artist)))
    links = [f"[{site}](<{url}>)" for site, url in sites if url is not None]
    if links and style.markdown:
        lines.append(" · ".join(links))
    if answer.nearest:
        lines.append(style.say("Nearest:"))
        lines += [row_line(row, style) for row in answer.nearest]
    return Card(_named(answer.seed, style), tuple(lines))


def closer_card(closer: Closer, style: Style) -> Card:
    """Write what is known of a row of an answer."""
    names = {"artist": style.strong(closer.artist.name), "seed": style.strong(closer.seed.name)}
    heard = style.language.count(
        "{artist} has {n} listener in the data.",
        "{artist} has {n} listeners in the data.",
        closer.artist.listeners,
        **names,
    )
    evidence = evidence_lines(closer.seed, closer.artist, closer.evidence, closer.needed, style)
    return Card(style.say("Why {artist} for {seed}?", **names), (*evidence, heard))
