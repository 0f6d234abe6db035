"""What do two statements say together, and which of them need not be said beside another?

Two tables, applied once to all that the rules have said; the order of the report is made here as well.
"""

from typing import Final

from ecg_center.contract.findings import Statement
from ecg_center.domain.statements import ACUTE_INFARCT, in_report_order
from worker.resting.say import say

Codes = frozenset[str]

_LEFT: Final[Codes] = frozenset(("142", "142a", "142b"))
TOGETHER: Final[tuple[tuple[Codes, Codes, str], ...]] = (
    (frozenset(("106",)), frozenset(("101", "102")), "103a"),  # two fascicles
    (frozenset(("103a",)), frozenset(("82",)), "103b"),  # and a slow way through the third, or the node
    (frozenset(("143",)), _LEFT, "144"),
    (frozenset(("141",)), frozenset(("140",)), "141a"),
)
"""One of the first and one of the second, and the name that they have together."""

_OF_NOW: Final[dict[str, Codes]] = {
    "160": frozenset(("160.330", "165.330", "166.330")),
    "161": frozenset(("161.330",)),
    "163": frozenset(("163.330", "163a.330", "166.330")),
    "165": frozenset(("160.330", "165.330", "166.330")),
}
"""An infarction that is happening now explains the Q of the same wall."""

_EXPLAIN_A_MINOR_ST: Final[Codes] = frozenset(
    (
        *("30", "30a", "30b", "31", "36", "41", "60", "60a", "60b", "60c", "60d", "60e", "60f", "60g", "71"),
        *("105", "106", "141", "142", "142a", "143", "144"),
    )
)
"""Early beats, behind which ST and T take some beats to come to rest, right bundle branch block and hypertrophy: ST is
changed by them (doi:10.1016/j.jacc.2008.12.014, secondary changes), and readers of CPSC 2018 name no further change."""

SAID_BY: Final[dict[str, Codes]] = {
    **{f"{wall}.{age}": codes for wall, codes in _OF_NOW.items() for age in ("332", "333")},
    "142a": frozenset(("142", "142b", "144")),
    "142": frozenset(("142b", "144")),
    "143": frozenset(("144",)),
    "140": frozenset(("141a",)),
    "141": frozenset(("141a",)),
    "103a": frozenset(("103b",)),
    **dict.fromkeys(("104", "106", "107"), frozenset(("50d",))),  # broad by the pathway, not by a block
    "220": frozenset((*ACUTE_INFARCT, "220a", "220b", "220c", "220d", "220e", "201", "205", "211")),
    "145c": _EXPLAIN_A_MINOR_ST,
}
"""Code, and those beside which it is left out, for each of them says it as well."""

_DOUBT: Final = ("definite", "probable", "possible")


def settled(found: list[Statement]) -> list[Statement]:
    """All statements, each once, in the order of the report."""
    by_code: dict[str, Statement] = {}
    for statement in found:
        by_code.setdefault(statement.code, statement)
    for one, other, code in TOGETHER:
        parts = [by_code[name] for names in (one, other) for name in sorted(names & by_code.keys())[:1]]
        if len(parts) == 2:
            seen = [item for part in parts for item in part.evidence[:1]]
            by_code[code] = say(code, *seen, certainty=max((part.certainty for part in parts), key=_DOUBT.index))
    said = frozenset(by_code)
    return [by_code[code] for code in in_report_order(by_code) if not SAID_BY.get(code, frozenset()) & said]
