"""What every section of the plan is made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1)]
Range = tuple[float, float]


class NamesFile:
    """Marks a setting that names a file or folder, relative to the folder of the plan."""


File = Annotated[str, NamesFile()]


class Section(BaseModel):
    """A part of the plan: frozen, and deaf to keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
