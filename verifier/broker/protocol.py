"""The messages of the Key Broker Service protocol 0.4 (confidential-containers/trustee, kbs_attestation_protocol.md).

What binds a guest's key to its hardware: REPORT_DATA is SHA-384 of the RFC 8785 form of
`{"additional-evidence": …, "nonce": …, "tee-pubkey": …}`, followed by 16 zero bytes. This is what the guest components
of Confidential Containers compute (kbs_protocol, rcar_client), where `additional-evidence` is the text as sent, empty
when only the CPU is attested.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verifier import canonical, jwk
from verifier.broker import jwe
from verifier.broker.coco_report import report_from_fields
from verifier.broker.problem import Kind, Refusal
from verifier.snp.endorsement import Endorsements
from verifier.snp.report import SigningKey

PROTOCOL = "0.4"
SUPPORTED_TEES = ("snp",)
_REPORT_DATA_BYTES = 64


@dataclass(frozen=True)
class RuntimeData:
    """What the guest's hardware vouches for besides itself.

    nonce: as issued. tee_pubkey: the guest's public key (JWK). additional_evidence: text as sent.
    """

    nonce: str
    tee_pubkey: dict[str, Any]
    additional_evidence: str

    def report_data(self) -> bytes:
        """The 64 bytes that REPORT_DATA must hold."""
        bound = {
            "additional-evidence": self.additional_evidence,
            "nonce": self.nonce,
            "tee-pubkey": self.tee_pubkey,
        }
        return hashlib.sha384(canonical.encode(bound)).digest().ljust(_REPORT_DATA_BYTES, b"\0")


@dataclass(frozen=True)
class Evidence:
    """What a guest sent to be judged: its report with endorsements, and the runtime data it is bound to."""

    tee: str
    report: bytes
    leaf: bytes
    kind: SigningKey
    intermediate: bytes | None
    ark: bytes | None
    runtime_data: RuntimeData

    @property
    def endorsements(self) -> Endorsements:
        """The certificates, for verification."""
        return Endorsements(self.leaf, self.kind, self.intermediate, self.ark)

    def to_json(self) -> bytes:
        """The canonical form that is archived and whose SHA-256 receipts name as the evidence digest."""
        chain = [{"cert_type": self.kind.name, "data": _text(self.leaf)}]
        authority = "ASK" if self.kind is SigningKey.VCEK else "ASVK"
        chain += [
            {"cert_type": name, "data": _text(data)}
            for name, data in ((authority, self.intermediate), ("ARK", self.ark))
            if data is not None
        ]
        return canonical.encode(
            {
                "tee": self.tee,
                "runtime-data": {"nonce": self.runtime_data.nonce, "tee-pubkey": self.runtime_data.tee_pubkey},
                "tee-evidence": {
                    "primary_evidence": {"attestation_report": _text(self.report), "cert_chain": chain},
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
        return read_attestation(message, _text_member(message, "tee"))


def read_request(message: Mapping[str, Any]) -> str:
    """The TEE of a Request message; a Refusal when version or TEE are not supported."""
    version, tee = _text_member(message, "version"), _text_member(message, "tee")
    if version.split(".")[:2] != PROTOCOL.split("."):
        raise Refusal(
            Kind.ATTESTATION, "protocol.version", f"KBS protocol {version!r:.20}, this verifier speaks {PROTOCOL}.x"
        )
    if tee not in SUPPORTED_TEES:
        raise Refusal(
            Kind.ATTESTATION, "tee", f"TEE {tee!r:.40} is not supported, one of {', '.join(SUPPORTED_TEES)} is expected"
        )
    return tee


def read_attestation(message: Mapping[str, Any], tee: str) -> Evidence:
    """The evidence in an Attestation message; a Refusal naming the member that is missing or not readable."""
    runtime, composite = _object(message, "runtime-data"), _object(message, "tee-evidence")
    pubkey = _object(runtime, "tee-pubkey")
    additional = _text_member(composite, "additional_evidence")
    if additional.strip() not in ("", "{}"):
        raise Refusal(
            Kind.ATTESTATION, "evidence.additional", "additional evidence is not supported yet: send the CPU's alone"
        )
    try:
        jwe.require_usable(pubkey)
    except jwk.JwkError as error:
        raise Refusal(Kind.ATTESTATION, "tee-pubkey", str(error)) from None
    primary = _object(composite, "primary_evidence")
    certificates = _certificates(primary.get("cert_chain"))
    kinds = [kind for kind in SigningKey if kind.name in certificates]
    if len(kinds) != 1:
        raise Refusal(
            Kind.ATTESTATION, "evidence.endorsement", "cert_chain needs one VCEK or one VLEK certificate (DER, base64)"
        )
    return Evidence(
        tee=tee,
        report=_report(primary.get("attestation_report")),
        leaf=certificates[kinds[0].name],
        kind=kinds[0],
        intermediate=certificates.get("ASK" if kinds[0] is SigningKey.VCEK else "ASVK"),
        ark=certificates.get("ARK"),
        runtime_data=RuntimeData(_text_member(runtime, "nonce"), dict(pubkey), additional),
    )


def _report(value: Any) -> bytes:
    """The report: base64 of its bytes, or its fields as the guest components of Confidential Containers send them."""
    if isinstance(value, Mapping):
        try:
            return report_from_fields(value)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Refusal(
                Kind.ATTESTATION, "evidence.report", f"attestation_report: field {error} is missing or does not fit"
            ) from None
    return _bytes(value, "attestation_report")


def _certificates(value: Any) -> dict[str, bytes]:
    """cert_type → DER; each type once."""
    if value is None:
        return {}
    if not isinstance(value, list) or len(value) > 8:
        raise Refusal(Kind.ATTESTATION, "evidence.endorsement", "cert_chain is a list of at most 8 certificates")
    found: dict[str, bytes] = {}
    for index, entry in enumerate(value):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("cert_type"), str):
            raise Refusal(Kind.ATTESTATION, "evidence.endorsement", f"cert_chain[{index}] needs cert_type and data")
        if entry["cert_type"] in found:
            raise Refusal(
                Kind.ATTESTATION, "evidence.endorsement", f"cert_chain has two certificates {entry['cert_type']!r:.20}"
            )
        found[entry["cert_type"]] = _bytes(entry.get("data"), f"cert_chain[{index}].data")
    return found


def _bytes(value: Any, what: str) -> bytes:
    """Base64 text, or a list of byte values as Rust's serde writes a Vec<u8>."""
    try:
        if isinstance(value, str):
            return base64.b64decode(value, validate=True)
        if isinstance(value, list):
            return bytes(value)
    except (binascii.Error, ValueError, TypeError):
        pass
    raise Refusal(Kind.ATTESTATION, "evidence.encoding", f"{what} is not base64")


def _object(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = message.get(name)
    if not isinstance(value, Mapping):
        raise Refusal(Kind.MALFORMED, "message", f"the message needs the object {name}")
    return value


def _text_member(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise Refusal(Kind.MALFORMED, "message", f"the message needs the text {name}")
    return value


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
