"""What members are told of the bot itself: help, the model's card, and what is kept of them."""

from bot.rendering import Card, Style
from recommender.artifact import Manifest
from recommender.wording import plain_name

# A server keeps its backups for so long; the operator's guide says how to set them up.
BACKUP_DAYS = 30


def policy_card(style: Style) -> Card:
    """Write what is kept of members."""
    say = style.say
    return Card(
        say("What is kept of you"),
        (
            say("• When you asked, by which command, in which server and language, and which artist was understood."),
            say("• Which artists were shown, and your votes, likes and dislikes."),
            say("• Names that you propose for an artist, in lower case. Nothing else that you type is stored."),
            say("All of it stands under a random key. One table says which key is yours; without its row nobody can."),
            say("It shows which lists are better and makes your own recommendations; it is never used to profile you."),
            say("`privacy export` gives you all of it, `privacy forget` deletes it, `privacy opt-out` stops it."),
            say("Backups are kept for at most {days} days.", days=BACKUP_DAYS),
        ),
    )


def help_card(style: Style, *, prefix: str) -> Card:
    """Write what the bot can do; ``prefix`` is what commands begin with here."""
    say = style.say
    p = style.name(prefix)
    commands = (
        ("similar arcade fire", say("similar artists; --count 20, --familiar, --deep")),
        ("artist björk", say("an artist's card")),
        ("blend radiohead + björk - coldplay", say("the artists between several")),
        ("path metallica | abba", say("a way from one to another")),
        ("why metallica | slayer", say("what two have in common")),
        ("dissimilar björk", say("well known, and nothing like it")),
        ("map björk", say("a picture of the neighbourhood")),
        ("surprise", say("somebody by chance")),
        ("like björk", say("also dislike; recommend makes use of both")),
        ("recommend", say("for you, from what you rated and liked")),
        ("privacy", say("what is kept of you; export, forget, opt-out")),
        ("about", say("the model and its data")),
        ("settings", say("for those who manage the server")),
        ("experiment", say("for those who manage the server: two models compared")),
        ("report", say("for moderators: what members said of the rows")),
    )
    return Card(
        say("Name an artist and get artists that the same people listen to."),
        tuple(f"{p}{command} - {what}" for command, what in commands),
        (style.small(say("All of them also work as slash commands, and behind a mention of me.")),),
    )


def about_card(style: Style, manifest: Manifest) -> Card:
    """Write the model's card."""
    say = style.say
    data = manifest.data
    named = {"name": style.strong(plain_name(manifest.id)), "preset": style.name(manifest.preset)}
    lines = (
        say("Model: {name}, {algorithm}, preset {preset}", algorithm=style.name(manifest.algorithm), **named),
        say(
            "Data: {name}, {listeners} listeners, {artists} artists, {pairs} pairs",
            name=style.name(data.name),
            listeners=data.n_listeners,
            artists=data.n_artists,
            pairs=data.n_pairs,
        ),
        say("The listeners are synthetic, the artists' names are real.")
        if data.synthetic
        else say("The listeners are real people's, without names."),
        say("Trained: {day}", day=style.language.day(manifest.created)),
        say("Artists with fewer than {needed} listeners get no answer.", needed=manifest.min_listeners),
        say("Checksum: {checksum}", checksum=f"`{manifest.sha256[:16]}`"),
    )
    return Card(say("Who is similar is learned from who listens to whom, not from genres or sound."), lines)
