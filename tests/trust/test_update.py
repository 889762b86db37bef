"""`touchstone trust update` and `status`, against a server on the loopback interface."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from signing import Authority, make_authority, make_signer
from touchstone.cli import trust as command
from touchstone.system.environment import Environment
from touchstone.system.paths import Paths
from touchstone.trust import Trust
from touchstone.trust.update import (
    INDEX,
    OFFICIAL_LISTS,
    FetchFailed,
    OfficialList,
    fetch_https,
    read_index,
    update,
)

LIST = OfficialList("a list", "a-list.pem", "https://lists.example/a.pem", fewest=3)
TIME = OfficialList("a timestamp list", "a-tsa-list.pem", "https://lists.example/tsa.pem", fewest=1)


@pytest.fixture(scope="module")
def authorities() -> list[Authority]:
    return [make_authority(name=f"Root {number}") for number in range(8)]


class Published:
    """What the server answers at each path: bytes, or a status."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | int] = {}

    async def answer(self, request: web.Request) -> web.Response:
        found = self.answers.get(request.path, 404)
        return web.Response(status=found) if isinstance(found, int) else web.Response(body=found)


Server = tuple[Published, Callable[[str], Awaitable[bytes]]]


@pytest.fixture
async def published() -> AsyncIterator[Server]:
    """A server, and a fetcher that takes every official address to it."""
    state = Published()
    app = web.Application()
    app.router.add_get("/{path:.*}", state.answer)
    server = TestServer(app)
    await server.start_server()

    async def fetch(url: str) -> bytes:
        path = url.removeprefix("https://lists.example")
        async with aiohttp.ClientSession() as session, session.get(server.make_url(path)) as answer:
            if answer.status != 200:
                raise FetchFailed(f"{url}: answered {answer.status}")
            return await answer.read()

    yield state, fetch
    await server.close()


def pem(authorities: list[Authority]) -> bytes:
    return "".join(authority.pem for authority in authorities).encode()


async def test_what_is_fetched_is_stored_and_trusted(
    tmp_path: Path,
    published: Server,
    authorities: list[Authority],
) -> None:
    state, fetch = published
    folder = tmp_path / "trust"
    state.answers = {"/a.pem": pem(authorities[:4]), "/tsa.pem": pem(authorities[4:5])}
    outcomes = await update(folder, fetch, lambda: 1000.0, [LIST, TIME])
    assert [(o.changed, o.problem, o.stored.authorities if o.stored else 0) for o in outcomes] == [
        (True, None, 4),
        (True, None, 1),
    ]
    trust = Trust(pins=False, official=folder)
    assert trust.signer(make_signer(authorities[0], with_root=True).ders).known
    assert not trust.signer(make_signer(authorities[4], with_root=True).ders).known, "it is for timestamps"
    again = await update(folder, fetch, lambda: 2000.0, [LIST])
    assert (again[0].changed, again[0].stored and again[0].stored.fetched_at) == (False, 2000.0)
    assert sorted(path.name for path in folder.iterdir()) == ["a-list.pem", "a-tsa-list.pem", INDEX]


def leaf_list(authorities: list[Authority]) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return pem(authorities) + make_signer(authorities[0]).chain[0].public_bytes(Encoding.PEM)


