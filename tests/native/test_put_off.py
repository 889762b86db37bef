"""A scan that the daemon puts off is told to the browser as that, with the daemon's own reason."""

from __future__ import annotations

import pytest

from touchstone.native_host.link import PUT_OFF, translate
from touchstone.native_host.problems import Code
from touchstone.server.client_problems import DaemonError
from touchstone.server.problems import Kind


@pytest.mark.parametrize(
    ("kind", "code"),
    [(PUT_OFF, Code.SCAN_PUT_OFF), (None, Code.DAEMON_REFUSED), ("other", Code.DAEMON_REFUSED)],
)
def test_what_a_refusal_means_to_the_browser(kind: str | None, code: Code) -> None:
    told = translate(DaemonError(409, "This computer runs on its battery.", kind, None), None)
    assert told.code is code
    assert "This computer runs on its battery." in str(told)


def test_the_name_of_the_problem_is_that_of_the_daemon() -> None:
    assert Kind.PUT_OFF.type == PUT_OFF
