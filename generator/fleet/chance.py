"""Chance as a pure function: the same seed and numbers give the same draw, in any order, on any machine."""

_MASK = 0xFFFF_FFFF_FFFF_FFFF
_GOLDEN = 0x9E37_79B9_7F4A_7C15
_UNIT = 2.0**-53


def mix(x: int) -> int:
    """Return 64 well mixed bits for any integer (the finalizer of splitmix64)."""
    x = (x * _GOLDEN) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58_476D_1CE4_E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D0_49BB_1331_11EB) & _MASK
    return x ^ (x >> 31)


def draw(*numbers: int) -> int:
    """Return 64 well mixed bits for a list of integers; their order matters."""
    bits = 0
    for number in numbers:
        bits = mix(bits + number)
    return bits


def unit(bits: int) -> float:
    """Return the number in [0, 1) that 64 mixed bits stand for."""
    return (bits >> 11) * _UNIT
