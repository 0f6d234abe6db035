"""Which DICOM numbers, codes and classes does a waveform object use? (PS3.3 C.10.9 and A.34, PS3.6, PS3.16 CID 3001)"""

import re
from typing import Final

from worker.leads import NUMBERS

SOP_CLASSES: Final = {
    "1.2.840.10008.5.1.4.1.1.9.1.1": "12-lead ECG Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.1.2": "General ECG Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.1.3": "Ambulatory ECG Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.1.4": "General 32-bit ECG Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.2.1": "Hemodynamic Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.3.1": "Basic Cardiac EP Waveform Storage",
}
AMBULATORY: Final = "1.2.840.10008.5.1.4.1.1.9.1.3"

ECG_CLASSES: Final = frozenset({f"1.2.840.10008.5.1.4.1.1.9.1.{number}" for number in (1, 2, 3, 4)})
"""12-lead, General, Ambulatory, General 32-bit: what they hold in volts is an ECG lead, whatever it is called."""
OTHER_CLASSES: Final = {
    "1.2.840.10008.5.1.4.1.1.104.1": "an encapsulated PDF",
    "1.2.840.10008.5.1.4.1.1.7": "a picture (secondary capture)",
    "1.2.840.10008.5.1.4.1.1.88.11": "a structured report",
    "1.2.840.10008.5.1.4.1.1.88.22": "a structured report",
    "1.2.840.10008.5.1.4.1.1.88.33": "a structured report",
}

ACQUISITION_DATETIME: Final = 0x0008002A
CONTENT_DATE: Final = 0x00080023
CONTENT_TIME: Final = 0x00080033
STUDY_DATE: Final = 0x00080020
STUDY_TIME: Final = 0x00080030
TIMEZONE_OFFSET: Final = 0x00080201
SOP_CLASS: Final = 0x00080016
ACCESSION_NUMBER: Final = 0x00080050
MANUFACTURER: Final = 0x00080070
INSTITUTION: Final = 0x00080080
STATION: Final = 0x00081010
OPERATORS: Final = 0x00081070
MODEL: Final = 0x00081090
PATIENT_NAME: Final = 0x00100010
PATIENT_ID: Final = 0x00100020
BIRTH_DATE: Final = 0x00100030
SEX: Final = 0x00100040
AGE: Final = 0x00101010
SERIAL: Final = 0x00181000
SOFTWARE: Final = 0x00181020

WAVEFORM_SEQUENCE: Final = 0x54000100
GROUP_TIME_OFFSET_MS: Final = 0x00181068
ORIGINALITY: Final = 0x003A0004
CHANNELS: Final = 0x003A0005
SAMPLES: Final = 0x003A0010
SAMPLING_HZ: Final = 0x003A001A
GROUP_LABEL: Final = 0x003A0020
BITS_ALLOCATED: Final = 0x54001004
INTERPRETATION: Final = 0x54001006
PADDING: Final = 0x5400100A
DATA: Final = 0x54001010
CHANNEL_DEFINITIONS: Final = 0x003A0200
CHANNEL_LABEL: Final = 0x003A0203
CHANNEL_SOURCE: Final = 0x003A0208
SENSITIVITY: Final = 0x003A0210
SENSITIVITY_UNITS: Final = 0x003A0211
CORRECTION: Final = 0x003A0212
BASELINE: Final = 0x003A0213
TIME_SKEW_S: Final = 0x003A0214
SAMPLE_SKEW: Final = 0x003A0215
CHANNEL_OFFSET_S: Final = 0x003A0218
CHANNEL_DERIVATION: Final = 0x003A020C
BITS_STORED: Final = 0x003A021A
FILTER_LOW: Final = 0x003A0220
FILTER_HIGH: Final = 0x003A0221
FILTER_NOTCH: Final = 0x003A0222

ANNOTATIONS: Final = 0x0040B020
CODE_VALUE: Final = 0x00080100
CODE_SCHEME: Final = 0x00080102
CODE_MEANING: Final = 0x00080104
CONCEPT_NAME: Final = 0x0040A043
CONCEPT_CODE: Final = 0x0040A168
UNITS_CODE: Final = 0x004008EA
NUMERIC_VALUE: Final = 0x0040A30A
TEXT_VALUE: Final = 0x00700006
RANGE_TYPE: Final = 0x0040A130
REFERENCED_CHANNELS: Final = 0x0040A0B0
REFERENCED_SAMPLES: Final = 0x0040A132
REFERENCED_OFFSETS_S: Final = 0x0040A138

SAMPLE_TYPES: Final = {
    ("SB", 8): "i1",
    ("UB", 8): "u1",
    ("SS", 16): "i2",
    ("US", 16): "u2",
    ("SL", 32): "i4",
    ("UL", 32): "u4",
}
"""(interpretation, bits allocated): the sample's type (PS3.3 table C.10-10)."""
DERIVED_FROM_I_AND_II: Final = "computed from leads I and II"
"""Channel Derivation Description (003A,020C) of a lead that was not recorded but derived here."""
GROUP_CHANNELS: Final = 24
"""Channels of one multiplex group at most where there are several (PS3.3 A.34.4.4.3)."""
OWN_CODES: Final = "99ECGC"
"""The coding scheme of our own codes; the meaning of a measurement in it is our name."""
GAP_LABEL: Final = "not measured"
"""The annotation of samples that are no ECG although the device put numbers there."""
COMPANDED: Final = {"MB": "8-bit mu-law", "AB": "8-bit A-law"}

MICROVOLTS: Final = {"nV": 1e-3, "uV": 1.0, "µV": 1.0, "μV": 1.0, "mV": 1e3, "V": 1e6}
"""UCUM code of a voltage: how many microvolts it is."""

_SCP_LEAD: Final = re.compile(r"^5\.6\.3-9-(\d{1,3})$")
_MDC_LEAD: Final = re.compile(r"^2:(\d{1,3})$")

MEASUREMENTS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.I), name)
    for pattern, name in (
        (r"^(global )?p (wave )?dur", "p_ms"),
        (r"^(global )?p-?[rq] (int|dur)", "pr_ms"),
        (r"^(global )?qrs (int|dur)", "qrs_ms"),
        (r"^(global )?qt ?c( |$)|corrected qt", "qtc_ms"),
        (r"^(global )?qt( int| dur|$)", "qt_ms"),
        (r"^(mean |average )?r-?r (int|dur)", "rr_mean_ms"),
        (r"(vent\w*|heart) rate", "heart_rate_bpm"),
        (r"atrial rate", "atrial_rate_bpm"),
        (r"^p (front\w* )?axis", "p_axis_deg"),
        (r"^qrs (front\w* )?axis", "qrs_axis_deg"),
        (r"^t (front\w* )?axis", "t_axis_deg"),
    )
)
"""What the code's meaning looks like, and our name of the measurement. Codes differ between vendors, words hardly."""


def lead_of_code(value: str) -> str | None:
    """The lead that a channel source code names, by SCPECG or MDC numbers."""
    match = _SCP_LEAD.match(value) or _MDC_LEAD.match(value)
    return NUMBERS.get(int(match[1])) if match else None


def measurement_name(meaning: str) -> str | None:
    """Our name of the measurement that a code's meaning describes."""
    return next((name for pattern, name in MEASUREMENTS if pattern.search(meaning)), None)
