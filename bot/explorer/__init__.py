"""The interactive page that compares trained models, and the small JSON API behind it."""
