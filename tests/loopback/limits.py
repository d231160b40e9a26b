"""What Discord refuses: the limits of messages, components, choices and commands, and its error bodies.

Limits: docs.discord.com, "Create Message", "Component Reference", "Application Commands" (August 2026).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

COMPONENTS_V2 = 1 << 15
ROW, BUTTON, SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 1, 2, 9, 10, 11, 12, 13, 14, 17
SELECTS = {3, 5, 6, 7, 8}
LINK, PREMIUM = 5, 6
CHILDREN = {
    ROW: {BUTTON, *SELECTS},
    SECTION: {TEXT},
    CONTAINER: {ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR},
}
MOST_CHILDREN = {ROW: 5, SECTION: 3, CONTAINER: 40}


class Refusal(Exception):  # noqa: N818 - an answer of Discord's, not an error of ours
    """An error answer: HTTP status and the JSON body that discord.py parses into its exception."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(f"{status} {code} {message} {errors or ''}")
        self.status = status
        self.body: Json = {"code": code, "message": message} | ({"errors": errors} if errors else {})


def invalid(path: str, message: str, code: str = "BASE_TYPE_BAD_VALUE") -> Refusal:
    """Return Discord's 50035 for one field, ``path`` dotted: ``embeds.0.title``."""
    errors: Json = {"_errors": [{"code": code, "message": message}]}
    for key in reversed(path.split(".")):
        errors = {key: errors}
    return Refusal(400, 50035, "Invalid Form Body", errors)


def check_length(text: object, path: str, longest: int, *, shortest: int = 0) -> None:
    if not isinstance(text, str):
        raise invalid(path, "Must be a string.", "STRING_TYPE_CONVERT")
    # Discord counts Unicode characters, as len() does. It strips blanks before; here they count towards the maximum.
    if len(text) > longest or len(text.strip()) < shortest:
        how = f"between {shortest} and {longest}" if shortest else f"{longest} or fewer"
        raise invalid(path, f"Must be {how} in length.", "BASE_TYPE_BAD_LENGTH")


def walk(components: list[Json], path: str = "components") -> Iterator[tuple[str, Json]]:
    """Yield every component with its dotted path, depth first, as Discord numbers them."""
    for i, component in enumerate(components):
        yield f"{path}.{i}", component
        yield from walk(component.get("components", []), f"{path}.{i}.components")
        if accessory := component.get("accessory"):
            yield f"{path}.{i}.accessory", accessory


