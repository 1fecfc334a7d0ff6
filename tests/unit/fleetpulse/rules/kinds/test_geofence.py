"""An area that is left and entered."""

import pytest

from tests.unit.fleetpulse.rules.timelines import judged


@pytest.mark.parametrize(
    "area",
    [
        {"shape": "circle", "lat": 48.0, "lon": 11.0, "radius_m": 1000},
        {"shape": "polygon", "corners": [[47.99, 10.99], [47.99, 11.01], [48.01, 11.01], [48.01, 10.99]]},
    ],
    ids=["circle", "polygon"],
)
def test_a_fence_is_left_and_entered(area):
    rule = {"kind": "geofence", "id": "home", "area": area}
    told = [("d1", s, {"lat": lat, "lon": 11.0}) for s, lat in [(0, 48.0), (1, 48.02), (2, 48.03), (3, 48.001)]]
    told.append(("d1", 4, {"lat": 50.0}))  # no place without both
    assert judged([rule], told) == [(1, "d1", "open", "warning", "home"), (3, "d1", "recovered", "warning", "home")]
