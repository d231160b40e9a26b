"""Reading messages on a simulated Discord as a member does."""

import discord
from simcord.results import ResponseMessage

Message = discord.Message | ResponseMessage


def components(message: Message) -> list[dict]:
    """Every component of a message, nested ones included."""
    message = getattr(message, "message", message)
    found: list[dict] = []

    def walk(items):
        for item in items:
            found.append(item)
            walk(item.get("components", []))
            if "accessory" in item:
                walk([item["accessory"]])

    walk([component.to_dict() for component in message.components])
    return found


def shown(message: Message) -> str:
    """All text that a member reads in a message, whatever it is made of."""
    message = getattr(message, "message", message)
    texts = [item["content"] for item in components(message) if item["type"] == 10]
    texts += [embed.description or "" for embed in message.embeds]
    return "\n".join(filter(None, [message.content, *texts]))


def ids(message: Message) -> list[str]:
    """Ids of all buttons and selects."""
    return [item["custom_id"] for item in components(message) if "custom_id" in item]


def button(message: Message, beginning: str) -> str:
    """The id of the first button whose id begins so."""
    found = [one for one in ids(message) if one.startswith(beginning)]
    assert found, f"no {beginning!r} among {ids(message)}"
    return found[0]


def options(message: Message, custom_id: str) -> list[str]:
    """Values of a select."""
    return [
        option["value"]
        for item in components(message)
        if item.get("custom_id", "").startswith(custom_id)
        for option in item["options"]
    ]


def labels(message: Message) -> list[str]:
    """What is written on the buttons."""
    return [item["label"] for item in components(message) if item["type"] == 2 and "label" in item]
