"""The report as a document: what it says (``model``), its page (``render``).

Pure of the database: dataclasses in, bytes out; whoever releases a report calls these in a thread.
"""
