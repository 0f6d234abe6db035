"""What is written down of a decoded recording beside its samples?"""

from typing import Any

from worker.recording import Recording


def described(recording: Recording) -> dict[str, Any]:
    """``recording.waveform`` without the keys of its files: what a page says of the trace."""
    return {
        "format": recording.format,
        "kind": recording.kind,
        "sampling_hz": recording.sampling_hz,
        "n_samples": recording.n_samples,
        "leads": list(recording.leads),
        "derived": sorted(recording.derived),
        "filters": describe_filters(recording),
        "calibrated": recording.calibrated,
        "warnings": list(recording.warnings),
    }


def describe_filters(recording: Recording) -> list[str]:
    """The device's filters as a page prints them, e.g. ``0.05-150 Hz``, ``50 Hz notch``."""
    filters, said = recording.filters, []
    if filters.highpass_hz is not None and filters.lowpass_hz is not None:
        said.append(f"{filters.highpass_hz:g}-{filters.lowpass_hz:g} Hz")
    elif filters.highpass_hz is not None:
        said.append(f"≥{filters.highpass_hz:g} Hz")
    elif filters.lowpass_hz is not None:
        said.append(f"≤{filters.lowpass_hz:g} Hz")
    if filters.notch_hz is not None:
        said.append(f"{filters.notch_hz:g} Hz notch")
    return said
