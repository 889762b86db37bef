"""Makes this folder importable, and that of the hostile examiners as it is for the workers of the tests."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "hostile")]
