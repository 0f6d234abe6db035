"""What several tables share: checks, and the columns that name clinic and study."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import mapped_column


def one_of(column: str, *values: str) -> CheckConstraint:
    """The column holds one of these words."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def institution_column() -> Any:
    """The clinic that the row belongs to."""
    return mapped_column(ForeignKey("institution.id"), index=True)


def study_column() -> Any:
    """The study that the row is of."""
    return mapped_column(ForeignKey("study.id"), index=True)


KINDS = ("resting", "holter", "abpm")
