"""How containers mark what belongs to Content Credentials, for whoever fetches it and whoever reads it."""

from __future__ import annotations

C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""Extended type of the `uuid` boxes of ISO BMFF that hold a manifest or a part of a hash tree.

Source: C2PA 2.1 specification, section A.5.1.
"""

C2PA_CHUNK = b"C2PA"
"""The chunk of RIFF files that holds a manifest. Source: the same, section A.3.3."""
