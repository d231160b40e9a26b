"""The parts of the loopback Discord: limits -> world -> gateway -> rest; tests use ``discord_server.DiscordServer``."""
