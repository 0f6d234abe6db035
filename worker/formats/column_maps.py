"""What did an operator declare about a vendor's export? A column map (docs/formats.md, "Declared tables"), as TOML.

The two kinds of map (:class:`worker.formats.csv_columns.ColumnMap` for leads,
:class:`worker.formats.pressure_columns.PressureMap` for blood pressures) are dataclasses that check themselves; here is
what they share. Unknown keys are refused: a misspelt one would silently leave its default.
"""

import dataclasses
import tomllib
from typing import Any, ClassVar, Final, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

MAX_HEADER_ROWS: Final = 1000


class ColumnMapError(ValueError):
    """A column map that contradicts itself; the message says where."""


class _Map(Protocol):
    """A frozen dataclass that can say whether it contradicts itself."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def check(self) -> None:
        """Raises ColumnMapError."""


M = TypeVar("M", bound=_Map)


def declared(kind: type[M], toml: str) -> M:
    """The map of this kind that a TOML text declares.

    Raises:
        ColumnMapError: saying what is wrong.
    """
    said = _said(toml)
    if unknown := set(said) - set(kind.__dataclass_fields__):
        raise ColumnMapError(f"the column map declares {', '.join(sorted(unknown))}, which is not known")
    try:
        made = TypeAdapter(kind).validate_python(said)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ColumnMapError(f"the column map is not valid: {where}: {first['msg']}") from None
    made.check()
    return made


def declares_pressure(toml: str) -> bool:
    """Whether the map is one of blood pressures: its columns name what is systolic.

    >>> declares_pressure('[columns]\\nsystolic = "SYS"'), declares_pressure('sampling_hz = 500')
    (True, False)
    """
    columns = _said(toml).get("columns")
    return isinstance(columns, dict) and "systolic" in columns


def check_table(delimiter: str, header_rows: int) -> None:
    """Raises ColumnMapError where no table can be laid out so."""
    if len(delimiter) > 1:
        raise ColumnMapError(f"the delimiter is one sign, not {delimiter[:16]!r}")
    if not 0 <= header_rows <= MAX_HEADER_ROWS:
        raise ColumnMapError(f"a table has between 0 and {MAX_HEADER_ROWS} header rows, not {header_rows}")


def _said(toml: str) -> dict[str, Any]:
    try:
        return tomllib.loads(toml)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ColumnMapError(f"the column map is not valid TOML: {error}") from None