BAD: dict[str, tuple[Callable[[list[Authority]], bytes | int], str]] = {
    "not found": (lambda _: 404, "404"),
    "a page instead": (lambda _: b"<html>hello</html>", "names 0"),
    "cut short": (lambda a: pem(a)[:300], "names 0"),
    "too few": (lambda a: pem(a[:2]), "at least 4"),
    "half of them gone": (lambda a: pem(a[:3]), "at least 4"),
    "a signer among them": (leaf_list, "no authority"),
    "a broken certificate": (lambda a: pem(a).replace(b"MII", b"AAA", 1), "cannot be read"),
    "too large": (lambda _: b" " * (5 * 2**20), "4 MiB"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_list_leaves_the_stored_one_in_force(
    tmp_path: Path,
    published: Server,
    authorities: list[Authority],
    name: str,
) -> None:
    state, fetch = published
    make, words = BAD[name]
    state.answers["/a.pem"] = pem(authorities)
    await update(tmp_path, fetch, lambda: 1.0, [LIST])
    state.answers["/a.pem"] = make(authorities)
    (outcome,) = await update(tmp_path, fetch, lambda: 2.0, [LIST])
    assert outcome.problem is not None
    assert words in outcome.problem
    assert LIST.url in outcome.problem
    assert outcome.stored is not None
    assert outcome.stored.fetched_at == 1.0
    assert len(Trust(pins=False, official=tmp_path).anchors) == len(authorities)


async def test_an_index_that_does_not_fit_its_files_is_not_believed(
    tmp_path: Path,
    published: Server,
    authorities: list[Authority],
) -> None:
    state, fetch = published
    state.answers["/a.pem"] = pem(authorities)
    await update(tmp_path, fetch, lambda: 1.0, [LIST])
    assert set(read_index(tmp_path)) == {LIST.file}
    (tmp_path / LIST.file).write_bytes(pem(authorities[:3]))
    assert read_index(tmp_path) == {}
    (tmp_path / INDEX).write_text("[broken")
    assert read_index(tmp_path) == {}


async def test_only_https_is_fetched() -> None:
    with pytest.raises(FetchFailed, match="not an https address"):
        await fetch_https("http://127.0.0.1:9/list.pem")
    with pytest.raises(FetchFailed, match=r"127\.0\.0\.1"):
        await fetch_https("https://127.0.0.1:9/list.pem")


def test_official_addresses_are_https_and_named_for_what_they_are() -> None:
    assert all(official.url.startswith("https://") for official in OFFICIAL_LISTS)
    assert ["tsa" in official.file for official in OFFICIAL_LISTS] == [False, True, False]


class TestCommand:
    @pytest.fixture
    def env(self, home: Path) -> Environment:
        return Environment(
            paths=Paths.under(home),
            home=home,
            platform="linux",
            clock=lambda: 1_780_000_000.0,
            stdout=io.StringIO(),
            stderr=io.StringIO(),
        )

    def call(self, env: Environment, *words: str, **more: object) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        command.add_parser(parser.add_subparsers())
        args = parser.parse_args(["trust", *words])
        code = args.run(args, env, **more)
        return code, env.stdout.getvalue(), env.stderr.getvalue()  # type: ignore[attr-defined]

    def test_status_of_a_fresh_machine(self, env: Environment) -> None:
        code, out, _ = self.call(env, "status", "--json")
        sources = {row["name"]: row for row in json.loads(out)["sources"]}
        assert code == 0
        assert next(iter(sources.values()))["signers"] > 40
        assert sources["C2PA trust list"]["fetched_at"] is None

    def test_status_in_words(self, env: Environment) -> None:
        code, out, _ = self.call(env, "status")
        assert code == 0
        assert "C2PA timestamp list" in out

    def test_update_and_status(self, env: Environment, authorities: list[Authority]) -> None:
        many = pem([make_authority(name=f"Many {number}") for number in range(12)])

        async def fetch(url: str) -> bytes:
            return many

        code, out, _ = self.call(env, "update", fetch=fetch)
        assert code == 0
        assert "C2PA trust list: 12 authorities, updated" in out
        status = json.loads(self.call(self.renewed(env), "status", "--json")[1])
        rows = {row["name"]: row for row in status["sources"]}
        assert rows["C2PA trust list"]["signers"] == 12
        assert rows["C2PA timestamp list"]["timestamps"] == 12
        assert rows["interim list"]["fetched_at"] == 1_780_000_000.0

    def renewed(self, env: Environment) -> Environment:
        return Environment(
            paths=env.paths,
            home=env.home,
            platform="linux",
            clock=env.clock,
            stdout=io.StringIO(),
            stderr=io.StringIO(),
        )

    def test_update_without_a_network(self, env: Environment) -> None:
        async def fetch(url: str) -> bytes:
            raise FetchFailed(f"{url}: no route to host")

        code, out, errors = self.call(env, "update", "--json", fetch=fetch)
        assert code == 1
        assert all("no route to host" in row["problem"] for row in json.loads(out))
        code, _, errors = self.call(self.renewed(env), "update", fetch=fetch)
        assert code == 1
        assert "C2PA trust list: not updated." in errors
