"""Placeholders in rule files: `${NAME}` and `${NAME:-default}`, filled from the environment."""

import re
from collections.abc import Mapping
from typing import NamedTuple

_PLACEHOLDER = re.compile(r"\$\{(?:([A-Za-z_]\w*)(?::-([^{}]*))?\}|)", re.ASCII)


class Filled(NamedTuple):
    """A text with its placeholders filled, and the variables that did so, with what they held."""

    text: str
    variables: dict[str, str]


def fill(text: str, environment: Mapping[str, str]) -> Filled:
    """Fill the placeholders in `text`; an empty variable counts as missing, as in a shell.

    Raises:
        ValueError: a variable is missing and has no default, or `${` begins no placeholder.
    """
    variables: dict[str, str] = {}

    def value_of(found: re.Match[str]) -> str:
        name, default = found.groups()
        if name is None:
            raise ValueError("expected a placeholder like ${NAME} or ${NAME:-default}")
        if value := environment.get(name):
            variables[name] = value
            return value
        if default is None:
            raise ValueError(f"the environment variable {name} is missing, and there is no default")
        return str(default)

    return Filled(_PLACEHOLDER.sub(value_of, text), variables)
