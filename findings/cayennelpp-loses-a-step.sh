#!/usr/bin/env bash
# pycayennelpp 2.4.0 (Cayenne LPP, a LoRaWAN payload): values that the format can hold exactly are sent one step too
#   low.
#
# What happens: the format holds an analog input in steps of 0.01. 0.29 is encoded as 28 steps and decoded as 0.28,
#   since 0.29 * 100 is 28.999999999999996 and is cut, not rounded. Of the 8001 steps from -40 to 40 this hits 544.
# Why it surprises: encode and decode by the same library is not the identity for values of the format's own grid.
#   Which values are hit follows no pattern that a user could see, and negative ones move towards zero.
# What it means: simulators and gateways that re-encode payloads change readings. A threshold of 0.29 is never
#   reached, and a comparison of both sides of a gateway shows differences that no device made. Add half a step, with
#   the value's sign, before encoding.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pycayennelpp==2.4.0

cat > "$work/encode.py" <<'PY'
from cayennelpp import LppFrame


def payload(value):
    frame = LppFrame()
    frame.add_analog_input(1, value)
    return bytes(frame)


def decoded(data):
    [reading] = LppFrame().from_bytes(data)
    return reading.value[0]


sent = payload(0.29)
print(f"0.29 is sent as {sent.hex()}, {int.from_bytes(sent[2:], 'big')} steps, and read as {decoded(sent)}")
grid = [steps / 100 for steps in range(-4000, 4001)]
changed = {value: decoded(payload(value)) for value in grid if decoded(payload(value)) != value}
print(f"{len(changed)} of {len(grid)} values change; the last ones:", list(changed.items())[-3:])
assert sent == bytes([1, 2, 0, 28]) and decoded(sent) == 0.28, "0.29 is kept"
assert decoded(bytes([1, 2, 0, 29])) == 0.29, "the format does not hold 0.29"
assert len(changed) == 544, "other values are hit"
assert all(abs(after) < abs(before) for before, after in changed.items()), "values are not cut towards zero"
PY
"$work/venv/bin/python" "$work/encode.py"
echo "As described: values of the format's own grid lose a step."
