"""Touchstone says, honestly and on the user's own computer, where a video came from."""

__version__ = "0.1.0"
