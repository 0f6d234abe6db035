"""Philips Sierra XML files, small and made here; with a packer that does the unpacker's steps backwards."""

import base64

import numpy as np

TWELVE = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]


def lzw(data):
    table, current, codes = {bytes([byte]): byte for byte in range(256)}, b"", []
    for byte in data:
        longer = current + bytes([byte])
        if longer in table:
            current = longer
            continue
        codes.append(table[current])
        if len(table) < 1023:
            table[longer] = len(table)
        current = bytes([byte])
    codes += [table[current]] if current else []
    bits = "".join(f"{code:010b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def xli(samples):
    z = np.asarray(samples, np.int64)
    codes = 2 * z[1:-1] - z[:-2] - z[2:]
    words = np.concatenate([z[:2], codes[1:] + 64, [64]]).astype(np.int16).view(np.uint16)
    packed = lzw((words >> 8).astype(np.uint8).tobytes() + (words & 255).astype(np.uint8).tobytes())
    return len(packed).to_bytes(4, "little") + b"\1\0" + int(codes[0]).to_bytes(2, "little", signed=True) + packed


def stored(leads):
    """What a cardiograph stores: the limb leads as errors of their prediction from I and II."""
    kept = {name: np.asarray(samples, np.int64) for name, samples in leads.items()}
    one, two, three = kept["I"], kept["II"], kept["III"]
    kept["III"] = two - one - three
    kept["aVR"] = -kept["aVR"] - (one + two) // 2
    kept["aVL"] = (one - three) // 2 - kept["aVL"]
    kept["aVF"] = (two + three) // 2 - kept["aVF"]
    return kept


def compressed(leads, extra=4):
    silent = [xli(np.zeros(len(leads["I"]), int))] * extra
    return base64.b64encode(b"".join([xli(samples) for samples in stored(leads).values()] + silent)).decode()


def base64_words(leads):
    return base64.b64encode(np.stack([np.asarray(row, "<i2") for row in leads.values()]).tobytes()).decode()


def sierra(
    text, n=1000, version="1.04.01", labels=TWELVE, tag="parsedwaveforms", encoding="UTF-8", extra="", **attributes
):
    said = {
        "dataencoding": "Base64",
        "compression": "XLI",
        "numberofleads": len(labels),
        "leadlabels": " ".join(labels),
        "durationperchannel": n * 2,
        "samplespersecond": 500,
        "resolution": 5,
        "signaloffset": 0,
        "signalsigned": "True",
        "bitspersample": 16,
        "hipass": "0.05",
        "lowpass": 150,
        "notchfiltered": "True",
        "notchfilterfreqs": "50 100",
    } | attributes
    words = " ".join(f'{name}="{word}"' for name, word in said.items() if word is not None)
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><restingecgdata xmlns="http://www3.medical.philips.com"><documentinfo>'
        f"<documenttype>PhilipsECG</documenttype><documentversion>{version}</documentversion></documentinfo>"
        f'<dataacquisition date="2024-02-29" time="07:08:09"><machine machineid="X1">PageWriter TC70</machine>'
        f"<signalcharacteristics><samplingrate>500</samplingrate><signalresolution>5</signalresolution>"
        f"<numberchannelsallocated>12</numberchannelsallocated><acquisitiontype>STD-12</acquisitiontype>"
        f"</signalcharacteristics></dataacquisition>{extra}<waveforms><{tag} {words}>{text}</{tag}></waveforms>"
        f"</restingecgdata>"
    ).encode(encoding)
