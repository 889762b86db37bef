"""Readers of container formats: one module a format, all of them bounded.

Every reader is a function `read_<format>(reading) -> None` that fills `reading.container`. It gets at the
bytes only through `reading`, which counts what is read and kept.
"""
