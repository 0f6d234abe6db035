"""A physician writes and signs: the report, and for an emergency the ten-minute opinion."""
