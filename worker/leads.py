"""What is a lead called, and which leads follow from others?

The names are those of the report: I, II, III, aVR, aVL, aVF, V1 to V6, then right and posterior leads (V3R, V7 …).
Anything else keeps the name that the device gave it.
"""

import re
from typing import Final

LIMB: Final = ("I", "II", "III", "aVR", "aVL", "aVF")
PRECORDIAL: Final = ("V1", "V2", "V3", "V4", "V5", "V6")
TWELVE: Final = LIMB + PRECORDIAL

DERIVED_LIMB: Final[dict[str, tuple[int, int, int]]] = {
    "III": (-1, 1, 1),
    "aVR": (-1, -1, 2),
    "aVL": (2, -1, 2),
    "aVF": (-1, 2, 2),
}
"""Lead: (a, b, d) with lead = (a × I + b × II) / d, from Einthoven's and Goldberger's definitions.

III = II − I; aVR = −(I + II)/2; aVL = I − II/2; aVF = II − I/2.
"""

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
