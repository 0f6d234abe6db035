"""What is a lead called, and which leads follow from others?

The names are those of the report: I, II, III, aVR, aVL, aVF, V1 to V6, then right and posterior leads (V3R, V7 …).
Anything else keeps the name that the device gave it.
"""

import re
from typing import Final

from ecg_center.domain.leads import STANDARD

TWELVE: Final = STANDARD

DERIVED_LIMB: Final[dict[str, tuple[int, int, int]]] = {
    "III": (-1, 1, 1),
    "aVR": (-1, -1, 2),
    "aVL": (2, -1, 2),
    "aVF": (-1, 2, 2),
}
"""Lead: (a, b, d) with lead = (a × I + b × II) / d, from Einthoven's and Goldberger's definitions.

III = II − I; aVR = −(I + II)/2; aVL = I − II/2; aVF = II − I/2.
"""

NUMBERS: Final[dict[int, str]] = {
    1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6", 9: "V7", 10: "V2R", 11: "V3R", 12: "V4R",
    13: "V5R", 14: "V6R", 15: "V7R", 16: "X", 17: "Y", 18: "Z", 19: "CC5", 20: "CM5", 61: "III", 62: "aVR", 63: "aVL",
    64: "aVF", 66: "V8", 67: "V9", 68: "V8R", 69: "V9R", 87: "V", 88: "VR", 89: "VL", 90: "VF", 91: "MCL", 92: "MCL1",
    93: "MCL2", 94: "MCL3", 95: "MCL4", 96: "MCL5", 97: "MCL6", 98: "CC", 99: "CC1", 100: "CC2", 101: "CC3", 102: "CC4",
    103: "CC6", 104: "CC7", 105: "CM", 106: "CM1", 107: "CM2", 108: "CM3", 109: "CM4", 110: "CM6", 121: "CM7",
    122: "CH5", 125: "CR5", 131: "ES", 132: "AS", 133: "AI",
}  # fmt: skip
"""Number of a lead in SCP-ECG (EN 1064 section 5.6.3), MDC partition 2 (ISO/IEEE 11073-10101) and DICOM's CID 3001."""

_KNOWN: Final = {name.upper(): name for name in (*TWELVE, "V7", "V8", "V9", "V2R", "V3R", "V4R", "V5R", "V6R", "V7R")}
_PREFIX: Final = re.compile(
    r"^(MDC_ECG_LEAD_|MDC_ECG_ELEC_POTL_|LEAD[ _]|ECG[ _]LEAD[ _]|ECG[ _]|ABLEITUNG |导联)", re.I
)
_RIGHT: Final = re.compile(r"^V([2-7]) ?R$|^RV([2-7])$")


def standard_name(written: str) -> str:
    """The lead's name as we use it, from what a device wrote; unknown names come back trimmed and unchanged.

    >>> [standard_name(name) for name in ("Lead II", "MDC_ECG_LEAD_AVR", "avf", "v1", "rV3", "Resp")]
    ['II', 'aVR', 'aVF', 'V1', 'V3R', 'Resp']
    """
    trimmed = written.strip(" \t\r\n\0")
    bare = _PREFIX.sub("", trimmed).strip()
    upper = bare.upper().replace("LEAD", "").strip(" _-")
    if match := _RIGHT.match(upper):
        upper = f"V{match[1] or match[2]}R"
    return _KNOWN.get(upper, trimmed)


def is_ecg(name: str) -> bool:
    """Whether this is one of the named surface leads."""
    return name in _KNOWN.values()
