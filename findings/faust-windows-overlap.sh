#!/usr/bin/env bash
# faust-streaming 0.15.3: tumbling windows of 2.5 s begin every 2 s, so they overlap; those of 0.5 s raise ValueError.
#
# What happens: the compiled `HoppingWindow.ranges`, which `TumblingWindow` uses, steps through a range of integers, so
#   a step of 2.5 s becomes 2 s and one of 0.5 s becomes 0. Sizes are floats or timedeltas by its signature. Before the
#   epoch whole seconds fail too: -0.5 belongs to two windows of 10 s.
# Why it surprises: windows that tumble are those that do not overlap, and Flink, Bytewax and Quix accept such sizes.
# What it means: a reading in the overlap is counted twice, and sums over all windows exceed what was sent. Take whole
#   seconds.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check faust-streaming==0.15.3

cat > "$work/windows.py" <<'PY'
from datetime import timedelta

from faust import TumblingWindow

seen = {}
for size_s, time_s in [(10, 12.25), (2.5, 12.25), (2.5, 13.0), (1.5, 13.0), (10, -0.5)]:
    ranges = TumblingWindow(timedelta(seconds=size_s)).ranges(time_s)
    seen[size_s, time_s] = [(round(start, 3), round(end, 3)) for start, end in ranges]
    print(f"{time_s} s, windows of {size_s} s: {seen[size_s, time_s]}")
assert seen == {
    (10, 12.25): [(10, 19.9)],
    (2.5, 12.25): [(10, 12.4), (12, 14.4)],
    (2.5, 13.0): [(12, 14.4)],
    (1.5, 13.0): [(12, 13.4), (13, 14.4)],
    (10, -0.5): [(-10, -0.1), (0, 9.9)],
}, "faust has changed"
try:
    TumblingWindow(timedelta(milliseconds=500)).ranges(12.25)
except ValueError as refused:
    print(f"12.25 s, windows of 0.5 s: ValueError: {refused}")
else:
    raise AssertionError("faust has changed")
PY
"$work/venv/bin/python" "$work/windows.py"
echo "As described: one reading, two tumbling windows."
