"""``segue model``: which models there are, which one serves, and what it takes to become that."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table

from bot.cli_feedback import opened_store
from recommender.artifact import Manifest, read_manifest
from recommender.errors import DataError, ModelError, ParameterError
from recommender.store import ModelStore
from recommender.terminal import JsonOption, StoreOption, out, print_json
from recommender.wording import counted, plain_name

if TYPE_CHECKING:
    from bot.feedback.store import FeedbackStore
    from bot.promoting import Gate

app = typer.Typer(no_args_is_help=True, help="The models in the store: list, show, metrics, promote, rollback.")

ModelArgument = Annotated[str, typer.Argument(help="Id of a model in the store.")]


@app.command("list")
def list_(store: StoreOption, as_json: JsonOption = False) -> None:
    """List the models; a star marks the one that serves."""
    models = ModelStore(store)
    current, cards = models.current_id(), []
    for model_id in models.ids():
        try:
            cards.append(read_manifest(models.folder(model_id)))
        except ModelError as error:
            out.print(f"{model_id}: {error}", markup=False, soft_wrap=True)
    cards.sort(key=lambda card: card.created)
    if as_json:
        print_json([_json(card) | {"serves": card.id == current} for card in cards])
        return
    if not cards:
        out.print(f"There is no model in {store}; run `segue train`.", markup=False, soft_wrap=True)
        return
    table = Table("", "model", "preset", "data", Column("artists", justify="right"), "trained")
    for card in cards:
        star = "*" if card.id == current else ""
        name, data = plain_name(card.id), plain_name(card.data.name)
        table.add_row(star, name, card.preset, data, f"{card.data.n_artists:,}", f"{card.created:%Y-%m-%d %H:%M}")
    out.print(table, markup=False)


@app.command()
def show(model: ModelArgument, store: StoreOption, as_json: JsonOption = False) -> None:
    """Show a model's card, its offline metrics and when it began to serve."""
    from bot.feedback.promotions import metrics_of, promotions

    models = ModelStore(store)
    card = read_manifest(models.folder(model))
    with opened_store() as feedback:
        metrics = metrics_of(feedback, card.identity)
        changes = [one for one in promotions(feedback) if one.model_id == card.identity]
    if as_json:
        times = [{"kind": one.kind, "at": one.created_at.isoformat(), "override": one.is_override} for one in changes]
        serves = models.current_id() == card.id
        print_json(_json(card) | {"serves": serves, "metrics": metrics, "promotions": times})
        return
    size = f"{card.n_factors} factors, {card.k} neighbours, trained {card.created:%Y-%m-%d %H:%M}"
    people = f"{counted(card.data.n_listeners, 'listener')}, {counted(card.data.n_artists, 'artist')}"
    lines = [
        f"{card.identity}: {card.preset} ({card.algorithm}), {size}",
        f"data: {card.data.name}, {people}{', synthetic' if card.data.synthetic else ''}",
        f"offline: {_metrics(metrics)}",
        f"serves: {'yes' if models.current_id() == card.id else 'no'}",
    ]
    for one in changes:
        why = f", override: {plain_name(one.reason or '', limit=500)}" if one.is_override else ""
        lines.append(f"{one.created_at:%Y-%m-%d %H:%M} {one.kind}{why}")
    for line in lines:
        out.print(plain_name(line, limit=1000), markup=False, soft_wrap=True)


@app.command()
def metrics(
    model: ModelArgument,
    store: StoreOption,
    file: Annotated[
        Path, typer.Option("--from", help="JSON of `segue evaluate --json`, or an object of numbers; higher is better.")
    ],
) -> None:
    """Keep a model's offline metrics, for the gate and beside the votes in reports."""  # fmt: skip
    from bot.feedback.promotions import record_metrics

    card = read_manifest(ModelStore(store).folder(model))
    found = _read_metrics(file, card.preset)
    with opened_store() as feedback:
        _register(feedback, card)
        record_metrics(feedback, card.identity, found)
    out.print(f"{card.id}: {_metrics(found)}.", markup=False, soft_wrap=True)


@app.command()
def promote(
    model: ModelArgument,
    store: StoreOption,
    override: Annotated[
        bool, typer.Option("--override", help="Promote although the gate does not open; needs --reason, is logged.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why, for the log.")] = None,
) -> None:
    """Let a model serve: when its offline metrics are not worse and members preferred it, or by an override.

    Running bots take the new model when they are started again.
    """
    models = ModelStore(store)
    card = read_manifest(models.folder(model))
    current = models.current_id()
    if current == card.id:
        raise ParameterError(f"{model} serves already")
    if override and not (reason or "").strip():
        raise ParameterError("an override is logged with its reason; add --reason TEXT")
    with opened_store() as feedback:
        _register(feedback, card)
        champion = None if current is None else read_manifest(models.folder(current))
        if champion is not None:
            _register(feedback, champion)
        found = _judged(feedback, champion, card)
        for sentence in found.reasons:
            out.print(plain_name(sentence, limit=500), markup=False, soft_wrap=True)
        if not found.passed and not override:
            raise ParameterError(f"{model} was not promoted; with --override --reason TEXT it is, and that is logged")
        is_override = not found.passed
        _change(feedback, models, card, champion, "promote", found, reason=reason, is_override=is_override)
    undo = "" if champion is None else f" Back to {champion.id}: segue model rollback"
    out.print(f"{card.id} serves now.{undo}", markup=False, soft_wrap=True)


