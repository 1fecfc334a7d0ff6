"""What rules are made of: frozen structs that refuse unknown fields, and the error that names a field of one."""

from typing import Literal

from msgspec import Struct

Severity = Literal["info", "warning", "critical"]


class RuleError(ValueError):
    """What is wrong with a set of rules: where, as `rules[2].above.critical`, and what is expected there.

    The path is empty where the document as a whole is wrong.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


class Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Something within a rule."""
