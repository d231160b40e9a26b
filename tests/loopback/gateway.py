"""The gateway of the loopback Discord: a websocket with IDENTIFY, heartbeats, events and RESUME.

discord.py asks for compression and reads plain text frames as well; so frames are plain.
"""

from __future__ import annotations

import asyncio
import copy
import json
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from loopback.limits import Json
from loopback.world import EPHEMERAL, MESSAGE_CONTENT, PRIVILEGED, Member, World, snowflake


@dataclass(slots=True)
class Session:
    """What outlives a gateway connection: RESUME replays ``events`` after the last one seen."""

    id: str
    intents: int
    events: list[Json] = field(default_factory=list)


class Gateway(World):
    """The world with a connection to one client, which the events are sent to."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token
        self.approved_intents = MESSAGE_CONTENT  # the switches of the developer portal; members and presences: off
        self.heartbeat_interval = 41.25
        self.acknowledges_heartbeats = True
        self.gateway_payloads: list[Json] = []
        self.sessions: list[Session] = []
        self.news = asyncio.Event()  # set whenever the client did something
        self._socket: web.WebSocketResponse | None = None
        self._transport: asyncio.Transport | None = None

    async def drop_gateway(self, code: int | None = None) -> None:
        """Close the gateway connection with ``code``, or cut it; events wait in the session for a RESUME."""
        socket, self._socket = self._socket, None
        assert socket is not None, "the client is not connected"
        if code is None:
            assert self._transport is not None
            self._transport.abort()
        else:
            await socket.close(code=code)

    async def ask_reconnect(self) -> None:
        """Send op 7: the client closes and resumes."""
        socket, self._socket = self._socket, None
        assert socket is not None, "the client is not connected"
        await socket.send_json({"op": 7, "d": None, "s": None, "t": None})

    async def serve_gateway(self, web_request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(web_request)
        hello = {"heartbeat_interval": int(self.heartbeat_interval * 1000)}
        await socket.send_json({"op": 10, "d": hello, "s": None, "t": None})
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            payload = json.loads(frame.data)
            self.gateway_payloads.append(payload)
            if payload["op"] == 1 and self.acknowledges_heartbeats:
                await socket.send_json({"op": 11, "d": None, "s": None, "t": None})
            elif payload["op"] == 2:
                await self._identify(socket, web_request, payload["d"])
            elif payload["op"] == 6:
                await self._resume(socket, web_request, payload["d"])
            self.news.set()
        if self._socket is socket:
            self._socket = None
        return socket

    async def _identify(self, socket: web.WebSocketResponse, web_request: web.Request, identity: Json) -> None:
        if identity["token"] != self.token:
            await socket.close(code=4004, message=b"Authentication failed.")
            return
        if identity["intents"] & PRIVILEGED & ~self.approved_intents:
            await socket.close(code=4014, message=b"Disallowed intent(s).")
            return
        session = Session(f"session-{snowflake()}", identity["intents"])
        self._socket, self._transport = socket, web_request.transport
        self.sessions.append(session)
        await self.dispatch("READY", {
            "v": 10, "user": self.bot.as_user(), "guilds": [{"id": str(self.guild_id), "unavailable": True}],
            "session_id": session.id, "resume_gateway_url": f"ws://{self.address}/gateway",
            "application": {"id": str(self.bot.id), "flags": 1 << 19}, "shard": identity.get("shard", [0, 1]),
        })  # fmt: skip
        await self.dispatch("GUILD_CREATE", self.guild())

    async def _resume(self, socket: web.WebSocketResponse, web_request: web.Request, resume: Json) -> None:
        session = self.sessions[-1]
        if (resume["session_id"], resume["token"]) != (session.id, self.token):
            await socket.send_json({"op": 9, "d": False, "s": None, "t": None})
            return
        n_sent = resume["seq"]
        while n_sent < len(session.events):  # events may arrive meanwhile
            await socket.send_json(session.events[n_sent])
            n_sent += 1
        self._socket, self._transport = socket, web_request.transport
        await self.dispatch("RESUMED", {})

    async def announce(self, event: str, message: Json, author: Member) -> None:
        """Send a message's event to the client, its content blanked where Discord would."""
        if message["flags"] & EPHEMERAL:
            return
        in_guild = int(message["channel_id"]) == self.channel_id
        concerns_bot = author.id == self.bot.id or any(user["id"] == str(self.bot.id) for user in message["mentions"])
        seen = copy.deepcopy(message)
        if in_guild:
            seen |= {"guild_id": str(self.guild_id), "member": author.as_member()}
            if not concerns_bot and not self.sessions[-1].intents & MESSAGE_CONTENT:
                seen |= {"content": "", "embeds": [], "attachments": [], "components": []}
        await self.dispatch(event, seen)

    async def dispatch(self, event: str, data: Json) -> None:
        assert self.sessions, "the client has not logged in: await logged_in() first"
        events = self.sessions[-1].events
        events.append({"op": 0, "t": event, "s": len(events) + 1, "d": data})
        if self._socket is not None:
            with suppress(ConnectionError):  # cut in this moment: the event waits for the RESUME
                await self._socket.send_json(events[-1])
