"""What the host does for each request: one table, from message type to handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import __version__, native_messages
from ..messages import say
from ..native_messages import PROTOCOL, Limits
from ..verdict import Model
from ..wire import FramesSource, ScanFeedback, ScanState, UploadSource
from .framing import MAX_FROM_BROWSER
from .problems import Code, NativeError
from .scans import MAX_SCANS, Submit
from .uploads import CHUNK_BYTES, WINDOW, Upload

if TYPE_CHECKING:
    from ..server.client import DaemonClient
    from .host import Host

SETTINGS = {"fetch_urls", "max_bytes"}
"""The daemon's settings that concern the extension."""


@dataclass(frozen=True)
class Handling:
    """How one type of request is handled.

    Attributes:
        model: the request.
        handle: answers it; raises NativeError.
        in_order: it is done before the next message is read; the others go on side by side.
    """

    model: type[Model]
    handle: Callable[[Host, Any], Awaitable[None]]
    in_order: bool = False


async def _hello(host: Host, message: native_messages.Hello) -> None:
    if message.protocol != PROTOCOL:
        older = "extension" if message.protocol < PROTOCOL else "host"
        raise NativeError(
            Code.PROTOCOL_MISMATCH, theirs=message.protocol, ours=PROTOCOL, older=say(f"native.older.{older}")
        )
    host.greeted = True
    await host.answer(
        native_messages.Welcome(
            request=message.request,
            protocol=PROTOCOL,
            host_version=__version__,
            daemon=host.link.state,
            limits=Limits(
                message_bytes=MAX_FROM_BROWSER,
                chunk_bytes=CHUNK_BYTES,
                window=WINDOW,
                upload_bytes=host.uploads.limit_bytes,
                scans=MAX_SCANS,
            ),
        )
    )


async def _scan(host: Host, message: native_messages.ScanUrl) -> None:
    async def submit() -> str:
        state = await host.link.ask(
            lambda client: client.submit(message.source, fresh=message.fresh, automatic=message.automatic)
        )
        return state.id

    await _start(host, message.request, submit)


async def _upload_begin(host: Host, message: native_messages.UploadBegin) -> None:
    await _acknowledge(host, message, host.uploads.begin(message))


async def _upload_chunk(host: Host, message: native_messages.UploadChunk) -> None:
    await _acknowledge(host, message, host.uploads.chunk(message))


async def _upload_scan(host: Host, message: native_messages.UploadScan) -> None:
    await _scan_upload(host, message.request, host.uploads.scan(message))


async def _upload_end(host: Host, message: native_messages.UploadEnd) -> None:
    await _scan_upload(host, message.request, host.uploads.end(message))


async def _scan_upload(host: Host, request: str, upload: Upload) -> None:
    begin, size = upload.begin, upload.received
    where = {"name": begin.name, "url": begin.url, "page_url": begin.page_url}

    async def submit() -> str:
        state = await host.link.ask(send)
        return state.id

    async def send(client: DaemonClient) -> ScanState:
        if begin.frames is None:
            return await client.upload(
                upload.path, UploadSource(**where), fresh=begin.fresh, automatic=begin.automatic
            )
        about = FramesSource(**where, **begin.frames.model_dump())
        return await client.frames(upload.path, about, size, fresh=begin.fresh, automatic=begin.automatic)

    await _start(host, request, submit, upload.close)


async def _upload_abort(host: Host, message: native_messages.UploadAbort) -> None:
    host.uploads.abort(message.upload_id)
    await host.answer(native_messages.UploadAborted(request=message.request, upload_id=message.upload_id))


async def _get(host: Host, message: native_messages.Get) -> None:
    scan_id = message.scan_id
    daemon_id = host.scans.daemon_id(scan_id)
    state = await host.link.ask(lambda client: client.state(daemon_id), scan_id)
    await host.answer(
        native_messages.ScanStateReply(request=message.request, scan_id=scan_id, state=state.state)
    )
    await host.scans.follow(scan_id)


async def _cancel(host: Host, message: native_messages.Cancel) -> None:
    await host.scans.cancel(message.scan_id)
    await host.answer(native_messages.Cancelled(request=message.request, scan_id=message.scan_id))


async def _feedback(host: Host, message: native_messages.Feedback) -> None:
    feedback = ScanFeedback(agrees=message.agrees, label=message.label, comment=message.comment)
    daemon_id = host.scans.daemon_id(message.scan_id)
    await host.link.ask(lambda client: client.feedback(daemon_id, feedback), message.scan_id)
    await host.answer(native_messages.FeedbackTaken(request=message.request, scan_id=message.scan_id))


async def _status(host: Host, message: native_messages.StatusRequest) -> None:
    health = None
    with suppress(NativeError):  # a daemon that is not there is an answer, not a failure
        health = await host.link.ask(lambda client: client.health())
    await host.answer(
        native_messages.Status(
            request=message.request,
            daemon=host.link.state,
            host_version=__version__,
            daemon_version=host.link.version,
            scans=len(host.scans),
            uploads=len(host.uploads),
            health=health.model_dump(mode="json") if health else None,
        )
    )


async def _settings(host: Host, message: native_messages.SettingsGet) -> None:
    health = await host.link.ask(lambda client: client.health())
    values = health.model_dump(mode="json", include=SETTINGS)
    await host.answer(native_messages.Settings(request=message.request, values=values))


async def _start(host: Host, request: str, submit: Submit, drop: Callable[[], None] = lambda: None) -> None:
    try:
        with host.scans.room():
            scan_id = await submit()
            await host.answer(native_messages.Accepted(request=request, scan_id=scan_id))
            await host.scans.follow(scan_id, submit, drop)
    except BaseException:
        drop()
        raise


async def _acknowledge(
    host: Host, message: native_messages.UploadBegin | native_messages.UploadChunk, upload: Upload
) -> None:
    await host.answer(
        native_messages.UploadAck(
            request=message.request,
            upload_id=message.upload_id,
            next_seq=upload.next_seq,
            received=upload.received,
        )
    )


HANDLERS: Mapping[str, Handling] = {
    str(handling.model.model_fields["type"].default): handling
    for handling in (
        Handling(native_messages.Hello, _hello, in_order=True),
        Handling(native_messages.ScanUrl, _scan),
        Handling(native_messages.UploadBegin, _upload_begin, in_order=True),
        Handling(native_messages.UploadChunk, _upload_chunk, in_order=True),
        Handling(native_messages.UploadScan, _upload_scan),
        Handling(native_messages.UploadEnd, _upload_end),
        Handling(native_messages.UploadAbort, _upload_abort, in_order=True),
        Handling(native_messages.Get, _get),
        Handling(native_messages.Cancel, _cancel),
        Handling(native_messages.Feedback, _feedback),
        Handling(native_messages.StatusRequest, _status),
        Handling(native_messages.SettingsGet, _settings),
    )
}
