"""A frozen program: one executable that is the command line and every process that it starts of itself.

A script stands in for it. It says what PyInstaller's loader says (`sys.frozen`, `sys.executable`), has no
`-m`, and calls what the entry of a frozen program calls.
"""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from inference.tiny_models import doubling, served
from touchstone import __version__
from touchstone.inference.child_process import ChildProcess, child_command
from touchstone.inference.measurable import measurable
from touchstone.inference.measuring import Order, measure_models
from touchstone.media.pool import confinement
from touchstone.model_import.checker import check_confined
from touchstone.own_processes import MODULES, command_of, run_as_named
from touchstone.zoo.entry import Model
from touchstone.zoo.registry import Installed
from zoo import decoders
from zoo.shop import card, sha256

posix = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")

ENTRY = """\
import sys
sys.frozen, sys.executable = True, {executable!r}
from touchstone.cli import main
sys.exit(main())
"""


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The executable; this process believes to be it."""
    executable, entry = tmp_path / "touchstone", tmp_path / "entry.py"
    entry.write_text(ENTRY.format(executable=str(executable)), encoding="utf-8")
    python = shlex.join([sys.executable, "-P", str(entry)])
    executable.write_text(f'#!/bin/sh\nexec {python} "$@"\n', encoding="utf-8")
    executable.chmod(0o755)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(executable))
    return executable


@posix
def test_it_is_still_the_command_line(frozen: Path) -> None:
    ran = subprocess.run([frozen, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == f"touchstone {__version__}"


@posix
async def test_a_worker_comes_up_confined(frozen: Path) -> None:
    report = await confinement(os.environ)
    assert report.mechanisms, "said by the worker itself"


@posix
def test_the_inference_process_comes_up(frozen: Path, tmp_path: Path) -> None:
    config = {"models": [served(tmp_path, doubling()).as_json()], "threads": 1, "cache": None}
    assert child_command() == [str(frozen), "inference"]
    child = ChildProcess(child_command(), config, os.environ, 60)
    try:
        assert child.alive()
        assert child.refused == {"network": True, "program": True} or sys.platform != "linux"
    finally:
        child.kill()


@posix
async def test_models_are_measured(frozen: Path, tmp_path: Path) -> None:
    content = decoders.decoder()
    path = tmp_path / "decoder.onnx"
    path.write_bytes(content)
    variant = {"file": path.name, "sha256": sha256(content), "size": len(content)}
    model = Model.from_json(card(variant=[variant]))
    order = Order(measurable([Installed(model, model.variants[0], path, False)]), tmp_path / "cache.json")
    (row,) = (await measure_models(order))["models"]
    assert row["results"][0]["used"] == "CPUExecutionProvider"


@posix
def test_imports_are_looked_at(frozen: Path, tmp_path: Path) -> None:
    path = tmp_path / "decoder.onnx"
    path.write_bytes(decoders.decoder())
    assert check_confined(path, Model.from_json(card()))["provider"] == "CPUExecutionProvider"


@pytest.mark.parametrize("name", MODULES)
def test_each_name_leads_to_a_program(name: str) -> None:
    assert callable(import_module(MODULES[name]).main)


@pytest.mark.parametrize("arguments", [[], ["scan", "clip.mp4"], ["worker"], ["--version"]])
def test_a_command_is_no_process(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert run_as_named(arguments) is None


def test_under_python_processes_are_modules_and_their_names_mean_nothing() -> None:
    assert command_of("inference") == [sys.executable, "-P", "-m", "touchstone.inference.child"]
    assert run_as_named(["inference"]) is None


def test_what_a_process_is_handed_are_the_arguments_after_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert run_as_named(["inference", "by", "hand"]) == 2
    assert "not by hand" in capsys.readouterr().err


def _starts_python(tree: ast.AST) -> bool:
    """Whether a module has the string `-m`: a way to start Python that a frozen program lacks."""
    return any(isinstance(node, ast.Constant) and node.value == "-m" for node in ast.walk(tree))


def test_nothing_else_starts_a_module_of_ours(pytestconfig: pytest.Config) -> None:
    program = pytestconfig.rootpath / "daemon" / "touchstone"
    known: dict[str, str] = {
        "own_processes.py": "here",
        "system/environment.py": "the command line itself",
        "system/manifests.py": "tells the command line's two forms apart",
        "zoo/fetching.py": "pip, which a frozen program does not ask",
    }
    find: Callable[[Path], bool] = lambda path: _starts_python(ast.parse(path.read_bytes()))  # noqa: E731
    starting = {path.relative_to(program).as_posix() for path in program.rglob("*.py") if find(path)}
    assert starting == set(known)
