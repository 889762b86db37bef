"""`touchstone watermark`: put an invisible mark into a video, and look for one."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..messages import say
from ..system.environment import Environment
from .exits import Exit

if TYPE_CHECKING:
    from ..verdict import Scan

KEYS = ("touchstone", "own")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser("watermark", help=say("watermark.help"), description=say("watermark.help"))
    commands = parser.add_subparsers(
        dest="watermark_command", required=True, metavar=say("cli.command_metavar")
    )

    def add(name: str, run: Any) -> argparse.ArgumentParser:
        command = commands.add_parser(
            name, help=say(f"watermark.{name}.help"), description=say(f"watermark.{name}.description")
        )
        command.add_argument("--json", action="store_true", help=say("watermark.json"))
        command.set_defaults(run=run)
        return command

    embed = add("embed", run_embed)
    embed.add_argument("source", type=Path, metavar="IN", help=say("watermark.embed.source"))
    embed.add_argument("target", type=Path, metavar="OUT", help=say("watermark.embed.target"))
    embed.add_argument("--payload", metavar="HEX", help=say("watermark.embed.payload"))
    embed.add_argument("--key", choices=KEYS, default=KEYS[0], help=say("watermark.embed.key"))
    embed.add_argument("--ai", action="store_true", help=say("watermark.embed.ai"))
    embed.add_argument("--crf", type=int, metavar="N", help=say("watermark.embed.crf", default=17))
    embed.add_argument("--force", action="store_true", help=say("watermark.embed.force"))
    read = add("read", run_read)
    read.add_argument("file", type=Path, metavar="FILE", help=say("watermark.read.file"))
    key = add("key", run_key)
    action = key.add_mutually_exclusive_group()
    action.add_argument("--export", action="store_true", help=say("watermark.key.export"))
    action.add_argument("--import", dest="take", type=Path, metavar="FILE", help=say("watermark.key.import"))


def run_embed(args: argparse.Namespace, env: Environment) -> int:
    """Write a marked copy."""
    from rich.progress import Progress

    from ..system.watermark_keys import KeyStore
    from ..watermark.files import CannotMark, embed
    from ..watermark.key import WELL_KNOWN
    from ..watermark.payload import PAYLOAD_BITS, PAYLOAD_DIGITS, BadPayload, Statement, parse

    try:
        payload = secrets.randbits(PAYLOAD_BITS) if args.payload is None else parse(args.payload)
    except BadPayload as problem:
        env.error(str(problem))
        return Exit.USAGE
    key = WELL_KNOWN
    if args.key == "own":
        env.paths.create()
        key = KeyStore(env.paths, env.keyring).load()
    statement = Statement.AI_GENERATED if args.ai else Statement.MARKED
    try:
        with Progress(console=env.errors, transient=True) as bar:
            task = bar.add_task(say("watermark.embed.working"), total=1.0)
            marked = embed(
                args.source,
                args.target,
                payload,
                key,
                statement=statement,
                quality=args.crf,
                replace=args.force,
                progress=lambda done: bar.update(task, completed=done),
            )
    except CannotMark as problem:
        env.error(str(problem))
        return Exit.FAILED
    told = f"{payload:0{PAYLOAD_DIGITS}x}"
    if args.json:
        env.print(json.dumps({"payload": told, "key": key.name, "frames": marked.frames}))
    else:
        env.print(say("watermark.embed.done", target=args.target, payload=told, frames=marked.frames))
    return Exit.DONE


def run_read(args: argparse.Namespace, env: Environment) -> int:
    """Look for marks in all of a file."""
    from ..read_watermarks import read_watermarks

    with env.errors.status(say("watermark.read.working")):
        scan = asyncio.run(read_watermarks(env, args.file.absolute()))
    reason = _not_read(scan)
    if reason is not None:
        env.error(say("watermark.read.not_read", path=args.file, reason=reason))
        return Exit.UNREADABLE
    marks = [_mark(evidence.details, evidence.spans) for evidence in scan.evidence]
    if args.json:
        best = marks[0] if marks else {"payload": None, "p_value": None, "key": None, "spans": []}
        env.print(json.dumps({"found": bool(marks), **best, "marks": marks}))
        return Exit.DONE
    if not marks:
        env.print(say("watermark.read.none", path=args.file, keys=", ".join(KEYS)))
    for mark in marks:
        kind = "found" if mark["payload"] else "unreadable"
        told = {**mark, "p_value": f"{mark['p_value']:.0e}"}
        env.print(say(f"watermark.read.{kind}", path=args.file, **told))
        for span in mark["spans"]:
            env.print(say("watermark.read.span", start=span["start_s"], end=span["end_s"]))
    return Exit.DONE


def _not_read(scan: Scan) -> str | None:
    """Why a file could not be read, or None where it was."""
    if scan.verdict.label.value == "unreadable":
        return scan.verdict.headline
    return next(iter(scan.skipped.values()), None)


def _mark(details: dict[str, Any], spans: Any) -> dict[str, Any]:
    return {
        "payload": details["message"] or None,
        "p_value": details["p_value"],
        "key": details["key"],
        "statement": details["statement"],
        "mirrored": details["mirrored"],
        "spans": [{"start_s": s.start_s, "end_s": s.end_s, "score": s.score} for s in spans],
    }


def run_key(args: argparse.Namespace, env: Environment) -> int:
    """Show, export or import the user's key."""
    from ..system.watermark_keys import KeyStore, key_from_file

    env.paths.create()
    store = KeyStore(env.paths, env.keyring)
    key = store.take(key_from_file(args.take)) if args.take else store.read()
    if key is None:
        env.error(say("watermark.key.none"))
        return Exit.FAILED
    fingerprint = hashlib.sha256(key.secret).hexdigest()[:16]
    place = store.kept_in if store.kept_in == "keyring" else str(store.file)
    if args.json:
        told = {"fingerprint": fingerprint, "kept_in": store.kept_in}
        env.print(json.dumps({**told, "key": key.hex} if args.export else told))
    elif args.export:
        env.print(key.hex)
    else:
        env.print(say("watermark.key.shown", fingerprint=fingerprint, place=place))
    return Exit.DONE
