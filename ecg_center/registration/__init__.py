"""The clinic registers a patient and an exam: the study begins."""
