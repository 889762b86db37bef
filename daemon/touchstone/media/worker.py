"""What a worker process runs: `python -m touchstone.media.worker LINK`.

It is started by the pool with one open link. It learns what to build, imports and tries all of it, confines
itself for good, and only then takes jobs: open files in, a stream of answers out, until the socket closes.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..examiners import Examiner
from ..inference import InferenceClient, ServedModel
from ..inference.blocks import BLOCK_BYTES
from ..messages import FALLBACK, catalogue, say
from . import launch
from .answers import MAX_TEXT, Done, OutOfMemory, to_json
from .framing import MAX_ANSWER, MAX_REQUEST, LinkBroken, encode
from .launch import AnyLink
from .link import Link
from .pipes import PipeLink
from .plan import Sampling
from .rehearsal import rehearse
from .sandbox import confine
from .spec import WorkerSpec
from .workers import Found, Message, OpenMaterial, Started, examine_opened

if TYPE_CHECKING:
    from ..inference.remote import Remote

if sys.platform != "win32":
    import resource

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str]) -> int:
    """Serve jobs on the link that the arguments name (see `launch.py`). Returns the exit status."""
    link = _link(arguments)
    if link is None:
        print("touchstone.media.worker is started by Touchstone itself, not by hand", file=sys.stderr)
        return 2
    try:
        told = link.receive()
        spec = WorkerSpec.from_json(told["spec"])
        examiners = _build(spec)
        networks = _networks(spec, link, told.get("block"))
        catalogue(FALLBACK)  # sentences are said in words that are on disk
        rehearse(list(examiners.values()), networks.local)
        report = confine(link.fileno(), spec.limits, way="".join(arguments[1:]))
        link.send({"type": "ready", "sandbox": report.as_json()})
        sampling = spec.sampling if report.threads else replace(spec.sampling, threads=1)
        while True:
            _serve_one(link, examiners, sampling, networks)
    except LinkBroken:
        return 0  # the daemon closed the socket, or is gone


def _link(arguments: Sequence[str]) -> AnyLink | None:
    """The link to the daemon, or None if the arguments name none."""
    match arguments:
        case [number] if number.isdigit():
            return Link(socket.socket(fileno=int(number)), largest=MAX_REQUEST)
        case [launch.OVER_PIPES, *_]:
            return _over_pipes()
    return None


def _over_pipes() -> PipeLink:
    """The link over what are standard input and output, which stay free for whatever prints something."""
    reading, writing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    adopt: Callable[[int], int] = int
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (reading, writing):
            msvcrt.setmode(descriptor, os.O_BINARY)

        def adopt(handle: int) -> int:
            return msvcrt.open_osfhandle(handle, os.O_RDONLY | os.O_BINARY)

    return PipeLink(reading, writing, largest=MAX_REQUEST, adopt=adopt)


def _build(spec: WorkerSpec) -> dict[str, Examiner]:
    sys.path.extend(spec.python_path)
    module, _, function = spec.registry.partition(":")
    built = getattr(import_module(module), function)(spec.examiners, spec.settings)
    return {examiner.name: examiner for examiner in built}


@dataclass(frozen=True)
class _Networks:
    """What runs the models that examiners ask for by name.

    Attributes:
        local: those that are loaded here; None where there are none.
        client: all of them; None where there are none.
        remote: those of the inference process, which cannot be asked before the first job.
    """

    local: InferenceClient | None = None
    client: InferenceClient | None = None
    remote: Remote | None = None


def _networks(spec: WorkerSpec, link: AnyLink, block: int | None) -> _Networks:
    """Load what runs here. `block` is the descriptor of the memory shared with the inference process."""
    models = [ServedModel.from_json(model) for model in spec.models]
    if not models:
        return _Networks()
    from ..inference.clients import Routed

    here = [model for model in models if not model.apart]
    apart = [model for model in models if model.apart]
    local: InferenceClient | None = None
    remote: Remote | None = None
    routes: dict[str, InferenceClient] = {}
    if here:
        from ..inference.in_process import InProcess  # only here: it brings onnxruntime

        local = InProcess(here)
        routes |= dict.fromkeys((model.name for model in here), local)
    if apart and block is not None:
        from ..inference.remote import Remote
        from ..inference.shared import Block

        remote = Remote(apart, link, Block(block, BLOCK_BYTES))
        os.close(block)  # the mapping stays
        routes |= dict.fromkeys((model.name for model in apart), remote)
    return _Networks(local, Routed(routes), remote)


def _serve_one(
    link: AnyLink,
    examiners: Mapping[str, Examiner],
    sampling: Sampling,
    networks: _Networks,
) -> None:
    """Take one job: any number of messages with files, then the job itself."""
    descriptors: list[int] = []
    with ExitStack() as files:
        while True:
            request, more = link.receive_with_files()
            for descriptor in more:
                files.callback(_close, descriptor)
            descriptors += more
            if request.get("type") == "job":
                break
        _arm(request["seconds"])
        try:
            for message in _examine(examiners, request, descriptors, sampling, networks.client):
                link.send(_sendable(message))
            if networks.remote is not None:
                networks.remote.settle()  # answers that nobody took must not be met by the next job
        except MemoryError:
            link.send(to_json(OutOfMemory()))
            os._exit(1)
        finally:
            _arm(0)
    link.send(to_json(Done(_peak_memory_mib())))


def _close(descriptor: int) -> None:
    os.close(descriptor)


def _examine(
    examiners: Mapping[str, Examiner],
    request: Mapping[str, Any],
    descriptors: Sequence[int],
    sampling: Sampling,
    inference: InferenceClient | None,
) -> Iterator[Message | Started]:
    with ExitStack() as files:
        opened = [files.enter_context(os.fdopen(d, "rb", closefd=False)) for d in descriptors]
        material = OpenMaterial(
            file=opened[0],
            size=request["size"],
            fragments=tuple(opened[1:]),
            complete=request["complete"],
            present=tuple((start, end) for start, end in request["present"]),
            pictures=request["pictures"],
        )
        chosen = [examiners[name] for name in request["examiners"] if name in examiners]
        yield from examine_opened(material, chosen, sampling, inference, alone=bool(request.get("alone")))


def _sendable(message: Message | Started) -> dict[str, Any]:
    """The message as JSON. Evidence that is too large for one message travels without its details."""
    whole = to_json(message)
    if not isinstance(message, Found) or len(encode(whole)) <= MAX_ANSWER:
        return whole
    bare = {"details": {"left_out": say("workers.details_left_out")}, "spans": []}
    return to_json(
        Found(message.evidence.model_copy(update={**bare, "finding": message.evidence.finding[:MAX_TEXT]}))
    )


def _arm(seconds: float) -> None:
    """Have the system end this process after `seconds`, should the daemon not be there to do it. 0: never."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _peak_memory_mib() -> int:
    if sys.platform == "win32":
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> (20 if sys.platform == "darwin" else 10)  # bytes on macOS, KiB elsewhere


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
