"""Each statement is said by an engine, or named with the reason why only a physician says it."""

import ast
import re
from pathlib import Path

from ecg_center.domain.statements import TERMS
from worker.physician_only import PHYSICIAN_ONLY
from worker.resting.infarction import TERRITORIES

ROOT = Path(__file__).parents[3]
ENGINES = (ROOT / "worker" / "resting", ROOT / "worker" / "holter", ROOT / "worker" / "pressure")
EXCHANGED = ROOT / "ecg_center" / "preread" / "exchanged.py"
NO_RULES = ("together.py", "selvester.py")
"""What is said together, what is left out, where points are not counted: tables that name codes which nobody says."""
CODE = re.compile(r"\d{1,3}[a-h]?(\.33\d)?")


def literals(path: Path) -> set[str]:
    """Every string of a file that is a code."""
    tree = ast.parse(path.read_text("utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if CODE.fullmatch(text)}


def said() -> set[str]:
    files = [path for folder in ENGINES for path in folder.rglob("*.py") if path.name not in NO_RULES]
    codes = set().union(*(literals(path) for path in (*files, EXCHANGED)))
    walls = {f"{wall}.{age}" for wall, _, _ in TERRITORIES for age in ("332", "333")}
    return (codes | walls | {"103a", "103b", "141a", "144"}) & TERMS.keys()


def test_every_statement_is_an_engines_or_the_physicians() -> None:
    assert TERMS.keys() - said() == PHYSICIAN_ONLY.keys()


def test_every_reason_is_a_sentence_that_names_known_codes() -> None:
    for code, reason in PHYSICIAN_ONLY.items():
        assert len(reason) > 20, code
        for named in re.findall(r"\b\d{2,3}[a-h]?\b", reason):
            assert named in TERMS, (code, named)
