"""A day of blood pressure readings → findings.

Pure functions over :class:`worker.pressure_readings.BloodPressureSeries` and a physician's edits, one file a question:
which readings count (``editing``), when was night (``periods``), were there enough (``validity``), what are the
averages (``averages``), and what follows from them. Guidelines are data (``thresholds/*.toml``). ``analysis.conclude``
is the one way through, and so fast that it is simply done again after every edit.
"""
