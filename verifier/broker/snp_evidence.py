"""The `primary_evidence` of an SNP guest: its report, and the certificates that endorse it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from verifier.broker.coco_report import report_from_fields
from verifier.broker.message import decode, encode
from verifier.broker.problem import Kind, Refusal
from verifier.errors import MalformedEvidence
from verifier.snp import certificate_table
from verifier.snp.endorsement import Endorsements
from verifier.snp.report import SigningKey

_REPORT_BYTES = 1184
_MAX_CERTIFICATES = 8


@dataclass(frozen=True)
class SnpEvidence:
    """`{"attestation_report": …, "cert_chain": [{"cert_type", "data"}, …]}`; certificates are DER.

    `cert_chain` may also be the certificate table of an extended report as the host gave it, in base64.
    """

    tee: ClassVar[str] = "snp"

    report: bytes
    leaf: bytes
    kind: SigningKey
    intermediate: bytes | None
    ark: bytes | None

    @property
    def endorsements(self) -> Endorsements:
        """The certificates, for verification."""
        return Endorsements(self.leaf, self.kind, self.intermediate, self.ark)

    def members(self) -> dict[str, Any]:
        """The evidence as members of a message, in the one form that is archived."""
        authority = "ASK" if self.kind is SigningKey.VCEK else "ASVK"
        chain = ((self.kind.name, self.leaf), (authority, self.intermediate), ("ARK", self.ark))
        return {
            "attestation_report": encode(self.report),
            "cert_chain": [{"cert_type": name, "data": encode(data)} for name, data in chain if data is not None],
        }

    @classmethod
    def read(cls, primary: Mapping[str, Any]) -> SnpEvidence:
        """Read the members; a Refusal names the one that is missing or not readable."""
        certificates = _certificates(primary.get("cert_chain"))
        kinds = [kind for kind in SigningKey if kind.name in certificates]
        if len(kinds) != 1:
            hint = "cert_chain needs one VCEK or one VLEK certificate (DER, base64)"
            raise Refusal(Kind.ATTESTATION, "evidence.endorsement", hint)
        return cls(
            report=_report(primary.get("attestation_report")),
            leaf=certificates[kinds[0].name],
            kind=kinds[0],
            intermediate=certificates.get("ASK" if kinds[0] is SigningKey.VCEK else "ASVK"),
            ark=certificates.get("ARK"),
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
    report = decode(value, "attestation_report")
    if len(report) != _REPORT_BYTES:
        found = f"the report has {len(report)} bytes, {_REPORT_BYTES} expected"
        raise Refusal(Kind.ATTESTATION, "evidence.report", found)
    return report


def _certificates(value: Any) -> dict[str, bytes]:
    """cert_type → DER; each type once."""
    if value is None:
        return {}
    if isinstance(value, str):
        return _table(decode(value, "cert_chain"))
    if not isinstance(value, list) or len(value) > _MAX_CERTIFICATES:
        problem = f"cert_chain is a list of at most {_MAX_CERTIFICATES} certificates"
        raise Refusal(Kind.ATTESTATION, "evidence.endorsement", problem)
    found: dict[str, bytes] = {}
    for index, entry in enumerate(value):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("cert_type"), str):
            raise Refusal(Kind.ATTESTATION, "evidence.endorsement", f"cert_chain[{index}] needs cert_type and data")
        if entry["cert_type"] in found:
            raise Refusal(
                Kind.ATTESTATION, "evidence.endorsement", f"cert_chain has two certificates {entry['cert_type']!r:.20}"
            )
        found[entry["cert_type"]] = decode(entry.get("data"), f"cert_chain[{index}].data")
    return found


def _table(data: bytes) -> dict[str, bytes]:
    """The same of a certificate table, which has one kind of entry for ASK and ASVK."""
    try:
        table = certificate_table.parse(data)
    except MalformedEvidence as error:
        raise Refusal(Kind.ATTESTATION, "evidence.endorsement", f"cert_chain: {error}") from None
    authority = "ASK" if table.vlek is None else "ASVK"
    found = {"VCEK": table.vcek, "VLEK": table.vlek, authority: table.intermediate, "ARK": table.ark}
    return {name: value for name, value in found.items() if value is not None}
