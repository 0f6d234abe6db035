"""What is wrong at this gateway right now, in words that a person can act on?"""

import threading
from datetime import UTC, datetime

import structlog

log = structlog.get_logger(__name__)

MAX_PROBLEMS = 20
"""The heartbeat names the first twenty; who has more has one cause behind them."""


class Health:
    """The open problems by part; told in the heartbeat, logged once when they come and once when they go."""

    def __init__(self) -> None:
        self._problems: dict[str, str] = {}
        self._mutex = threading.Lock()
        self.started_at = datetime.now(UTC)

    def report(self, part: str, problem: str) -> None:
        """This part has a problem."""
        with self._mutex:
            known = self._problems.get(part)
            self._problems[part] = problem
        if known != problem:
            log.warning("problem", part=part, problem=problem)

    def clear(self, part: str) -> None:
        """This part is well."""
        with self._mutex:
            was = self._problems.pop(part, None)
        if was is not None:
            log.info("problem over", part=part, was=was)

    def problems(self) -> list[str]:
        """All open problems, one sentence each."""
        with self._mutex:
            return [f"{part}: {problem}" for part, problem in sorted(self._problems.items())][:MAX_PROBLEMS]
