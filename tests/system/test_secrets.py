"""The bearer token: made once, kept privately, never shown by accident."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from touchstone.system.paths import Paths
from touchstone.system.secrets import ACCOUNT, SERVICE, Keyring, SecretsError, StoredToken, TokenStore


class FakeKeyring:
    """A desktop's keyring. `broken` raises what real backends raise, `forgetful` keeps nothing."""

    def __init__(self, *, broken: bool = False, forgetful: bool = False) -> None:
        self.broken = broken
        self.forgetful = forgetful
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        if not self.forgetful:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        del self.kept[service, username]

    def _check(self) -> None:
        if self.broken:
            raise RuntimeError("the collection is locked")


def none() -> Keyring | None:
    return None


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path).create()


KEPT: list[tuple[str, Callable[[], Keyring | None], str]] = [
    ("no keyring", none, "file"),
    ("a keyring", FakeKeyring, "keyring"),
    ("a locked keyring", lambda: FakeKeyring(broken=True), "file"),
    ("a keyring that keeps nothing", lambda: FakeKeyring(forgetful=True), "file"),
]


@pytest.mark.parametrize(("make", "kept_in"), [row[1:] for row in KEPT], ids=[row[0] for row in KEPT])
def test_the_token_is_made_once_and_found_again(
    make: Callable[[], Keyring | None], kept_in: str, paths: Paths
) -> None:
    keyring = make()
    store = TokenStore(paths, lambda: keyring)
    assert store.read() is None
    made = store.load()
    assert made.kept_in == kept_in
    assert len(made.value) == 43  # 256 bits in base64
    assert store.load() == made == TokenStore(paths, lambda: keyring).read()
    if os.name == "posix":
        assert paths.token_file.stat().st_mode & 0o777 == 0o600
    assert (made.value in paths.token_file.read_text()) is (kept_in == "file")


def test_rotation_replaces_it_where_it_is_kept(paths: Paths) -> None:
    keyring = FakeKeyring()
    store = TokenStore(paths, lambda: keyring)
    before = store.load()
    after = store.rotate()
    assert after.value != before.value
    assert keyring.kept == {(SERVICE, ACCOUNT): after.value}
    without = TokenStore(paths, none).rotate()
    assert without.kept_in == "file"
    assert store.load() == without, "a keyring that has an old token does not come before the file"


def test_many_processes_that_start_at_once_get_one_token(paths: Paths) -> None:
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: TokenStore(paths, none).load().value, range(16)))
    assert len(tokens) == 1


UNUSABLE = [
    ("others can read it", "A" * 43, 0o644, none, "other users"),
    ("damaged", "half", 0o600, none, "does not hold a token"),
    ("not text", "\udcff", 0o600, none, "cannot be read"),
    ("in a keyring that is not here", "keyring", 0o600, none, "cannot be reached from here"),
    ("in a keyring that is locked", "keyring", 0o600, lambda: FakeKeyring(broken=True), "locked"),
    ("no longer in the keyring", "keyring", 0o600, FakeKeyring, "no longer"),
]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize(
    ("content", "mode", "keyring", "says"), [row[1:] for row in UNUSABLE], ids=[row[0] for row in UNUSABLE]
)
def test_a_token_that_cannot_be_used_is_refused_with_the_remedy_and_not_told(
    content: str, mode: int, keyring: Callable[[], Keyring | None], says: str, paths: Paths
) -> None:
    paths.token_file.write_bytes(content.encode("utf-8", "surrogateescape"))
    paths.token_file.chmod(mode)
    with pytest.raises(SecretsError, match=says) as problem:
        TokenStore(paths, keyring).load()
    assert "touchstone token rotate" in str(problem.value)
    assert "A" * 43 not in str(problem.value)
    assert TokenStore(paths, none).rotate().kept_in == "file"


def test_a_token_does_not_show_in_a_traceback() -> None:
    assert "secret" not in repr(StoredToken("secret", "file"))
