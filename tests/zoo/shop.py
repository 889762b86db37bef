"""A zoo of test models, wheels to fetch them out of, and a web server on the loopback interface."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from touchstone.zoo.entry import Model

CONTENT = bytes(range(256)) * 64
"""What stands for a model file; nothing here opens it."""

PACKAGE = "tiny-zoo-test-package"
WHEEL = "tiny_zoo_test_package-1.0-py3-none-any.whl"
MEMBER = "tiny_zoo/decoder.onnx"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def card(**changes: Any) -> dict[str, Any]:
    """The card of a decoder of 8 bits, with some fields changed; None leaves one out."""
    values: dict[str, Any] = {
        "name": "tiny",
        "version": "1",
        "task": "watermark_decoder",
        "title": "Tiny decoder",
        "licence": "Apache-2.0",
        "input": {
            "name": "picture",
            "layout": "BCHW",
            "colour": "RGB",
            "range": [0, 1],
            "fit": "resize",
            "height": 16,
            "width": 16,
        },
        "output": {"name": "bits", "bits": 8, "threshold": 0.5},
    } | changes
    return {key: value for key, value in values.items() if value is not None}


def model(source: str, content: bytes = CONTENT, **archive: Any) -> Model:
    """An entry with one file."""
    variant = {
        "file": "decoder.onnx",
        "source": source,
        "sha256": sha256(content),
        "size": len(content),
        **archive,
    }
    return Model.from_json(card(variant=[variant]))


def make_wheel(path: Path, members: Mapping[str, bytes] | None = None) -> bytes:
    """Write a wheel that pip takes, and return its bytes."""
    files = {MEMBER: CONTENT} if members is None else dict(members)
    about = f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n"
    kind = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    info = "tiny_zoo_test_package-1.0.dist-info"
    files |= {f"{info}/METADATA": about.encode(), f"{info}/WHEEL": kind.encode()}
    record = "".join(f"{name},,\n" for name in files) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in {**files, f"{info}/RECORD": record.encode()}.items():
            wheel.writestr(name, data)
    return path.read_bytes()


class Shop:
    """What the server offers and what was asked of it.

    Attributes:
        files: by path.
        cut_after: bytes after which a connection ends, for the next answer only.
        ranges: whether it goes on where a client stopped.
        asked: path and Range header of each request.
        etags: by path; a range is only given to who names it.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut_after: int | None = None
        self.ranges = True
        self.etags: dict[str, str] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.address = ""


@contextmanager
def open_shop() -> Iterator[Shop]:
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            shop.asked.append((self.path, wanted))
            data = shop.files.get(self.path)
            if data is None:
                self.send_error(404)
                return
            etag, known = shop.etags.get(self.path), self.headers.get("If-Range")
            same = known is None or known == etag
            goes_on = wanted and shop.ranges and same
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and goes_on else 0
            self.send_response(206 if start else 200)
            if etag:
                self.send_header("ETag", etag)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            kind = "text/html" if self.path.endswith("/") else "application/octet-stream"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            end, shop.cut_after = (shop.cut_after, None)
            self.wfile.write(data[start:end])
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    shop.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
