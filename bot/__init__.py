"""The bot: a thin shell around :mod:`recommender` for Discord and the terminal."""
