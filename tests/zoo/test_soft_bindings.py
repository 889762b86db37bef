"""Names of watermarks in manifests: each has words, and a name nobody knows is kept as it is."""

from __future__ import annotations

import pytest

from touchstone.messages import say
from touchstone.zoo.soft_bindings import named, table


@pytest.mark.parametrize("alg", sorted(table()))
def test_every_name_has_its_words(alg: str) -> None:
    (binding,) = named([alg])
    assert binding.decoder in ("open", "closed")
    assert (binding.home is not None) == (binding.decoder == "open")
    key = f"content_credentials.soft_binding.{binding.decoder}"
    assert binding.title in say(key, alg=alg, title=binding.title, home=binding.home)


def test_a_name_that_nobody_knows_is_kept() -> None:
    (binding,) = named(["org.example.new.1"])
    assert (binding.alg, binding.decoder) == ("org.example.new.1", "unknown")
    assert "org.example.new.1" in say("content_credentials.soft_binding.unknown", alg=binding.alg)
