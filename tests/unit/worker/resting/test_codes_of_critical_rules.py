"""Every code that a resting list of critical values refers to is said of a recording: no rule waits for nothing."""

from functools import cache

import pytest
from support.critical_examples import EXAMPLES

from ecg_center.contract.findings import Findings
from ecg_center.domain.statements import contradicts
from worker.critical import evaluate, load, rule_sets
from worker.resting import analyse

ASKED = {
    name: {code for rule in load(name).rules for way in rule.when for condition in way for code in condition.statements}
    for name in rule_sets()
}


@cache
def found(code: str) -> Findings:
    return analyse(EXAMPLES[code]())


@pytest.mark.parametrize("name", ASKED)
def test_every_code_has_its_example(name: str) -> None:
    assert ASKED[name] == EXAMPLES.keys()


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_engine_says_it(code: str) -> None:
    codes = {statement.code for statement in found(code).statements}
    assert code in codes
    assert not contradicts(codes), codes


@pytest.mark.parametrize("name", ASKED)
def test_every_critical_rule_fires_on_one_of_them(name: str) -> None:
    fired = {value.rule for code in EXAMPLES for value in evaluate(found(code), load(name))[0]}
    assert {rule.name for rule in load(name).rules if rule.grade == "critical"} == fired
