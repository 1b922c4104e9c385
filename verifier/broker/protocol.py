"""The messages of the Key Broker Service protocol 0.4 (confidential-containers/trustee, kbs_attestation_protocol.md).

What binds a guest's key to its hardware: REPORT_DATA is SHA-384 of the RFC 8785 form of `{"additional-evidence": …,
"nonce": …, "tee-pubkey": …}`, followed by 16 zero bytes; on Azure a vTPM quotes that SHA-384 instead, and a Nitro
document has it as its nonce. Devices are asked with the first 32 bytes of SHA-384 of `{"nonce": …, "tee-pubkey": …}`,
so that each binds the other. This is what the guest components of Confidential Containers compute (kbs_protocol,
rcar_client), where `additional-evidence` is the text as sent, empty when only the CPU is attested.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from verifier import canonical, jwk
from verifier.broker import jwe
from verifier.broker.aws_evidence import AwsNitroEvidence, AwsSnpEvidence
from verifier.broker.azure_evidence import AzSnpEvidence, AzTdxEvidence
from verifier.broker.device_evidence import DevicesEvidence, read_devices
from verifier.broker.message import object_member, text_member
from verifier.broker.problem import Kind, Refusal
from verifier.broker.snp_evidence import SnpEvidence
from verifier.broker.tdx_evidence import TdxEvidence
from verifier.nvidia.layout import NONCE_BYTES

PROTOCOL = "0.4"
Hardware = SnpEvidence | TdxEvidence | AzSnpEvidence | AzTdxEvidence | AwsSnpEvidence | AwsNitroEvidence
HARDWARE: Mapping[str, type[Hardware]] = {
    kind.tee: kind
    for kind in (SnpEvidence, TdxEvidence, AzSnpEvidence, AzTdxEvidence, AwsSnpEvidence, AwsNitroEvidence)
}
"""TEE, as the protocol names it → its primary evidence."""
_REPORT_DATA_BYTES = 64


@dataclass(frozen=True)
class RuntimeData:
    """What the guest's hardware vouches for besides itself.

    nonce: as issued. tee_pubkey: the guest's public key (JWK). additional_evidence: text as sent.
    """

    nonce: str
    tee_pubkey: dict[str, Any]
    additional_evidence: str

    def digest(self) -> bytes:
        """The 48 bytes that the evidence must be bound to: what a vTPM must quote, a Nitro document's nonce."""
        bound = {
            "additional-evidence": self.additional_evidence,
            "nonce": self.nonce,
            "tee-pubkey": self.tee_pubkey,
        }
        return hashlib.sha384(canonical.encode(bound)).digest()

    def report_data(self) -> bytes:
        """The 64 bytes that REPORT_DATA must hold."""
        return self.digest().ljust(_REPORT_DATA_BYTES, b"\0")

    def public_key(self) -> bytes:
        """The guest's public key as a SubjectPublicKeyInfo in DER: what a Nitro document may state as `public_key`."""
        return jwk.to_public_key(self.tee_pubkey).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def device_nonce(self) -> bytes:
        """The 32 bytes that each device must have been asked with."""
        bound = {"nonce": self.nonce, "tee-pubkey": self.tee_pubkey}
        return hashlib.sha384(canonical.encode(bound)).digest()[:NONCE_BYTES]


@dataclass(frozen=True)
class Evidence:
    """What a guest sent to be judged: what its hardware says, and the runtime data that it is bound to.

    devices: what its devices say, read from the additional evidence; None when only the CPU is attested.
    """

    hardware: Hardware
    runtime_data: RuntimeData
    devices: DevicesEvidence | None = None

    @property
    def tee(self) -> str:
        """The TEE, as the protocol names it."""
        return self.hardware.tee

    def to_json(self) -> bytes:
        """The canonical form that is archived and whose SHA-256 receipts name as the evidence digest."""
        return canonical.encode(
            {
                "tee": self.tee,
                "runtime-data": {"nonce": self.runtime_data.nonce, "tee-pubkey": self.runtime_data.tee_pubkey},
                "tee-evidence": {
                    "primary_evidence": self.hardware.members(),
                    "additional_evidence": self.runtime_data.additional_evidence,
                },
            }
        )

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical form."""
        return hashlib.sha256(self.to_json()).hexdigest()

    @classmethod
    def from_json(cls, content: bytes) -> Evidence:
        """Read what `to_json` wrote."""
        message = canonical.parse_object(content)
        return read_attestation(message, text_member(message, "tee"))


def read_request(message: Mapping[str, Any]) -> str:
    """The TEE of a Request message; a Refusal when version or TEE are not supported."""
    version, tee = text_member(message, "version"), text_member(message, "tee")
    if version.split(".")[:2] != PROTOCOL.split("."):
        raise Refusal(
            Kind.ATTESTATION, "protocol.version", f"KBS protocol {version!r:.20}, this verifier speaks {PROTOCOL}.x"
        )
    if tee not in HARDWARE:
        raise _unknown(tee)
    return tee


def read_attestation(message: Mapping[str, Any], tee: str) -> Evidence:
    """The evidence in an Attestation message; a Refusal naming the member that is missing or not readable."""
    runtime, composite = object_member(message, "runtime-data"), object_member(message, "tee-evidence")
    pubkey = object_member(runtime, "tee-pubkey")
    additional = text_member(composite, "additional_evidence")
    try:
        jwe.require_usable(pubkey)
    except jwk.JwkError as error:
        raise Refusal(Kind.ATTESTATION, "tee-pubkey", str(error)) from None
    if tee not in HARDWARE:
        raise _unknown(tee)
    return Evidence(
        hardware=HARDWARE[tee].read(object_member(composite, "primary_evidence")),
        runtime_data=RuntimeData(text_member(runtime, "nonce"), dict(pubkey), additional),
        devices=read_devices(additional),
    )


def _unknown(tee: str) -> Refusal:
    return Refusal(
        Kind.ATTESTATION, "tee", f"TEE {tee!r:.40} is not supported, one of {', '.join(HARDWARE)} is expected"
    )
