"""Files and uploads: what may be read, and what a person is told when it may not."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from touchstone.intake import IntakeError
from touchstone.intake.sources import SourceIntake
from touchstone.intake.uploads import ReceivedUpload
from touchstone.wire import FileSource, UploadSource, UrlSource

BYTES = b"\x00\x00\x00\x18ftypisom" + bytes(4000)


def missing(folder: Path) -> Path:
    return folder / "missing.mp4"


def through_a_file(folder: Path) -> Path:
    (folder / "a.mp4").write_bytes(BYTES)
    return folder / "a.mp4" / "b.mp4"


def nul_in_the_name(folder: Path) -> Path:
    return folder / "a\0b.mp4"


def a_folder(folder: Path) -> Path:
    return folder


def a_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.mp4")
    return folder / "pipe.mp4"


def a_socket(folder: Path) -> Path:
    listener = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(folder)  # the address of a Unix socket may be 107 bytes long
    try:
        listener.bind("s.mp4")
    finally:
        os.chdir(here)
        listener.close()
    return folder / "s.mp4"


def a_device(_: Path) -> Path:
    return Path("/dev/zero")


def empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def dangling_link(folder: Path) -> Path:
    (folder / "link.mp4").symlink_to(folder / "nowhere.mp4")
    return folder / "link.mp4"


POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX kinds of files")


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (missing, "not_found", "no file"),
        (through_a_file, "not_found", "no file"),
        (nul_in_the_name, "not_found", "no file"),
        (a_folder, "not_a_file", "is a folder"),
        (empty, "empty", "is empty"),
        pytest.param(a_pipe, "not_a_file", "is a pipe", marks=POSIX),
        pytest.param(a_socket, "not_a_file", "is a socket", marks=POSIX),
        pytest.param(a_device, "not_a_file", "is a device", marks=POSIX),
        pytest.param(dangling_link, "not_found", "no file", marks=POSIX),
    ],
)
@pytest.mark.parametrize("as_fragment", [False, True])
async def test_a_file_that_cannot_be_scanned_is_named_with_the_reason(
    tmp_path: Path, make: Callable[[Path], Path], code: str, words: str, as_fragment: bool
) -> None:
    path = make(tmp_path)
    source = FileSource(path=str(path))
    if as_fragment:
        init = tmp_path / "init.mp4"
        init.write_bytes(BYTES)
        source = FileSource(path=str(init), fragments=[str(path)])
    with pytest.raises(IntakeError) as problem:
        async with SourceIntake().open(source):
            pass
    assert problem.value.code == code
    assert words in str(problem.value)
    assert path.name in str(problem.value) or ascii(path.name)[1:-1] in str(problem.value)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
async def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    path = tmp_path / "secret.mp4"
    path.write_bytes(BYTES)
    path.chmod(0)
    with pytest.raises(IntakeError) as problem:
        async with SourceIntake().open(FileSource(path=str(path))):
            pass
    assert problem.value.code == "not_readable"
    assert "permissions" in str(problem.value)


async def test_a_file_is_used_where_it_is_and_hashed(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(BYTES)
    async with SourceIntake().open(FileSource(path=str(path))) as material:
        assert material.path == path
        assert material.name == "clip.mp4"
        assert material.size == len(BYTES)
        assert material.complete
        assert material.sha256 == hashlib.sha256(BYTES).hexdigest()
    assert path.read_bytes() == BYTES


async def test_fragments_keep_their_order(tmp_path: Path) -> None:
    names = ["init.mp4", "9.m4s", "10.m4s", "1.m4s"]
    for name in names:
        (tmp_path / name).write_bytes(BYTES)
    init, *fragments = (str(tmp_path / name) for name in names)
    async with SourceIntake().open(FileSource(path=init, fragments=fragments)) as material:
        assert [path.name for path in material.fragments] == names[1:]
        assert material.sha256 is None, "another video may have the same init segment"


@pytest.mark.parametrize(("limit", "hashed"), [(len(BYTES), True), (len(BYTES) - 1, False)])
async def test_a_file_over_the_limit_is_not_hashed(tmp_path: Path, limit: int, hashed: bool) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(BYTES)
    async with SourceIntake(hash_limit=limit).open(FileSource(path=str(path))) as material:
        assert (material.sha256 is not None) is hashed


async def test_two_gigabytes_of_nothing_are_taken_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "zeros.mp4"
    with path.open("wb") as file:
        file.truncate(2 << 30)  # sparse: takes no room on disk
    async with SourceIntake().open(FileSource(path=str(path))) as material:
        assert material.size == 2 << 30
        assert material.sha256 is None


async def test_an_upload_keeps_the_name_the_browser_gave_it(tmp_path: Path) -> None:
    body = tmp_path / "body-1"
    body.write_bytes(BYTES)
    wire = UploadSource(name="sora.mp4", url="blob:https://example.com/1")
    async with SourceIntake().open(ReceivedUpload(**wire.model_dump(), path=body)) as material:
        assert material.path == body
        assert material.name == "sora.mp4"
        assert material.sha256 == hashlib.sha256(BYTES).hexdigest()
    assert body.exists(), "the file belongs to whoever received the upload"


async def test_an_empty_upload_does_not_speak_of_our_temporary_file(tmp_path: Path) -> None:
    body = tmp_path / "body-1"
    body.touch()
    with pytest.raises(IntakeError, match="upload is empty") as problem:
        async with SourceIntake().open(ReceivedUpload(path=body)):
            pass
    assert str(tmp_path) not in str(problem.value)


async def test_an_upload_without_bytes_is_refused() -> None:
    with pytest.raises(IntakeError, match="without bytes"):
        async with SourceIntake().open(UploadSource(name="x.mp4")):
            pass


def test_the_path_of_an_upload_never_leaves_on_the_wire(tmp_path: Path) -> None:
    upload = ReceivedUpload(name="x.mp4", path=tmp_path / "body")
    assert str(tmp_path) not in upload.model_dump_json()
    assert str(tmp_path) not in repr(upload)
    assert UploadSource.model_validate_json(upload.model_dump_json()).name == "x.mp4"


@pytest.mark.parametrize("how", ["no web", "setting"])
async def test_with_fetching_off_no_url_is_opened(how: str) -> None:
    class NeverUsed:
        def open(self, url: str) -> None:
            raise AssertionError(url)

        async def close(self) -> None:
            return None

    intake = SourceIntake() if how == "no web" else SourceIntake(NeverUsed(), fetch_allowed=lambda: False)  # type: ignore[arg-type]
    with pytest.raises(IntakeError, match="turned off") as problem:
        async with intake.open(UrlSource(url="https://example.com/a.mp4")):
            pass
    assert problem.value.code == "fetch_off"
    assert "https://example.com/a.mp4" in str(problem.value)
