"""The `primary_evidence` of AWS's guests: a Nitro attestation document, alone or beside an SNP report that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from verifier import nitro, snp
from verifier.aws import AwsEvidence
from verifier.broker.message import decode, encode
from verifier.broker.snp_evidence import SnpEvidence

_DOCUMENT: Final = "nitro_document"


@dataclass(frozen=True)
class AwsNitroEvidence:
    """`{"nitro_document": …}` in base64: of an enclave, or of an instance with NitroTPM."""

    tee: ClassVar[str] = "aws-nitro"

    document: bytes

    def members(self) -> dict[str, Any]:
        """The evidence as members of a message, in the one form that is archived."""
        return {_DOCUMENT: encode(self.document)}

    @classmethod
    def read(cls, primary: Mapping[str, Any]) -> AwsNitroEvidence:
        """Read the members; a Refusal names the one that is missing or not readable."""
        return cls(decode(primary.get(_DOCUMENT), _DOCUMENT))


@dataclass(frozen=True)
class AwsSnpEvidence:
    """The members of an `snp` guest, and `nitro_document`, of NitroTPM, whose `user_data` is the report's SHA-384."""

    tee: ClassVar[str] = "aws-snp-nitrotpm"

    cpu: SnpEvidence
    document: bytes

    def members(self) -> dict[str, Any]:
        """The evidence as members of a message, in the one form that is archived."""
        return {**self.cpu.members(), _DOCUMENT: encode(self.document)}

    def parsed(self) -> AwsEvidence:
        """The evidence, for verification; MalformedEvidence where its bytes are none."""
        return AwsEvidence(snp.parse(self.cpu.report), nitro.parse(self.document))

    @classmethod
    def read(cls, primary: Mapping[str, Any]) -> AwsSnpEvidence:
        """Read the members; a Refusal names the one that is missing or not readable."""
        return cls(SnpEvidence.read(primary), decode(primary.get(_DOCUMENT), _DOCUMENT))
