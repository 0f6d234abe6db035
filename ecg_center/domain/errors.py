"""What can a rule refuse, and how is it said to a person?

::

    Refused                     the request breaks a rule; nothing was changed
    ├── NotFound                no such thing, or not within your institution's sight
    ├── NotAllowed              your role or authority does not cover this
    ├── Conflict                someone else was faster, or the study has moved on
    └── Invalid                 a value is wrong; ``field`` names it

``detail`` is an English message id with ``{placeholders}``; the page translates it, the API sends it as it is.
"""


class Refused(Exception):  # noqa: N818 - the family's name is what it says to its reader
    """The request breaks a rule; nothing was changed."""

    code = "refused"
    http_status = 409
    retry = False
    """Whether the same request can succeed later without a person doing something."""

    def __init__(self, detail: str, **values: object) -> None:
        super().__init__(detail.format(**values) if values else detail)
        self.detail = detail
        self.values = values


class NotFound(Refused):
    """No such thing, or it is not within the caller's sight (the two are never told apart)."""

    code = "not-found"
    http_status = 404


class NotAllowed(Refused):
    """The caller's role or authority does not cover this."""

    code = "not-allowed"
    http_status = 403


class Conflict(Refused):
    """Someone else was faster, or the study has moved on."""

    code = "conflict"
    http_status = 409


class Invalid(Refused):
    """A value is wrong."""

    code = "invalid"
    http_status = 422

    def __init__(self, detail: str, *, field: str = "", **values: object) -> None:
        super().__init__(detail, **values)
        self.field = field
