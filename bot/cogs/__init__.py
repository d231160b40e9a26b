"""Cogs: each parses a command, asks, records what it shows, and renders."""
