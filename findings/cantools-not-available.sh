#!/usr/bin/env bash
# cantools 45.1.0: "not available" of SAE J1939 is decoded as a value above the signal's own maximum.
#
# What happens: J1939-71 sends 0xFF (0xFFFF for two bytes) for a signal that is not available and 0xFE for one in
#   error; the usable range ends at 0xFA. The DBC file says so with its maximum, here 210 deg C. `decode` gives 215 and
#   214 deg C. `encode` refuses the same value with EncodeError.
# Why it surprises: the range is checked in one direction only, and a protocol type of J1939 changes nothing.
# What it means: a truck whose sensor is unplugged reports 215 deg C of coolant and 1774.97 deg C of oil, and every
#   limit fires. Drop what exceeds `signal.maximum`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check cantools==45.1.0

cat > "$work/decode.py" <<'PY'
import cantools

DBC = '''VERSION ""
BU_: Engine
BO_ 2566844926 ET1: 8 Engine
 SG_ Coolant : 0|8@1+ (1,-40) [-40|210] "deg C" Vector__XXX
 SG_ Fuel : 8|8@1+ (1,-40) [-40|210] "deg C" Vector__XXX
 SG_ Oil : 16|16@1+ (0.03125,-273) [-273|1735] "deg C" Vector__XXX
BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";
BA_DEF_DEF_ "VFrameFormat" "J1939PG";
BA_ "VFrameFormat" BO_ 2566844926 3;
'''
message = cantools.database.load_string(DBC, "dbc").get_message_by_name("ET1")
print("protocol:", message.protocol)
assert message.protocol == "j1939"
frame = bytes([0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
decoded = message.decode(frame)
print(f"{frame.hex(' ')}: {decoded}")
assert decoded == {"Coolant": 215, "Fuel": 214, "Oil": 1774.96875}, "cantools has changed"
assert all(decoded[signal.name] > signal.maximum for signal in message.signals)
try:
    message.encode(decoded)
except cantools.database.errors.EncodeError as refused:
    print("encode:", refused)
else:
    raise AssertionError("cantools has changed")
PY
"$work/venv/bin/python" "$work/decode.py"
echo "As described: an absent sensor is a hot engine."
