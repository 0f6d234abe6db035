"""What one line of a timeline says."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class TimelineLine(BaseModel):
    """One line: ``step_ms`` since the line before, ``total_ms`` since the first."""

    at: datetime
    what: str
    from_state: str | None
    to_state: str | None
    actor_kind: str
    actor_name: str
    source: str
    why: str
    step_ms: int
    total_ms: int
    data: dict[str, Any]
