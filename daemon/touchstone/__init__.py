"""Touchstone says, honestly and on the user's own computer, where a video came from."""

import os

__version__ = "0.1.0"

# ONNX Runtime (1.29 and later, on Linux and macOS) gives this machine an id and reports to its maker from the
# moment it is imported, unless this is set by then. Here, because every process of ours imports this first,
# the confined workers too. Source: ONNX Runtime, docs/Privacy.md.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
