"""The clinic's edge: bytes in from any device, the same bytes on to the centre, nothing lost."""
