"""Are critical values missed, and how often are they called without cause?"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.accuracy.classes import labels
from bench.accuracy.data import headers, twelve_leads
from bench.accuracy.score import Table
from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate.generator import LEADS, generate
from gateway.simulate.pathologies import Pathology
from worker.recording import Recording
from worker.resting import analyse

NEEDS = "12-lead records with '# Dx:' in the header"
BENIGN: Final = frozenset(("Normal", "RBBB", "I-AVB", "PAC"))
SEEDS: Final = range(100, 108)


def run(folder: Path, options: Any) -> list[Table]:
    """False alarms on benign real records; both on generated ones."""
    return [_real(folder), _generated(range(100, 102) if options.quick else SEEDS)]


def _real(folder: Path) -> Table:
    table = Table("Critical values on real records", ["record", "label", "fired"])
    benign = alarms = others = fired = 0
    for header in headers(folder):
        truth, whole = labels(header), twelve_leads(header)
        if whole is None:
            continue
        rules = [value.rule for value in analyse(whole).critical]
        if truth and truth <= BENIGN:
            benign += 1
            alarms += bool(rules)
        else:
            others += 1
            fired += bool(rules)
        if rules:
            table.rows.append([header.stem, " ".join(sorted(truth)) or "other", " ".join(rules)])
    table.figures = {
        "false_alarms": float(alarms),
        "benign_records": float(benign),
        "false_alarm_rate": alarms / max(1, benign),
        "other_records_fired": float(fired),
    }
    table.note = f"{alarms} of {benign} normal or benign records called; {fired} of {others} others"
    return table


def _generated(seeds: range) -> Table:
    table = Table("Critical values on generated records", ["pathology", "records", "missed", "false"])
    totals = [0, 0]
    for item in Pathology:
        missed = false = 0
        for seed in seeds:
            ecg = generate(item.value, seed=seed, sex="MF"[seed % 2], age_years=25 + 5 * (seed % 12))
            rules = {value.rule for value in analyse(as_recording(ecg)).critical}
            missed += bool(set(ecg.truth.critical) - rules)
            false += bool(rules) and not ecg.truth.critical
        totals = [totals[0] + missed, totals[1] + false]
        if missed or false:
            table.rows.append([item.value, len(seeds), missed, false])
    table.rows.append(["all", len(seeds) * len(Pathology), *totals])
    table.figures = {"generated.missed": float(totals[0]), "generated.false": float(totals[1])}
    return table


def as_recording(ecg: Any) -> Recording:
    """A generated ECG as a recording."""
    samples = np.asarray(ecg.samples_uv).astype(np.int16)
    ones, zeros = np.ones(len(samples)), np.zeros(len(samples))
    made = Recording("simulated", "resting", LEADS, samples, ones, zeros, float(ecg.sampling_hz))
    return replace(made, identity=RecordingIdentity(sex=ecg.sex, age_years=ecg.age_years))
