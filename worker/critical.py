"""Which findings cannot wait, by which rule of which list, and how urgent is the study as a whole?

The lists are data, ``critical_rules/*.toml`` and for a day ``critical_rules/holter/*.toml``, because regions differ; a
rule names its grade: critical 危急值 or major positive 重大阳性值. Evaluation is pure: findings in, fired rules with
their evidence out.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from ecg_center.contract.findings import CriticalValue, Evidence, Findings, Grade, Measurements, Statement
from ecg_center.domain.statements import TERMS, Overall, overall_of

FOLDER: Final = Path(__file__).parent / "critical_rules"
DEFAULT: Final = "national_2017"
Kind = Literal["resting", "holter"]
_RANK: Final = {"possible": 0, "probable": 1, "definite": 2}
_LIMITS: Final = ("at_least", "at_most", "above", "below")


class RuleSetError(Exception):
    """A rule set is missing or cannot be understood; the message names the file and the rule."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold."""

    statements: tuple[str, ...] = ()
    certainty: str = "possible"
    quantity: str = ""
    limit: Literal["at_least", "at_most", "above", "below", ""] = ""
    threshold: float = 0.0

    def holds(self, value: float) -> bool:
        """Whether the quantity's value is on the firing side of the limit."""
        match self.limit:
            case "at_least":
                return value >= self.threshold
            case "at_most":
                return value <= self.threshold
            case "above":
                return value > self.threshold
            case _:
                return value < self.threshold


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a list of critical values."""

    name: str
    grade: Literal["critical", "major"]
    title_zh: str
    title_en: str
    when: tuple[tuple[Condition, ...], ...]
    """Any of these, each of which needs all of its conditions."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """One list, with its version and source."""

    id: str
    version: str
    title_zh: str
    title_en: str
    source: str
    rules: tuple[Rule, ...]

    @property
    def name(self) -> str:
        """Id and version, as findings carry it."""
        return f"{self.id}@{self.version}"


def rule_sets(kind: Kind = "resting") -> list[str]:
    """The names of the lists that are there for this kind of recording."""
    return sorted(path.stem for path in _folder(kind).glob("*.toml"))


def _folder(kind: Kind) -> Path:
    return FOLDER if kind == "resting" else FOLDER / kind


@cache
def load(rule_set: str = DEFAULT, kind: Kind = "resting") -> RuleSet:
    """The list of this name, as it is for this kind of recording: a day is judged otherwise than ten seconds.

    Raises:
        RuleSetError: there is none, or it is written wrongly.
    """
    path = _folder(kind) / f"{rule_set}.toml"
    if rule_set not in rule_sets(kind):
        known = ", ".join(rule_sets(kind))
        raise RuleSetError(f"no list of critical values {rule_set!r} for a {kind} recording; known: {known}")
    return parse(path.read_text("utf-8"), str(path))


def parse(text: str, where: str = "rule set") -> RuleSet:
    """The list written in this TOML.

    Raises:
        RuleSetError: naming what is wrong.
    """
    try:
        document = tomllib.loads(text)
        rules = tuple(_rule(item, where) for item in document["rule"])
        head = {key: str(document[key]) for key in ("id", "version", "title_zh", "title_en", "source")}
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise RuleSetError(f"{where}: {error}") from None
    if len({rule.name for rule in rules}) != len(rules):
        raise RuleSetError(f"{where}: two rules have one name")
    return RuleSet(**head, rules=rules)


def _rule(item: dict[str, Any], where: str) -> Rule:
    name = str(item["name"])
    if item["grade"] not in ("critical", "major"):
        raise RuleSetError(f"{where}: rule {name} has grade {item['grade']!r}; critical or major")
    when = tuple(tuple(_condition(entry, f"{where}: rule {name}") for entry in entries) for entries in item["when"])
    if not when or not all(when):
        raise RuleSetError(f"{where}: rule {name} has no condition")
    return Rule(name, item["grade"], str(item["title_zh"]), str(item["title_en"]), when)


def _condition(entry: dict[str, Any], where: str) -> Condition:
    if unknown := set(entry) - {"statement", "certainty", "quantity", *_LIMITS}:
        raise RuleSetError(f"{where}: unknown word {sorted(unknown)[0]!r}")
    codes = tuple(entry.get("statement", ()))
    if missing := [code for code in codes if code not in TERMS]:
        raise RuleSetError(f"{where}: no statement has the code {missing[0]!r}")
    limits = [word for word in _LIMITS if word in entry]
    quantity = str(entry.get("quantity", ""))
    if bool(quantity) != (len(limits) == 1) or not (codes or quantity):
        raise RuleSetError(f"{where}: a condition has a statement, or a quantity with one limit, or both")
    if quantity and not codes and quantity not in Measurements.model_fields:
        raise RuleSetError(f"{where}: {quantity!r} is no global measurement")
    certainty = str(entry.get("certainty", "possible"))
    if certainty not in _RANK:
        raise RuleSetError(f"{where}: certainty {certainty!r}; one of {', '.join(_RANK)}")
    limit = limits[0] if limits else ""
    return Condition(codes, certainty, quantity, limit, float(entry[limit]) if limit else 0.0)


def evaluate(findings: Findings, rules: RuleSet) -> tuple[list[CriticalValue], Grade]:
    """The critical values that fire and the grade of the study."""
    fired = [(rule, evidence) for rule in rules.rules if (evidence := _fires(rule, findings, rules.source)) is not None]
    critical = [
        CriticalValue(
            rule_set=rules.name, rule=rule.name, title_zh=rule.title_zh, title_en=rule.title_en, evidence=evidence
        )
        for rule, evidence in fired
        if rule.grade == "critical"
    ]
    return critical, _grade(findings, critical=bool(critical), major=bool(fired))


def _grade(findings: Findings, *, critical: bool, major: bool) -> Grade:
    if critical:
        return "critical"
    if major:
        return "major"
    overall = overall_of([statement.code for statement in findings.statements])
    harmless = overall in (Overall.NORMAL, Overall.BORDERLINE)
    return "normal" if harmless and findings.quality.verdict != "repeat" else "abnormal"


def _fires(rule: Rule, findings: Findings, source: str) -> list[Evidence] | None:
    """The evidence of the first alternative that holds whole; None where none does."""
    for alternative in rule.when:
        gathered: list[Evidence] = []
        for condition in alternative:
            evidence = _evidence(condition, findings, source)
            if evidence is None:
                break
            gathered += [item for item in evidence if item not in gathered]
        else:
            return gathered
    return None


def _evidence(condition: Condition, findings: Findings, source: str) -> list[Evidence] | None:
    if not condition.statements:
        value = getattr(findings.measurements, condition.quantity)
        if value is None or not condition.holds(value):
            return None
        unit = condition.quantity.rsplit("_", 1)[-1].replace("bpm", "/min")
        return [
            Evidence(quantity=condition.quantity, value=value, threshold=condition.threshold, unit=unit, source=source)
        ]
    for statement in findings.statements:
        if statement.code not in condition.statements or _RANK[statement.certainty] < _RANK[condition.certainty]:
            continue
        if not condition.quantity:
            return list(statement.evidence)
        if found := _measured(statement, condition, source):
            return [found]
    return None


def _measured(statement: Statement, condition: Condition, source: str) -> Evidence | None:
    for item in statement.evidence:
        if item.quantity == condition.quantity and item.value is not None and condition.holds(item.value):
            return item.model_copy(update={"threshold": condition.threshold, "source": source})
    return None
