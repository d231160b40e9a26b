"""Points an unmodified discord.py at the loopback Discord; read because this folder stands on PYTHONPATH.

``site`` swallows an Exception raised here and the client would then talk to the real Discord, hence SystemExit.
"""

import os

if address := os.environ.get("LOOPBACK_DISCORD"):
    try:
        import discord.gateway
        import discord.http
        import yarl

        discord.http.Route.BASE = f"http://{address}/api/v10"
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"ws://{address}/gateway")
    except Exception as err:
        raise SystemExit(f"sitecustomize: could not point discord.py at {address}: {err!r}") from err
