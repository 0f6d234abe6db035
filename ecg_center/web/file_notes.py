"""What does a reader's note on a device file say in Chinese? ``locale/file_notes_zh.toml``, by sentence.

The notes come from the worker in English with what they name filled in, and are stored so; here the sentence is found
again. A note that is not in the table is shown as it is: better English than nothing.
"""

import re
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from ecg_center.web.i18n import Language

TABLE: Final = Path(__file__).parent / "locale" / "file_notes_zh.toml"
MOST_KEPT: Final = 4096


def note_in(note: str, language: Language) -> str:
    """The note in this language.

    >>> note_in("only the first of 3 strips was read", "zh")
    '共3条片段，只读取了第一条'
    """
    return note if language == "en" else _chinese(note)


@lru_cache(MOST_KEPT)
def _chinese(note: str) -> str:
    for pattern, sentence in _sentences():
        if match := pattern.fullmatch(note):
            return sentence.format(*match.groups())
    return note


@cache
def _sentences() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Every English sentence as a pattern; the one with the most fixed text is tried first."""
    table = tomllib.loads(TABLE.read_text("utf-8"))
    ordered = sorted(table.items(), key=lambda item: -len(item[0]))
    return tuple(
        (re.compile(re.escape(english).replace(r"\{\}", "(.+?)"), re.DOTALL), said) for english, said in ordered
    )
