"""Bytes arrive at the centre: durable, once, matched to their order, and handed to the pre-read."""
