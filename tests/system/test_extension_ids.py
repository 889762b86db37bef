"""The ids by which browsers know the extension hold together."""

from __future__ import annotations

import base64
import hashlib
import tomllib
from importlib import resources

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from touchstone.system.manifests import ExtensionIds


def test_chromium_s_id_is_that_of_its_key() -> None:
    text = resources.files("touchstone.system").joinpath("extension_ids.toml").read_text(encoding="utf-8")
    chromium = tomllib.loads(text)["chromium"]
    key = base64.b64decode(chromium["key"], validate=True)
    assert isinstance(load_der_public_key(key), RSAPublicKey)
    letters = "".join(chr(ord("a") + int(digit, 16)) for digit in hashlib.sha256(key).hexdigest()[:32])
    assert letters == chromium["id"]


def test_further_ids_come_after_ours_and_once() -> None:
    ours = ExtensionIds.load()
    more = "a" * 32
    assert ExtensionIds.load((more, *ours.chromium, more)).chromium == (*ours.chromium, more)
    assert ours.firefox == ("touchstone@org.touchstone",)
