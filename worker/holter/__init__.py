"""A day or two weeks of ECG → findings, in seconds.

Two halves. *Measure* goes once through the signal, block by block, and writes down every beat with what was seen of it
(:class:`worker.holter.measured.Measured`). *Conclude* makes everything else from that and a physician's edits, without
the signal: counts, events, episodes, variability, words and critical values, in under a second.
"""
