import binascii
import struct
import time

import numpy as np
import pytest

from worker.formats import errors, ishne, read


def ishne_file(
    rows, codes=(5, 6, 15), steps=(2500, 2500, 2500), rate=200, text=b"", claimed=None, crc=None, recorder=b"HT-103",
    last=b"\xcd\xf5", first=b"\xd0\xa1\xc3\xf7",
):  # fmt: skip
    n_leads = len(rows)
    words = lambda values, fill: struct.pack("<12h", *values[:n_leads], *[fill] * (12 - n_leads))  # noqa: E731
    block = struct.pack(
        "<4ih40s40s20s2h3h3h3h3hh", len(text), rows.shape[1] if claimed is None else claimed, 522, 522 + len(text), 1,
        first, last, b"P-7", 2, 0, 28, 2, 1963, 5, 6, 2024, 6, 6, 2024, 7, 8, 9, n_leads,
    )  # fmt: skip
    block += words(codes, -9) + words([1] * n_leads, -9) + words(steps, -9)
    block += struct.pack("<h40sh80s80s88s", 0, recorder, rate, b"Maker", b"", b"") + text
    block_crc = binascii.crc_hqx(block, 0xFFFF) if crc is None else crc
    return b"ISHNE1.0" + struct.pack("<H", block_crc) + block + rows.T.astype("<i2").tobytes()


def rows(n_leads=3, n_samples=200 * 700, seed=1):
    return np.random.default_rng(seed).integers(-2000, 2000, (n_leads, n_samples)).astype(np.int16)


def annotation_file(beats, first=200):
    head = b"ANN  1.0" + struct.pack("<H", 0) + struct.pack("<4i", 0, len(beats), 522, 522)
    body = struct.pack("<I", first) + b"".join(struct.pack("<ccH", label, b"\0", step) for label, step in beats)
    return head.ljust(522, b"\0") + body


def test_every_word_and_sample():
    signal = rows()
    recording = read(ishne_file(signal, text=b"24 h, diary lost"))
    np.testing.assert_array_equal(recording.digital, signal)
    assert recording.format == "ishne"
    assert recording.kind == "holter"
    assert recording.leads == ("I", "II", "V5")
    assert set(recording.uv_per_lsb) == {2.5}
    assert recording.sampling_hz == 200
    assert recording.started_at.isoformat() == "2024-06-05T07:08:09+08:00"
    who = recording.identity
    assert (who.patient_id, who.patient_name, who.sex, who.birth_date) == ("P-7", "王小明", "F", "1963-02-28")
    assert (recording.device.model, recording.device.manufacturer) == ("HT-103", "Maker")
    assert recording.device_statements == ("24 h, diary lost",)
    assert recording.warnings == ("texts are not ASCII but no character set is declared; read as GB18030",)


def test_samples_agree_with_a_second_reader(tmp_path):
    reader = pytest.importorskip("ecgdatakit.parsing.parsers.ishne_holter", reason="ecgdatakit is not installed")
    path = tmp_path / "a.ecg"
    path.write_bytes(ishne_file(rows(), text=b"note"))
    theirs = reader.ISHNEHolterParser().parse(path)
    np.testing.assert_array_equal(read(path).digital, [lead.samples for lead in theirs.leads])


@pytest.mark.parametrize("cut", [1, 6, 4001, 400_000])
def test_a_file_that_was_cut_is_read_as_far_as_it_goes(cut):
    signal = rows()
    recording = read(ishne_file(signal)[:-cut])
    np.testing.assert_array_equal(recording.digital, signal[:, : recording.n_samples])
    assert recording.kind == "holter"
    assert recording.n_samples == signal.shape[1] - -(-cut // 6)
    assert any("cut" in warning for warning in recording.warnings)


@pytest.mark.parametrize("keep", [8, 100, 521, 522, 524])
def test_a_file_cut_before_its_samples_is_refused(keep):
    with pytest.raises(errors.TruncatedRecording):
        read(ishne_file(rows())[:keep])


def test_checksum_in_either_order_wrong_and_absent():
    raw = ishne_file(rows())
    swapped = raw[:8] + raw[8:10][::-1] + raw[10:]
    assert not any("checksum" in warning for warning in read(swapped).warnings)
    assert not any("checksum" in warning for warning in read(ishne_file(rows(), crc=0)).warnings)
    wrong = read(ishne_file(rows(), crc=0x1234))
    assert any("checksum of the header is wrong" in warning for warning in wrong.warnings)


def test_length_in_samples_of_all_leads_is_no_cut():
    signal = rows()
    assert not any("announces" in warning for warning in read(ishne_file(signal, claimed=signal.size)).warnings)
    more = read(ishne_file(signal, claimed=1000))
    assert more.n_samples == signal.shape[1]
    assert any("all were read" in warning for warning in more.warnings)


def test_lead_faults_are_gaps_and_unknown_leads_are_numbered():
    signal = rows(4)
    signal[1, 1000:1200] = -32768
    recording = read(ishne_file(signal, codes=(0, 1, 19, -9), steps=(1000, 1000, 1000, 0)))
    assert recording.leads == ("channel 1", "channel 2", "AI", "channel 4")
    assert [(gap.start, gap.stop, gap.leads) for gap in recording.gaps] == [(1000, 1200, ("channel 2",))]
    assert not recording.calibrated


def test_beats_beside_the_recording(tmp_path):
    (tmp_path / "a.ecg").write_bytes(ishne_file(rows()))
    (tmp_path / "a.ann").write_bytes(annotation_file([(b"N", 0), (b"V", 100), (b"S", 160)]))
    marks = read(tmp_path / "a.ecg").annotations
    assert [(mark.label, mark.start_s) for mark in marks] == [
        ("normal beat", 1.0), ("ventricular ectopic beat", 1.5), ("supraventricular ectopic beat", 2.3),
    ]  # fmt: skip
    with pytest.raises(errors.NoWaveform, match=r"send the \.ecg"):
        read(tmp_path / "a.ann")


def test_a_day_of_three_leads_reads_at_more_than_100_megabytes_a_second():
    signal = rows(3, 250 * 86_400)
    raw = ishne_file(signal, rate=250)
    best = min(timed(raw) for _ in range(3))
    assert signal.nbytes / 1e6 / best > 100, f"{signal.nbytes / 1e6 / best:.0f} MB/s"


def timed(raw):
    start = time.perf_counter()
    ishne.read(raw)
    return time.perf_counter() - start


def test_a_text_as_long_as_a_day_is_not_believed():
    signal = rows(n_samples=4_000_000)
    data = bytearray(ishne_file(signal))
    struct.pack_into("<i", data, 10, 17 * 1024**2)
    recording = read(bytes(data))
    np.testing.assert_array_equal(recording.digital, signal)
    assert "its offset of the data was used" in recording.warnings[0]
