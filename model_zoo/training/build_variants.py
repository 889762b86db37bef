#!/usr/bin/env python3
"""Makes the variants of a model that ship, out of its fp32 file and recorded inputs.

usage: python model_zoo/training/build_variants.py RECIPE.toml [--out FOLDER] [--card CARD.md]

A recipe is a page of TOML: `name`, `version`, `model` (fp32 ONNX), `calibration` and `golden` (.npz files
with an array `inputs`, float32, items first, and `groups` where several items make one verdict); optional
fields are those of variants/recipe.py. model_zoo/training/README.md explains them.

Exit codes: 0 all kinds ship, 1 one does not (the table says why), 2 the recipe cannot be used.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "daemon"), str(ROOT / "model_zoo" / "training")]

from variants import BadRecipe, build, read_recipe  # noqa: E402
from variants.table import card_table, zoo_lines  # noqa: E402

from pages import put_section  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("recipe", type=Path)
    ask.add_argument("--out", type=Path, help="folder for the files (default: variants/ beside the recipe)")
    ask.add_argument("--card", type=Path, help="write the table into this page, between its markers")
    args = ask.parse_args(arguments)
    folder = args.out or args.recipe.parent / "variants"
    try:
        report = build(read_recipe(args.recipe), folder, progress=lambda text: print(text, file=sys.stderr))
    except BadRecipe as problem:
        print(problem, file=sys.stderr)
        return 2
    table = card_table(report)
    print(table)
    print(f"\n{zoo_lines(report)}")
    if args.card:
        put_section(args.card, "variants", table)
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
