"""Rules: what is to be watched, as data. A set is read as a whole and checked as a whole, or refused.

Every kind of rule is one type here, tagged by `kind`. `docs/rules.md` tells what each means; `fleetpulse.anomaly.watch`
and `fleetpulse.inactivity.watch` decide by them.
"""

import re
from types import NoneType
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from fleetpulse.durations import DurationMs
from fleetpulse.durations import parse as parse_duration

Severity = Literal["info", "warning", "critical"]


class RuleError(ValueError):
    """What is wrong with a set of rules: where, as `rules[2].above.critical`, and what is expected there."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def _a_minute() -> DurationMs:
    return DurationMs(60_000)  # a factory, since msgspec has no schema for a default of our own type


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Something within a rule."""


class Levels(_Part, frozen=True, kw_only=True):
    """A limit for each severity, at least one of them."""

    warning: float | None = None
    critical: float | None = None


class Scope(_Part, frozen=True, kw_only=True):
    """Which devices a rule is for: ids and sites as globs (`*`, `?`, `[a-z]`), any of each. Without sites, all."""

    devices: tuple[str, ...] = ("*",)
    sites: tuple[str, ...] = ()


class Circle(_Part, frozen=True, kw_only=True, tag_field="shape", tag="circle"):
    """The surroundings of a point."""

    lat: float
    lon: float
    radius_m: float


class Polygon(_Part, frozen=True, kw_only=True, tag_field="shape", tag="polygon"):
    """An area by its corners, each `[lat, lon]`; it must not cross the 180th meridian."""

    corners: tuple[tuple[float, float], ...]


class _Rule(_Part, frozen=True, kw_only=True, tag_field="kind"):
    """What all rules have."""

    id: str
    scope: Scope = Scope()


class Threshold(_Rule, frozen=True, kw_only=True, tag="threshold"):
    """A value beyond a limit for as long as `for` says; `hysteresis` is how far it has to come back."""

    metric: str
    above: Levels | None = None
    below: Levels | None = None
    hysteresis: float = 0.0
    hold: DurationMs = field(default_factory=DurationMs, name="for")


class Battery(_Rule, frozen=True, kw_only=True, tag="battery"):
    """A battery below a limit: a threshold of the metric `battery`."""

    below: Levels
    hysteresis: float = 0.0
    hold: DurationMs = field(default_factory=DurationMs, name="for")


class Rate(_Rule, frozen=True, kw_only=True, tag="rate"):
    """A value that changes by more than a limit a period, up or down, from one reading to the next."""

    metric: str
    above: Levels
    per: DurationMs = field(default_factory=_a_minute)
    hold: DurationMs = field(default_factory=DurationMs, name="for")


class Stuck(_Rule, frozen=True, kw_only=True, tag="stuck"):
    """A value that has not moved by more than `tolerance` for a time."""

    metric: str
    hold: DurationMs = field(name="for")
    tolerance: float = 0.0
    severity: Severity = "warning"


class Missing(_Rule, frozen=True, kw_only=True, tag="missing"):
    """A device that speaks, but has not told a metric for a time: a stale signal."""

    metric: str
    hold: DurationMs = field(name="for")
    severity: Severity = "warning"


class Geofence(_Rule, frozen=True, kw_only=True, tag="geofence"):
    """A device that is outside an area, or inside."""

    area: Circle | Polygon
    alert: Literal["outside", "inside"] = "outside"
    hold: DurationMs = field(default_factory=DurationMs, name="for")
    severity: Severity = "warning"


class Deviation(_Rule, frozen=True, kw_only=True, tag="deviation"):
    """A value so many standard deviations away from what is usual for its device."""

    metric: str
    sigmas: Levels
    weight: float = 0.02
    warm_up: int = 50
    least_deviation: float = 0.0
    hold: DurationMs = field(default_factory=DurationMs, name="for")


class Condition(_Rule, frozen=True, kw_only=True, tag="condition"):
    """What several values or rules say together."""

    when: "Node"
    hold: DurationMs = field(default_factory=DurationMs, name="for")
    severity: Severity = "warning"


class Inactivity(_Rule, frozen=True, kw_only=True, tag="inactivity"):
    """The timeout of a class of devices. Of several rules for a device the first counts."""

    timeout: DurationMs
    severity: Severity = "critical"


class NeverSeen(_Rule, frozen=True, kw_only=True, tag="never_seen"):
    """Devices that must report within a time after the rules took effect."""

    devices: tuple[str, ...]
    within: DurationMs
    severity: Severity = "critical"


