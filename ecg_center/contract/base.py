"""Which rules hold for every message on the wire?"""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Instant = AwareDatetime


class Message(BaseModel):
    """A message that is refused whole when it carries anything unknown, so that a typo is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def utc_iso(instant: datetime) -> str:
    """The instant as ISO 8601 in UTC with milliseconds."""
    if instant.tzinfo is None:
        raise ValueError("a wire instant carries its time zone")
    return instant.isoformat(timespec="milliseconds")
