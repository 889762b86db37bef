"""Fetches the segments of a playlist that were chosen."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

from ..messages import say
from . import IntakeError, Material
from .client import Budget, WebClient
from .playlists import Piece, Segments
from .problems import status_problem
from .spool import SparseFile


async def fetch_segments(client: WebClient, plan: Segments, budget: Budget, folder: Path) -> Material:
    """Fragmented MP4 as an init segment and fragments beside it; segments that stand alone as one file.

    Raises:
        IntakeError: the reason one of them could not be had.
    """
    if plan.init is None:
        # MPEG-TS is made to be cut and joined (ISO/IEC 13818-1, 2.4.3.1: packets of 188 bytes).
        path = folder / "segments"
        with SparseFile(path) as file:
            for piece in plan.media:
                await _append(client, piece, budget, file)
            size = file.present[-1][1]
        return Material(path, size, complete=len(plan.media) == plan.count)
    init = folder / "init"
    with SparseFile(init) as file:
        await _append(client, plan.init, budget, file)
        size = file.present[-1][1]
    fragments = []
    for place, piece in enumerate(plan.media):
        fragments.append(folder / f"fragment-{place}")
        with SparseFile(fragments[-1]) as file:
            await _append(client, piece, budget, file)
    return Material(init, size, tuple(fragments))


async def _append(client: WebClient, piece: Piece, budget: Budget, file: SparseFile) -> None:
    """Fetch one piece to the end of `file`."""
    start = end = file.present[-1][1] if file.present else 0
    async with client.get(piece.url, budget, span=piece.span) as answer:
        if answer.status == 416:
            raise status_problem(answer.url, 416, None)
        wanted = None if piece.span is None else piece.span[1] - piece.span[0]
        # A server that takes no ranges sends everything: what stands before the piece is passed over.
        passed = piece.span[0] if piece.span and answer.status == 200 else 0
        async with aclosing(answer.body()) as body:
            async for chunk in body:
                part, passed = chunk[passed:], max(0, passed - len(chunk))
                if wanted is not None:
                    part = part[: wanted - (end - start)]
                if part:
                    await file.write(end, part)
                    end += len(part)
                if end - start == wanted:
                    break
    if end == start:
        raise IntakeError("empty", say("intake.fetch.empty", url=piece.url.shown))
    if wanted is not None and end - start < wanted:
        raise IntakeError("truncated", say("intake.fetch.truncated", url=piece.url.shown))
