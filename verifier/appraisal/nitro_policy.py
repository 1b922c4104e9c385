"""The part of an appraisal policy that is about AWS Nitro attestation documents: key `nitro` of a policy file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from verifier.fields import Hex48, NitroRegister

InstanceId = Annotated[str, Field(pattern=r"^i-[0-9a-f]{8,17}$")]
Seconds = Annotated[int, Field(ge=0, le=31_536_000)]


class NitroPolicy(BaseModel):
    """What a Nitro document must show to be affirmed. It rests on AWS's word, the cloud operator's, alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pcrs: Mapping[NitroRegister, frozenset[Hex48]] | None = Field(
        None,
        description="PCR → acceptable SHA-384 values (hex); each must be in the document. Of an enclave, PCR 0 is the "
        "image; of a NitroTPM, PCR 4 the boot loader and PCR 7 Secure Boot. None: signed reference values alone say "
        "which image it is.",
    )
    instances: frozenset[InstanceId] | None = Field(None, description="Ids of the acceptable EC2 instances.")
    maximum_age_seconds: Seconds | None = Field(
        None, description="How old the document may be at the time of verification; None: as its certificate is valid."
    )
