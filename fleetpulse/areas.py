"""Areas on the earth, as far as a fence needs them."""

import math
from collections.abc import Sequence

_EARTH_M = 6_371_008.8  # mean radius (IUGG)


def distance_m(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Great-circle distance of two points in degrees, by the haversine formula."""
    phi, other_phi = math.radians(lat), math.radians(other_lat)
    half = math.sin((other_phi - phi) / 2) ** 2
    half += math.cos(phi) * math.cos(other_phi) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    return 2 * _EARTH_M * math.asin(math.sqrt(min(1.0, half)))


def contains(corners: Sequence[tuple[float, float]], lat: float, lon: float) -> bool:
    """Whether a point lies in a polygon of (lat, lon) corners, by the even-odd rule."""
    inside = False
    before_lat, before_lon = corners[-1]
    for corner_lat, corner_lon in corners:
        if (corner_lat > lat) != (before_lat > lat):
            share = (lat - corner_lat) / (before_lat - corner_lat)
            inside ^= lon < corner_lon + share * (before_lon - corner_lon)
        before_lat, before_lon = corner_lat, corner_lon
    return inside
