"""A Discord on 127.0.0.1: REST and gateway, for an unmodified discord.py client in its own process.

    async with DiscordServer() as discord, discord.client(sys.executable, "-m", "bot", "bot", "run") as client:
        await discord.logged_in()
        await discord.say("!ping")
        assert (await discord.next_message())["content"] == "pong"
        assert await client.stop() == 0

It holds one guild with one text channel. It refuses what Discord refuses (see loopback/limits.py), so that a bot's
mistake shows as the error it would be; it blanks message content without the intent, replays missed events at a RESUME,
and remembers everything the client sent in ``requests`` and ``gateway_payloads``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Self, TypeVar

from aiohttp import WSCloseCode, web

from loopback import limits
from loopback.gateway import Session
from loopback.limits import Json
from loopback.rest import Rest
from loopback.world import AUTOCOMPLETE, COMMAND, COMPONENT, LOADING, Interaction, Member

__all__ = ["DiscordServer", "Interaction", "Member"]

Found = TypeVar("Found")


class Client:
    """The process under test."""

    def __init__(self, process: asyncio.subprocess.Process, log: IO[bytes]) -> None:
        self.process = process
        self._log = log

    def output(self) -> str:
        """Return what it has written so far to stdout and stderr."""
        return Path(self._log.name).read_text(encoding="utf-8", errors="replace")

    async def exit_code(self, within: float = 15.0) -> int:
        try:
            return await asyncio.wait_for(self.process.wait(), within)
        except TimeoutError:
            raise AssertionError(f"the client still ran after {within} s; its output:\n{self.output()}") from None

    async def stop(self, sig: int = signal.SIGTERM, within: float = 15.0) -> int:
        """Ask it to stop and return its exit code (negative: killed by that signal)."""
        self.process.send_signal(sig)
        return await self.exit_code(within)


class DiscordServer(Rest):
    """See the module. Attributes may be changed at any time; ``everyone`` and ``approved_intents`` act at IDENTIFY."""

    def __init__(self, token: str = "loopback-token") -> None:  # noqa: S107
        super().__init__(token)
        self._n_read = 0
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_get("/gateway/", self.serve_gateway)
        app.router.add_get("/gateway", self.serve_gateway)
        app.router.add_route("*", "/api/v10/{path:.*}", self.serve_rest)
        self._runner = web.AppRunner(app, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.address = "{}:{}".format(*self._runner.addresses[0][:2])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._socket is not None:
            await self._socket.close(code=WSCloseCode.GOING_AWAY)
        await self._runner.cleanup()

    # ------------------------------------------------------------------ the client's process

    @asynccontextmanager
    async def client(self, *command: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Client]:
        """Run ``command`` with this Discord in place of the real one; killed at the end if it still runs."""
        paths = [str(Path(__file__).parent / "loopback" / "client"), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "LOOPBACK_DISCORD": self.address,
            "DISCORD_TOKEN": self.token,
            **(env or {}),
        }
        with tempfile.NamedTemporaryFile(prefix="discord-client-", suffix=".log") as log:
            process = await asyncio.create_subprocess_exec(
                *command, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
            self._process, client = process, Client(process, log)
            exit_watch = asyncio.create_task(process.wait())
            exit_watch.add_done_callback(lambda _: self.news.set())
            try:
                yield client
            except BaseException as err:
                err.add_note(f"the client's output:\n{client.output()}")
                raise
            finally:
                if process.returncode is None:
                    process.kill()
                await exit_watch

    # ------------------------------------------------------------------ what a test does and awaits

    async def until(self, found: Callable[[], Found | None], what: str, within: float = 10.0) -> Found:
        """Wait until ``found()`` is neither None nor False, and return it; AssertionError tells what did happen."""
        why = f"within {within} s"
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while (value := found()) is None or value is False:
                    if self._process is not None and self._process.returncode is not None:
                        why = f"and the client has exited with {self._process.returncode}"
                        break
                    self.news.clear()
                    await self.news.wait()
                else:
                    return value
        seen = "\n".join(f"  {r.method} {r.path} -> {r.status}" for r in self.requests) or "  none"
        raise AssertionError(f"no {what} {why}; the client's requests:\n{seen}")

    async def logged_in(self, *, times: int = 1, within: float = 20.0) -> Session:
        """Wait for the ``times``-th IDENTIFY; from then on the client receives events."""
        return await self.until(lambda: self.sessions[-1] if len(self.sessions) >= times else None, "login", within)

    async def resumed(self, within: float = 20.0) -> None:
        """Wait until the client has resumed the session on a new connection."""
        await self.until(lambda: self.sessions[-1].events[-1]["t"] == "RESUMED", "RESUME", within)

    async def say(
        self,
        content: str,
        *,
        author: Member | None = None,
        mentions_bot: bool = False,
        reply_to: Json | None = None,
        dm: bool = False,
    ) -> int:
        """Let a member (alice) write a message; return its id."""
        author, content = author or self.alice, f"<@{self.bot.id}> {content}" if mentions_bot else content
        body: Json = {"content": content}
        if reply_to is not None:
            body["message_reference"] = {"message_id": reply_to["id"], "channel_id": reply_to["channel_id"]}
        message = self.new_message(author, self.channel_of(author, dm=dm), body, {})
        await self.announce("MESSAGE_CREATE", message, author)
        return int(message["id"])

    async def next_message(self, within: float = 10.0) -> Json:
        """Return the client's next message to a channel, as it stands now; answers to interactions do not count."""
        n_read = self._n_read
        message = await self.until(
            lambda: self.posted[n_read] if len(self.posted) > n_read else None, "message", within
        )
        self._n_read += 1
        return message

    async def press(self, message: Json, custom_id: str, *, member: Member | None = None) -> Interaction:
        """Press a button of a message and wait for the callback."""
        message = self.messages.get(int(message["id"]), message)
        by_id = {item["custom_id"]: item for _, item in limits.walk(message["components"]) if "custom_id" in item}
        assert custom_id in by_id, f"message {message['id']} has no {custom_id!r}; it has {sorted(by_id)}"
        assert not by_id[custom_id].get("disabled"), f"{custom_id!r} is disabled: a member could not press it"
        data = {"custom_id": custom_id, "component_type": by_id[custom_id]["type"], "id": by_id[custom_id]["id"]}
        dm = int(message["channel_id"]) != self.channel_id
        return await self._interact(COMPONENT, data, member, dm=dm, source=message)

    async def choose(self, message: Json, custom_id: str, value: str, *, member: Member | None = None) -> Interaction:
        """Choose one option of a select of a message and wait for the callback."""
        message = self.messages.get(int(message["id"]), message)
        select = next(item for _, item in limits.walk(message["components"]) if item.get("custom_id") == custom_id)
        assert value in [option["value"] for option in select["options"]], f"{value!r} cannot be chosen"
        data = {"custom_id": custom_id, "component_type": select["type"], "id": select["id"], "values": [value]}
        dm = int(message["channel_id"]) != self.channel_id
        return await self._interact(COMPONENT, data, member, dm=dm, source=message)

    async def slash(
        self, name: str, options: Json | None = None, *, member: Member | None = None, dm: bool = False
    ) -> Interaction:
        """Give a synced slash command (``"settings prefix"`` for a subcommand) and wait for the callback."""
        return await self._interact(COMMAND, self.command_data(name, options or {}), member, dm=dm)

    async def autocomplete(
        self, name: str, option: str, typed: str, *, others: Json | None = None, member: Member | None = None
    ) -> list[Json]:
        """Type into an option of a synced command and return the choices offered."""
        data = self.command_data(name, {**(others or {}), option: typed}, focused=option)
        return (await self._interact(AUTOCOMPLETE, data, member)).choices

    async def answer(self, interaction: Interaction, within: float = 10.0) -> Json:
        """Return the message that answers an interaction: at once, or once the deferred answer has arrived."""

        def shown() -> Json | None:
            if interaction.message is not None and not interaction.message["flags"] & LOADING:
                return interaction.message
            return interaction.followups[0] if interaction.followups else None

        return await self.until(shown, "answer to the interaction", within)

    async def _interact(
        self, kind: int, data: Json, member: Member | None, *, dm: bool = False, source: Json | None = None
    ) -> Interaction:
        member = member or self.alice
        channel_id = self.channel_of(member, dm=dm)
        interaction = Interaction(kind, data, member, channel_id, source)
        self.interactions.append(interaction)
        await self.dispatch("INTERACTION_CREATE", self.interaction_payload(interaction))
        what = f"callback (the member reads 'This interaction failed') for {data}"
        await self.until(lambda: interaction.callback, what, self.callback_deadline + 0.2)
        return interaction
