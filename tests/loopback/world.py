"""The guild of the loopback Discord: its members, channels, messages, commands and interactions as Discord's JSON."""

from __future__ import annotations

import copy
import itertools
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from loopback import limits
from loopback.limits import COMPONENTS_V2, Json, Refusal

SUPPRESS_EMBEDS, EPHEMERAL, LOADING = 1 << 2, 1 << 6, 1 << 7
SEND_MESSAGES, MENTION_EVERYONE = 1 << 11, 1 << 17
MESSAGE_CONTENT, PRIVILEGED = 1 << 15, 1 << 1 | 1 << 8 | 1 << 15
# The kinds of an interaction, and of the callback that answers it.
COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
ALLOWED_CALLBACKS = {
    COMMAND: {MESSAGE, DEFERRED_MESSAGE, MODAL},
    COMPONENT: {MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, MODAL},
    AUTOCOMPLETE: {CHOICES},
    MODAL_SUBMIT: {MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE},
}
_sequence = itertools.count()


def snowflake() -> int:
    """Return a new id whose time is now: discord.py reads an interaction's age from it."""
    return (int(time.time() * 1000) - 1420070400000) << 22 | next(_sequence) & 0x3FFFFF


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the guild."""

    name: str
    id: int = field(default_factory=snowflake)
    bot: bool = False
    permissions: int = (1 << 53) - 1
    locale: str = "en-US"

    def as_user(self) -> Json:
        return {
            "id": str(self.id), "username": self.name, "discriminator": "0", "global_name": self.name, "avatar": None,
            "bot": self.bot,
        }  # fmt: skip

    def as_member(self) -> Json:
        return {
            "roles": [], "nick": None, "avatar": None, "joined_at": "2026-01-01T00:00:00+00:00", "deaf": False,
            "mute": False, "flags": 0, "permissions": str(self.permissions),
        }  # fmt: skip


@dataclass(slots=True)
class Interaction:
    """One click, command or autocomplete of a member, and what the client made of it."""

    kind: int
    data: Json
    member: Member
    channel_id: int
    source: Json | None = None
    id: int = field(default_factory=snowflake)
    token: str = field(default_factory=lambda: f"interaction-token-{snowflake()}")
    created: float = field(default_factory=time.monotonic)
    callback: Json | None = None
    message: Json | None = None
    followups: list[Json] = field(default_factory=list)

    @property
    def choices(self) -> list[Json]:
        return list(self.callback["data"]["choices"]) if self.callback and self.callback["type"] == CHOICES else []

    @property
    def ephemeral(self) -> bool:
        return bool(self.message and self.message["flags"] & EPHEMERAL)

    @property
    def modal(self) -> Json | None:
        return self.callback["data"] if self.callback and self.callback["type"] == MODAL else None


class World:
    """What exists, without any socket."""

    def __init__(self) -> None:
        self.address = ""  # host:port of the server
        self.everyone = (1 << 53) - 1  # permissions of the guild's @everyone, hence of the bot
        self.bot = Member("segue-bot", bot=True)
        self.alice = Member("alice")
        self.guild_id, self.channel_id = snowflake(), snowflake()
        self.messages: dict[int, Json] = {}
        self.commands: list[Json] = []  # as synced
        # Whether members, not the server, brought the bot: then it is no member of the server that they ask in.
        self.user_installed = False
        self._dm_channels: dict[int, Member] = {}

    def guild(self) -> Json:
        everyone = {
            "id": str(self.guild_id), "name": "@everyone", "permissions": str(self.everyone), "position": 0, "color": 0,
            "colors": {"primary_color": 0}, "hoist": False, "managed": False, "mentionable": False, "flags": 0,
        }  # fmt: skip
        return {
            "id": str(self.guild_id), "name": "loopback", "owner_id": str(self.alice.id), "member_count": 2,
            "large": False, "roles": [everyone], "channels": [self.channel(self.channel_id)], "threads": [],
            "emojis": [], "features": [], "members": [{**self.bot.as_member(), "user": self.bot.as_user()}],
            "presences": [], "voice_states": [],
        }  # fmt: skip

    def new_message(self, author: Member, channel_id: int, body: Json, files: dict[str, bytes]) -> Json:
        reference = body.get("message_reference")
        replied_to = self.messages.get(int(reference["message_id"])) if reference else None
        if reference and replied_to is None and reference.get("fail_if_not_exists", True):
            raise limits.invalid("message_reference", "Unknown message", "REPLIES_UNKNOWN_MESSAGE")
        attachments = self._attachments(body, files)
        limits.check_message(body, {attachment["filename"] for attachment in attachments})
        message: Json = {
            "id": str(snowflake()), "channel_id": str(channel_id), "author": author.as_user(),
            "content": body.get("content") or "", "embeds": body.get("embeds") or [], "attachments": attachments,
            "components": self._as_shown(body.get("components") or [], attachments), "flags": body.get("flags", 0),
            "type": 19 if replied_to else 0, "timestamp": datetime.now(UTC).isoformat(), "edited_timestamp": None,
            "tts": False, "pinned": False, "mention_roles": [], "nonce": body.get("nonce"),
        }  # fmt: skip
        message |= self._mentions(message, body.get("allowed_mentions"), replied_to)
        if replied_to:
            message |= {"message_reference": reference, "referenced_message": replied_to}
        if not message["flags"] & EPHEMERAL:
            self.messages[int(message["id"])] = message
        return message

    def edit_message(self, message: Json, body: Json, files: dict[str, bytes]) -> None:
        flags = body.get("flags") or 0
        changed = {key: body[key] or type(message[key])() for key in ("content", "embeds", "components") if key in body}
        if message["flags"] & LOADING:
            changed = {"content": "", **changed}
        # Components V2 can be set by an edit, never taken back.
        changed["flags"] = message["flags"] & ~LOADING & ~SUPPRESS_EMBEDS | flags & (SUPPRESS_EMBEDS | COMPONENTS_V2)
        attachments = self._attachments(body, files, message["attachments"])
        limits.check_message({**message, **changed}, {attachment["filename"] for attachment in attachments})
        if "components" in changed:
            changed["components"] = self._as_shown(changed["components"], attachments)
        message |= changed | {"attachments": attachments, "edited_timestamp": datetime.now(UTC).isoformat()}

    def _attachments(self, body: Json, files: dict[str, bytes], old: list[Json] | None = None) -> list[Json]:
        named = {str(item["id"]): item for item in body.get("attachments", [])}
        kept = [item for item in old or [] if "attachments" not in body or item["id"] in named]
        for i, (name, content) in enumerate(files.items()):
            file_id = str(snowflake())
            url = f"http://{self.address}/attachments/{file_id}/{name}"
            description = named.get(str(i), {}).get("description")
            kept.append({"id": file_id, "filename": name, "size": len(content), "url": url, "proxy_url": url})
            kept[-1] |= {"description": description} if description else {}
        return kept

    @staticmethod
    def _as_shown(components: list[Json], attachments: list[Json]) -> list[Json]:
        """Return the components as Discord echoes them: numbered, ``attachment://`` replaced by an address."""
        shown = copy.deepcopy(components)
        urls = {f"attachment://{item['filename']}": item["url"] for item in attachments}
        every = [component for _, component in limits.walk(shown)]
        taken = {component["id"] for component in every if component.get("id")}
        free = (n for n in itertools.count(1) if n not in taken)
        for component in every:
            component["id"] = component.get("id") or next(free)
            for media in limits.media_of(component):
                media["url"] = urls.get(media["url"], media["url"])
                media["proxy_url"] = media["url"]
        return shown

    def _mentions(self, message: Json, allowed: Json | None, replied_to: Json | None) -> Json:
        texts = [item.get("content", "") for _, item in limits.walk(message["components"])]
        text = "\n".join([message["content"], *texts])
        members = {m.id: m for m in (self.bot, self.alice, *self._dm_channels.values())}
        parse = allowed.get("parse", []) if allowed is not None else ["users", "everyone"]
        named = {int(digits) for digits in re.findall(r"<@!?(\d+)>", text)}
        if "users" not in parse:
            named &= {int(x) for x in (allowed or {}).get("users", [])}
        if replied_to and (allowed is None or allowed.get("replied_user")):
            named.add(int(replied_to["author"]["id"]))
        everyone = "everyone" in parse and bool(re.search("@everyone|@here", text))
        pinged = [members[i].as_user() for i in sorted(named) if i in members]
        return {"mentions": pinged, "mention_everyone": everyone and bool(self.everyone & MENTION_EVERYONE)}

    def channel_of(self, member: Member, *, dm: bool) -> int:
        if not dm:
            return self.channel_id
        known = next((channel_id for channel_id, m in self._dm_channels.items() if m.id == member.id), None)
        if known is None:
            known = snowflake()
            self._dm_channels[known] = member
        return known

    def channel(self, channel_id: int) -> Json:
        if channel_id == self.channel_id:
            return {
                "id": str(channel_id), "type": 0, "guild_id": str(self.guild_id), "name": "general", "position": 0,
                "permission_overwrites": [], "nsfw": False, "parent_id": None, "topic": None, "last_message_id": None,
            }  # fmt: skip
        if channel_id in self._dm_channels:
            recipients = [self._dm_channels[channel_id].as_user()]
            return {"id": str(channel_id), "type": 1, "recipients": recipients, "last_message_id": None}
        raise Refusal(404, 10003, "Unknown Channel")

    def command_data(self, name: str, options: Json, *, focused: str | None = None) -> Json:
        first, *nested = name.split()
        command = next((c for c in self.commands if c["name"] == first and c.get("type", 1) == 1), None)
        assert command, f"/{first} is not synced; the client synced {[c['name'] for c in self.commands]}"
        leaf, path = command, []
        for part in nested:
            leaf = next(option for option in leaf["options"] if option["name"] == part)
            path.append(leaf)
        declared = {option["name"]: option for option in leaf.get("options", [])}
        assert set(options) <= set(declared), f"/{name} has the options {sorted(declared)}, not {sorted(options)}"
        missing = [key for key, option in declared.items() if option.get("required") and key not in options]
        assert not missing or focused, f"/{name} cannot be sent without {missing}"
        given: list[Json] = [{"name": key, "type": declared[key]["type"], "value": options[key]} for key in options]
        if focused:
            assert declared[focused].get("autocomplete"), f"/{name} {focused} has no autocomplete"
            next(option for option in given if option["name"] == focused)["focused"] = True
        for part in reversed(path):
            given = [{"name": part["name"], "type": part["type"], "options": given}]
        return {"id": command["id"], "name": first, "type": 1, "options": given}

    def interaction_payload(self, interaction: Interaction) -> Json:
        member, dm = interaction.member, interaction.channel_id != self.channel_id
        payload: Json = {
            "id": str(interaction.id), "token": interaction.token, "type": interaction.kind, "version": 1,
            "data": interaction.data, "application_id": str(self.bot.id), "channel_id": str(interaction.channel_id),
            "channel": self.channel(interaction.channel_id),
            "app_permissions": str(self.everyone), "locale": member.locale, "entitlements": [], "context": int(dm),
            "authorizing_integration_owners": {}, "attachment_size_limit": 10 * 2**20,
        }  # fmt: skip
        if dm:
            payload["user"] = member.as_user()
        else:
            as_member = {**member.as_member(), "user": member.as_user()}
            payload |= {"guild_id": str(self.guild_id), "guild_locale": "en-US", "member": as_member}
        if self.user_installed:
            payload |= {"authorizing_integration_owners": {"1": str(member.id)}, "app_permissions": "0"}
            if not dm:
                foreign = str(self.guild_id + 1)
                payload |= {"guild_id": foreign, "guild": {"id": foreign, "locale": "en-US", "features": []}}
                payload["channel"] = {**payload["channel"], "guild_id": foreign}
        if interaction.source is not None:
            payload["message"] = interaction.source
        return payload
