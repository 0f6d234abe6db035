"""How does a posted form become what a stage takes, and its faults sentences beside the fields?"""

from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from ecg_center.domain.errors import Invalid
from ecg_center.web.errors import said
from ecg_center.web.i18n import N_, Texts
from ecg_center.web.rendering import texts_of

Model = TypeVar("Model", bound=BaseModel)

GENERAL = "form"
"""The key of a fault that belongs to no single field."""

_FAULTS: dict[str, str] = {
    "missing": N_("Fill this in."),
    "string_too_short": N_("Fill this in."),
    "too_short": N_("Fill this in."),
    "string_too_long": N_("This is too long."),
    "literal_error": N_("Choose one."),
    "date_from_datetime_parsing": N_("Write the date as 1964-05-30."),
    "date_parsing": N_("Write the date as 1964-05-30."),
    "int_parsing": N_("Write a number."),
    "float_parsing": N_("Write a number."),
    "greater_than_equal": N_("This number is too small."),
    "less_than_equal": N_("This number is too large."),
    "string_pattern_mismatch": N_("This is not in the right form."),
}


class Blank(dict[str, Any]):
    """A mapping that is empty text where it has nothing, for templates."""

    def __missing__(self, key: str) -> str:
        return ""


async def posted(request: Request) -> dict[str, str]:
    """The form's texts; files are not taken."""
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


def read(model: type[Model], values: Mapping[str, Any], texts: Texts) -> tuple[Model | None, dict[str, str]]:
    """The checked form, or the faults by field, in words."""
    try:
        return model.model_validate(values), {}
    except ValidationError as error:
        faults: dict[str, str] = {}
        for item in error.errors():
            field = ".".join(str(part) for part in item["loc"]) or GENERAL
            faults[field] = texts.gettext(_FAULTS.get(item["type"], N_("This is not in the right form.")))
        return None, faults


def refused(request: Request, error: Invalid) -> dict[str, str]:
    """A stage's refusal as a fault of its field."""
    return {error.field or GENERAL: said(request, error)}


def without_empty(values: Mapping[str, str], *names: str) -> dict[str, str]:
    """The named fields that are not empty."""
    return {name: values[name].strip() for name in names if values.get(name, "").strip()}


__all__ = ["GENERAL", "Blank", "posted", "read", "refused", "texts_of", "without_empty"]
