"""How much of a size family an emulated account may have in one region: the table `quotas.yaml`, and who exceeds it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

import catalog

_TABLE: Final = Path(__file__).with_suffix(".yaml")


class Quota(BaseModel):
    """`family` is a pattern of the catalogue's size families; `limit` is in vCPUs, or in machines where it says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    family: str
    limit: int = Field(ge=0)
    counts: Literal["vcpus", "machines"] = "vcpus"


@dataclass(frozen=True, slots=True)
class Excess:
    """A quota that a request exceeds: what is in use beside it, and what it needs."""

    quota: Quota
    used: int
    needed: int


def excess(cloud: str, size: str, count: int, others: Iterable[tuple[str, int]]) -> Excess | None:
    """The first quota of `cloud` that `count` machines of `size` exceed beside the `others` of their region.

    `others` are (size, count). A size that the catalogue does not list counts towards nothing.
    """
    known = list(others)
    for quota in _quotas(cloud):
        needed = _counted(quota, cloud, size, count)
        used = sum(_counted(quota, cloud, *other) for other in known)
        if needed and used + needed > quota.limit:
            return Excess(quota, used, needed)
    return None


@cache
def _quotas(cloud: str) -> tuple[Quota, ...]:
    table: dict[str, Any] = yaml.safe_load(_TABLE.read_text("utf-8"))
    return tuple(Quota.model_validate(each) for each in table[cloud]["quotas"])


def _counted(quota: Quota, cloud: str, size: str, count: int) -> int:
    family, vcpus = _facts(cloud, size)
    if not family or not re.fullmatch(quota.family, family):
        return 0
    return count * (vcpus if quota.counts == "vcpus" else 1)


@cache
def _facts(cloud: str, size: str) -> tuple[str, int]:
    """The family and the vCPUs of a size; '' and 0 for one that the catalogue does not list."""
    try:
        known = catalog.load().machine_type(cloud, size)
    except catalog.UnknownFact:
        return "", 0
    return known.family, known.vcpu
