"""Distances and areas, and the boxes that spare calculating them."""

from hypothesis import given
from hypothesis import strategies as st

from fleetpulse.rules.areas import Circle, Polygon, contains, distance_m, inner_box, outer_box

_lats, _lons = st.floats(-90, 90), st.floats(-180, 180)


def test_distances_of_cities():
    assert round(distance_m(48.1374, 11.5755, 52.52, 13.405) / 1000) == 504  # Munich, Berlin
    assert distance_m(10.0, 20.0, 10.0, 20.0) == 0


def test_a_concave_polygon_has_an_inside():
    corners = ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (2.0, 1.0), (0.0, 4.0))
    assert contains(corners, 1.0, 0.5)
    assert not contains(corners, 2.0, 2.0)
    assert not contains(corners, 5.0, 1.0)


@given(_lats, _lons, st.floats(1, 2_000_000), st.floats(-1, 1), st.floats(-1, 1))
def test_what_is_in_the_inner_box_is_in_the_circle(lat, lon, radius_m, up, right):
    south, north, _, east = inner_box(Circle(lat=lat, lon=lon, radius_m=radius_m))
    if south <= north:
        at_lat, at_lon = lat + up * (north - lat), lon + right * (east - lon)
        assert distance_m(lat, lon, at_lat, at_lon) <= radius_m


@given(_lats, _lons, st.floats(1, 2_000_000), _lats, _lons)
def test_what_is_beyond_the_outer_box_is_not_in_the_circle(lat, lon, radius_m, at_lat, at_lon):
    south, north, _, _ = outer_box(Circle(lat=lat, lon=lon, radius_m=radius_m))
    if not south < at_lat < north:
        assert distance_m(lat, lon, at_lat, at_lon) >= radius_m


@given(st.lists(st.tuples(_lats, _lons), min_size=3, max_size=6), _lats, _lons)
def test_what_is_beyond_the_outer_box_is_not_in_the_polygon(corners, lat, lon):
    south, north, west, east = outer_box(Polygon(corners=tuple(corners)))
    if not (south < lat < north and west < lon < east):
        assert not contains(corners, lat, lon) or lat in (south, north) or lon in (west, east)
