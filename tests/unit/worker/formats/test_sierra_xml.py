import base64
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from sierra_files import TWELVE, base64_words, compressed, sierra, xli

from worker.formats import errors, philips_xli, read

FILES = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "formats" / "philips_xml"
real = pytest.mark.skipif(not FILES.is_dir(), reason=f"no real Sierra files in {FILES} (set ECG_DATA)")

ORACLE = {
    "sierra_129DYPRG.XML": "b63731d1532224641b1ac302b5e2fb1f364b150851daeafd95c84dfab52c8889",
    "sierra_3191723_ZZDEMOPTONLY_1-04_orig.xml": "a2bb703b31b4f6763eb2e604daad9433a9a11fbb94928ccb0f8e18b0516e2225",
}
"""SHA-256 over the little-endian int16 samples of twelve leads as ``sierraecg`` 0.4.0 (MIT) reads them."""


def leads(seed=1, n=1000):
    generator = np.random.default_rng(seed)
    rows = generator.integers(-40, 40, (12, n)).cumsum(axis=1) // 2
    rows[2] = rows[1] - rows[0]
    rows[3] = -(rows[0] + rows[1]) // 2
    rows[4] = (rows[0] - rows[2]) // 2
    rows[5] = (rows[1] + rows[2]) // 2
    return dict(zip(TWELVE, rows, strict=True))


@real
@pytest.mark.parametrize("name", ORACLE)
def test_real_files_agree_with_sierraecg_to_the_last_bit(name):
    recording = read(FILES / name)
    digest = hashlib.sha256(recording.digital.astype("<i2").tobytes()).hexdigest()
    assert digest == ORACLE[name]
    assert recording.leads == tuple(TWELVE)
    assert not recording.derived
    assert recording.n_samples == 5500
    assert recording.sampling_hz == 500
    assert recording.uv_per_lsb[0] == 5


@real
def test_real_words_and_the_calibration_pulse():
    recording = read(FILES / "sierra_3191723_ZZDEMOPTONLY_1-04_orig.xml")
    assert recording.identity.patient_name == "ZZDEMOPTONLY ADULT"
    assert recording.device.model == "PageWriter Touch"
    assert recording.device_measurements["qtc_ms"] == 417
    assert recording.device_statements[0] == "SINUS RHYTHM: normal P axis, V-rate 60-99"
    assert recording.device_statements[-1] == "ABNORMAL ECG"
    assert recording.median_beat.digital.shape == (12, 1200)
    assert recording.median_beat.uv_per_lsb[0] == 2.5
    assert [(gap.start, gap.stop, len(gap.leads)) for gap in recording.gaps] == [(5300, 5500, 12)]
    old = read(FILES / "sierra_129DYPRG.XML")
    assert old.device_measurements["qrs_axis_deg"] == -21
    assert old.annotations[0].label == "P onset"
    assert old.annotations[0].start_s == 6.844


@pytest.mark.parametrize("version", ["1.04", "1.04.01", "1.04.02"])
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16"])
def test_compressed(version, encoding):
    rows = leads()
    recording = read(sierra(compressed(rows), version=version, encoding=encoding))
    np.testing.assert_array_equal(recording.digital, list(rows.values()))
    assert recording.filters.notch_hz == 50
    assert recording.warnings == ()


@pytest.mark.parametrize("coding", ["Base64", "Plain", "Hex"])
def test_uncompressed_samples_are_the_leads_themselves(coding):
    rows = leads(n=400)
    text = {
        "Base64": base64_words(rows),
        "Plain": "\n".join(" ".join(map(str, row)) for row in rows.values()),
        "Hex": base64.b64decode(base64_words(rows)).hex(),
    }[coding]
    recording = read(sierra(text, n=400, dataencoding=coding, compression=None, signaloffset=3))
    np.testing.assert_array_equal(recording.digital, list(rows.values()))
    np.testing.assert_array_equal(recording.microvolts(), (np.stack(list(rows.values())) - 3) * 5)


def test_a_version_1_03_with_its_own_names():
    rows = leads()
    data = sierra(
        compressed(rows), version="1.03", compression=None, compressflag="True", compressmethod="XLI",
        numberofleads=None, leadlabels=None, samplespersecond=None, resolution=None,
    )  # fmt: skip
    recording = read(data)
    assert recording.leads == tuple(TWELVE)
    np.testing.assert_array_equal(recording.digital, list(rows.values()))
    plain = sierra(base64_words(rows), compression=None, compressflag="False", compressmethod="XLI")
    np.testing.assert_array_equal(read(plain).digital, list(rows.values()))


def test_single_leads():
    lead = '<leadwaveform leadname="{}" starttime="{}" duration="8">1 2 3 4</leadwaveform>'
    text = lead.format("V1", 0) + lead.format("V2", 4)
    recording = read(sierra(text, tag="leadwaveforms", compression=None, dataencoding="Plain"))
    np.testing.assert_array_equal(recording.digital, [[1, 2, 3, 4, 0, 0], [0, 0, 1, 2, 3, 4]])
    assert len(recording.gaps) == 2


def test_the_packer_and_the_unpacker_agree_on_full_range_noise():
    walk = np.clip(np.random.default_rng(3).integers(-900, 900, 20_000).cumsum(), -32768, 32767) // 8
    np.testing.assert_array_equal(philips_xli.unpack(xli(walk), 1)[0], walk)


def bomb():
    """A chunk of the code that was just defined, over and over: the longest output of LZW."""
    codes = [0, *range(256, 1023), *[1022] * 4000]
    bits = "".join(f"{code:010b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    packed = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
    return base64.b64encode(len(packed).to_bytes(4, "little") + b"\1\0\0\0" + packed).decode()


REFUSED = {
    "no waveform": (sierra("", tag="nothing"), errors.NoWaveform),
    "elsewhere": (sierra("", tag="unparsedwaveforms", href="http://127.0.0.1:1/x"), errors.NoWaveform),
    "huffman": (sierra(compressed(leads()), compression="Huffman"), errors.UnsupportedRecording),
    "not base64": (sierra("§"), errors.DamagedRecording),
    "few leads": (sierra(base64.b64encode(xli(range(100))).decode()), errors.TruncatedRecording),
    "cut chunk": (sierra(base64.b64encode(xli(range(100))[:-3]).decode()), errors.TruncatedRecording),
    "undefined code": (sierra(base64.b64encode(b"\4\0\0\0\1\0\0\0\xfe\xff\xff\xff").decode()), errors.DamagedRecording),
    "bomb": (sierra(bomb()), errors.TooLargeRecording),
    "no leads": (sierra("", labels=[]), errors.DamagedRecording),
    "a million leads": (sierra("", numberofleads=1_000_000), errors.DamagedRecording),
    "8 bits": (sierra("AAAA", compression=None, bitspersample=8), errors.UnsupportedRecording),
    "no rate": (sierra("", samplespersecond=1e9), errors.DamagedRecording),
}


@pytest.mark.parametrize(("data", "error"), REFUSED.values(), ids=REFUSED)
def test_refused_by_name(data, error):
    with pytest.raises(error):
        read(data)
