"""Makes the variants of a model that ship: int8 for processors, fp16 for graphics cards.

From one fp32 ONNX file and recorded inputs: `recipe` reads what is wanted, `convert` makes the files,
`judge` measures them, `build` decides which may ship and `table` writes it down. Used by
`build_variants.py` and by the training programs beside it. Needs onnx, which the daemon does not.
"""

from .build import Attempt, Report, build
from .judge import Fitted, Outputs, Refit, Threshold, keep_threshold
from .recipe import BadRecipe, Recipe, Recorded, read_recipe

__all__ = [
    "Attempt",
    "BadRecipe",
    "Fitted",
    "Outputs",
    "Recipe",
    "Recorded",
    "Refit",
    "Report",
    "Threshold",
    "build",
    "keep_threshold",
    "read_recipe",
]
