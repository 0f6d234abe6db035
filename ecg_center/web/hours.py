"""How does a person write a day's working hours? ``08:00-12:00 14:00-17:30``; nothing is a day off."""

import re

_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_LIKE = str.maketrans(
    {"：": ":", "－": "-", "–": "-", "—": "-", "~": "-", "～": "-", "至": "-", "，": " ", "、": " ", ",": " "}
)


def read_hours(text: str) -> list[list[str]] | None:
    """``[["08:00", "12:00"], …]``; None where the text is something else. Whether they ascend, the directory checks."""
    plain = re.sub(r"\s*-\s*", "-", text.translate(_LIKE)).split()
    found = [_SPAN.fullmatch(part) for part in plain]
    if not all(found):
        return None
    spans = [match.groups() for match in found if match]
    return [[f"{int(a):02}:{b}", f"{int(c):02}:{d}"] for a, b, c, d in spans]


def show_hours(hours: list[list[str]]) -> str:
    """As it is written in the form, empty for a day off."""
    return " ".join(f"{begin}-{end}" for begin, end in hours)
