"""What went wrong with a request, in words that name the URL and the way out."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import aiohttp

from ..messages import say
from . import IntakeError
from .guard import AddressRefused
from .urls import WebUrl, shorten

_STATUS_KEYS = {
    401: "needs_sign_in",
    402: "needs_sign_in",
    403: "needs_sign_in",
    404: "gone",
    410: "gone",
    429: "too_often",
    451: "withheld",
    503: "too_often",
}


@contextmanager
def explain(url: WebUrl) -> Iterator[None]:
    """Turn what aiohttp raises into an IntakeError that a person can act on."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, ssl.SSLError, ValueError) as problem:
        raise problem_of(url, problem) from problem


def problem_of(url: WebUrl, problem: Exception) -> IntakeError:
    """The IntakeError for what aiohttp raised while it talked to `url`."""
    if isinstance(cause := getattr(problem, "os_error", None), AddressRefused):
        return refused(url, cause)
    code, key = _kind(problem)
    return IntakeError(code, say(f"intake.fetch.{key}", url=url.shown, host=url.host, why=_words(problem)))


def refused(url: WebUrl, refusal: AddressRefused) -> IntakeError:
    """The IntakeError for an address that may not be connected to."""
    what = say(f"intake.address.{refusal.special.kind}")
    key = "refused" if refusal.address == url.host else "refused_name"
    return IntakeError(
        "refused_address",
        say(f"intake.fetch.{key}", url=url.shown, host=url.host, address=refusal.address, what=what),
    )


def status_problem(url: WebUrl, status: int, retry_after: str | None) -> IntakeError:
    """The IntakeError for an HTTP status that brings no video."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    key = _STATUS_KEYS.get(status, "server_failed" if status >= 500 else "status")
    wait = say("intake.fetch.wait", seconds=retry_after) if retry_after and retry_after.isdecimal() else ""
    return IntakeError(
        "http_status",
        say(f"intake.fetch.{key}", url=url.shown, status=f"{status} {phrase}".strip(), wait=wait[:80]),
    )


def _kind(problem: Exception) -> tuple[str, str]:
    match problem:
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return "tls", "tls"
        case TimeoutError():
            return "timeout", "timeout"
        case aiohttp.ClientConnectorDNSError():
            return "dns", "dns"
        case aiohttp.ClientPayloadError():
            return "truncated", "truncated"
        case aiohttp.ClientResponseError() | aiohttp.InvalidURL() | ValueError():
            return "connection", "not_http"
        case aiohttp.ServerDisconnectedError():
            return "connection", "hung_up"
        case _:
            return "connection", "connection"


def _words(problem: Exception) -> str:
    if isinstance(problem, aiohttp.ClientResponseError):
        return shorten(problem.message.partition("\n")[0].rstrip(": "))  # the lines after quote the answer
    cause = getattr(problem, "os_error", None) or problem
    text = getattr(cause, "verify_message", None) or getattr(cause, "strerror", None) or str(cause)
    return shorten(text or type(problem).__name__)
