import xml.etree.ElementTree as ET

import numpy as np

from gateway.simulate.generator import LEADS, generate
from worker.cli import main
from worker.recording import Recording
from worker.resting import analyse
from worker.resting.plot import as_svg


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


def test_read_writes_the_page(tmp_path, ecg_data):
    target = tmp_path / "page.svg"
    source = sorted((ecg_data / "ludb" / "data").glob("*.hea"))[0]
    assert main(["read", str(source), "--plot", str(target)]) == 0
    assert target.read_text("utf-8").startswith("<svg")
