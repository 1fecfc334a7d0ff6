#!/usr/bin/env bash
# senml 0.1.0: the base fields of a later record are ignored, so a second device's readings get the first one's name.
#
# What happens: RFC 8428 (4.1) lets any record set bn, bt, bu and bv anew; they hold from there on. A gateway sends
#   several devices in one pack that way. `SenMLDocument.from_json` keeps the base of the first record alone.
# Why it surprises: nothing is refused, and the pack that `to_json` writes lacks the second name too.
# What it means: one device seems to send twice and the other falls silent. The second base time is lost as well, so
#   its readings get the first device's time. Resolve the records yourself, or send one pack a device.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check senml==0.1.0

cat > "$work/parse.py" <<'PY'
from senml.senml import SenMLDocument

pack = [
    {"bn": "boiler:", "bt": 1772359200, "bu": "Cel", "n": "temperature", "v": 71.5},
    {"n": "temperature", "t": 10, "v": 71.75},
    {"bn": "freezer:", "bt": 1772362800, "bu": "Cel", "n": "temperature", "v": -18.5},
]
document = SenMLDocument.from_json(pack)
resolved = [one.to_absolute(document.base) for one in document.measurements]
for sent, one in zip(pack, resolved, strict=True):
    print(f"{sent} -> {one.name} {one.value} at {one.time:.0f}")
assert [(one.name, one.time) for one in resolved] == [
    ("boiler:temperature", 1772359200),
    ("boiler:temperature", 1772359210),
    ("boiler:temperature", 1772359200),  # freezer:temperature at 1772362800 by the RFC
], "senml has changed"
assert "freezer" not in str(document.to_json()), "senml has changed"
PY
"$work/venv/bin/python" "$work/parse.py"
echo "As described: the freezer's reading is now the boiler's, an hour too early."
