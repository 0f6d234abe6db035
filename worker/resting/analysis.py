"""Recording → findings: the one way through the resting pre-read.

traces → quality → beats → median beat → limits → rhythm → measurements → words → critical values. A later engine
replaces what stands behind :func:`analyse` and keeps its signature.
"""

from typing import Final

from ecg_center.contract.findings import Findings, Quality, Statement
from ecg_center.domain.statements import TERMS
from worker.critical import DEFAULT, evaluate, load
from worker.recording import Recording
from worker.resting.alternans import alternans
from worker.resting.beat_classes import beat_classes
from worker.resting.high_electrodes import high_electrodes
from worker.resting.j_waves import j_waves
from worker.resting.measure import fiducials, measure
from worker.resting.morphology import frontal_axis_deg, morphology
from worker.resting.patient import Patient, person_of
from worker.resting.patterns import patterns
from worker.resting.qrs_alternans import qrs_alternans
from worker.resting.quality import doubting_the_rate, verdict, wrong_rate
from worker.resting.reading import Reading, read_signal
from worker.resting.repolarisation import repolarisation
from worker.resting.reversal import suspected_reversal
from worker.resting.rhythm import Rhythm, rhythm_of
from worker.resting.say import evidence, say
from worker.resting.selvester import CONFOUNDED, selvester_points
from worker.resting.together import settled
from worker.resting.traces import prepare
from worker.resting.u_wave import u_wave
from worker.resting.ventricular import name_ventricular

ENGINE: Final = "resting"
ENGINE_VERSION: Final = "1.0"

MIN_DURATION_S: Final = 2.0
NO_STRUCTURE: Final = ("vf", "vt", "wide_tachycardia", "standstill", "none", "ventricular")
"""Rhythms of which the shape of the QRS, ST and T says nothing by the usual rules."""
REVERSAL_CODES: Final = {"RA/LA": "10a", "RA/LL": "10b", "LA/LL": "10c"}


def analyse(recording: Recording, patient: Patient | None = None, *, rule_set: str = DEFAULT) -> Findings:
    """What a resting recording says; the order's sex and birth date outrank those written in the file.

    Raises:
        RuleSetError: there is no rule set of this name.
    """
    rules = load(rule_set)
    if recording.kind != "resting" or recording.duration_s < MIN_DURATION_S:
        return _not_analysed(recording)
    traces = prepare(recording)
    reading = read_signal(traces, person_of(recording, patient or Patient()), calibrated=recording.calibrated)
    rhythm = rhythm_of(reading)
    name_ventricular(reading, rhythm)
    pair, dextrocardia = suspected_reversal(reading, rhythm)
    readable = bool(reading.rows) and rhythm.name != "none"
    quality = verdict(reading.qualities, None if dextrocardia else pair, readable=readable)
    u = u_wave(reading, rhythm)
    measured = measure(reading, rhythm, u)
    if wrong_rate(measured, of_a_child=reading.norms.of_a_child):
        quality = doubting_the_rate(quality)
    statements = _statements(reading, rhythm, quality, dextrocardia=dextrocardia)
    if _scar_alone(reading, rhythm, statements):
        points = selvester_points(reading.waves, measured.qrs_ms)
        measured = measured.model_copy(update={"selvester_points": points})
    findings = Findings(
        engine=ENGINE,
        engine_version=ENGINE_VERSION,
        kind="resting",
        duration_s=round(recording.duration_s, 3),
        sampling_hz=recording.sampling_hz,
        leads=list(recording.leads),
        quality=quality,
        measurements=measured,
        statements=statements,
        grade="normal",
        beats_s=[round(float(at), 4) for at in reading.at_s] if rhythm.name not in ("vf", "standstill") else [],
        beat_kinds=beat_classes(reading, rhythm),
        median_beat_fiducials=fiducials(reading, rhythm, u),
        warnings=list(recording.warnings),
        device_measurements=dict(recording.device_measurements),
        device_statements=list(recording.device_statements),
    )
    critical, grade = evaluate(findings, rules)
    return findings.model_copy(update={"critical": critical, "grade": grade})


def _statements(reading: Reading, rhythm: Rhythm, quality: Quality, *, dextrocardia: bool) -> list[Statement]:
    found = list(rhythm.statements)
    escape = any(statement.code == "63" for statement in found)  # its QRS tells of the ventricle that it comes from
    # two exchanged chest electrodes hide nothing: an infarction that looks like it is said beside the doubt
    in_place = quality.suspected_reversal not in REVERSAL_CODES
    if rhythm.name not in NO_STRUCTURE and not escape and in_place:
        shape = morphology(reading, rhythm)
        found += shape + repolarisation(reading, rhythm, shape)
        codes = {statement.code for statement in found}
        found += patterns(reading, rhythm, codes, frontal_axis_deg(reading))
        found += j_waves(reading, rhythm, codes)
        found += alternans(reading, rhythm) + qrs_alternans(reading, rhythm)
    if dextrocardia:
        found.append(say("230", evidence(leads=["I", "V6"]), certainty="possible"))
    if quality.suspected_reversal:
        found.append(say(REVERSAL_CODES.get(quality.suspected_reversal, "11"), certainty="probable"))
    if rhythm.name == "none":
        found.append(say("4", evidence(leads=[lead.lead for lead in quality.leads if lead.verdict != "good"])))
    elif quality.verdict == "usable" and _is_normal(found):
        found.append(say("1"))
    if not quality.suspected_reversal:
        found += high_electrodes(reading, rhythm)
    return settled(found)


def _scar_alone(reading: Reading, rhythm: Rhythm, statements: list[Statement]) -> bool:
    """Whether nothing else makes what would be counted as scar; in children other waves are usual."""
    readable = rhythm.name not in NO_STRUCTURE and reading.calibrated and not reading.norms.of_a_child
    return readable and CONFOUNDED.isdisjoint(statement.code for statement in statements)


def _is_normal(found: list[Statement]) -> bool:
    """Whether nothing but a normal rhythm was said."""
    return bool(found) and all(TERMS[statement.code].overall == "normal" for statement in found)


def _not_analysed(recording: Recording) -> Findings:
    """The trace is there for a person to read; nothing is said of it, and never "normal"."""
    reason = (
        f"a {recording.kind} recording is not analysed by the resting engine"
        if recording.kind != "resting"
        else f"{recording.duration_s:.1f} s are too short to be analysed"
    )
    return Findings(
        engine=ENGINE,
        engine_version=ENGINE_VERSION,
        kind=recording.kind,
        duration_s=round(recording.duration_s, 3),
        sampling_hz=recording.sampling_hz,
        leads=list(recording.leads),
        quality=Quality(verdict="limited"),
        grade="abnormal",
        warnings=[*recording.warnings, reason],
        device_measurements=dict(recording.device_measurements),
        device_statements=list(recording.device_statements),
    )
