"""What has a worker to be told?"""

from typing import ClassVar

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from ecg_center.contract.settings import Section


class WorkerSettings(Section):
    """``[worker]``: one process that pre-reads recordings; run as many as there are cores to spare."""

    section: ClassVar[str] = "worker"
    model_config = SettingsConfigDict(env_prefix="ECG_WORKER_", extra="forbid", frozen=True)

    name: str = Field("ecg-worker", min_length=1, max_length=64, description="The worker's name in the timeline.")
    concurrency: int = Field(
        2, ge=1, le=16, description="How many recordings one process reads at a time; signal work holds one core each."
    )
    long_recordings: bool = Field(
        True, description="Whether this process also reads recordings of hours and days, one at a time behind the rest."
    )
    pressure_guideline: str = Field(
        "china_2020",
        description="Which set of worker/pressure/thresholds judges ambulatory blood pressure, or a TOML file's path.",
    )
    pressure_narrow_hours: bool = Field(
        False, description="Day and night by the guideline's narrow hours where neither diary nor recorder says them."
    )
    rule_set: str = Field(
        "national_2017", description="Which rule set of worker/critical_rules says what a critical value is."
    )
