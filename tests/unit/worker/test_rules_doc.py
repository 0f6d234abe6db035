from pathlib import Path

from worker.rules_doc import as_markdown

WRITTEN = Path(__file__).resolve().parents[3] / "docs" / "statements.md"


def test_the_document_is_what_the_tables_say():
    assert WRITTEN.read_text("utf-8") == as_markdown(), "run: python -m worker.rules_doc > docs/statements.md"
