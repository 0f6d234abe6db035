"""A whole centre on one machine, with simulated devices; nothing in it can be mistaken for a patient."""
