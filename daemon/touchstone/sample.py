"""Makes a short video and signs it with a throw-away certificate, so that there is something to try out.

The clip says by Content Credentials that AI generated it. Its certificate is made on the spot and its key
forgotten, so no one can take the claim for more than it is: Touchstone reports it as not verified.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import av
import c2pa
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

TRAINED_ALGORITHMIC_MEDIA = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

WIDTH, HEIGHT, FPS, SECONDS = 640, 360, 25, 2
_ENCODERS = ("libx264", "libopenh264", "mpeg4")  # the first that this build of FFmpeg has


@dataclass(frozen=True)
class SampleInfo:
    """What `make_sample` made: where, whom it names, and what it should be called."""

    path: Path
    generator: str
    signer: str
    label: str = "ai_generated"
    verified: bool = False


def make_sample(path: Path, *, now: datetime | None = None) -> SampleInfo:
    """Write a signed MP4 of two seconds to `path`, overwriting what is there.

    Args:
        path: its folder must be there.
        now: time of signing, aware; the certificate is valid around it. The current time if not given.

    Raises:
        OSError: `path` cannot be written.
    """
    info = SampleInfo(
        path, generator="Touchstone sample", signer="Touchstone sample (throw-away certificate)"
    )
    moment = now or datetime.now(UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = distinguished_name(info.signer, "Throw-away root")
    root = issue(root_name, root_key.public_key(), root_name, root_key, moment, authority=True)
    leaf = issue(
        distinguished_name(info.signer, "Throw-away signer"), key.public_key(), root_name, root_key, moment
    )
    manifest = {
        "claim_generator_info": [{"name": info.generator, "version": "1"}],
        "title": path.name,
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {
                    "actions": [
                        {
                            "action": "c2pa.created",
                            "digitalSourceType": TRAINED_ALGORITHMIC_MEDIA,
                            "softwareAgent": {"name": info.generator},
                        }
                    ]
                },
            }
        ],
    }
    with TemporaryDirectory(prefix="touchstone-sample-") as folder:
        plain = Path(folder) / "plain.mp4"
        draw_clip(plain)
        sign_file(plain, path, manifest, [leaf, root], key)
    return info


def draw_clip(path: Path, *, width: int = WIDTH, height: int = HEIGHT, seconds: float = SECONDS) -> None:
    """Encode a moving gradient with a disc that crosses it, in MP4: shapes that nobody takes for real."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    frames = max(1, round(FPS * seconds))
    with av.open(str(path), "w") as output:
        stream = cast(av.VideoStream, output.add_stream(_encoder(), rate=FPS))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            phase = number / frames
            picture = np.stack(
                [(columns / width + phase) % 1, (rows / height + phase) % 1, np.full_like(rows, 0.5)], axis=-1
            )
            disc = (columns - width * phase) ** 2 + (rows - height / 2) ** 2 < (height / 6) ** 2
            picture[disc] = 1
            frame = av.VideoFrame.from_ndarray((picture * 255).astype(np.uint8), format="rgb24")
            for packet in stream.encode(frame):
                output.mux(packet)
        for packet in stream.encode():
            output.mux(packet)


def _encoder() -> str:
    return next(name for name in _ENCODERS if name in av.codecs_available)


def distinguished_name(organisation: str, common_name: str) -> x509.Name:
    """A certificate's name; an empty organisation is left out."""
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organisation:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def issue(
    subject: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    moment: datetime,
    *,
    authority: bool = False,
    usages: Sequence[ObjectIdentifier] = (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
    valid_for: timedelta = timedelta(days=30),
) -> x509.Certificate:
    """A certificate in the profile that C2PA 2.2, 14.5.1, asks of signers and their authorities.

    Args:
        moment: it is valid from a day before this.
        authority: whether it may issue others; then it gets no extended key usage.
        valid_for: from `moment` on; negative for one that has expired since.
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - timedelta(days=1) + min(valid_for, timedelta()))
        .not_valid_after(moment + valid_for)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .add_extension(_key_usage(authority), critical=True)
    )
    if usages and not authority:
        time_only = list(usages) == [ExtendedKeyUsageOID.TIME_STAMPING]  # RFC 3161, 2.3: then it is critical
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=time_only)
    return builder.sign(issuer_key, hashes.SHA256())


def _key_usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def sign_file(
    source: Path,
    target: Path,
    manifest: Mapping[str, object],
    chain: Sequence[x509.Certificate],
    key: ec.EllipticCurvePrivateKey,
) -> None:
    """Write `source` with a signed manifest to `target`. `chain`: the signer's certificate first."""
    settings = c2pa.Settings.from_dict({"verify": {"verify_after_sign": False}})
    info = c2pa.C2paSignerInfo(
        alg="es256",
        sign_cert=b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain),
        private_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        ta_url=None,
    )
    with (
        c2pa.Context(settings) as context,
        c2pa.Builder(json.dumps(manifest), context=context) as builder,
        c2pa.Signer.from_info(info) as signer,
        source.open("rb") as plain,
        target.open("w+b") as signed,
    ):
        builder.sign(signer, "video/mp4", plain, signed)
