"""Areas on the earth, for geofences."""

import math
from collections.abc import Sequence

from fleetpulse.rules.parts import Part

_EARTH_M = 6_371_008.8  # mean radius (IUGG)
_METRES_A_DEGREE = math.radians(1) * _EARTH_M

Box = tuple[float, float, float, float]
"""South, north, west, east, in degrees."""

NOWHERE_BOX: Box = (1.0, -1.0, 1.0, -1.0)
EVERYWHERE_BOX: Box = (-math.inf, math.inf, -math.inf, math.inf)


class Circle(Part, frozen=True, kw_only=True, tag_field="shape", tag="circle"):
    """The surroundings of a point."""

    lat: float
    lon: float
    radius_m: float


class Polygon(Part, frozen=True, kw_only=True, tag_field="shape", tag="polygon"):
    """An area by its corners, each `[lat, lon]`; it must not cross the 180th meridian."""

    corners: tuple[tuple[float, float], ...]


def inner_box(circle: Circle) -> Box:
    """A box that lies within a circle. It is empty near the poles and the 180th meridian, where degrees are no grid."""
    half = 0.7 * circle.radius_m / _METRES_A_DEGREE
    if abs(circle.lat) + half > 80 or abs(circle.lon) + 2 * half > 179:
        return NOWHERE_BOX
    # A degree of longitude is longest at the side of the box nearer to the equator.
    across = half / math.cos(math.radians(max(0.0, abs(circle.lat) - half)))
    return circle.lat - half, circle.lat + half, circle.lon - across, circle.lon + across


def outer_box(area: Circle | Polygon) -> Box:
    """A box that an area lies within; a circle's goes around the earth."""
    if isinstance(area, Circle):
        half = 1.01 * area.radius_m / _METRES_A_DEGREE
        return area.lat - half, area.lat + half, -math.inf, math.inf
    lats, lons = zip(*area.corners, strict=True)
    return min(lats), max(lats), min(lons), max(lons)


def distance_m(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Great-circle distance of two points in degrees, by the haversine formula."""
    phi, other_phi = math.radians(lat), math.radians(other_lat)
    half = math.sin((other_phi - phi) / 2) ** 2
    half += math.cos(phi) * math.cos(other_phi) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    return 2 * _EARTH_M * math.asin(math.sqrt(max(0.0, min(1.0, half))))


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
