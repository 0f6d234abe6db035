"""The nine classes of CPSC 2018, from the statements of the pre-read, on any 12-lead set of the Challenge 2021."""

from pathlib import Path
from typing import Any, Final

from bench.accuracy.data import comments, headers, twelve_leads
from bench.accuracy.score import Counts, Table, halves
from ecg_center.contract.findings import Findings
from worker.resting import analyse

NEEDS = "12-lead records with '# Dx:' in the header, words of CPSC 2018 or SNOMED codes"
SNOMED: Final = {
    "426783006": "Normal", "164889003": "AF", "270492004": "I-AVB", "164909002": "LBBB", "733534002": "LBBB",
    "59118001": "RBBB", "713427006": "RBBB", "713426002": "RBBB", "284470004": "PAC", "63593006": "PAC",
    "427172004": "PVC", "17338001": "PVC", "164884008": "PVC", "429622005": "STD", "164931005": "STE",
}  # fmt: skip
CODES: Final[dict[str, tuple[str, ...]]] = {
    "AF": ("50", "50a", "50b", "50c", "50d"),
    "I-AVB": ("82",),
    "LBBB": ("104",),
    "RBBB": ("106", "105"),
    "PAC": ("30", "30a", "30b", "31", "36", "41"),
    "PVC": ("60", "60a", "60b", "60c", "60d", "60e", "60f", "60g", "71"),
    "STD": ("145b", "145c", "145d", "142b", "220", "220c", "220a", "226", "146"),
    "STE": ("145a", "160.330", "161.330", "162.330", "163.330", "163a.330", "165.330", "166.330", "200"),
}
NAMES_THE_LEADING: Final = ("A", "Q")
"""Records of CPSC 2018 and its extra set begin so. The other sets of the Challenge list whatever is seen."""
BESIDE: Final = frozenset(("145a", "145b", "145c", "145d", "142b", "146"))
"""ST deviation that speaks of no infarction or critical ischaemia."""
MINOR: Final = frozenset(("145c", "145d"))
"""Has a label of its own (428750005, nonspecific ST-T abnormality) in the other sets."""
NORMAL_UNLESS: Final = frozenset(
    ("51", "52", "55", "70", "74", "107", "108", "110", "109", "147a", "147b", "147c", "148", "88", "85", "208", "211")
)
"""Said of none that the readers of CPSC 2018 called normal, so that Normal is not what is left over."""


def run(folder: Path, options: Any) -> list[Table]:
    """Sensitivity, predictivity and F1 by class."""
    counts = {name: Counts() for name in ("Normal", *CODES)}
    harder = {name: Counts() for name in counts}
    n = 0
    wrong: list[list[Any]] = []
    for header in headers(folder):
        if options.half and halves(header.stem) != options.half:
            continue
        truth = labels(header)
        whole = twelve_leads(header)
        if not truth or whole is None:
            continue
        n += 1
        findings, leading = analyse(whole), header.stem[0] in NAMES_THE_LEADING
        said = predicted(findings, leading=leading)
        for kept, named in ((counts, said), (harder, predicted(findings, leading=leading, beside=True))):
            for name, count in kept.items():
                count.add(Counts(name in truth and name in named, name in truth and name not in named,
                                 name not in truth and name in named))  # fmt: skip
        if truth != said:
            wrong.append([header.stem, " ".join(sorted(truth)), " ".join(sorted(said))])
    note = "CPSC 2018 (A…, Q…): ST deviation counts where it is the leading finding; other sets: wherever it is said"
    table = Table(f"Nine classes, {n} records", ["class", "records", "Se %", "+P %", "F1"], note=note)
    for name, count in counts.items():
        if count.tp + count.fn:
            table.rows.append([name, count.tp + count.fn, count.se, count.ppv, count.f1])
            table.figures[f"{name}.f1"] = count.f1
    scores = list(table.figures.values())
    table.figures["mean_f1"] = sum(scores) / max(1, len(scores))
    table.figures["min_f1"] = min(scores, default=0.0)
    table.rows.append(["mean", n, "", "", table.figures["mean_f1"]])
    f1 = {name: count.f1 for name, count in harder.items() if count.tp + count.fn}
    table.figures |= {
        "beside.mean_f1": sum(f1.values()) / max(1, len(f1)),
        "beside.min_f1": min(f1.values(), default=0.0),
    }
    deviations = ", ".join(f"{name} {f1[name]:.2f}" for name in ("STD", "STE") if name in f1)
    table.note += f"; counted beside another class, too: mean {table.figures['beside.mean_f1']:.2f}, {deviations}"
    listed = Table("Records where label and statements differ", ["record", "label", "said"], wrong)
    return [table] if options.quick else [table, listed]


def labels(header: Path) -> set[str]:
    """The record's classes; those outside the nine are left out, a normal rhythm counts only where it stands alone."""
    words = [word.strip() for word in comments(header).get("Dx", "").split(",") if word.strip()]
    if any(word in SNOMED for word in words):
        named = {SNOMED[word] for word in words if word in SNOMED}
        return named - {"Normal"} if len(words) > 1 else named
    return {word for word in words if word in CODES or word == "Normal"}


def predicted(findings: Findings, *, leading: bool = True, beside: bool = False) -> set[str]:
    """The classes that the statements say.

    ``leading``: as the readers of CPSC 2018 named them. They named the leading finding: none of our 100 records carries
    two classes, of 13 with fibrillation none says the ST depression that 11 show, of 12 with ventricular extrasystoles
    none the ST deviation that five show. So it counts only where none of the other seven does. Right bundle branch
    block has no "incomplete" beside it. ``beside``: ST deviation counts beside another class all the same.
    """
    codes = {statement.code for statement in findings.statements} - (frozenset() if leading else MINOR)
    named = {name for name, mine in CODES.items() if codes & set(mine)}
    if leading and not beside and named - {"STD", "STE"}:
        named -= {name for name in ("STD", "STE") if not codes & (set(CODES[name]) - BESIDE)}
    return named or (set() if codes & NORMAL_UNLESS or not codes else {"Normal"})
