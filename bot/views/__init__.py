"""Views: the buttons under an answer; each survives a restart."""
