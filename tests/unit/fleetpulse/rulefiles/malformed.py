"""Rule files that are wrong, each with all that must be said of it. `FILE` stands for the file's path."""

from collections.abc import Mapping
from typing import NamedTuple


class Malformed(NamedTuple):
    id: str
    content: str | bytes
    said: tuple[str, ...]
    environment: Mapping[str, str] = {}
    suffix: str = ".yaml"


HOT = (
    "rules:\n  - kind: threshold\n    id: hot\n    metric: temperature_c\n"  # four lines; the fifth is each test's own
)
BATTERY = "  - kind: battery\n    id: empty\n    below: {critical: 5}\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)
)


def rule(fields: str) -> str:
    """A file with one rule, its fields in flow style on the second line."""
    return f"rules:\n  - {{id: a, {fields}}}\n"


def hot(fields: str) -> str:
    return HOT + "".join(f"    {line}\n" for line in fields.split("\n"))


MALFORMED = [
    # The file itself.
    Malformed("empty", "", ("FILE: the file is empty: expected `rules:`",)),
    Malformed("only a comment", "# nothing\n", ("FILE: the file is empty: expected `rules:`",)),
    Malformed("not UTF-8", b"rules:\n  - id: \xff\n", ("FILE:2: byte 0xff is not UTF-8",)),
    Malformed("UTF-16", "rules: []".encode("utf-16"), ("FILE:1: byte 0xff is not UTF-8",)),
    Malformed("control character", "rules: \x07", ("FILE: no YAML: unacceptable character #x0007: special",)),
    Malformed("too large", "#" * 600_000, ("FILE: larger than 512 KiB",)),
    Malformed("a list", "- kind: threshold\n", ("FILE:1: expected a mapping, got a list of 1",)),
    Malformed("an empty list", "[]", ("FILE:1: expected a mapping, got a list of 0",)),
    Malformed("an empty mapping", "{}", ("FILE:1: `rules` is missing",)),
    Malformed("a text", "hello\n", ("FILE:1: expected a mapping, got 'hello'",)),
    Malformed("two documents", "rules: []\n---\nrules: []\n", ("FILE:2: no YAML: expected a single document",)),
    # YAML.
    Malformed("open bracket", "rules: [", ("FILE:1: no YAML: while parsing a flow node: expected the node",)),
    Malformed("open quote", "rules:\n- id: 'a\n", ("FILE:3: no YAML: while scanning a quoted scalar: found unexp",)),
    Malformed("tab", "rules:\n\t- id: a\n", ("FILE:2: no YAML: while scanning for the next token: found char",)),
    Malformed("two colons", "rules: a: b\n", ("FILE:1: no YAML: mapping values are not allowed here",)),
    Malformed("unknown alias", "rules: *a\n", ("FILE:1: no YAML: found undefined alias 'a'",)),
    Malformed("aliases without end", "rules: &a [*a]\n", ("FILE:1: nested too deeply; an alias counts",)),
    Malformed("aliases for billions", BOMB, ("FILE:1: more than 100,000 values; an alias counts",)),
    Malformed("deep", "[" * 5_000, ("FILE: nested too deeply",)),
    Malformed("no character", 'rules: "\\UFFFFFFFF"', ("FILE: no YAML:",)),
    Malformed("half a character", 'rules: "\\ud83d"', ("FILE:1: rules: half a character is no text",)),
    Malformed("a program", "rules: !!python/object:os.system x", ("FILE:1: rules: the tag tag:yaml.org,2002:python/",)),
    Malformed("a program with fields", "rules: !run {a: b}", ("FILE:1: rules: the tag !run is not taken",)),
    Malformed("merge", "rules: []\n<<: {a: b}\n", ("FILE:2: '<<' is no name of a field",)),
    Malformed("a list as a name", "? [a]\n: b\n", ("FILE:1: a list or mapping is no name of a field",)),
    Malformed(
        "a name twice", hot("id: b\nabove: {critical: 5}"), ("FILE:5: rules[0].id: stands twice, first in line 3",)
    ),
    Malformed("a false tag", "rules: !!int many", ("FILE:1: rules: 'many' does not fit its tag",)),
    # JSON.
    Malformed("JSON: a comma", '{"rules": [],\n}', ("FILE:2: no JSON: ",), suffix=".json"),
    Malformed("JSON: empty", " \n", ("FILE: the file is empty: expected `rules:`",), suffix=".json"),
    Malformed("JSON: a name twice", '{"rules": [],\n\t"rules": []}', ("FILE:2: rules: stands twice",), suffix=".json"),
    Malformed("JSON: deep", "[" * 100_000, ("FILE: a number too long, or nested too deeply",), suffix=".json"),
    Malformed(
        "JSON: a field", '{"rules":\n[{"kind": 3}]}', ("FILE:2: rules[0].kind: expected text, got 3",), suffix=".json"
    ),
    # Placeholders.
    Malformed(
        "variable missing",
        hot("above:\n  critical: ${LIMIT}"),
        ("FILE:6: rules[0].above.critical: the environment variable LIMIT is missing, and there is no default",),
    ),
    Malformed(
        "variable empty",
        hot("above:\n  critical: ${LIMIT}"),
        ("FILE:6: rules[0].above.critical: the environment variable LIMIT is missing, and there is no default",),
        {"LIMIT": ""},
    ),
    Malformed(
        "all variables missing",
        "rules:\n- id: ${ONE}\n  kind: ${TWO}\n",
        (
            "FILE:2: rules[0].id: the environment variable ONE is missing, and there is no default",
            "FILE:3: rules[0].kind: the environment variable TWO is missing, and there is no default",
        ),
    ),
    Malformed(
        "variable is no number",
        hot("above:\n  critical: ${LIMIT:-50}"),
        ("FILE:6: rules[0].above.critical: expected a number, got 'hot' (from LIMIT='hot')",),
        {"LIMIT": "hot"},
    ),
    Malformed(
        "variable is no finite number",
        hot("above:\n  critical: ${LIMIT:-50}"),
        ("FILE:6: rules[0].above.critical: '.inf' is not a finite number (from LIMIT='.inf')",),
        {"LIMIT": ".inf"},
    ),
    Malformed(
        "default is no number",
        hot("above:\n  critical: ${LIMIT:-hot}"),
        ("FILE:6: rules[0].above.critical: expected a number, got 'hot'",),
    ),
    Malformed("no placeholder", hot("for: ${A B}"), ("FILE:5: rules[0].for: expected a placeholder like ${NAME}",)),
    # Types.
    Malformed("no rules", "other: []\n", ("FILE:1: other: unknown field",)),
    Malformed("rules are no list", "rules: 3\n", ("FILE:1: rules: expected a list, got 3",)),
    Malformed("rules are nothing", "rules:\n", ("FILE:1: rules: expected a list, got nothing",)),
    Malformed("unknown field of the set", "rules: []\nversion: 3\n", ("FILE:2: version: unknown field",)),
    Malformed("a rule is a text", "rules:\n  - hot\n", ("FILE:2: rules[0]: expected a mapping, got 'hot'",)),
    Malformed("no kind", "rules:\n  - id: a\n", ("FILE:2: rules[0]: `kind` is missing",)),
    Malformed("unknown kind", rule("kind: hot"), ("FILE:2: rules[0].kind: expected one of threshold, battery, rate",)),
    Malformed("no id", "rules:\n  - kind: battery\n", ("FILE:2: rules[0]: `id` is missing",)),
    Malformed("id is a number", hot("x: 1").replace("hot", "5"), ("FILE:3: rules[0].id: expected text, got 5",)),
    Malformed("unknown field", hot("abve:\n  critical: 5"), ("FILE:5: rules[0].abve: unknown field",)),
    Malformed("field of a field", hot("above:\n  high: 5"), ("FILE:6: rules[0].above.high: unknown field",)),
    Malformed(
        "text for a number", hot("above:\n  critical: hot"), ("FILE:6: rules[0].above.critical: expected a number",)
    ),
    Malformed(
        "a number in quotes", hot("above:\n  critical: '5'"), ("FILE:6: rules[0].above.critical: expected a num",)
    ),
    Malformed("a number for levels", hot("above: 5"), ("FILE:5: rules[0].above: expected a mapping, got 5",)),
    Malformed("not finite", hot("hysteresis: .nan"), ("FILE:5: rules[0].hysteresis: '.nan' is not a finite number",)),
    Malformed("no unit", hot("for: 5"), ("FILE:5: rules[0].for: 5 is not a duration like 500ms, 30s, 5m, 1h or 7d",)),
    Malformed("unknown unit", hot("for: 5min"), ("FILE:5: rules[0].for: '5min' is not a duration",)),
    Malformed("for ever", hot(f"for: {'9' * 400}d"), ("FILE:5: rules[0].for: '99999999999999999999' is longer than",)),
    Malformed(
        "severity", rule("kind: missing, metric: m, for: 5s, severity: bad"), ("FILE:2: rules[0].severity: expe",)
    ),
    Malformed(
        "shape", rule("kind: geofence, area: {shape: square}"), ("FILE:2: rules[0].area.shape: expected one of",)
    ),
    Malformed(
        "half a reading", rule("kind: deviation, metric: m, sigmas: {}, warm_up: 2.5"), ("FILE:2: rules[0].warm_up:",)
    ),
    Malformed(
        "a fault in each of two rules",
        hot("abve: 5") + BATTERY.replace("critical", "crit"),
        ("FILE:5: rules[0].abve: unknown field", "FILE:8: rules[1].below.crit: unknown field"),
    ),
    # Contradictions.
    Malformed("no limit", hot("for: 5m"), ("FILE:2: rules[0]: expected `above`, `below` or both",)),
    Malformed("no level", hot("above: {}"), ("FILE:5: rules[0].above: expected `warning`, `critical` or both",)),
    Malformed(
        "levels the wrong way round",
        hot("above:\n  warning: 50\n  critical: 40"),
        ("FILE:7: rules[0].above.critical: 40 comes before the warning at 50",),
    ),
    Malformed(
        "nothing is between the limits",
        hot("above:\n  warning: 5\nbelow:\n  warning: 10"),
        ("FILE:7: rules[0].below: 10 is more than the limit above, 5",),
    ),
    Malformed("id twice", f"rules:\n{BATTERY}{BATTERY}", ("FILE:6: rules[1].id: 'empty' stands twice",)),
    Malformed("bad id", f"rules:\n{BATTERY}".replace("empty", "1 2"), ("FILE:3: rules[0].id: '1 2' is not a letter",)),
    Malformed(
        "bad metric", hot("above: {critical: 5}").replace("re_c", "re c"), ("FILE:4: rules[0].metric: 'temperatu",)
    ),
    Malformed("negative", hot("above: {critical: 5}\nhysteresis: -1"), ("FILE:6: rules[0].hysteresis: -1.0 is not a",)),
    Malformed("at once", rule("kind: stuck, metric: m, for: 0s"), ("FILE:2: rules[0].for: must be more than 0",)),
    Malformed(
        "no devices", hot("above: {critical: 5}\nscope:\n  devices: []"), ("FILE:7: rules[0].scope.devices: exp",)
    ),
    Malformed(
        "weight", rule("kind: deviation, metric: m, sigmas: {warning: 3}, weight: 1"), ("FILE:2: rules[0].weight:",)
    ),
    Malformed(
        "no rate", rule("kind: rate, metric: m, above: {warning: 0}"), ("FILE:2: rules[0].above: expected finite",)
    ),
    Malformed(
        "opens once", rule("kind: flapping, rule: a, opens: 1, within: 5s"), ("FILE:2: rules[0].opens:", "FILE:2:")
    ),
    Malformed(
        "an unseen device without a name",
        rule("kind: never_seen, devices: [''], within: 5s"),
        ("FILE:2: rules[0].devices: expected device ids of 1 to 128 characters",),
    ),
    Malformed(
        "an unseen device with too long a name",
        rule(f"kind: never_seen, devices: [{'d' * 129}], within: 5s"),
        ("FILE:2: rules[0].devices: expected device ids of 1 to 128 characters",),
    ),
    Malformed(
        "unseen", rule("kind: never_seen, devices: [], within: 5s"), ("FILE:2: rules[0].devices: expected device",)
    ),
    Malformed(
        "two corners",
        rule("kind: geofence, area: {shape: polygon, corners: [[1, 2], [3, 4]]}"),
        ("FILE:2: rules[0].area.corners: 2 corners make no area",),
    ),
    Malformed(
        "off the globe",
        rule("kind: geofence, area: {shape: circle, lat: 91, lon: 0, radius_m: 0}"),
        ("FILE:2: rules[0].area.radius_m: 0 is not a finite", "FILE:2: rules[0].area: expected latitudes"),
    ),
    Malformed(
        "refers to nothing", rule("kind: condition, when: {rule: b}"), ("FILE:2: rules[0].when.rule: 'b' is not",)
    ),
    Malformed(
        "deep in a condition",
        rule("kind: condition, when: {all: [{any: [{metric: m, above: 1}, {not: {metric: m}}]}]}"),
        ("FILE:2: rules[0].when.all[0].any[1].not: expected a `metric` with one finite `above` or `below`",),
    ),
    Malformed(
        "the clock's id",
        rule("kind: battery, below: {critical: 5}").replace("id: a", "id: clock"),
        ("FILE:2: rules[0].id: 'clock' is the id of",),
    ),
    Malformed(
        "the timeout's id",
        rule("kind: battery, below: {critical: 5}").replace("id: a", "id: inactivity"),
        ("FILE:2: rules[0].id: 'inactivity' is the id of",),
    ),
    Malformed(
        "names of senders",
        "rules:\n"
        "  - {kind: threshold, id: a, metric: temperature, above: {critical: 50}}\n"
        "  - {kind: rate, id: b, metric: energy, above: {warning: 5}}\n"
        "  - {kind: missing, id: c, metric: Pressure, for: 5m}\n"
        "  - {kind: condition, id: d, when:\n"
        "      {all: [{not: {metric: vibration, above: 7}}, {metric: HUMIDITY, below: 7}]}}\n",
        (
            "FILE:2: rules[0].metric: no reading has 'temperature': it is called `temperature_c`, in °C",
            "FILE:3: rules[1].metric: no reading has 'energy': it is called `energy_kw`, in kW",
            "FILE:4: rules[2].metric: no reading has 'Pressure': it is called `pressure_hpa`, in hPa",
            "FILE:6: rules[3].when.all[0].not.metric: no reading has 'vibration': it is called `vibration_mm_s`",
            "FILE:6: rules[3].when.all[1].metric: no reading has 'HUMIDITY': it is called `humidity`, in %",
        ),
    ),
    Malformed(
        "no name in a condition",
        rule("kind: condition, when: {metric: a b, above: 1}"),
        ("FILE:2: rules[0].when.metric: 'a b' is no name",),
    ),
    Malformed(
        "globs where ids are wanted",
        rule('kind: never_seen, devices: [gw-1, "gw-*", "gw-?"], within: 5m'),
        (
            "FILE:2: rules[0].devices[1]: 'gw-*' is a glob; expected the id of",
            "FILE:2: rules[0].devices[2]: 'gw-?' is a glob",
        ),
    ),
    Malformed(
        "an id with control characters",
        rule('kind: never_seen, devices: ["gw\\x07", "gw\\x9b"], within: 5m'),
        (r"FILE:2: rules[0].devices[0]: 'gw\x07' has control", r"FILE:2: rules[0].devices[1]: 'gw\x9b' has control"),
    ),
    Malformed(
        "globs with control characters",
        hot('above: {critical: 5}\nscope:\n  devices: ["a*", "b\\n*"]\n  sites: ["\\x7f"]'),
        (
            r"FILE:7: rules[0].scope.devices[1]: 'b\n*' has control",
            r"FILE:8: rules[0].scope.sites[0]: '\x7f' has control",
        ),
    ),
    Malformed(
        "a hysteresis wider than the band",
        hot("above: {warning: 30, critical: 40}\nbelow: {warning: 20}\nhysteresis: 10.5"),
        ("FILE:7: rules[0].hysteresis: 10.5 is more than the 10 between the limits",),
    ),
    Malformed("empty condition", rule("kind: condition, when: {all: []}"), ("FILE:2: rules[0].when.all: expected at",)),
]
