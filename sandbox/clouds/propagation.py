"""What a cloud refuses for a moment, while what was just made is not known everywhere: the table `propagation.yaml`."""

from functools import cache
from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, Field

from sandbox.provider import Properties

_TABLE: Final = Path(__file__).with_suffix(".yaml")


class Lag(BaseModel):
    """`refusal` is what a creation of `type` meets, unless its input `unless` is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    refusal: str = Field(min_length=1)
    unless: str | None = None
    source: str


def refusal(package: str, token: str, inputs: Properties) -> str | None:
    """What the cloud of a provider may say at first to a creation; None where it knows all that this one needs."""
    for lag in _lags(package):
        if lag.type == token and not (lag.unless and inputs.get(lag.unless)):
            return lag.refusal
    return None


@cache
def _lags(package: str) -> tuple[Lag, ...]:
    return tuple(Lag.model_validate(each) for each in yaml.safe_load(_TABLE.read_text("utf-8")).get(package, ()))