class Flapping(_Rule, frozen=True, kw_only=True, tag="flapping"):
    """Another rule's alerts that open too often: they become one alert with a count."""

    rule: str
    opens: int
    within: DurationMs
    severity: Severity = "warning"


class Node(_Part, frozen=True, kw_only=True):
    """One of: `all`, `any`, `not`; a `metric` that is `above` or `below` a limit; another `rule` that is alarmed."""

    all: tuple["Node", ...] | UnsetType = UNSET
    any: tuple["Node", ...] | UnsetType = UNSET
    none: "Node | UnsetType" = field(default=UNSET, name="not")
    rule: str | UnsetType = UNSET
    metric: str | UnsetType = UNSET
    above: float | UnsetType = UNSET
    below: float | UnsetType = UNSET


Rule = (
    Threshold | Battery | Rate | Stuck | Missing | Geofence | Deviation | Condition | Inactivity | NeverSeen | Flapping
)
KINDS: dict[str, type[Struct]] = {str(kind.__struct_config__.tag): kind for kind in get_args(Rule)}
OfReadings = Threshold | Battery | Rate | Stuck | Missing | Geofence | Deviation | Condition | Flapping
OfSilence = Inactivity | NeverSeen


_WORDS = {"object": "a mapping", "array": "a list", "float": "a number", "int": "a whole number", "str": "text"}
_CHOICES = {
    "kind": tuple(KINDS),
    "shape": ("circle", "polygon"),
    "severity": get_args(Severity),
    "alert": ("outside", "inside"),
}
_SHOWN_CHARS = 60


class RuleSet(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Rules that take effect together."""

    rules: tuple[Rule, ...]


def _dec_hook(wanted: type, value: object) -> object:
    assert wanted is DurationMs
    return parse_duration(value)


def _enc_hook(value: object) -> object:
    assert isinstance(value, DurationMs)
    return str(value)


def _schema_hook(wanted: type) -> dict[str, Any]:
    assert wanted is DurationMs
    return {"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$", "examples": ["30s", "5m"]}


def read(document: object) -> RuleSet:
    """Read a set from what YAML or JSON gave; `fleetpulse.rules.checks` looks at what types do not tell.

    Raises:
        RuleError: it is none; says where.
    """
    try:
        return msgspec.convert(document, RuleSet, dec_hook=_dec_hook)
    except msgspec.ValidationError as bad:
        message, _, path = str(bad).partition(" - at `$")
        raise _in_words(path.rstrip("`").lstrip("."), message, document) from None
    except RecursionError:
        raise RuleError("rules", "nested too deeply") from None


def _in_words(path: str, message: str, document: object) -> RuleError:
    """What msgspec found, in the words of who writes rules: the index, what is expected there, what was found."""
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", message, re.DOTALL):
        return RuleError(f"{path}.{unknown[1]}".lstrip("."), "unknown field")
    if missing := re.fullmatch(r"Object missing required field `(.*)`", message):
        return RuleError(path or "rules", f"`{missing[1]}` is missing")
    found = shown(_value_at(document, path))
    if wrong := re.fullmatch(r"Expected `(\w+).*?`(?: of length (\d+))?, got .*", message):
        expected = _WORDS[wrong[1]] + (f" of {wrong[2]}" if wrong[2] else "")
        return RuleError(path or "rules", f"expected {expected}, got {found}")
    if choices := _CHOICES.get(path.rpartition(".")[2]):
        return RuleError(path, f"expected one of {', '.join(choices)}, got {found}")
    return RuleError(path or "rules", message[:1].lower() + message[1:])


def _value_at(document: Any, path: str) -> object:
    for name, index in re.findall(r"(\w+)|\[(\d+)\]", path):
        document = document[name or int(index)]
    return document


def shown(value: object) -> str:
    """A value as a message tells it, in one short line."""
    if isinstance(value, dict | list | tuple | NoneType):
        return "nothing" if value is None else "a mapping" if isinstance(value, dict) else f"a list of {len(value)}"
    text = str(value).lower() if isinstance(value, bool) else ascii(value)
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


def to_document(rules: RuleSet) -> dict[str, Any]:
    """The set as plain values, as `read` takes them."""
    document: dict[str, Any] = msgspec.to_builtins(rules, enc_hook=_enc_hook)
    return document


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a rule file."""
    return msgspec.json.schema(RuleSet, schema_hook=_schema_hook)
