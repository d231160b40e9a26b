"""The REST interface of the loopback Discord: what a bot calls, the faults a test scripts, answers to interactions."""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from loopback import limits
from loopback.gateway import Gateway
from loopback.limits import Json, Refusal
from loopback.world import (
    ALLOWED_CALLBACKS,
    CHOICES,
    DEFERRED_MESSAGE,
    EPHEMERAL,
    LOADING,
    MESSAGE,
    MODAL,
    SEND_MESSAGES,
    UPDATE,
    Interaction,
    snowflake,
)  # fmt: skip


@dataclass(slots=True)
class Request:
    """One REST request of the client; ``status`` is what it was answered, 0 where the connection was cut."""

    method: str
    path: str
    json: Any = None
    files: dict[str, bytes] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    token: str = ""
    status: int = 0


@dataclass(slots=True)
class Fault:
    method: str
    path: re.Pattern[str]
    status: int | None
    headers: dict[str, str]
    body: Any
    applied: bool


Handler = Callable[..., Awaitable[Any]]
_ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Register a method for a path; ``{}`` stands for one segment, given as an argument (an int if it is digits)."""
    pattern = re.compile(re.escape(path).replace(r"\{\}", "([^/]+)"))

    def register(handler: Handler) -> Handler:
        _ROUTES.append((method, pattern, handler))
        return handler

    return register


class Rest(Gateway):
    """The gateway's world, which the client reads and changes by requests."""

    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.callback_deadline = 3.0
        self.requests: list[Request] = []
        self.interactions: list[Interaction] = []
        self.posted: list[Json] = []  # messages to channels, answers to interactions not among them
        self._nonces: dict[str, Json] = {}
        self._faults: list[Fault] = []

    def fail_next(
        self,
        method: str,
        path: str,
        status: int | None,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        applied: bool = False,
    ) -> None:
        """Answer the next request that matches (``path``: a regular expression) with ``status``, or cut it with None.

        ``applied``: the request takes effect, only its answer is lost. A 429 gets the header that discord.py demands.
        """
        headers = dict(headers or {})
        if status == 429:
            headers.setdefault("Via", "1.1 google")  # without it discord.py takes a 429 for Cloudflare's
            body = body or {"message": "You are being rate limited.", "retry_after": 0.05, "global": False}
        body = body or {"message": f"scripted {status}", "code": 0}
        self._faults.append(Fault(method, re.compile(path), status, headers, body, applied))

    async def serve_rest(self, web_request: web.Request) -> web.StreamResponse:
        request = await self._read(web_request)
        self.requests.append(request)
        fault = next((f for f in self._faults if f.method == request.method and f.path.search(request.path)), None)
        try:
            if fault is None:
                status, answer, headers = *await self.apply(request), {}
            else:
                self._faults.remove(fault)
                if fault.applied:
                    await self.apply(request)
                status, answer, headers = fault.status, fault.body, fault.headers
        except Refusal as refusal:
            status, answer, headers = refusal.status, refusal.body, {}
        request.status = status or 0
        self.news.set()
        if status is None:
            assert web_request.transport is not None
            web_request.transport.abort()
            return web.Response()
        if answer is None:
            return web.Response(status=status)
        # discord.py reads JSON only where the type stands alone: no "; charset=utf-8".
        headers = {"Content-Type": "application/json", **headers}
        return web.Response(body=json.dumps(answer).encode(), status=status, headers=headers)

    async def _read(self, web_request: web.Request) -> Request:
        request = Request(web_request.method, "/" + web_request.match_info["path"], query=dict(web_request.query))
        request.token = web_request.headers.get("Authorization", "")
        if web_request.content_type == "multipart/form-data":
            form = await web_request.post()
            request.json = json.loads(str(form["payload_json"]))
            parts = [(name, part) for name, part in form.items() if isinstance(part, web.FileField)]
            request.files = {part.filename: part.file.read() for _, part in sorted(parts, key=lambda pair: pair[0])}
        elif web_request.can_read_body:
            request.json = await web_request.json()
        return request

    async def apply(self, request: Request) -> tuple[int, Any]:
        if not request.path.startswith(("/interactions/", "/webhooks/")) and request.token != f"Bot {self.token}":
            raise Refusal(401, 0, "401: Unauthorized")
        for method, pattern, handler in _ROUTES:
            if method == request.method and (match := pattern.fullmatch(request.path)):
                answer = await handler(self, request, *(int(x) if x.isdigit() else x for x in match.groups()))
                return (204 if answer is None else 200), copy.deepcopy(answer)
        raise Refusal(404, 0, f"the loopback Discord has no {request.method} {request.path}")

    @route("GET", "/users/@me")
    async def _me(self, _: Request) -> Json:
        return self.bot.as_user()

    @route("GET", "/oauth2/applications/@me")
    async def _application(self, _: Request) -> Json:
        return {
            "id": str(self.bot.id), "name": self.bot.name, "description": "", "icon": None, "bot_public": True,
            "bot_require_code_grant": False, "owner": self.alice.as_user(), "verify_key": "0" * 64, "flags": 1 << 19,
        }  # fmt: skip

    @route("GET", "/gateway/bot")
    async def _gateway_bot(self, _: Request) -> Json:
        limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return {"url": f"ws://{self.address}/gateway", "shards": 1, "session_start_limit": limit}

    @route("POST", "/users/@me/channels")
    async def _open_dm(self, request: Request) -> Json:
        member = self.alice if int(request.json["recipient_id"]) == self.alice.id else None
        member = member or next(
            (m for m in self._dm_channels.values() if m.id == int(request.json["recipient_id"])), None
        )
        if member is None:
            raise Refusal(400, 50033, "Invalid Recipient(s)")
        return self.channel(self.channel_of(member, dm=True))

    @route("GET", "/channels/{}")
    async def _get_channel(self, _: Request, channel_id: int) -> Json:
        return self.channel(channel_id)

    @route("POST", "/channels/{}/typing")
    async def _typing(self, _: Request, channel_id: int) -> None:
        self.channel(channel_id)

    @route("POST", "/channels/{}/messages")
    async def _post_message(self, request: Request, channel_id: int) -> Json:
        self.channel(channel_id)
        if not self.everyone & SEND_MESSAGES:
            raise Refusal(403, 50013, "Missing Permissions")
        nonce = request.json.get("nonce")
        if request.json.get("enforce_nonce") and nonce in self._nonces:
            return self._nonces[nonce]
        message = self.new_message(self.bot, channel_id, request.json, request.files)
        self._nonces[nonce] = message
        self.posted.append(message)
        await self.announce("MESSAGE_CREATE", message, self.bot)
        return message

    @route("GET", "/channels/{}/messages/{}")
    async def _get_message(self, _: Request, channel_id: int, message_id: int) -> Json:
        self.channel(channel_id)
        if message_id not in self.messages:
            raise Refusal(404, 10008, "Unknown Message")
        return self.messages[message_id]

    @route("PATCH", "/channels/{}/messages/{}")
    async def _patch_message(self, request: Request, channel_id: int, message_id: int) -> Json:
        message = await self._get_message(request, channel_id, message_id)
        if message["author"]["id"] != str(self.bot.id):
            raise Refusal(403, 50005, "Cannot edit a message authored by another user")
        return await self._edit(message, request)

    @route("DELETE", "/channels/{}/messages/{}")
    async def _delete_message(self, request: Request, channel_id: int, message_id: int) -> None:
        await self._get_message(request, channel_id, message_id)
        del self.messages[message_id]

    @route("GET", "/applications/{}/commands")
    async def _get_commands(self, _: Request, _application_id: int) -> list[Json]:
        return self.commands

    @route("PUT", "/applications/{}/commands")
    async def _put_commands(self, request: Request, application_id: int) -> list[Json]:
        limits.check_commands(request.json)
        common = {"application_id": str(application_id), "version": "1", "default_member_permissions": None}
        # A menu entry comes back with an empty description.
        common["description"] = ""
        self.commands = [{**common, "id": str(snowflake()), **command} for command in request.json]
        return self.commands

    @route("PUT", "/applications/{}/guilds/{}/commands")
    async def _put_guild_commands(self, request: Request, application_id: int, guild_id: int) -> list[Json]:
        if guild_id != self.guild_id:
            raise Refusal(403, 50001, "Missing Access")
        return [{**command, "guild_id": str(guild_id)} for command in await self._put_commands(request, application_id)]

    # ------------------------------------------------------------------ answers to interactions

    @route("POST", "/interactions/{}/{}/callback")
    async def _callback(self, request: Request, interaction_id: int, token: str) -> Json | None:
        interaction = next((i for i in self.interactions if (i.id, i.token) == (interaction_id, token)), None)
        if interaction is None or time.monotonic() - interaction.created > self.callback_deadline:
            raise Refusal(404, 10062, "Unknown interaction")
        if interaction.callback is not None:
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        kind, data = request.json["type"], request.json.get("data") or {}
        if kind not in ALLOWED_CALLBACKS[interaction.kind]:
            raise limits.invalid("type", f"Interaction of type {interaction.kind} cannot be answered with {kind}.")
        if kind == CHOICES:
            limits.check_choices(data.get("choices", []))
        elif kind == MODAL:
            limits.check_modal(data)
        elif kind == DEFERRED_MESSAGE:
            # The placeholder "is thinking..."; what fills it inherits its privacy.
            flags = data.get("flags", 0) & EPHEMERAL | LOADING
            interaction.message = await self._reply(interaction, {"content": "...", "flags": flags}, {})
        elif kind == MESSAGE:
            interaction.message = await self._reply(interaction, data, request.files)
        elif kind == UPDATE:
            assert interaction.source is not None
            interaction.message = await self._edit(interaction.source, request, data)
        interaction.callback = {"type": kind, "data": data}
        if request.query.get("with_response") not in {"1", "true"}:
            return None
        answer: Json = {"interaction": {"id": str(interaction.id), "type": interaction.kind}}
        if interaction.message is not None:
            answer["interaction"] |= {"response_message_id": interaction.message["id"]}
            answer["resource"] = {"type": kind, "message": interaction.message}
        return answer

    @route("POST", "/webhooks/{}/{}")
    async def _follow_up(self, request: Request, _application_id: int, token: str) -> Json:
        interaction = self._answered(token)
        message = interaction.message
        if message is not None and message["flags"] & LOADING:
            return await self._edit(message, request)
        interaction.followups.append(await self._reply(interaction, request.json, request.files))
        return interaction.followups[-1]

    @route("GET", "/webhooks/{}/{}/messages/{}")
    async def _get_answer(self, _: Request, _application_id: int, token: str, message_id: int | str) -> Json:
        interaction = self._answered(token)
        original = interaction.message or interaction.source
        found = [original] if message_id == "@original" else [original, *interaction.followups]
        message = next((m for m in found if m and message_id in {"@original", int(m["id"])}), None)
        if message is None:
            raise Refusal(404, 10008, "Unknown Message")
        return message

    @route("PATCH", "/webhooks/{}/{}/messages/{}")
    async def _patch_answer(self, request: Request, application_id: int, token: str, message_id: int | str) -> Json:
        message = await self._get_answer(request, application_id, token, message_id)
        interaction = self._answered(token)
        if message is interaction.source:
            interaction.message = message
        return await self._edit(message, request)

    @route("DELETE", "/webhooks/{}/{}/messages/{}")
    async def _delete_answer(self, request: Request, application_id: int, token: str, message_id: int | str) -> None:
        message = await self._get_answer(request, application_id, token, message_id)
        self.messages.pop(int(message["id"]), None)

    def _answered(self, token: str) -> Interaction:
        interaction = next((i for i in self.interactions if i.token == token and i.callback is not None), None)
        if interaction is None:
            raise Refusal(404, 10015, "Unknown Webhook")
        return interaction

    async def _reply(self, interaction: Interaction, body: Json, files: dict[str, bytes]) -> Json:
        message = self.new_message(self.bot, interaction.channel_id, body, files)
        message["interaction_metadata"] = {
            "id": str(interaction.id), "type": interaction.kind, "user": interaction.member.as_user(),
            "authorizing_integration_owners": {},
        }  # fmt: skip
        await self.announce("MESSAGE_CREATE", message, self.bot)
        return message

    async def _edit(self, message: Json, request: Request, body: Json | None = None) -> Json:
        self.edit_message(message, request.json if body is None else body, request.files)
        await self.announce("MESSAGE_UPDATE", message, self.bot)
        return message