def check_message(body: Json, file_names: set[str]) -> None:
    """Raise Refusal where Discord refuses a new message, or an old one as it would stand after an edit."""
    content, embeds, components = body.get("content") or "", body.get("embeds") or [], body.get("components") or []
    check_length(content, "content", 2000)
    if body.get("flags", 0) & COMPONENTS_V2:
        for field in ("content", "embeds", "poll", "sticker_ids"):
            if body.get(field):
                raise invalid(
                    field,
                    f"The '{field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                )
        # A file that no component shows is accepted and stays invisible.
        if not components:
            raise Refusal(400, 50006, "Cannot send an empty message")
    else:
        if not (content.strip() or embeds or components or file_names or body.get("poll") or body.get("sticker_ids")):
            raise Refusal(400, 50006, "Cannot send an empty message")
        if len(components) > 5 or any(row.get("type") != ROW for row in components):
            raise invalid("components", "At most 5 action rows without MessageFlags.IS_COMPONENTS_V2.")
    check_embeds(embeds)
    check_components(components, file_names)


def check_embeds(embeds: list[Json]) -> None:
    if len(embeds) > 10:
        raise invalid("embeds", "Must be 10 or fewer in length.")
    total = 0
    for i, embed in enumerate(embeds):
        fields = embed.get("fields", [])
        if len(fields) > 25:
            raise invalid(f"embeds.{i}.fields", "Must be 25 or fewer in length.")
        texts = [("title", embed.get("title"), 256), ("description", embed.get("description"), 4096)]
        texts += [("footer.text", embed.get("footer", {}).get("text"), 2048)]
        texts += [("author.name", embed.get("author", {}).get("name"), 256)]
        for j, field in enumerate(fields):
            texts += [(f"fields.{j}.name", field.get("name", ""), 256), (f"fields.{j}.value", field.get("value"), 1024)]
            check_length(field.get("value"), f"embeds.{i}.fields.{j}.value", 1024, shortest=1)
        for path, text, longest in texts:
            if text is not None:
                check_length(text, f"embeds.{i}.{path}", longest)
                total += len(text)
    if total > 6000:
        raise invalid("embeds", "Embed size exceeds maximum size of 6000", "MAX_EMBED_SIZE_EXCEEDED")


def check_components(components: list[Json], file_names: set[str]) -> None:
    every = list(walk(components))
    if len(every) > 40:
        raise invalid("components", f"Must be 40 or fewer in length, nested ones counted; there are {len(every)}.")
    text_length = sum(len(component.get("content", "")) for _, component in every if component["type"] == TEXT)
    if text_length > 4000:
        raise invalid("components", f"Displayable text exceeds 4000: {text_length}.", "BASE_TYPE_MAX_LENGTH")
    custom_ids = [component["custom_id"] for _, component in every if "custom_id" in component]
    if len(custom_ids) != len(set(custom_ids)):
        raise invalid("components", "Component custom id cannot be duplicated", "COMPONENT_CUSTOM_ID_DUPLICATED")
    for path, component in every:
        check_component(path, component, file_names)


def check_children(path: str, component: Json) -> None:
    kind, children = component["type"], component.get("components", [])
    if not 1 <= len(children) <= MOST_CHILDREN[kind]:
        raise invalid(f"{path}.components", f"Must be between 1 and {MOST_CHILDREN[kind]} in length.")
    if wrong := [child["type"] for child in children if child["type"] not in CHILDREN[kind]]:
        raise invalid(f"{path}.components", f"Components of type {wrong} cannot stand in one of type {kind}.")
    if kind == ROW and len(children) > 1 and any(child["type"] in SELECTS for child in children):
        raise invalid(f"{path}.components", "A select menu fills its action row.")
    if kind == SECTION and component.get("accessory", {}).get("type") not in {BUTTON, THUMBNAIL}:
        raise invalid(f"{path}.accessory", "This field is required", "BASE_TYPE_REQUIRED")


def check_component(path: str, component: Json, file_names: set[str]) -> None:
    kind = component["type"]
    if kind in CHILDREN:
        check_children(path, component)
    elif kind == TEXT:
        check_length(component.get("content"), f"{path}.content", 4000, shortest=1)
    elif kind == BUTTON:
        check_length(component.get("label") or "", f"{path}.label", 80)
        if component.get("style") == LINK:
            check_length(component.get("url"), f"{path}.url", 512, shortest=1)
        if not component.get("label") and not component.get("emoji") and component.get("style") != PREMIUM:
            raise invalid(path, "A button needs a label or an emoji.", "BUTTON_COMPONENT_INVALID")
    elif kind == 3 and not 1 <= len(component.get("options", [])) <= 25:
        raise invalid(f"{path}.options", "Must be between 1 and 25 in length.")
    elif kind == GALLERY and not 1 <= len(component.get("items", [])) <= 10:
        raise invalid(f"{path}.items", "Must be between 1 and 10 in length.")
    if kind in SELECTS or (kind == BUTTON and component.get("style") not in {LINK, PREMIUM}):
        check_length(component.get("custom_id"), f"{path}.custom_id", 100, shortest=1)
    for media in media_of(component):
        name = str(media.get("url", "")).removeprefix("attachment://")
        if str(media.get("url", "")).startswith("attachment://") and name not in file_names:
            raise invalid(path, f"Unfurled media item references a missing attachment: {name}")


def media_of(component: Json) -> list[Json]:
    """Return the media objects (``{"url": ...}``) that one component shows, its children's not included."""
    found = [component.get("media"), component.get("file"), *(item.get("media") for item in component.get("items", []))]
    return [media for media in found if media]


def check_choices(choices: list[Json]) -> None:
    if len(choices) > 25:
        raise invalid("data.choices", f"Must be 25 or fewer in length; there are {len(choices)}.")
    for i, choice in enumerate(choices):
        check_length(choice.get("name"), f"data.choices.{i}.name", 100, shortest=1)
        if not isinstance(choice.get("value"), int | float):
            check_length(choice.get("value"), f"data.choices.{i}.value", 100, shortest=1)


def check_modal(modal: Json) -> None:
    check_length(modal.get("title"), "data.title", 45, shortest=1)
    check_length(modal.get("custom_id"), "data.custom_id", 100, shortest=1)
    if not 1 <= len(modal.get("components", [])) <= 5:
        raise invalid("data.components", "Must be between 1 and 5 in length.")


def check_commands(commands: list[Json]) -> None:
    """Check what a sync puts: names, descriptions, options; 100 chat commands at most."""
    if len([command for command in commands if command.get("type", 1) == 1]) > 100:
        raise Refusal(400, 30032, "Maximum number of application commands reached (100)")
    for i, command in enumerate(commands):
        if command.get("type", 1) == 1:
            check_option(command, str(i))


def check_option(option: Json, path: str) -> None:
    name = str(option.get("name", ""))
    if not re.fullmatch(r"[-_'\w]{1,32}", name) or name != name.lower():
        raise invalid(f"{path}.name", f"Command name is invalid: {name!r}", "APPLICATION_COMMAND_INVALID_NAME")
    check_length(option.get("description"), f"{path}.description", 100, shortest=1)
    children = option.get("options", [])
    if len(children) > 25 or len(option.get("choices", [])) > 25:
        raise invalid(path, "Must be 25 or fewer in length.")
    required = [bool(child.get("required")) for child in children]
    if required != sorted(required, reverse=True):
        raise invalid(f"{path}.options", "Required options must be placed before non-required options")
    for i, child in enumerate(children):
        check_option(child, f"{path}.options.{i}")
