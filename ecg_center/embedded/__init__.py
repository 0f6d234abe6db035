"""What does a centre start by itself, so that one machine with Python is enough?

A PostgreSQL (:mod:`.postgres`) and an MQTT broker (:mod:`.broker`), each as a foreground process for
:class:`ecg_center.supervisor.Supervisor`. Production points at servers of its own instead
(``ECG_DATABASE_URL``, the gateway's broker address) and starts neither.
"""
