#!/usr/bin/env bash
# Pint 0.25.3: the unit "%RH" of humidity sensors is read as percent times ronnahenry, without an error.
#
# What happens: Pint knows % and the prefix R (ronna, 10^27), and H is henry. So "%RH" is an inductance of 10^25 H,
#   and "pH" one of 10^-12 H. Units that it does not know at all, such as "NTU", are refused.
# Why it surprises: %RH is the usual notation for relative humidity, and a library that checks dimensions is expected
#   to know it or to refuse it.
# What it means: a gateway that normalises units with Pint multiplies a humidity of 45 by 10^25, or fails only later
#   when it is compared with percent. Map device units to Pint's names by a table, and do not parse them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check Pint==0.25.3

cat > "$work/parse.py" <<'PY'
import pint

units = pint.UnitRegistry()
seen = {}
for unit in ("%", "%RH", "pH", "NTU"):
    try:
        quantity = units.Quantity(45, units.parse_units(unit))
        seen[unit] = (str(quantity.units), str(quantity.dimensionality))
        print(f"45 {unit:<4} is {quantity.to_base_units():~.3g}, parsed as {quantity.units}")
    except pint.UndefinedUnitError as error:
        seen[unit] = "refused"
        print(f"45 {unit:<4} is refused: {error}")
inductance = str(units.henry.dimensionality)
assert seen == {
    "%": ("percent", "dimensionless"),
    "%RH": ("percent * ronnahenry", inductance),
    "pH": ("picohenry", inductance),
    "NTU": "refused",
}, seen
humidity = units.Quantity(45, units.parse_units("%RH")).to("henry").magnitude
print(f"a humidity of 45 %RH is {humidity:.3g} H")
assert abs(humidity / 4.5e26 - 1) < 1e-9, "another factor"
PY
"$work/venv/bin/python" "$work/parse.py"
echo "As described: %RH is an inductance."
