"""A released report becomes a document: rendered, signed, stored, and handed to delivery."""
