"""Domain types of a scan, and how evidence is weighed into a verdict.

Everything here is pure, and nothing of the project is imported but its messages.
"""

from .types import (
    SCHEMA,
    Basis,
    Evidence,
    Label,
    Model,
    ModelUse,
    Scan,
    Seen,
    Source,
    SourceKind,
    Span,
    Strength,
    Supports,
    Verdict,
)
from .weighing import (
    BASIS_OF_EXAMINER,
    CALL_AI_ABOVE,
    CALL_NO_SIGNS_BELOW,
    CAP_LOG10_LR,
    DEFAULT_CAP_LOG10_LR,
    DEFAULT_PRIOR,
    strength_of,
    unreadable,
    weigh,
)

__all__ = [
    "BASIS_OF_EXAMINER",
    "CALL_AI_ABOVE",
    "CALL_NO_SIGNS_BELOW",
    "CAP_LOG10_LR",
    "DEFAULT_CAP_LOG10_LR",
    "DEFAULT_PRIOR",
    "SCHEMA",
    "Basis",
    "Evidence",
    "Label",
    "Model",
    "ModelUse",
    "Scan",
    "Seen",
    "Source",
    "SourceKind",
    "Span",
    "Strength",
    "Supports",
    "Verdict",
    "strength_of",
    "unreadable",
    "weigh",
]
