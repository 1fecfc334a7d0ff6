"""Numbers as sentences write them: short, but never so short that a value seems to be on another side of a limit."""

from collections.abc import Iterable

_DIGITS = 4  # significant ones, as long as they are enough
_MOST_DIGITS = 17  # enough to tell any two floats apart
_LONGEST_WHOLE = 15  # digits before the point; larger numbers are written with an exponent
_GROUPED_FROM = 10_000


def exact(value: float) -> str:
    """A number with all its digits, as limits are written."""
    return _grouped(value + 0.0, "").removesuffix(".0")  # plus 0: the sign of a zero says nothing


def number(value: float, unit: str | None = None, *, beside: Iterable[float] = ()) -> str:
    """A value with its unit, in as many digits as it needs to be on its own side of each limit in `beside`.

    A value that equals a limit has the text that `exact` makes of that limit.
    """
    whole = len(f"{abs(value):.0f}")
    fewest = max(_DIGITS, whole if whole <= _LONGEST_WHOLE else 0)
    texts = (_grouped(value, f".{digits}g") for digits in range(fewest, _MOST_DIGITS + 1))
    return f"{_shortest(value, texts, beside)} {unit or ''}".rstrip()


def seconds(value_s: float, *, beside: Iterable[float] = ()) -> str:
    """A duration in whole seconds, with as many decimals as it needs beside limits in seconds; see `number`."""
    return f"{_shortest(value_s, (f'{value_s:.{decimals}f}' for decimals in range(4)), beside)} s"


def _grouped(value: float, form: str) -> str:
    text = format(value, form)
    return format(value, f",{form}") if abs(float(text)) >= _GROUPED_FROM else text


def _shortest(value: float, texts: Iterable[str], beside: Iterable[float]) -> str:
    limits = tuple(beside)
    if value in limits:
        return exact(value)
    fitting = (text for text in texts if _sides(float(text.replace(",", "")), limits) == _sides(value, limits))
    return next(fitting, exact(value))


def _sides(value: float, limits: tuple[float, ...]) -> list[tuple[bool, bool]]:
    return [(value > limit, value < limit) for limit in limits]
