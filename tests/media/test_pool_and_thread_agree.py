"""What a confined worker says about a file is what the same examiners say in this process.

It finds what a library loads at first use: confined, it could not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from touchstone.examiners.registry import build
from touchstone.intake import Material
from touchstone.media.pool import WorkerPool
from touchstone.media.spec import WorkerSpec
from touchstone.media.workers import ContainerRead, Found, InThread, Message
from touchstone.pipeline import READ_HEADERS

SETTINGS: dict[str, Any] = {"content_credentials": {"trust": {}}}
SUFFIXES = {
    ".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".flv", ".ts",
    ".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif", ".heic",
}  # fmt: skip


def marked_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def comparable(message: Message) -> object:
    if isinstance(message, Found):
        return message.evidence.model_copy(update={"took_ms": 0})
    if isinstance(message, ContainerRead):
        return message.container.format, message.container.width, message.container.duration_s
    return message


@pytest.mark.corpus
async def test_they_agree_on_every_file_of_the_corpus(corpus_marks: Path) -> None:
    files = marked_files(corpus_marks)
    assert files
    pool = WorkerPool(WorkerSpec(READ_HEADERS, settings=SETTINGS))
    thread = InThread(lambda names: build(names, SETTINGS))
    try:
        for path in files:
            material = Material(path, path.stat().st_size)
            confined = [comparable(m) async for m in pool.examine(material, READ_HEADERS)]
            assert confined == [comparable(m) async for m in thread.examine(material, READ_HEADERS)], (
                path.name
            )
    finally:
        await pool.close()
