"""Which statements does no engine say, and why is each left to the physician?

A word that a machine cannot stand for is still a word that a report may need. Each is named here with its reason, so
that a statement which nobody can say is a decision, never an oversight; ``docs/statements.md`` prints the table, and a
test fails where an engine begins to say one of them, or stops saying another.
"""

from typing import Final

_OTHER_WORD: Final = "a wider word for what the engine says by a narrower one"
_QUALITY: Final = "told by the verdict on each lead and the advice to the technician"
_PLACED: Final = "the leads of the recording tell it"
_CONCLUSION: Final = "the conclusion of the report, which follows from what else is said"

PHYSICIAN_ONLY: Final[dict[str, str]] = {
    "36": "a premature beat of the junction and of the atria differ by a P that ten seconds seldom show: 30 is said",
    "40a": "the measured rate, and what the lists of critical values say of it",
    "40b": "the measured rate, and what the lists of critical values say of it",
    "41": _OTHER_WORD,
    "66": "needs intervals that are multiples of one over minutes, with fusion: judged from the day's trace",
    "100": "whether a broad early beat is aberrant or ventricular is what the physician is asked: 30 or 60 is said",
    "108a": "ten seconds seldom hold both ways of conduction, and a day's beats are named by a person",
    "111": "so small a wave behind the QRS of V1 needs averaging over minutes to be told from noise",
    "121a": "a left axis within the normal limits is no finding by the AHA's definition, which the engine follows",
    "123": "where no axis can be measured none is shown",
    "129a": "a position of the heart, no disease; the amplitudes of every lead are shown",
    "129b": "a position of the heart, no disease; the amplitudes of every lead are shown",
    "131": "the axis of P is shown; what it means is said as rhythm (34, 38) or as enlargement (140, 141)",
    "145d": _OTHER_WORD,
    "146": _OTHER_WORD,
    "147d": "said as Wellens' pattern where it is dangerous (220b)",
    "147e": _OTHER_WORD,
    "153": "ST and T are not judged beside what makes them secondary (104, 106, 107, 108, 142b)",
    "164a": "a Q that is an infarction's is said by its wall and age; another one is shown by size and length",
    "185": "an atrial pulse that nothing answers is seen as failure of capture (186) only where the atria are seen",
    "190": "a pulse that should have come leaves nothing in the trace: the programmed rate has to be known",
    "226": "a diagnosis from the course and the symptoms; the acute pattern is 220",
    "2": _CONCLUSION,
    "2a": _CONCLUSION,
    "3": _CONCLUSION,
    "228": "a judgement on what else was said",
    "12": _QUALITY,
    "13": _PLACED,
    "14": _QUALITY,
    "16": _PLACED,
}
"""Code, and why no engine says it."""