@app.command()
def rollback(store: StoreOption, reason: Annotated[str | None, typer.Option(help="Why, for the log.")] = None) -> None:
    """Go back to the model that served before the last promotion that was not taken back yet."""
    from bot.feedback.promotions import promotions
    from bot.promoting import Gate

    models = ModelStore(store)
    current = models.current_id()
    card = None if current is None else read_manifest(models.folder(current))
    with opened_store() as feedback:
        identity = None if card is None else card.identity
        made = [one for one in promotions(feedback) if one.kind == "promote" and one.model_id == identity]
        if not made or made[-1].previous_id is None:
            raise ParameterError(
                f"no promotion of {current or 'a model'} is logged; name one: segue model promote MODEL"
            )
        previous = _folder_card(models, made[-1].previous_id)
        nothing = Gate(False, (), {"rolled_back": identity})
        _change(feedback, models, previous, card, "rollback", nothing, reason=reason, is_override=False)
    out.print(f"{previous.id} serves again.", markup=False, soft_wrap=True)


def _judged(feedback: "FeedbackStore", champion: Manifest | None, challenger: Manifest) -> "Gate":
    from bot.evidence.comparing import compare, credit
    from bot.feedback.experiments import Experiments
    from bot.feedback.promotions import metrics_of
    from bot.feedback.reading import read_log
    from bot.promoting import Gate, gate

    if champion is None:
        return Gate(True, ("there is no serving model to compare with",), {})
    pair = {champion.identity, challenger.identity}
    # What one server's moderators compared decides nothing for all.
    met = [one for one in Experiments(feedback).of(None) if {one.model_a, one.model_b} == pair and one.started_at]
    live, side = None, "b"
    if met:
        with feedback.reading() as connection:
            live = compare(credit(read_log(connection, experiment_id=met[-1].id)))
        side = "a" if met[-1].model_a == challenger.identity else "b"
    return gate(metrics_of(feedback, champion.identity), metrics_of(feedback, challenger.identity), live, side=side)


def _change(
    feedback: "FeedbackStore",
    models: ModelStore,
    to: Manifest,
    previous: Manifest | None,
    kind: Any,
    found: "Gate",
    *,
    reason: str | None,
    is_override: bool,
) -> None:
    from bot.feedback.promotions import record_promotion
    from bot.feedback.records import PromotionRecord

    evidence: Mapping[str, Any] = {"reasons": list(found.reasons), **found.evidence}
    record = PromotionRecord(
        model_id=to.identity,
        previous_id=None if previous is None else previous.identity,
        kind=kind,
        is_override=is_override,
        reason=(reason or "").strip() or None,
        evidence=evidence,
        created_at=datetime.now(UTC),
    )
    # Logged first: a change that is not on record could not be taken back.
    record_promotion(feedback, record)
    models.set_current(to.id)


def _register(feedback: "FeedbackStore", card: Manifest) -> None:
    from bot.answers import model_record

    feedback.register_model(model_record(card))


def _folder_card(models: ModelStore, identity: str) -> Manifest:
    card = read_manifest(models.folder(identity.rpartition("@")[0]))
    if card.identity != identity:
        raise ModelError(f"{card.id} was trained anew since {identity} served; promote a model by its name instead")
    return card


def _read_metrics(file: Path, preset: str) -> dict[str, float]:
    try:
        content = json.loads(file.read_bytes())
    except ValueError as error:
        raise DataError(f"{file} is no JSON: {error}; write an object of metric names and numbers") from error
    content = content if isinstance(content, dict) else {}
    if isinstance(systems := content.get("systems"), dict):
        if preset not in systems:
            raise DataError(
                f"{file} judges {', '.join(systems)}, not {preset}; add --preset {preset} to the evaluation"
            )
        # Only means of metrics: a hub skew or a popularity is not the better the higher it is.
        judged = systems[preset]
        content = {name: one["mean"] for name, one in judged.items() if isinstance(one, dict) and "mean" in one}
    numbers = {
        name: float(value)
        for name, value in content.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    if not numbers:
        raise DataError(f'{file} holds no metrics; write an object like {{"ndcg@10": 0.21, "recall@10": 0.3}}')
    return numbers


def _metrics(found: Mapping[str, Any] | None) -> str:
    return ", ".join(f"{plain_name(name)} {value:g}" for name, value in (found or {}).items()) or "not evaluated"


def _json(card: Manifest) -> dict[str, Any]:
    return {
        "id": card.id,
        "identity": card.identity,
        "algorithm": card.algorithm,
        "preset": card.preset,
        "data": card.data.name,
        "synthetic": card.data.synthetic,
        "artists": card.data.n_artists,
        "listeners": card.data.n_listeners,
        "trained": card.created.isoformat(),
        "sha256": card.sha256,
    }
