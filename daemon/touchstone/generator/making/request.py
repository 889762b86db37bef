"""From what a person asks for to a finished clip."""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ...messages import say
from ..language import Request, fill, notes, parse, sentence, stage, tokens
from ..networks import Frames
from .clip import Coder, Order, Progress, Scene, Surroundings, pictures
from .footage import Sizes, frames_of
from .memory import Parts
from .plan import FPS, LONGEST_BETWEEN, TOGETHER
from .sampling import Recipe
from .staging import Half, Spots, spots_of, standing
from .words import carried_on

if TYPE_CHECKING:
    from .writing import Marks

LONGEST_S = 60
DEFAULT_S = 5.0
DEFAULT_SIZE = (512, 512)
JOIN_S = 2.0
_SIZE = re.compile(r"(\d{1,5})\s*[xX×]\s*(\d{1,5})")
_BEFORE = 12
"""Pictures between the one that a clip ends with and the one that keys know it by: 0.75 s."""
_AFTER = 4
"""Pictures from a clip's first to the one that a second before it leads to: a quarter of a second."""


class BadWish(Exception):
    """What was asked for cannot be made; the text says why and what can."""


@dataclass(frozen=True)
class Wish:
    """What a person asks for; checked when it is made.

    Attributes:
        prompts: in the order in which they are shown; none where clips or a picture say what to show.
        seconds: of what is made; None for the default.
        size: "WxH"; None for the default, or that of the clips.
        seed: another one gives another clip.
        steps, guidance: see sampling.Recipe.
        extend: a clip to go on from, or, `backwards`, to lead to.
        join: two clips to make a way between.
        image: what the clip begins with.

    Raises:
        BadWish: it contradicts itself, or cannot be made.
    """

    prompts: tuple[str, ...] = ()
    seconds: float | None = None
    size: str | None = None
    seed: int = 0
    steps: int = 16
    guidance: float = 1.5
    extend: Path | None = None
    backwards: bool = False
    join: tuple[Path, ...] | None = None
    image: Path | None = None

    def __post_init__(self) -> None:
        given = [n for n in ("extend", "join", "image") if getattr(self, n)]
        names = {"image": "from-image"}
        if len(given) > 1:
            first, second = (names.get(n, n) for n in given[:2])
            raise BadWish(say("generate.both", first=first, second=second))
        if self.backwards and not self.extend:
            raise BadWish(say("generate.needs", first="backwards", second="extend"))
        if not 1 <= self.length <= LONGEST_S:
            raise BadWish(say("generate.seconds_wrong", seconds=f"{self.length:g}", longest=LONGEST_S))
        if self.join and self.whole > LONGEST_BETWEEN:
            key = "generate.seconds_between"
            raise BadWish(say(key, seconds=f"{self.length:g}", longest=LONGEST_BETWEEN))
        if self.backwards and self.whole > TOGETHER - 1:
            key = "generate.seconds_backwards"
            raise BadWish(say(key, seconds=f"{self.length:g}", longest=TOGETHER - 1))
        if len(self.prompts) > self.whole:
            raise BadWish(
                say("generate.story_long", path="--story", lines=len(self.prompts), seconds=self.whole)
            )
        if self.size is not None:
            self.pixels  # noqa: B018 - says what is wrong with it
        try:
            self.recipe  # noqa: B018
        except ValueError as problem:
            raise BadWish(say("generate.recipe")) from problem

    @property
    def length(self) -> float:
        """Seconds of what is made."""
        return self.seconds if self.seconds is not None else JOIN_S if self.join else DEFAULT_S

    @property
    def whole(self) -> int:
        """The same, in the whole seconds that it is made in."""
        return max(1, int(np.ceil(self.length - 1e-9)))

    @property
    def recipe(self) -> Recipe:
        """How noise becomes pictures."""
        return Recipe(self.steps, self.guidance)

    @property
    def pixels(self) -> tuple[int, int] | None:
        """Width and height, None where none are asked for.

        Raises:
            BadWish: it is no size, or cannot be made.
        """
        if self.size is None:
            return None
        match = _SIZE.fullmatch(self.size.strip())
        if match is None:
            raise BadWish(say("generate.size_wrong", text=self.size))
        width, height = int(match[1]), int(match[2])
        try:
            Sizes.of(width, height)
        except ValueError as problem:
            raise BadWish(str(problem)) from problem
        return width, height

    @property
    def digest(self) -> str:
        """Tells one wish from another."""
        return hashlib.sha256(json.dumps(asdict(self), default=str).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Described:
    """How a wish was understood.

    Attributes:
        scenes: what is shown, and from which second on.
        notes: what to tell the person, a sentence each.
        nothing: whether nothing was understood that could be drawn.
    """

    scenes: tuple[tuple[Request, float], ...]
    notes: tuple[str, ...]
    nothing: bool = False

    @property
    def descriptions(self) -> list[tuple[float, str]]:
        """What is shown from when on, in words."""
        return [(from_s, sentence(request)) for request, from_s in self.scenes]


def described(wish: Wish, see: Callable[[Path], str] | None = None) -> Described:
    """What a wish asks for, in detail.

    Args:
        see: says what a clip shows, for one that is to go on without words; the captioner by default.

    Raises:
        CannotRead: a clip is none.
    """
    told = [note for prompt in wish.prompts for note in notes(prompt, tokens(prompt))]
    asked = [parse(prompt)[0] for prompt in wish.prompts]
    if wish.prompts and all(tokens(prompt).nothing for prompt in wish.prompts):
        return Described((), tuple(told), nothing=True)
    around = wish.extend or (wish.join[0] if wish.join else wish.image)
    if not asked:
        assert around is not None  # noqa: S101 - a wish without prompts has clips
        asked = [parse((see or _seen)(around))[0]]
    requests: list[Request] = []
    for number, request in enumerate(asked):
        whole = carried_on([*requests[-1:], request])[-1]
        requests.append(fill(whole, wish.seed + number))
    each = wish.whole / len(requests)
    scenes = tuple((request, number * each) for number, request in enumerate(requests))
    return Described(scenes, tuple(told))


@dataclass(frozen=True)
class Around:
    """Where things are in a given picture, and at which second of the first scene it is seen."""

    second: float
    spots: Spots


def staged(story: Described, seed: int, half: Half, around: Around | None = None) -> list[Scene]:
    """Where everything of a story is: things that stay are where they were when a scene begins.

    Args:
        half: of the picture.
        around: a picture that the story has to fit to.
    """
    scenes: list[Scene] = []
    for number, (request, from_s) in enumerate(story.scenes):
        whole = stage(request, seed + number)
        if scenes:
            spots = spots_of(scenes[-1].stage, from_s - scenes[-1].from_s, half)
            whole = standing(whole, 0.0, spots, half)
        elif around is not None:
            whole = standing(whole, around.second, around.spots, half)
        scenes.append(Scene(request, whole, from_s))
    return scenes


def _spots_in(picture: Frames) -> Spots:
    """What the captioner finds in a picture, the surest first."""
    from ..seeing import layout, shipped_sight
    from ..seeing.sight import small

    (look,) = shipped_sight()([small(picture)])
    found = sorted(look.found, key=lambda f: -f.chance)
    return [(layout.SHAPES[int(np.argmax(f.shapes))], f.x, f.y) for f in found]


def _seen(path: Path) -> str:
    """What the beginning of a clip shows, in words."""
    from ..seeing import describe, shipped_sight

    frames = [frame for frame, _ in zip(frames_of(path), range(3 * FPS), strict=False)]
    return describe(frames, FPS, shipped_sight()).words


class Numbered(Coder, Protocol):
    """Networks, which say which ones they are, and enlarge pictures."""

    @property
    def version(self) -> str: ...
    def enlarge(self, picture: Frames) -> Frames: ...


@dataclass(frozen=True)
class Made:
    """A finished clip."""

    path: Path
    frames: int
    width: int
    height: int
    payload: int | None
    descriptions: list[tuple[float, str]]


def make(
    wish: Wish,
    target: Path,
    networks: Numbered,
    marks: Marks | None,
    *,
    progress: Progress = lambda share: None,
    tell: Callable[[str], None] = lambda text: None,
) -> Made:
    """Make a clip. What an interrupted run of the same wish had made is gone on from.

    Args:
        target: written when the clip is whole.
        marks: None leaves marks out.
        tell: told what a person should know.

    Raises:
        BadWish: it cannot be made.
        CannotRead: a clip is none.
        CannotWrite: the disk is full, or the folder cannot be written to.
    """
    from .writing import CannotWrite, write_clip

    story = described(wish)
    sizes = _sizes(wish)
    order = {**asdict(wish), "networks": networks.version, "files": _stamps(wish)}
    parts = Parts(target, json.loads(json.dumps(order, default=str)))
    if parts.folder.is_dir():
        tell(say("generate.continued"))
    if (sizes.width, sizes.height) > (sizes.made_width, sizes.made_height):
        tell(say("generate.enlarged", width=sizes.made_width, height=sizes.made_height))
    shown = (np.stack([picture]) for picture in _shown(wish, story, sizes, networks, parts, progress))
    try:
        count = write_clip(target, shown, marks)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise CannotWrite(say("generate.cannot_write", path=target, reason=reason)) from problem
    parts.forget()
    payload = None if marks is None else marks.payload
    return Made(target, count, sizes.width, sizes.height, payload, story.descriptions)


def _sizes(wish: Wish) -> Sizes:
    asked = wish.pixels
    around = wish.extend or (wish.join[0] if wish.join else None)
    if asked is None and around is not None:
        first = next(frames_of(around))
        asked = first.shape[1] // 2 * 2, first.shape[0] // 2 * 2
    width, height = asked or DEFAULT_SIZE
    try:
        return Sizes.of(width, height)
    except ValueError as problem:
        raise BadWish(str(problem)) from problem


def _stamps(wish: Wish) -> list[tuple[int, int]]:
    files = [wish.extend, wish.image, *(wish.join or ())]
    found = [file.stat() for file in files if file is not None and file.exists()]
    return [(stat.st_size, stat.st_mtime_ns) for stat in found]


def _shown(
    wish: Wish, story: Described, sizes: Sizes, networks: Numbered, parts: Parts, progress: Progress
) -> Iterator[Frames]:
    """All pictures of the finished clip, one after the other."""
    around = Surroundings()
    if wish.image is not None:
        first = next(frames_of(wish.image))
        yield sizes.shown(first)
        around = Surroundings(first=sizes.small(first))
    before: deque[Frames] = deque(maxlen=_BEFORE + 1)
    if (source := wish.extend if not wish.backwards else None) or wish.join:
        for frame in frames_of(source or (wish.join or ())[0]):
            yield sizes.shown(frame)
            before.append(frame)
        around = Surroundings(first=sizes.small(before[-1]), before=sizes.small(before[0]))
    following = wish.extend if wish.backwards else (wish.join or (None, None))[1]
    if following is not None:
        opening = [frame for frame, _ in zip(frames_of(following), range(_AFTER + 1), strict=False)]
        around = Surroundings(around.first, around.before, sizes.small(opening[-1]))
    shorter = min(sizes.made_width, sizes.made_height)
    half = sizes.made_width / shorter, sizes.made_height / shorter
    fits: Around | None = None
    if around.first is not None:
        fits = Around(0.0, _spots_in(around.first))
    elif around.after is not None:
        fits = Around(wish.whole + _AFTER / FPS, _spots_in(around.after))
    order = Order(
        staged(story, wish.seed, half, fits),
        wish.whole,
        sizes.made_width,
        sizes.made_height,
        wish.seed,
        wish.recipe,
        around,
    )
    wanted = round(wish.length * FPS)
    if around.first is not None:
        wanted -= 1 if wish.image is not None else 0
    for part in pictures(order, networks, parts, progress):
        for picture in part[:wanted]:
            for _ in range(sizes.doublings):
                picture = networks.enlarge(picture)
            yield sizes.shown(picture)
        wanted -= len(part)
        if wanted <= 0:
            break
    if following is not None:
        for frame in frames_of(following):
            yield sizes.shown(frame)
