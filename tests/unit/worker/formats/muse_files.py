"""MUSE XML files as GE writes them, small and made here."""

import base64
import zlib

import numpy as np


def lead(name, samples, **changes):
    raw = np.asarray(samples, "<i2").tobytes()
    words = {
        "LeadByteCountTotal": len(raw),
        "LeadTimeOffset": 0,
        "LeadSampleCountTotal": len(samples),
        "LeadAmplitudeUnitsPerBit": 4.88,
        "LeadAmplitudeUnits": "MICROVOLTS",
        "LeadID": name,
        "LeadOffsetFirstSample": 0,
        "LeadSampleSize": 2,
        "LeadOff": "FALSE",
        "LeadDataCRC32": zlib.crc32(raw),
        "WaveFormData": "\n" + base64.encodebytes(raw).decode() + "   ",
    } | changes
    return "<LeadData>" + "".join(f"<{tag}>{word}</{tag}>" for tag, word in words.items()) + "</LeadData>"


def waveform(kind, leads, rate=500, exponent=0):
    return (
        f"<Waveform><WaveformType>{kind}</WaveformType><NumberofLeads>{len(leads)}</NumberofLeads>"
        f"<SampleBase>{rate}</SampleBase><SampleExponent>{exponent}</SampleExponent><HighPassFilter>5</HighPassFilter>"
        f"<LowPassFilter>150</LowPassFilter><ACFilter>NONE</ACFilter>{''.join(leads)}</Waveform>"
    )


def muse(*waveforms, extra="", encoding="ISO-8859-1"):
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE RestingECG SYSTEM "restecg.dtd">'
        f"<RestingECG><MuseInfo><MuseVersion>8.0.2.10132</MuseVersion></MuseInfo>{extra}{''.join(waveforms)}</RestingECG>"
    ).encode(encoding)
