"""Which statements and rules are there? Writes ``docs/statements.md`` from the tables themselves.

``python -m worker.rules_doc > docs/statements.md``; a test fails where the file is not what this writes.
"""

import sys
from typing import Final

from ecg_center.domain.statements import CONTRADICTIONS, GROUPS_ZH, OVERALL_ZH, TERMS
from worker.critical import Condition, Kind, Rule, RuleSet, load, rule_sets
from worker.physician_only import PHYSICIAN_ONLY
from worker.pressure.guideline import PERIODS, Guideline, Limit, guidelines
from worker.pressure.guideline import load as load_guideline
from worker.resting.hypertrophy import LEFT, ROMHILT_SURE
from worker.resting.infarction import BEYOND, BEYOND_UV, BEYOND_YOUNG_MEN_UV, TERRITORIES
from worker.resting.together import SAID_BY, TOGETHER

HEAD: Final = """\
# Statements and rules

Generated from the tables by `python -m worker.rules_doc > docs/statements.md`; do not edit. The codes are the
numbers of the AHA/ACC/HRS list of 2007 (doi:10.1016/j.jacc.2007.01.025); a trailing letter marks our own narrower term,
and the numbers from 900 on are our own, of ambulatory blood pressure.
"""
KINDS: Final[tuple[Kind, ...]] = ("resting", "holter")
_SIGNS: Final = {"at_least": "≥", "at_most": "≤", "above": ">", "below": "<"}


def as_markdown() -> str:
    """The whole document."""
    lines = [HEAD]
    for group, title in GROUPS_ZH.items():
        lines += [f"## {title}", "", "| code | 中文 | English | conclusion | keys |", "|---|---|---|---|---|"]
        for term in TERMS.values():
            if term.group == group:
                overall = OVERALL_ZH[term.overall] if term.overall is not None else "–"
                lines.append(f"| {term.code} | {term.zh} | {term.en} | {overall} | `{term.initials}` |")
        lines.append("")
    lines += ["## What cannot stand together", "", "| one of | with one of | why |", "|---|---|---|"]
    lines += [f"| {', '.join(first)} | {', '.join(second)} | {why} |" for first, second, why in CONTRADICTIONS]
    lines += ["", "## What only a physician says", "", "| code | 中文 | why no engine says it |", "|---|---|---|"]
    lines += [f"| {code} | {TERMS[code].zh} | {why} |" for code, why in PHYSICIAN_ONLY.items()]
    lines += _resting_tables()
    for kind in KINDS:
        for name in rule_sets(kind):
            lines += _rule_set(load(name, kind))
    for name in guidelines():
        lines += _pressure_limits(load_guideline(name))
    return "\n".join(lines) + "\n"


def _resting_tables() -> list[str]:
    """The tables by which the resting pre-read judges chambers and walls, and what statements say together."""
    lines = [
        "",
        "## The resting pre-read: voltage of the left ventricle",
        "",
        "Those that speak alone are a high voltage (142a). One of them with two of the others, or with "
        f"{ROMHILT_SURE} points of Romhilt and Estes, is a hypertrophy (142).",
        "",
        "| sum | women | men | unit | leads | speaks alone | source |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.quantity} | ≥ {one.women:g} | ≥ {one.men:g} | {one.unit} | {', '.join(one.leads)} | "
        f"{'yes' if one.speaks else 'no'} | {one.source} |"
        for one in LEFT
    ]
    lines += ["", "## The resting pre-read: walls", "", "| code | leads | rule |", "|---|---|---|"]
    lines += [
        f"| {wall}.332, {wall}.333 | {', '.join(leads)} | a Q wave of infarction in {least} of them |"
        for wall, leads, least in TERRITORIES
    ]
    lines += [
        f"| {code} | {', '.join(leads)} | ST at J ≥ {BEYOND_UV / 1000:g} mV, of men below {years:g} years "
        f"≥ {BEYOND_YOUNG_MEN_UV / 1000:g} mV |"
        for code, leads, years in BEYOND
    ]
    lines += ["", "## The resting pre-read: what statements say together", "", "| one of | with one of | is said as |"]
    lines += ["|---|---|---|"]
    lines += [f"| {', '.join(sorted(one))} | {', '.join(sorted(other))} | {code} |" for one, other, code in TOGETHER]
    lines += ["", "| left out | beside one of |", "|---|---|"]
    return lines + [f"| {code} | {', '.join(sorted(others))} |" for code, others in SAID_BY.items()]


def _rule_set(rules: RuleSet) -> list[str]:
    lines = [
        "",
        f"## Critical values: {rules.title_zh} ({rules.name})",
        "",
        f"{rules.title_en}. Source: {rules.source}.",
        "",
        "| rule | grade | 中文 | fires when |",
        "|---|---|---|---|",
    ]
    return lines + [f"| {rule.name} | {rule.grade} | {rule.title_zh} | {_when(rule)} |" for rule in rules.rules]


def _pressure_limits(rules: Guideline) -> list[str]:
    lines = [
        "",
        f"## Ambulatory blood pressure: {rules.title_zh} ({rules.name})",
        "",
        f"{rules.title_en}. Source: {rules.source}.",
        "",
        f"Valid from {rules.share_percent:g} % of the planned readings, {rules.least_day} by day and "
        f"{rules.least_night} by night. At or above, in mmHg:",
        "",
        "| level | 24 h | day | night |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {tier.name} | {' | '.join(_pair(tier.limits[period]) for period in PERIODS)} |" for tier in rules.tiers
    ]
    lines += [f"| {one.title_zh} ({one.grade}) | {_pair(one.limit)} | – | – |" for one in rules.alerts]
    if rules.morning is not None:
        lines.append(f"| two hours after waking | – | {_pair(rules.morning)} | – |")
    if rules.surge_mmhg is not None:
        lines.append(f"| rise at waking | – | {rules.surge_mmhg:g} | – |")
    return lines


def _pair(limit: Limit) -> str:
    return f"{limit.systolic:g}" if limit.diastolic is None else f"{limit.systolic:g}/{limit.diastolic:g}"


def _when(rule: Rule) -> str:
    return "; or ".join(" and ".join(_condition(item) for item in alternative) for alternative in rule.when)


def _condition(condition: Condition) -> str:
    least = "" if condition.certainty == "possible" else f" at least {condition.certainty}"
    said = f"said {'/'.join(condition.statements)}{least}" if condition.statements else ""
    if not condition.quantity:
        return said
    limit = f"{condition.quantity} {_SIGNS[condition.limit]} {condition.threshold:g}"
    return f"{said} with {limit}" if said else limit


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
