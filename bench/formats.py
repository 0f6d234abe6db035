"""How fast are recordings read, and with how much memory, beside the readers that everyone knows?

``python -m bench.formats [--hours H] [--repeat N] [--json]`` makes a 12-lead ECG of 10 s and a 3-lead recording of H
hours (24) at 250 Hz in each format, reads each with ours and with the format's usual reader, one after the other in one
run, and prints the best of N processor times, the megabytes of decoded 16-bit samples a second, and the most memory
that one reading took. Ours may give a view of the mapped file: the time is that of reading and of copying every sample
out of it, lead by lead, in blocks. The usual readers give floating-point numbers where they know nothing else; ours
read the same file into integers.
"""

import argparse
import gc
import json
import struct
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import edfio
import numpy as np
import pydicom
import pyedflib
import soundfile
import wfdb
from ecgdatakit.parsing.parsers.ishne_holter import ISHNEHolterParser
from ecgdatakit.parsing.parsers.mfer import MFERParser
from ecgdatakit.parsing.parsers.scp_ecg import SCPECGParser

from ecg_center.domain.leads import STANDARD
from worker.formats import read
from worker.formats.write import write
from worker.mapped import in_blocks
from worker.recording import Recording

RATE_HZ = 250
THREE = ("I", "II", "V5")


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(prog="python -m bench.formats", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="ecg-bench-formats-") as folder:
        for name, path, n_bytes, theirs in _cases(Path(folder), options.hours):
            row: dict[str, Any] = {"case": name, "decoded_mb": round(n_bytes / 1e6, 2)}
            for reader, run in (("ours", lambda path=path: _every_sample(path)), *theirs):
                seconds, peak = map(min, zip(*(_measured(run) for _ in range(options.repeat)), strict=True))
                row[reader] = {
                    "ms": round(seconds * 1e3, 2), "mb_per_s": round(n_bytes / 1e6 / seconds), "peak_mb": round(peak, 1)
                }  # fmt: skip
            rows.append(row)
            if not options.json:
                print(_line(row), flush=True)
    if options.json:
        print(json.dumps(rows))


def _line(row: dict[str, Any]) -> str:
    readers = [(name, figures) for name, figures in row.items() if isinstance(figures, dict)]
    figures = "   ".join(
        f"{name} {f['ms']:.1f} ms ({f['mb_per_s']} MB/s, {f['peak_mb']:.0f} MB more memory)" for name, f in readers
    )
    return f"{row['case']:26} {row['decoded_mb']:8.2f} MB   {figures}"


def _every_sample(path: Path) -> int:
    """Reads the file and copies out every sample; the bytes of all."""
    recording = read(path)
    return sum(np.ascontiguousarray(block).nbytes for _, block in in_blocks(recording.digital))


