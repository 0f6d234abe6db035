import xml.etree.ElementTree as ET

import numpy as np

from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate.generator import LEADS, generate
from worker.cli import main
from worker.drawing import save
from worker.recording import Recording
from worker.resting import analyse
from worker.resting.plot import as_svg
from worker.resting.say import evidence, say


def page(name):
    samples = np.asarray(generate(name, seed=1).samples_uv).astype(np.int16)
    recording = Recording("simulated", "resting", LEADS, samples, np.ones(12), np.zeros(12), 500.0)
    findings = analyse(recording)
    return findings, as_svg(recording, findings)


def test_the_page_is_svg_with_every_lead_and_every_statement():
    for name in ("rbbb", "ventricular-fibrillation", "lead-off"):
        findings, text = page(name)
        root = ET.fromstring(text)
        words = " ".join(node.text or "" for node in root.iter() if node.tag.endswith("text"))
        assert all(lead in words for lead in LEADS)
        assert all(statement.code in words for statement in findings.statements)


def words_of(text):
    return [node.text or "" for node in ET.fromstring(text).iter() if node.tag.endswith("text")]


def test_the_page_shows_beats_intervals_limits_and_levels():
    findings, text = page("rbbb")
    words = words_of(text)
    first, second = findings.beats_s[:2]
    assert f"{1000 * (second - first):.0f}" in words
    assert {"P", "QRS", "T"} <= set(words)
    assert sum(word.startswith("J ") for word in words) == len(findings.measurements.st_j_mv)
    assert f"{findings.measurements.qrs_ms:g}" in words


def test_beats_have_their_letters_and_u_its_place():
    findings, text = page("ventricular-premature")
    assert words_of(text).count("V") == findings.beat_kinds.count("V") > 0
    samples = np.asarray(generate("ventricular-premature", seed=1).samples_uv).astype(np.int16)
    recording = Recording("simulated", "resting", LEADS, samples, np.ones(12), np.zeros(12), 500.0)
    assert "U" not in words_of(text)
    limits = findings.median_beat_fiducials
    later = {"u_on_s": limits.r_s + 0.40, "u_peak_s": limits.r_s + 0.48, "u_off_s": limits.r_s + 0.58}
    marked = findings.model_copy(
        update={
            "beat_kinds": "FPQ",
            "beats_s": [1.0, 2.0, 3.0],
            "median_beat_fiducials": limits.model_copy(update=later),
        }
    )
    assert {"F", "P", "Q", "U"} <= set(words_of(as_svg(recording, marked)))


def test_a_page_without_a_median_beat_says_so():
    _, text = page("ventricular-fibrillation")
    assert any("no median beat" in word for word in words_of(text))
    assert any("CRITICAL" in word for word in words_of(text))


def test_of_a_longer_recording_the_page_shows_where_the_evidence_is():
    samples = np.tile(np.asarray(generate("sinus", seed=1).samples_uv), 3).astype(np.int16)
    recording = Recording("simulated", "resting", LEADS, samples, np.ones(12), np.zeros(12), 500.0)
    late = say("60", evidence(leads=["II"], start_s=23.0, end_s=23.5))
    findings = analyse(recording).model_copy(update={"statements": [late], "critical": []})
    words = words_of(as_svg(recording, findings))
    assert "18 s" in words
    assert any(word.startswith("18 to 28 s of 30 s") for word in words)
    assert "60" in words


def test_names_that_would_break_the_page_do_not(tmp_path):
    samples = np.asarray(generate("sinus", seed=1).samples_uv).astype(np.int16)
    name = 'A<&>"\x00\x1b王\ufffe'
    who = RecordingIdentity(patient_name=name)
    recording = Recording("x", "resting", LEADS, samples, np.ones(12), np.zeros(12), 500.0, identity=who)
    text = as_svg(recording, analyse(recording))
    assert 'A<&>" 王' in " ".join(words_of(text))
    save(text, tmp_path / "page.png")


def test_read_writes_the_page(tmp_path, ecg_data):
    target = tmp_path / "page.svg"
    source = sorted((ecg_data / "ludb" / "data").glob("*.hea"))[0]
    assert main(["read", str(source), "--plot", str(target)]) == 0
    assert target.read_text("utf-8").startswith("<svg")
