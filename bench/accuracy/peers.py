"""What do other people's detectors say of the same signal? One that is not there is said."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Detector = Callable[[NDArray[np.float64], float], NDArray[np.int_]]


def detectors() -> tuple[dict[str, Detector], list[str]]:
    """(detector by name, what could not be loaded)."""
    found: dict[str, Detector] = {}
    missing: list[str] = []
    for names, load in ((("neurokit2",), _neurokit), (("wfdb",), _wfdb), (("sleepecg",), _sleepecg)):
        try:
            found |= load()
        except ImportError as error:
            missing.append(f"{names[0]}: {error}")
    return found, missing


def _neurokit() -> dict[str, Detector]:
    import neurokit2 as nk

    def default(mv: NDArray[np.float64], hz: float) -> NDArray[np.int_]:
        clean = nk.ecg_clean(mv, sampling_rate=round(hz))
        return np.asarray(nk.ecg_peaks(clean, sampling_rate=round(hz))[1]["ECG_R_Peaks"], int)

    def pan_tompkins(mv: NDArray[np.float64], hz: float) -> NDArray[np.int_]:
        clean = nk.ecg_clean(mv, sampling_rate=round(hz), method="pantompkins1985")
        found = nk.ecg_peaks(clean, sampling_rate=round(hz), method="pantompkins1985")[1]["ECG_R_Peaks"]
        return np.asarray(found, int)

    return {"neurokit2": default, "neurokit2 pantompkins": pan_tompkins}


def _wfdb() -> dict[str, Detector]:
    from wfdb import processing

    def xqrs(mv: NDArray[np.float64], hz: float) -> NDArray[np.int_]:
        return np.asarray(processing.xqrs_detect(mv, hz, verbose=False), int)

    def gqrs(mv: NDArray[np.float64], hz: float) -> NDArray[np.int_]:
        digital = np.rint(mv * 200).astype(int)
        return np.asarray(processing.gqrs_detect(d_sig=digital, fs=hz, adc_gain=200, adc_zero=0), int)

    return {"wfdb xqrs": xqrs, "wfdb gqrs (python)": gqrs}


def _sleepecg() -> dict[str, Detector]:
    from sleepecg import detect_heartbeats

    def detect(mv: NDArray[np.float64], hz: float) -> NDArray[np.int_]:
        return np.asarray(detect_heartbeats(mv, hz), int)

    return {"sleepecg": detect}
