"""The ECG diagnosis centre: from registration at a clinic to the released report."""

__version__ = "0.1.0"
