#!/usr/bin/env bash
# kpn-senml 1.0.1: a pack that is read loses every time, unit and base time; only names and values are left.
#
# What happens: `SenmlPack.from_json` hands on the name and the value of each record. `t`, `u`, `bt` and `bu` are not
#   looked at: the records' `time` and `unit` are None, and `to_json` writes a pack without them.
# Why it surprises: the same class writes times and units when it is filled by hand, so a gateway that reads a pack and
#   passes it on appears to work.
# What it means: a receiver takes readings without a time as measured now (RFC 8428, 4.5.3). Old readings that
#   were kept during an outage arrive as fresh ones.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check kpn-senml==1.0.1

cat > "$work/pass_on.py" <<'PY'
import json

from kpn_senml import SenmlPack, SenmlRecord, SenmlUnits

by_hand = SenmlPack("meter")
by_hand.base_time = 1772359200
by_hand.add(SenmlRecord("level", value=5.25, time=1772359260, unit=SenmlUnits.SENML_UNIT_METER))
written = json.loads(by_hand.to_json())
print("written by hand:", written)
assert written == [{"bn": "meter", "bt": 1772359200, "n": "level", "u": "m", "t": 60, "v": 5.25}], "kpn-senml has changed"

read = SenmlPack("meter")
read.from_json(json.dumps(written))
passed_on = json.loads(read.to_json())
print("read, and written again:", passed_on)
assert passed_on == [{"bn": "meter", "n": "level", "v": 5.25}], "kpn-senml has changed"
assert read.base_time is None, "kpn-senml has changed"
PY
"$work/venv/bin/python" "$work/pass_on.py"
echo "As described: a reading of 10:01 has no time any more."
