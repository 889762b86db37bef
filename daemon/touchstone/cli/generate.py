"""`touchstone generate`: a clip from words, marked as made by AI."""

from __future__ import annotations

import argparse
import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from ..messages import say
from ..system.environment import Environment
from .exits import Exit

if TYPE_CHECKING:
    from ..generator.making.request import Made, Wish

LONGEST_S = 60
SECONDS = 5.0
SIZE = "512x512"
STEPS = 16
GUIDANCE = 1.5


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "generate", help=say("generate.help"), description=say("generate.description")
    )
    parser.add_argument("prompt", nargs="?", metavar="PROMPT", help=say("generate.prompt"))
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help=say("generate.output"))
    parser.add_argument(
        "--seconds", type=float, metavar="S", help=say("generate.seconds", longest=LONGEST_S, default=5)
    )
    parser.add_argument("--size", metavar="WxH", help=say("generate.size", default=SIZE))
    parser.add_argument("--seed", type=int, metavar="N", help=say("generate.seed"))
    parser.add_argument(
        "--steps", type=int, default=STEPS, metavar="N", help=say("generate.steps", default=STEPS)
    )
    parser.add_argument(
        "--guidance",
        type=float,
        default=GUIDANCE,
        metavar="G",
        help=say("generate.guidance", default=GUIDANCE),
    )
    parser.add_argument("--explain", action="store_true", help=say("generate.explain"))
    parser.add_argument("--extend", type=Path, metavar="CLIP", help=say("generate.extend"))
    parser.add_argument("--backwards", action="store_true", help=say("generate.backwards"))
    parser.add_argument("--join", type=Path, nargs=2, metavar=("A", "B"), help=say("generate.join"))
    parser.add_argument("--from-image", type=Path, metavar="FILE", help=say("generate.from_image"))
    parser.add_argument("--story", type=Path, metavar="FILE", help=say("generate.story"))
    parser.add_argument("--unmarked", action="store_true", help=say("generate.unmarked"))
    parser.add_argument("--force", action="store_true", help=say("generate.force"))
    parser.add_argument("--json", action="store_true", help=say("generate.json"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, env: Environment) -> int:
    """Make a clip, or say what would be made."""
    from ..generator.language.policy import check
    from ..generator.making.footage import CannotRead
    from ..generator.making.request import BadWish, Wish, described
    from ..generator.making.writing import CannotWrite
    from ..inference import NoAnswer
    from ..system.secrets import SecretsError

    try:
        wish = Wish(
            prompts=_prompts(args),
            seconds=args.seconds,
            size=args.size,
            seed=secrets.randbits(31) if args.seed is None else args.seed,
            steps=args.steps,
            guidance=args.guidance,
            extend=args.extend,
            backwards=args.backwards,
            join=tuple(args.join) if args.join else None,
            image=args.from_image,
        )
        for prompt in wish.prompts:
            if refusal := check(prompt):
                env.error(say("generate.refused", reason=refusal.reason))
                return Exit.REFUSED
        story = described(wish)
    except (BadWish, CannotRead) as problem:
        env.error(str(problem))
        return Exit.USAGE
    for note in story.notes:
        env.error(note)
    if story.nothing:
        return Exit.USAGE
    try:
        _check_output(args)
    except BadWish as problem:
        env.error(str(problem))
        return Exit.USAGE
    if args.explain:
        for second, text in story.descriptions:
            key = "described" if len(story.descriptions) == 1 else "described_at"
            (env.error if args.json else env.print)(say(f"generate.{key}", text=text, second=f"{second:g}"))
        if args.output is None and not args.unmarked:
            return Exit.DONE
    try:
        made = _made(wish, args, env)
    except (BadWish, CannotRead, CannotWrite, NoAnswer, SecretsError) as problem:
        env.error(str(problem))
        return Exit.FAILED
    _tell(made, wish, args, env)
    return Exit.DONE


def _prompts(args: argparse.Namespace) -> tuple[str, ...]:
    """The prompt, or those of a story.

    Raises:
        BadWish: a file is missing or empty.
    """
    from ..generator.making.request import BadWish

    if args.story is None:
        if args.prompt is None and not (args.extend or args.join or args.from_image):
            raise BadWish(say("generate.nothing_asked"))
        return () if args.prompt is None else (args.prompt,)
    if args.prompt is not None:
        raise BadWish(say("generate.both", first="story", second="prompt"))
    try:
        lines = args.story.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise BadWish(say("generate.cannot_read", path=args.story, reason=problem)) from problem
    prompts = tuple(line.strip() for line in lines if line.strip())
    if not prompts:
        raise BadWish(say("generate.story_empty", path=args.story))
    return prompts


def _check_output(args: argparse.Namespace) -> None:
    from ..generator.making.request import BadWish

    if args.unmarked:
        if args.output is not None:
            raise BadWish(say("generate.unmarked_output"))
        return
    if args.output is None:
        if not args.explain:
            raise BadWish(say("generate.no_output"))
        return
    if args.output.suffix.lower() != ".mp4":
        raise BadWish(say("generate.not_mp4", path=args.output))
    if not args.output.absolute().parent.is_dir():
        raise BadWish(say("generate.no_folder", path=args.output))
    if args.output.exists() and not args.force:
        raise BadWish(say("generate.exists", path=args.output))


def _made(wish: Wish, args: argparse.Namespace, env: Environment) -> Made:
    from rich.progress import Progress

    from .. import __version__
    from ..generator.making.request import make
    from ..generator.making.writing import Marks
    from ..generator.networks import Networks
    from ..system.paths import make_private_dir
    from ..system.signing_key import SigningKey
    from ..watermark.key import WELL_KNOWN

    env.paths.create()
    marks: Marks | None = None
    target = args.output
    if args.unmarked:
        folder = env.paths.data_dir / "calibration" / "generated"
        make_private_dir(folder)
        target = folder / f"{wish.digest}.unmarked"
    else:
        signer = SigningKey(env.paths, env.keyring).load()
        payload = secrets.randbits(32)
        marks = Marks(payload, WELL_KNOWN, signer, " / ".join(wish.prompts), __version__)
    with Progress(console=env.errors, transient=True) as bar:
        task = bar.add_task(say("generate.working"), total=1.0)
        return make(
            wish,
            target.absolute(),
            Networks(),
            marks,
            progress=lambda share: bar.update(task, completed=share),
            tell=env.error,
        )


def _tell(made: Made, wish: Wish, args: argparse.Namespace, env: Environment) -> None:
    payload = None if made.payload is None else f"{made.payload:08x}"
    if args.json:
        told = {
            "path": str(made.path),
            "frames": made.frames,
            "width": made.width,
            "height": made.height,
            "seed": wish.seed,
            "payload": payload,
            "descriptions": [{"from_s": second, "text": text} for second, text in made.descriptions],
        }
        env.print(json.dumps(told, indent=2, ensure_ascii=False))
        return
    key = "done_unmarked" if payload is None else "done"
    env.print(
        say(f"generate.{key}", path=made.path, frames=made.frames, seed=wish.seed, payload=payload or "")
    )
