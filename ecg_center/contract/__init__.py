"""What crosses the wire between gateway, worker and centre; pydantic only.

Everything here is a published interface: a field is added, never renamed, within one major version.
"""
