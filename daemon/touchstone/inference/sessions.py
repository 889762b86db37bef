"""onnxruntime sessions: one model file in memory, one array in, one array out."""

from __future__ import annotations

import io
import os
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from . import PROCESSOR
from .machine import products_overflow
from .pinned import PINNABLE, pin
from .provider_options import SEQUENTIAL, options_of

# On Windows, where the variable that touchstone/__init__.py sets is not heeded, this is the switch.
onnxruntime.disable_telemetry_events()

_OVERFLOWS = products_overflow(Path("/"))  # asked here: a process that is confined can no longer read it


@cache
def _load_cuda() -> None:
    """Load CUDA from NVIDIA's wheels where they are installed: onnxruntime looks on the system's path alone.

    What it misses it prints, where the answers of a process of ours may go; the session says it again.
    """
    if hasattr(onnxruntime, "preload_dlls"):  # from 1.21 on
        with redirect_stdout(io.StringIO()):
            onnxruntime.preload_dlls(directory="")


class Session:
    """A loaded model with one input and one output.

    Inside a confined worker it runs on the processor: no graphics driver can be reached there.

    Args:
        model: an ONNX file, or the bytes of one that have been held against a checksum.
        threads: of one run. More than one are started here; a process that is about to be confined has to
            hold a single one (media/sandbox), so 1 is what workers use.
        output: name of the output to give; the first by default.
        provider: execution provider to ask for; `provider` says which one it became, `placed` how much of
            the model it took. Operators that it lacks run on the processor.
        cache: a folder where the provider may keep what it compiled.

    Attributes:
        spent_ms: how long it has run, since `take_ms` was last called.

    Raises:
        FileNotFoundError: there is no such file.
    """

    def __init__(
        self,
        model: Path | bytes,
        *,
        threads: int = 1,
        output: str | None = None,
        provider: str = PROCESSOR,
        cache: Path | None = None,
    ) -> None:
        if isinstance(model, Path) and not model.is_file():
            raise FileNotFoundError(f"no model file at {model}; install Touchstone's packages again")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; warnings are about the graph, not about what it is given
        # The arena never gives memory back, and a worker's address space is limited.
        options.enable_cpu_mem_arena = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if _OVERFLOWS:
            # Files whose weights have more than 7 bits are computed in a slower way that does not overflow;
            # all others as without it. Has no effect on anything but x86-64.
            options.add_session_config_entry("session.x64quantprecision", "1")
        if provider != PROCESSOR:
            options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        if provider in PINNABLE:
            _load_cuda()
        if provider in SEQUENTIAL:
            options.enable_mem_pattern = False
        self._session: Any = onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model),
            options,
            providers=[(provider, options_of(provider, cache)), PROCESSOR]
            if provider != PROCESSOR
            else [PROCESSOR],
            # onnxruntime would start again with other providers and say so on the standard output alone.
            enable_fallback=0,
        )
        self._input: str = self._session.get_inputs()[0].name
        self._outputs = None if output is None else [output]
        self.spent_ms = 0.0
        self._counting = Lock()

    def __call__(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """The model's output for `values`, whose shape and type are the model's own affair."""
        started = time.perf_counter()
        output: NDArray[np.float32] = self._session.run(self._outputs, {self._input: values})[0]
        self._spent(started)
        return output

    def run_bound(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """As calling it, by I/O binding: input and output are handed over without a copy in Python."""
        started = time.perf_counter()
        binding = self._session.io_binding()
        binding.bind_cpu_input(self._input, values)
        name = self._outputs[0] if self._outputs else self._session.get_outputs()[0].name
        binding.bind_output(name)
        self._session.run_with_iobinding(binding)
        (output,) = binding.get_outputs()
        answers: NDArray[np.float32] = output.numpy()
        self._spent(started)
        return answers

    def take_ms(self) -> float:
        """Milliseconds that runs took since this was last called; 0 where there were none."""
        with self._counting:
            taken, self.spent_ms = self.spent_ms, 0.0
        return taken

    def _spent(self, started: float) -> None:
        with self._counting:  # two threads may run one session
            self.spent_ms += (time.perf_counter() - started) * 1000

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says about itself, by key."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def provider(self) -> str:
        """Which execution provider it really uses, asked of the runtime."""
        return str(self._session.get_providers()[0])

    @property
    def placed(self) -> Mapping[str, int] | None:
        """How many operators each provider has, asked of the runtime; None where it does not tell.

        It tells from onnxruntime 1.24 on, and only of sessions that asked for more than the processor.
        """
        if self.provider == PROCESSOR or not hasattr(self._session, "get_provider_graph_assignment_info"):
            return None
        count: Counter[str] = Counter()
        for part in self._session.get_provider_graph_assignment_info():
            count[str(part.ep_name)] += len(part.get_nodes())
        return count


class BoundSession:
    """A session that is run on fixed shapes, in buffers that are made once and stay where they are.

    Args:
        session: what runs.
        batch: rows of a run. Providers other than the processor always get so many, because each new shape
            costs them memory and often a new plan or engine; what is missing is filled up with zeros.
    """

    def __init__(self, session: Session, batch: int) -> None:
        self._session = session
        self._batch = batch
        self._buffers: dict[tuple[str, tuple[int, ...]], NDArray[Any]] = {}
        self.provider = session.provider
        self.pinned = False

    def run(self, batches: Sequence[NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Answers for each of `batches`, which are of one kind of rows and together no more than `batch`.

        The answers are valid until the next run.
        """
        rows = sum(len(batch) for batch in batches)
        if self.provider == PROCESSOR and len(batches) == 1:
            together = batches[0]  # read where it lies
        else:
            full = rows if self.provider == PROCESSOR else max(rows, self._batch)
            together = self._buffer(batches[0], full)
            np.concatenate(batches, out=together[:rows])
            together[rows:] = 0
        answers = self._session.run_bound(together)
        ends = np.cumsum([len(batch) for batch in batches])
        return [answers[end - len(batch) : end] for batch, end in zip(batches, ends, strict=True)]

    def _buffer(self, like: NDArray[Any], rows: int) -> NDArray[Any]:
        key = like.dtype.name, (rows, *like.shape[1:])
        if key not in self._buffers:
            self._buffers[key] = np.zeros(key[1], like.dtype)
            if self.provider in PINNABLE:
                self.pinned = pin(self._buffers[key])
        return self._buffers[key]


_COMPLAINT_BYTES = 1 << 16


def smallest_model() -> bytes:
    """A model of one operator, `y = x` for (1, 1) arrays, to try a runtime with (onnx/onnx.proto)."""

    def part(number: int, value: bytes | int) -> bytes:
        if isinstance(value, int):
            return bytes([number << 3, value])
        return bytes([number << 3 | 2, len(value)]) + value

    one = part(1, part(1, 1))
    kind = part(2, part(1, part(1, 1) + part(2, one + one)))  # float32, (1, 1)
    node = part(1, b"x") + part(2, b"y") + part(4, b"Identity")
    graph = part(1, node) + part(2, b"g") + part(11, part(1, b"x") + kind) + part(12, part(1, b"y") + kind)
    return part(1, 8) + part(7, graph) + part(8, part(2, 13))


class OnnxRuntime:
    """onnxruntime as `providers` sees it; see providers.Runtime.

    Args:
        cache: a folder where providers may keep what they compiled.
    """

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache
        self._said = b""

    @property
    def version(self) -> str:
        return str(onnxruntime.__version__)

    def available(self) -> list[str]:
        """Providers that this build has; whether one works here is found out by opening a model with it."""
        return list(onnxruntime.get_available_providers())

    def open(self, content: bytes, provider: str, threads: int) -> Guarded:
        """See providers.Runtime.

        Raises:
            RuntimeError: the provider cannot load the model.
        """
        # Libraries say on the standard error what they miss, and nowhere else.
        with tempfile.TemporaryFile() as said:
            before = os.dup(2)
            os.dup2(said.fileno(), 2)
            try:
                return Guarded(Session(content, threads=threads, provider=provider, cache=self._cache))
            except Exception as problem:
                # Each provider raises kinds of its own; what they share is that the model is not loaded.
                raise RuntimeError(str(problem)) from problem
            finally:
                os.dup2(before, 2)
                os.close(before)
                said.seek(0)
                self._said = said.read(_COMPLAINT_BYTES)

    def complaints(self) -> str:
        """See providers.Runtime: what the last `open` left on the standard error, the cause first."""
        text = "".join(c if c.isprintable() else "\n" for c in self._said.decode("utf-8", "replace"))
        for line in text.splitlines():
            if " error: " in line:  # "Failed to load library ... with error: libX.so: cannot open ..."
                return line.rpartition(" error: ")[2].strip()[:300]
        return ""


class Guarded:
    """A session whose failures are all `RuntimeError`s; see providers.Running."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.provider = session.provider
        self.placed = session.placed

    def __call__(self, values: NDArray[Any]) -> NDArray[np.float32]:
        try:
            return self._session(values)
        except Exception as problem:
            raise RuntimeError(str(problem)) from problem
