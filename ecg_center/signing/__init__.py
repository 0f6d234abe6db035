"""Whose word is it? Physicians' certificates, and signatures over documents and records."""
