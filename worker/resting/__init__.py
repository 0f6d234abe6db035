"""The pre-read of a resting ECG: ``analyse(recording, patient) -> Findings``."""

from worker.resting.analysis import ENGINE, ENGINE_VERSION, analyse
from worker.resting.patient import Patient

__all__ = ["ENGINE", "ENGINE_VERSION", "Patient", "analyse"]