def _measured(run: Callable[[], Any]) -> tuple[float, float]:
    """(processor seconds, megabytes by which the process grew at most)."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew (proc(5))
    before_kb = _memory_kb("VmRSS")
    start = time.process_time()
    run()
    seconds = time.process_time() - start
    return seconds, max(_memory_kb("VmHWM") - before_kb, 0) / 1000


def _memory_kb(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name))


def _cases(folder: Path, hours: float) -> Any:
    """(name, file, bytes of its samples, the usual readers) of each case; a file is made when its turn comes."""
    short = _recording(STANDARD, 5000, 500.0, "resting")
    size = short.digital.nbytes
    path = write(short, "dicom", folder / "short.dcm")[0]
    yield "DICOM 12 leads 10 s", path, size, [("pydicom", lambda: pydicom.dcmread(path).waveform_array(0))]
    scp = write(short, "scp", folder / "short.scp")[0]
    yield "SCP-ECG 12 leads 10 s", scp, size, [("ecgdatakit", lambda: SCPECGParser().parse(scp))]
    header = write(short, "wfdb", folder / "short.hea")[0]
    yield "WFDB 12 leads 10 s", header, size, [("wfdb", lambda: _wfdb(header))]

    long = _recording(THREE, int(hours * 3600 * RATE_HZ), float(RATE_HZ), "holter")
    size = long.digital.nbytes
    name = f"3 leads {hours:g} h"
    dicom = write(long, "dicom", folder / "long.dcm")[0]
    yield f"DICOM {name}", dicom, size, [("pydicom", lambda: pydicom.dcmread(dicom).waveform_array(0))]
    dicom.unlink()
    edf = write(long, "edf", folder / "long.edf")[0]
    yield f"EDF+ {name}", edf, size, [("edfio", lambda: _edfio(edf)), ("pyedflib", lambda: _pyedflib(edf))]
    edf.unlink()
    for storage in ("16", "212", "516"):
        record = _record(folder, long, storage)
        yield f"WFDB {storage} {name}", record, size, [("wfdb", lambda record=record: _wfdb(record))]
    ishne = _ishne(folder / "long.ecg", long)
    yield f"ISHNE {name}", ishne, size, [("ecgdatakit", lambda: ISHNEHolterParser().parse(ishne))]
    mfer = _mfer(folder / "long.mwf", long)
    yield f"MFER {name}", mfer, size, [("ecgdatakit", lambda: MFERParser().parse(mfer))]
    section_12 = write(long, "scp", folder / "long.scp")[0]
    yield f"SCP-ECG 3.0 {name}", section_12, size, []


def _recording(leads: tuple[str, ...], n_samples: int, sampling_hz: float, kind: Any) -> Recording:
    steps = np.random.default_rng(1).integers(-12, 13, (len(leads), n_samples), np.int16)
    wave = (200 * np.sin(np.arange(n_samples) * (2 * np.pi * 1.2 / sampling_hz))).astype(np.int16)
    return Recording(
        format="bench", kind=kind, leads=leads, digital=(steps + wave).astype(np.int16), sampling_hz=sampling_hz,
        uv_per_lsb=np.full(len(leads), 2.5), baseline=np.zeros(len(leads)),
    )  # fmt: skip


def _wfdb(header: Path) -> Any:
    return wfdb.rdrecord(str(header.with_suffix("")), physical=False)


def _edfio(path: Path) -> Any:
    return [signal.digital.copy() for signal in edfio.read_edf(path).signals]


def _pyedflib(path: Path) -> Any:
    with pyedflib.EdfReader(str(path)) as reader:
        return [reader.readSignal(row, digital=True) for row in range(3)]


def _record(folder: Path, long: Recording, storage: str) -> Path:
    frames = np.ascontiguousarray(long.digital.T, "<i2")
    name = f"long{storage}"
    if storage == "16":
        raw = frames.tobytes()
    elif storage == "212":
        pairs = np.append(frames.reshape(-1), np.zeros(frames.size % 2, np.int16)).reshape(-1, 2).astype(np.int32)
        trio = [pairs[:, 0] & 0xFF, (pairs[:, 0] >> 8 & 15) | (pairs[:, 1] >> 8 & 15) << 4, pairs[:, 1] & 0xFF]
        raw = np.stack(trio, 1).astype(np.uint8).tobytes()
    if storage == "516":
        soundfile.write(folder / f"{name}.dat", frames, 96_000, "PCM_16", format="FLAC")
    else:
        (folder / f"{name}.dat").write_bytes(raw)
    lines = [f"{name} {len(THREE)} {RATE_HZ} {long.n_samples}"]
    lines += [f"{name}.dat {storage} 400 16 0 0 0 0 {lead}" for lead in THREE]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")
    return folder / f"{name}.hea"


def _ishne(path: Path, long: Recording) -> Path:
    head = struct.pack("<4i", 0, long.n_samples, 522, 522) + struct.pack("<h", 1)
    fixed = bytearray(512)
    fixed[: len(head)] = head
    struct.pack_into("<h12h12h12h", fixed, 146, 3, 5, 6, 15, *[-9] * 9, *[1] * 12, 2500, 2500, 2500, *[-9] * 9)
    struct.pack_into("<h", fixed, 262, RATE_HZ)
    path.write_bytes(b"ISHNE1.0\0\0" + bytes(fixed) + np.ascontiguousarray(long.digital.T, "<i2").tobytes())
    return path


def _mfer(path: Path, long: Recording) -> Path:
    blocks = long.n_samples // RATE_HZ
    head = (
        b"\x40\x20" + b"MFR Long term ECG".ljust(32) + b"\x01\x01\x01\x0b\x04\x01\xfd\x04\x00\x0c\x04\x00\xf9\x19\x00"
    )
    head += b"\x05\x02\x03\x00" + b"\x04\x04" + struct.pack("<I", RATE_HZ) + b"\x06\x04" + struct.pack("<I", blocks)
    head += b"".join(bytes([0x3F, place, 4, 9, 2, code, 0]) for place, code in enumerate((1, 2, 7)))
    frames = long.digital[:, : blocks * RATE_HZ].reshape(3, blocks, RATE_HZ).transpose(1, 0, 2).astype("<i2").tobytes()
    path.write_bytes(head + b"\x1e\x84" + len(frames).to_bytes(4, "big") + frames + b"\x80\x00")
    return path


if __name__ == "__main__":
    main()
