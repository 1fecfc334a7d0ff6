#!/usr/bin/env bash
# Python 3.11 datetime, iso8601 2.1.0, python-dateutil 2.9.0.post0: one time with a decimal minute has three meanings.
#
# What happens: 2026-03-01T10:30.5Z is half a minute past 10:30, a form that ISO 8601 allows. dateutil reads 10:30:30,
#   datetime.fromisoformat reads 10:30:00.5, iso8601 reads 10:00:30.5. ciso8601 2.4.1, pendulum 3.3.0 and msgspec
#   0.22.0 refuse it.
# Why it surprises: nothing fails. iso8601 is for this format only, and is almost 30 minutes wrong.
# What it means: meters and loggers that write decimal minutes get another event time from each consumer, which shifts
#   windows and silence alerts. Let a decoder refuse fractions of minutes, or write seconds in the firmware.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    iso8601==2.1.0 python-dateutil==2.9.0.post0 ciso8601==2.4.1 pendulum==3.3.0 msgspec==0.22.0

cat > "$work/read.py" <<'PY'
import sys
from datetime import datetime

import ciso8601
import dateutil.parser
import iso8601
import msgspec
import pendulum

assert sys.version_info[:2] == (3, 11), "fromisoformat differs between versions of Python"
readers = {
    "dateutil": dateutil.parser.parse,
    "datetime.fromisoformat": datetime.fromisoformat,
    "iso8601": iso8601.parse_date,
    "ciso8601": ciso8601.parse_datetime,
    "pendulum": pendulum.parse,
    "msgspec": lambda text: msgspec.convert(text, datetime),
}
seen = {}
for name, reader in readers.items():
    try:
        seen[name] = reader("2026-03-01T10:30.5Z").isoformat()
    except ValueError as error:  # every library's own error is one
        seen[name] = "refused"
    print(f"{name:<24}{seen[name]}")
assert seen == {
    "dateutil": "2026-03-01T10:30:30+00:00",
    "datetime.fromisoformat": "2026-03-01T10:30:00.500000+00:00",
    "iso8601": "2026-03-01T10:00:30.500000+00:00",
    "ciso8601": "refused",
    "pendulum": "refused",
    "msgspec": "refused",
}, "the meanings have changed"
PY
"$work/venv/bin/python" "$work/read.py"
echo "As described: three meanings of one time."
