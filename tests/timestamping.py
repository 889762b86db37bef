"""A timestamp authority (RFC 3161) on the loopback interface, for as long as a test needs one."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from signing import Signer

SEQUENCE, SET, INTEGER, OCTETS, OID, TIME = 0x30, 0x31, 0x02, 0x04, 0x06, 0x18
ID_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
ID_TST_INFO = bytes.fromhex("2a864886f70d0109100104")
ID_CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
ID_MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
ID_SHA256 = bytes.fromhex("608648016503040201")
ID_ECDSA_SHA256 = bytes.fromhex("2a8648ce3d040302")
ID_POLICY = bytes.fromhex("2a0304")


def der(tag: int, *parts: bytes) -> bytes:
    """One DER element with the parts as its content."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def elements(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """Tag, content and whole of each element; for the SDK's own, well-formed requests."""
    found, at = [], 0
    while at < len(data):
        size, start = data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size, start = int.from_bytes(data[start : start + count], "big"), start + count
        found.append((data[at], data[start : start + size], data[at : start + size]))
        at = start + size
    return found


def token(signer: Signer, imprint: bytes, nonce: bytes = b"", moment: datetime | None = None) -> bytes:
    """A timestamp token for a message imprint (DER), signed by `signer`."""
    when = (moment or datetime.now(UTC)).strftime("%Y%m%d%H%M%SZ").encode()
    info = der(
        SEQUENCE,
        der(INTEGER, b"\1"),
        der(OID, ID_POLICY),
        imprint,
        der(INTEGER, b"\x2a"),
        der(TIME, when),
        nonce,
    )
    digest = hashlib.sha256(info).digest()
    attributes = b"".join(
        sorted(
            [
                der(SEQUENCE, der(OID, ID_CONTENT_TYPE), der(SET, der(OID, ID_TST_INFO))),
                der(SEQUENCE, der(OID, ID_MESSAGE_DIGEST), der(SET, der(OCTETS, digest))),
            ]
        )
    )
    signature = signer.key.sign(der(SET, attributes), ec.ECDSA(hashes.SHA256()))
    leaf = signer.chain[0]
    serial = leaf.serial_number.to_bytes((leaf.serial_number.bit_length() + 8) // 8, "big")
    sha256 = der(SEQUENCE, der(OID, ID_SHA256))
    signer_info = der(
        SEQUENCE,
        der(INTEGER, b"\1"),
        der(SEQUENCE, leaf.issuer.public_bytes(), der(INTEGER, serial)),
        sha256,
        der(0xA0, attributes),
        der(SEQUENCE, der(OID, ID_ECDSA_SHA256)),
        der(OCTETS, signature),
    )
    signed = der(
        SEQUENCE,
        der(INTEGER, b"\3"),
        der(SET, sha256),
        der(SEQUENCE, der(OID, ID_TST_INFO), der(0xA0, der(OCTETS, info))),
        der(0xA0, *(certificate.public_bytes(Encoding.DER) for certificate in signer.chain)),
        der(SET, signer_info),
    )
    return der(SEQUENCE, der(OID, ID_SIGNED_DATA), der(0xA0, signed))


def response(signer: Signer, request: bytes) -> bytes:
    """The answer to a TimeStampReq: granted, with a token for its imprint and nonce."""
    fields = elements(elements(request)[0][1])
    nonce = next((whole for tag, _, whole in fields[2:] if tag == INTEGER), b"")
    return der(SEQUENCE, der(SEQUENCE, der(INTEGER, b"\0")), token(signer, fields[1][2], nonce))


@contextmanager
def timestamp_authority(signer: Signer) -> Iterator[str]:
    """The address of an authority that signs as `signer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            answer = response(signer, asked)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            return None

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
