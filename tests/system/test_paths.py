"""Directories and files that only their owner may enter."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from touchstone.system.paths import HOME_VARIABLE, Paths, make_private_dir, write_private_file

posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


WHERE = [
    ("a home that is given", {HOME_VARIABLE: "/named"}, Path("/given"), Path("/given")),
    ("a home in the environment", {HOME_VARIABLE: "/named"}, None, Path("/named")),
    ("a relative home", {HOME_VARIABLE: "named"}, None, Path("named").absolute()),
    ("nothing said", {}, None, None),
    ("an empty variable", {HOME_VARIABLE: "  "}, None, None),
]


@pytest.mark.parametrize(
    ("environ", "given", "home"), [row[1:] for row in WHERE], ids=[row[0] for row in WHERE]
)
def test_where_everything_lies(environ: dict[str, str], given: Path | None, home: Path | None) -> None:
    paths = Paths.resolve(environ, given)
    assert paths.home == home
    assert len(set(paths.all)) == 5


@posix
def test_directories_are_private_also_where_they_were_open(tmp_path: Path) -> None:
    paths = Paths.under(tmp_path / "home")
    paths.config_dir.mkdir(parents=True, mode=0o755)
    paths.config_dir.chmod(0o755)
    paths.create()
    assert {mode(path) for path in paths.all} == {0o700}


@posix
def test_a_private_file_replaces_an_open_one_and_leaves_no_draft(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    make_private_dir(folder)
    file = folder / "token"
    file.write_text("old")
    file.chmod(0o644)
    write_private_file(file, b"new")
    assert (file.read_bytes(), mode(file)) == (b"new", 0o600)
    assert list(folder.iterdir()) == [file]


def test_a_file_that_cannot_be_replaced_keeps_its_place_and_leaves_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "own" / "token"
    file.mkdir(parents=True)
    (file / "inside").touch()
    with pytest.raises(OSError, match="token"):
        write_private_file(file, b"new")
    assert list(file.parent.iterdir()) == [file]
