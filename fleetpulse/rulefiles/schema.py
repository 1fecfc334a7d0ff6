"""The JSON Schema of rule files, for editors. `python -m fleetpulse.rulefiles.schema` writes it."""

import json
from pathlib import Path
from typing import Any

from fleetpulse.rules.model import json_schema

FILE = Path(__file__).resolve().parents[1] / "schemas" / "rules.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLACEHOLDER = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^{}]*)?\}"}


def text() -> str:
    """The schema as it stands in the file: the domain's, but for placeholders in place of numbers and durations."""
    schema = {"$schema": _DIALECT, "title": "Fleetpulse rules", **_with_placeholders(json_schema())}
    schema["$defs"]["Placeholder"] = _PLACEHOLDER
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _with_placeholders(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_with_placeholders(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in ("number", "integer") or "pattern" in schema:
        kept = {name: value for name, value in schema.items() if name in ("default", "examples", "description")}
        plain = {name: value for name, value in schema.items() if name not in kept}
        return {"anyOf": [plain, {"$ref": "#/$defs/Placeholder"}], **kept}
    return {name: _with_placeholders(part) for name, part in schema.items()}


if __name__ == "__main__":
    FILE.write_text(text())
