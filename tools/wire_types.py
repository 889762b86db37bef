"""Writes the JSON Schema of what travels to and from the extension; with --check, says whether it is current.

The pydantic models are the source. `npm run types` in extension/ makes TypeScript from the schema, and a
test holds both against the models. The API's own types are in its OpenAPI document.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from touchstone.native_messages import NATIVE_MESSAGES

FOLDER = Path(__file__).resolve().parent.parent / "extension" / "schema"

SCHEMAS: dict[str, tuple[type[BaseModel], ...]] = {"native": NATIVE_MESSAGES}
"""Name of a file to the models that it describes: any one of them, and all they are made of."""


def schema_text(name: str) -> str:
    """The content of `<name>.json`."""
    models = SCHEMAS[name]
    # As what may be sent: a field with a default may be missing.
    references, definitions = models_json_schema([(model, "validation") for model in models])
    one_of = [references[(model, "validation")] for model in models]
    schema = {"$defs": definitions["$defs"], "title": name, "oneOf": one_of}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def drifted() -> list[Path]:
    """Files that do not hold what they should."""
    paths = {name: FOLDER / f"{name}.json" for name in SCHEMAS}
    return [
        path
        for name, path in paths.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != schema_text(name)
    ]


def main() -> int:
    """Write or check the files."""
    if "--check" in sys.argv[1:]:
        for path in drifted():
            sys.stderr.write(f"{path}: does not match the models; run python tools/wire_types.py\n")
        return 1 if drifted() else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        (FOLDER / f"{name}.json").write_text(schema_text(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
