"""Reads model files, held against their checksum first: nothing that is not what it should be is parsed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..messages import say
from . import NoAnswer, ServedModel


def content_of(model: ServedModel) -> bytes:
    """The bytes of a model's file.

    Raises:
        NoAnswer: it cannot be read, or is another file.
    """
    try:
        content = Path(model.path).read_bytes()
    except OSError as problem:
        raise NoAnswer(say("inference.unreadable", name=model.name, reason=problem.strerror)) from problem
    if hashlib.sha256(content).hexdigest() != model.sha256:
        raise NoAnswer(say("inference.another_file", name=model.name))
    return content
