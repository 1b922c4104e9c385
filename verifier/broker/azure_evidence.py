"""The `primary_evidence` of an Azure confidential VM, whose vTPM speaks for it.

This is what the guest components of Confidential Containers send (attesters `az_snp_vtpm`, `az_tdx_vtpm`). Version 1
has the quote in hex and the rest in base64url; 2 is the same with the guest's own `user-data` in the HCL report.
Without a version every byte string is a list of numbers, and for SEV-SNP the members are called `quote`, `report` and
`vcek`, the last of them in PEM. The TCG event log is in `cc_eventlog` (base64) where a guest sends it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from verifier import tdx, tpm
from verifier.azure import AzureEvidence, VtpmEvidence, hcl
from verifier.broker.message import decode, encode
from verifier.broker.problem import Kind, Refusal
from verifier.errors import MalformedEvidence
from verifier.pki.files import pem_values
from verifier.snp.endorsement import Endorsements
from verifier.snp.report import SigningKey
from verifier.tpm import event_log

_ARCHIVED_VERSION: Final = 1
_VERSIONS: Final = (None, 1, 2)
_PEM: Final = "-----BEGIN"


@dataclass(frozen=True)
class VtpmQuote:
    """What the vTPM says.

    message: TPMS_ATTEST. signature: bare RSASSA SHA-256. pcrs: 0 to 23 of the SHA-256 bank. log: TCG event log.
    """

    message: bytes
    signature: bytes
    pcrs: tuple[bytes, ...]
    log: bytes | None

    def members(self) -> dict[str, Any]:
        """The quote and the log as members of a message, in the one form that is archived."""
        quote = {
            "message": self.message.hex(),
            "signature": self.signature.hex(),
            "pcrs": [value.hex() for value in self.pcrs],
        }
        return {"tpm_quote": quote} | ({} if self.log is None else {"cc_eventlog": encode(self.log)})

    def parsed(self) -> VtpmEvidence:
        """The quote, for verification; MalformedEvidence where its bytes are none."""
        return VtpmEvidence(
            tpm.parse(self.message),
            tpm.rsassa_sha256(self.signature),
            {tpm.layout.SHA256: dict(enumerate(self.pcrs))},
            None if self.log is None else event_log.parse(self.log),
        )

    @classmethod
    def read(cls, quote: object, log: object) -> VtpmQuote:
        """Read the members; a Refusal names the one that is missing or not readable."""
        if not isinstance(quote, Mapping):
            raise _unreadable("tpm_quote is not there")
        pcrs = quote.get("pcrs")
        if not isinstance(pcrs, list) or len(pcrs) > tpm.layout.PCR_COUNT:
            raise _unreadable(f"tpm_quote.pcrs is a list of at most {tpm.layout.PCR_COUNT} PCRs")
        return cls(
            message=_hex(quote.get("message"), "tpm_quote.message"),
            signature=_hex(quote.get("signature"), "tpm_quote.signature"),
            pcrs=tuple(_hex(value, f"tpm_quote.pcrs[{register}]") for register, value in enumerate(pcrs)),
            log=None if log is None else decode(log, "cc_eventlog"),
        )


@dataclass(frozen=True)
class AzSnpEvidence:
    """An HCL report with an SEV-SNP report in it. vcek: DER."""

    tee: ClassVar[str] = "az-snp-vtpm"

    hcl_report: bytes
    vcek: bytes
    vtpm: VtpmQuote

    @property
    def endorsements(self) -> Endorsements:
        """The VCEK, for verification; the certificates above it are the verifier's own."""
        return Endorsements(self.vcek, SigningKey.VCEK)

    def members(self) -> dict[str, Any]:
        """The evidence as members of a message, in the one form that is archived."""
        members = {"hcl_report": _urlsafe(self.hcl_report), "vcek": _urlsafe(self.vcek)}
        return {"version": _ARCHIVED_VERSION, **members, **self.vtpm.members()}

    def parsed(self) -> AzureEvidence:
        """The evidence, for verification; MalformedEvidence where its bytes are none."""
        return AzureEvidence(hcl.parse(self.hcl_report), vtpm=self.vtpm.parsed())

    @classmethod
    def read(cls, primary: Mapping[str, Any]) -> AzSnpEvidence:
        """Read the members; a Refusal names the one that is missing or not readable."""
        if _version(primary) is None and "report" in primary:
            primary = dict(primary) | {"hcl_report": primary["report"], "tpm_quote": primary.get("quote")}
        return cls(
            hcl_report=_bytes(primary.get("hcl_report"), "hcl_report"),
            vcek=_certificate(primary.get("vcek")),
            vtpm=VtpmQuote.read(primary.get("tpm_quote"), primary.get("cc_eventlog")),
        )


@dataclass(frozen=True)
class AzTdxEvidence:
    """An HCL report with a TDREPORT in it, and the quote that the instance metadata service made of that."""

    tee: ClassVar[str] = "az-tdx-vtpm"

    hcl_report: bytes
    td_quote: bytes
    vtpm: VtpmQuote

    def members(self) -> dict[str, Any]:
        """The evidence as members of a message, in the one form that is archived."""
        members = {"hcl_report": _urlsafe(self.hcl_report), "td_quote": _urlsafe(self.td_quote)}
        return {"version": _ARCHIVED_VERSION, **members, **self.vtpm.members()}

    def parsed(self) -> AzureEvidence:
        """The evidence, for verification; MalformedEvidence where its bytes are none."""
        return AzureEvidence(hcl.parse(self.hcl_report), tdx.parse(self.td_quote), self.vtpm.parsed())

    @classmethod
    def read(cls, primary: Mapping[str, Any]) -> AzTdxEvidence:
        """Read the members; a Refusal names the one that is missing or not readable."""
        _version(primary)
        return cls(
            hcl_report=_bytes(primary.get("hcl_report"), "hcl_report"),
            td_quote=_bytes(primary.get("td_quote"), "td_quote"),
            vtpm=VtpmQuote.read(primary.get("tpm_quote"), primary.get("cc_eventlog")),
        )


def _version(primary: Mapping[str, Any]) -> int | None:
    version: object = primary.get("version")
    if isinstance(version, bool) or version not in _VERSIONS:
        raise _unreadable(f"version {version!r:.20} is not known; 1, 2 and evidence without one are")
    return version if isinstance(version, int) else None


def _certificate(value: object) -> bytes:
    """DER of the VCEK: base64url of it, or PEM as a text."""
    if not isinstance(value, str) or not value.startswith(_PEM):
        return _bytes(value, "vcek")
    try:
        (certificate,) = pem_values(value.encode())
    except (MalformedEvidence, ValueError):
        raise _unreadable("vcek is not one certificate in PEM") from None
    return certificate


def _hex(value: object, what: str) -> bytes:
    """Hex, or a list of byte values."""
    if isinstance(value, list):
        return decode(value, what)
    try:
        return bytes.fromhex(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise _unreadable(f"{what} is not hex") from None


def _bytes(value: object, what: str) -> bytes:
    """Base64url, padded or not, or a list of byte values."""
    if isinstance(value, list):
        return decode(value, what)
    try:
        text = value + "=" * (-len(value) % 4)  # type: ignore[arg-type]
        return base64.b64decode(text, altchars=b"-_", validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise _unreadable(f"{what} is not base64url") from None


def _urlsafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii")


def _unreadable(reason: str) -> Refusal:
    return Refusal(Kind.ATTESTATION, "evidence.encoding", reason)
