"""Honest simulated devices: real protocols, real file formats, hearts that never beat in anyone.

Every name, identifier and file says that it is a demonstration, so that nothing here can be taken for a patient.
"""
