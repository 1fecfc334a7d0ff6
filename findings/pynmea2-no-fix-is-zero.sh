#!/usr/bin/env bash
# pynmea2 1.19.0: a position report of a receiver without a fix has latitude 0.0 and longitude 0.0.
#
# What happens: NMEA sentences (RMC, GGA, GLL) leave the coordinates empty until there is a fix. pynmea2's latitude
#   and longitude are then 0.0, the same as for a real fix on the equator. pynmeagps 1.1.8 gives empty strings.
# Why it surprises: the raw fields (`lat`, `lon`) are empty, so the library could tell; and 0.0, 0.0 passes every
#   check of range.
# What it means: after each cold start a tracker jumps to the Gulf of Guinea and back. Geofence and speed rules fire,
#   and a mean position moves. Check `status`, `gps_qual` or the raw field before use.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pynmea2==1.19.0 pynmeagps==1.1.8

cat > "$work/parse.py" <<'PY'
from functools import reduce

import pynmea2
import pynmeagps


def sentence(body):
    checksum = reduce(lambda total, character: total ^ ord(character), body, 0)
    return f"${body}*{checksum:02X}"


bodies = {
    "RMC without a fix": "GPRMC,102030.00,V,,,,,,,010326,,,N",
    "GGA without a fix": "GPGGA,102030.00,,,,,0,00,99.99,,,,,,",
    "GLL without a fix": "GNGLL,,,,,102030.00,V,N",
    "RMC at 0, 0": "GPRMC,102030.00,A,0000.0000,N,00000.0000,E,0.0,0.0,010326,,,A",
}
for name, body in bodies.items():
    ours, other = pynmea2.parse(sentence(body), check=True), pynmeagps.NMEAReader.parse(sentence(body))
    print(f"{name}: pynmea2 {ours.latitude!r}, {ours.longitude!r}; pynmeagps {other.lat!r}, {other.lon!r}")
    assert (ours.latitude, ours.longitude) == (0.0, 0.0), "pynmea2 has changed"
    fixed = "without" not in name
    assert (ours.lat, ours.lon) == (("0000.0000", "00000.0000") if fixed else ("", ""))
    assert (other.lat, other.lon) == ((0.0, 0.0) if fixed else ("", "")), "pynmeagps has changed"
PY
"$work/venv/bin/python" "$work/parse.py"
echo "As described: no fix and a fix at 0, 0 are alike."
