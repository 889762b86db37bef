"""Makes this folder importable, and that of the hostile examiners as it is for the workers of the tests."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Behind what is there already: a second conftest.py must not be found before that of tests/.
sys.path += [str(HERE), str(HERE / "hostile")]
