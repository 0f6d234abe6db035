"""A made ECG of which every beat's class is known: two leads at 250 Hz, P, QRS and T as bells, a little noise."""

import numpy as np

from worker.holter.day import Day
from worker.recording import Recording

HZ = 250
SHAPES = {
    # height (µV in each lead), seconds from R, half width (s)
    "P": [((150, 90), -0.16, 0.022)],
    "other P": [((-90, 60), -0.13, 0.018)],
    "narrow": [((-120, -60), -0.026, 0.008), ((1100, 700), 0.0, 0.011), ((-250, -350), 0.028, 0.009)],
    "wide": [((-700, 900), -0.01, 0.032), ((900, -500), 0.06, 0.034)],
    "T": [((260, 180), 0.28, 0.045)],
    "part narrow": [((-72, -36), -0.026, 0.008), ((660, 420), 0.0, 0.011), ((-150, -210), 0.028, 0.009)],
    "part wide": [((-315, 405), -0.01, 0.032), ((405, -225), 0.06, 0.034)],
    "flat T": [((-40, 250), 0.31, 0.05)],
    "opposite T": [((-420, 350), 0.33, 0.06)],
}
OF = {"N": ("P", "narrow", "T"), "S": ("other P", "narrow", "T"), "f": ("narrow", "T"), "V": ("wide", "opposite T"),
      "F": ("P", "part narrow", "part wide", "flat T")}  # fmt: skip


def wave(at_s, kinds, *, seed=1, noise_uv=12.0):
    """(2, n) µV of beats at these seconds, of these kinds: N, S, V, F (both at once), or f without a P wave."""
    random = np.random.default_rng(seed)
    t = np.arange(round((at_s[-1] + 2) * HZ)) / HZ
    uv = random.normal(0, noise_uv, (2, t.size)) + 60 * np.sin(2 * np.pi * 0.25 * t)
    for at, kind in zip(at_s, kinds, strict=True):
        first, last = max(0, round((at - 0.4) * HZ)), round((at + 0.6) * HZ)
        for name in OF[kind]:
            for heights, off, half in SHAPES[name]:
                bell = np.exp(-0.5 * ((t[first:last] - at - off) / half) ** 2)
                uv[:, first:last] += np.array(heights)[:, None] * bell
    return uv


def day_of(uv, hz=HZ):
    """These leads as a day, one step of the converter a microvolt."""
    digital = np.rint(uv).astype(np.int16)
    leads = ("II", "V1", "V5")[: len(uv)]
    return Day(Recording("", "holter", leads, digital, np.ones(len(uv)), np.zeros(len(uv)), float(hz)))


def sinus_with(n, early, *, rr_s=0.85, seed=1, swing=0.02):
    """((n,) seconds, kinds): sinus rhythm in which the beats ``early`` {number: (kind, interval, interval after)}."""
    random = np.random.default_rng(seed)
    rr = rr_s * np.exp(random.normal(0, swing, n))
    kinds = ["N"] * n
    for at, (kind, before, after) in early.items():
        kinds[at] = kind
        rr[at] = before * rr_s
        if at + 1 < n:
            rr[at + 1] = after * rr_s
    return np.cumsum(rr) + 1, kinds
