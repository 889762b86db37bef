"""Messages of a worker as JSON, and back.

What comes back may have been made up by an attacker who took the worker over, so every field is checked, and
lengths are bounded. Tags do not travel: only examiners read them, and they stay where the bytes are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import ValidationError

from ..verdict import Evidence, ModelUse
from .container import Container
from .plan import Seen
from .workers import Checked, ContainerRead, Found, Message, ModelsRan, Sampled, Skipped, Started, Unreadable

MAX_TEXT = 2000
_MAX_PROBLEMS = 50
_MAX_MODELS = 50
_MAX_NAME = 200
_MAX_AXES = 8
_MAX_SIZE = 1 << 53


class BadMessage(Exception):
    """An answer that no worker of ours would give."""


@dataclass(frozen=True)
class Done:
    """The job is over. `memory_mib` is the most real memory that the worker has ever held."""

    memory_mib: int


@dataclass(frozen=True)
class OutOfMemory:
    """The worker ran out of what it may use and is about to end."""


@dataclass(frozen=True)
class Infer:
    """The worker asks for a model's answers; see inference.batching.Batch. `number` is its own."""

    number: int
    model: str
    offset: int
    room: int
    shape: tuple[int, ...]
    dtype: str


Answer = Message | Started | Done | OutOfMemory | Infer


def to_json(message: Answer) -> dict[str, Any]:
    """A message as a JSON object with its kind under `type`."""
    match message:
        case ContainerRead(container):
            return {
                "type": "container",
                "format": container.format,
                "mime": container.mime,
                "codec": container.codec,
                "width": container.width,
                "height": container.height,
                "fps": container.fps,
                "duration_s": container.duration_s,
                "problems": [problem[:MAX_TEXT] for problem in container.problems[:_MAX_PROBLEMS]],
            }
        case Found(evidence):
            return {"type": "found", "evidence": evidence.model_dump(mode="json")}
        case Started(examiner):
            return {"type": "started", "examiner": examiner}
        case Checked(examiner):
            return {"type": "checked", "examiner": examiner}
        case Skipped(examiner, reason):
            return {"type": "skipped", "examiner": examiner, "reason": reason[:MAX_TEXT]}
        case Sampled(seen):
            return {"type": "sampled", **asdict(seen)}
        case ModelsRan(models):
            return {"type": "models", "models": {name: use.model_dump() for name, use in models.items()}}
        case Unreadable(reason):
            return {"type": "unreadable", "reason": reason[:MAX_TEXT]}
        case Done(memory_mib):
            return {"type": "done", "memory_mib": memory_mib}
        case OutOfMemory():
            return {"type": "out_of_memory"}
        case Infer():
            return {"type": "infer", **asdict(message)}


def from_json(answer: Mapping[str, Any]) -> Answer:
    """The message that `answer` is.

    Raises:
        BadMessage: it is none.
    """
    match answer.get("type"):
        case "container":
            return ContainerRead(_container(answer))
        case "found":
            try:
                return Found(Evidence.model_validate(answer.get("evidence")))
            except (ValidationError, RecursionError) as error:
                raise BadMessage("evidence that is none") from error
        case "started":
            return Started(_text(answer, "examiner"))
        case "checked":
            return Checked(_text(answer, "examiner"))
        case "skipped":
            return Skipped(_text(answer, "examiner"), _text(answer, "reason"))
        case "sampled":
            return Sampled(_seen(answer))
        case "models":
            return ModelsRan(_models(answer))
        case "unreadable":
            return Unreadable(_text(answer, "reason"))
        case "done":
            return Done(int(_number(answer, "memory_mib") or 0))
        case "out_of_memory":
            return OutOfMemory()
        case "infer":
            return _infer(answer)
    raise BadMessage("an answer of no known type")


def _container(answer: Mapping[str, Any]) -> Container:
    width, height = _number(answer, "width"), _number(answer, "height")
    problems = answer.get("problems")
    if not isinstance(problems, list) or len(problems) > _MAX_PROBLEMS:
        raise BadMessage("problems that are no list")
    return Container(
        format=_text(answer, "format"),
        mime=_text(answer, "mime"),
        codec=None if answer.get("codec") is None else _text(answer, "codec"),
        width=None if width is None else int(width),
        height=None if height is None else int(height),
        fps=_number(answer, "fps"),
        duration_s=_number(answer, "duration_s"),
        problems=[str(problem)[:MAX_TEXT] for problem in problems],
    )


def _seen(answer: Mapping[str, Any]) -> Seen:
    return Seen(
        runs_wanted=int(_number(answer, "runs_wanted") or 0),
        runs=int(_number(answer, "runs") or 0),
        frames=int(_number(answer, "frames") or 0),
        decoded=int(_number(answer, "decoded") or 0),
        duration_s=_number(answer, "duration_s"),
        first_s=_number(answer, "first_s"),
        last_s=_number(answer, "last_s"),
        ended=None if answer.get("ended") is None else _text(answer, "ended"),
    )


def _infer(answer: Mapping[str, Any]) -> Infer:
    shape = answer.get("shape")
    if not isinstance(shape, list) or len(shape) > _MAX_AXES or not all(type(n) is int for n in shape):
        raise BadMessage("a shape that is none")
    numbers = [int(_number(answer, key) or 0) for key in ("number", "offset", "room")]
    if any(abs(n) > _MAX_SIZE for n in (*numbers, *shape)):
        raise BadMessage("a batch of endless size")
    return Infer(
        number=numbers[0],
        model=_text(answer, "model"),
        offset=numbers[1],
        room=numbers[2],
        shape=tuple(shape),
        dtype=_text(answer, "dtype"),
    )


def _models(answer: Mapping[str, Any]) -> dict[str, ModelUse]:
    models = answer.get("models")
    if not isinstance(models, dict) or len(models) > _MAX_MODELS:
        raise BadMessage("models that are none")
    try:
        uses = {str(name): ModelUse.model_validate(use) for name, use in models.items()}
    except (ValidationError, RecursionError) as error:
        raise BadMessage("models that are none") from error
    texts = [text for name, use in uses.items() for text in (name, *use.model_dump().values())]
    if any(len(text) > _MAX_NAME for text in texts if isinstance(text, str)):
        raise BadMessage("a model with an endless name")
    if not all(math.isfinite(use.ms) for use in uses.values()):
        raise BadMessage("a model that never ended")
    return uses


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key)
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise BadMessage(f"{key} is not a short text")
    return value


def _number(answer: Mapping[str, Any], key: str) -> float | None:
    value = answer.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadMessage(f"{key} is not a number")
    return value
