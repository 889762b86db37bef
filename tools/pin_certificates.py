#!/usr/bin/env python3
"""Prints pins (daemon/touchstone/trust/pins.toml) for the authorities in trust lists and signed files.

A pin is a set of facts about a certificate: its name, fingerprint and public key. The lists and files
themselves do not go into the repository.

    tools/pin_certificates.py --only "C2PA Root CA" --roles signer --may ai edit --why "..." --source "..."
    LIST.pem tools/pin_certificates.py --check LIST.pem VIDEO.mp4

`--check` prints which authorities of the files are pinned and which are not, and exits 1 if a pin and a file
disagree about a certificate.
"""

from __future__ import annotations

import argparse
import base64
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from touchstone.examiners.content_credentials.manifest_store import read_signers
from touchstone.examiners.content_credentials.sdk import read_store
from touchstone.examiners.content_credentials.timestamp_token import BadToken, signer_chains
from touchstone.trust.anchors import May, Role, pinned_anchors
from touchstone.trust.certificates import (
    common_name_of,
    fingerprint,
    is_authority,
    organisation_of,
    public_key_of,
    read_certificate,
    subject_of,
)
from touchstone.trust.lists import SUFFIXES, parse_list


def certificates_of(path: Path) -> Iterator[x509.Certificate]:
    """The certificates in a trust list, or those that a signed file carries."""
    if path.suffix.lower() in SUFFIXES:
        yield from parse_list(path.read_bytes(), str(path))
        return
    with path.open("rb") as file:
        store = read_store(file)
    for signed_by in read_signers(store).values():
        carried = list(signed_by.chain)
        for token in signed_by.timestamps:
            try:
                carried += [der for chain in signer_chains(token) for der in chain]
            except BadToken as problem:
                print(f"{path}: a timestamp was left out: {problem}", file=sys.stderr)
        yield from (certificate for certificate in map(read_certificate, carried) if certificate)


def authorities(paths: list[Path]) -> dict[str, x509.Certificate]:
    """Fingerprint to certificate, of every authority in the files, in the order they are met."""
    found: dict[str, x509.Certificate] = {}
    for path in paths:
        for certificate in certificates_of(path):
            if is_authority(certificate, 0):
                found.setdefault(fingerprint(certificate), certificate)
    return found


def as_pin(certificate: x509.Certificate, ask: argparse.Namespace) -> str:
    """The TOML table of one pin."""

    def text(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def names(values: list[str]) -> str:
        return "[" + ", ".join(map(text, values)) + "]"

    lines = [
        "[[pin]]",
        f"name = {text(common_name_of(certificate) or organisation_of(certificate))}",
        f"sha256 = {text(fingerprint(certificate))}",
        f"subject = {text(subject_of(certificate))}",
        f"public_key = {text(base64.b64encode(public_key_of(certificate)).decode())}",
        f"roles = {names(ask.roles)}",
    ]
    if ask.may:
        lines.append(f"may = {names(ask.may)}")
    if ask.organisation:
        lines.append(f"organisations = {names(ask.organisation)}")
    return "\n".join([*lines, f"why = {text(ask.why)}", f"source = {text(ask.source)}", ""])


def check(found: dict[str, x509.Certificate]) -> int:
    """Print what is pinned and what is not; the exit code."""
    pins = {pin.sha256: pin for pin in pinned_anchors()}
    wrong = 0
    for sha256, certificate in found.items():
        pin = pins.get(sha256)
        if pin is None:
            print(f"not pinned  {sha256[:16]}  {subject_of(certificate)}")
        elif (pin.subject, pin.public_key) != (subject_of(certificate), public_key_of(certificate)):
            wrong += 1
            print(f"DISAGREES   {sha256[:16]}  {subject_of(certificate)}")
        else:
            print(f"pinned      {sha256[:16]}  {subject_of(certificate)}")
    print(f"{len(pins)} pins; {wrong} disagree")
    return 1 if wrong else 0


def main() -> int:
    """Entry point."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("files", nargs="+", type=Path, help="trust lists (.pem, .json) and signed files")
    ask.add_argument("--check", action="store_true", help="compare with the pins that are there")
    ask.add_argument(
        "--only", type=re.compile, default=re.compile(""), help="regular expression on the subject"
    )
    ask.add_argument("--roles", nargs="+", choices=[role.value for role in Role], default=["signer"])
    ask.add_argument("--may", nargs="*", choices=[what.value for what in May], default=[])
    ask.add_argument("--organisation", nargs="*", default=[], help="trust only these organisations under it")
    ask.add_argument("--why", default="")
    ask.add_argument("--source", default="")
    args = ask.parse_args()
    found = authorities(args.files)
    if args.check:
        return check(found)
    for certificate in found.values():
        if args.only.search(subject_of(certificate)):
            print(as_pin(certificate, args))
    return 0


if __name__ == "__main__":
    sys.exit(main())
