"""Feedback: what was shown, what members said of it, and the database that keeps both."""
