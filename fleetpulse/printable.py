"""Data for people's eyes: without the characters that a terminal would obey."""


def printable(text: str) -> str:
    """Return the text in one line, with what is no printable character escaped as Python would.

    That is more than the control characters: terminals also obey what turns the direction of writing and what separates
    lines, and show nothing of what has no width.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
