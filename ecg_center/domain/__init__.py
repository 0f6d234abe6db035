"""The rules of the centre: pure functions of the standard library; ``now`` is always an argument."""
