"""Who belongs to the medical community: institutions, people and their authority, devices, gateways, calendars."""
