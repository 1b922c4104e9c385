"""The part of an appraisal policy that is about collateral: key `collateral` of a policy file."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from verifier.collateral.record import Kind
from verifier.fields import Days


class CollateralPolicy(BaseModel):
    """How old collateral may be. That it has not ended (nextUpdate, notAfter) is demanded under every policy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    maximum_age_days: Mapping[Kind, Days] = Field(
        default_factory=dict,
        description="Kind of object (amd-crl, intel-tcb-info, …) → how many days ago its vendor may have issued it, "
        "or, for certificates, RIMs and launch endorsements, how many days ago it may have been fetched. Kinds that "
        "are not listed may be of any age. Only a collateral store knows it: with a limit, collateral from a folder "
        "is not acceptable.",
    )
