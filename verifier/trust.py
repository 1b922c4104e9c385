"""What the verifier trusts without evidence: root certificates, pinned by fingerprint.

The roots of hardware vendors ship with this package in `roots/<vendor>/`, each with its source, the date it was
compared there, and its SHA-256; a file that differs from its pin is not loaded. A sandbox root is accepted only
by a store that somebody made with `with_sandbox` (design, D9): nothing in this package calls it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict

from verifier import yaml_files
from verifier.cache import BoundedCache
from verifier.errors import MalformedEvidence
from verifier.pki import Certificate
from verifier.pki.files import certificates_in, pem_values

_ROOTS: Final = Path(__file__).parent / "roots"
VENDORS: Final = ("amd", "intel", "nvidia", "aws", "google")
"""Whose roots ship: the folders of `roots`."""

EMULATED: Final = ("milan", "genoa", "turin", "tdx", "nvidia-device", "nvidia-gpu-rim", "nvidia-switch-rim", "nitro")
"""Product lines that a sandbox emulates."""


@dataclass(frozen=True, slots=True)
class TrustAnchor:
    """A root certificate.

    name: whose it is, a vendor of `VENDORS` or `sandbox`; it appears in every result that rests on it.
    scope: product lines whose evidence it may vouch for.
    """

    name: str
    scope: frozenset[str]
    certificate: Certificate


class PinnedCertificate(BaseModel):
    """One entry of `roots/<vendor>/sources.yaml`.

    role: an anchor is trusted; an intermediate only saves callers from sending it, and is verified like theirs.
    sha256: of the DER certificate. source: where the vendor publishes it; checked: when it was compared, to what.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    role: Literal["anchor", "intermediate"]
    product: str
    sha256: str
    source: str
    date: date
    checked: str


class TrustStore:
    """Trust anchors, the vendors' intermediates, and a memory of what has been verified under them.

    A store is immutable; its memory holds verified chains and CRLs by hash, with their validity, and never a
    verdict. Share one store to share the memory.
    """

    def __init__(self, anchors: Iterable[TrustAnchor], intermediates: Iterable[Certificate] = ()) -> None:
        self.anchors: Final = tuple(anchors)
        self.intermediates: Final = tuple(intermediates)
        self.verified: Final = BoundedCache[bytes, Any]()

    @classmethod
    def production(cls) -> TrustStore:
        """The pinned roots of hardware vendors, and nothing else."""
        anchors: list[TrustAnchor] = []
        intermediates: list[Certificate] = []
        for vendor in VENDORS:
            for pin in pinned_certificates(vendor):
                certificate = _load_pinned(vendor, pin)
                if pin.role == "anchor":
                    anchors.append(TrustAnchor(vendor, frozenset({pin.product}), certificate))
                else:
                    intermediates.append(certificate)
        return cls(anchors, intermediates)

    def with_sandbox(self, pem: bytes | str, scope: Iterable[str] = EMULATED) -> TrustStore:
        """A new store that also trusts emulated vendors' roots, each under the name `sandbox`.

        pem: the self-issued roots, one for each vendor, and any intermediates under them. What a root's key cannot
        have signed it does not vouch for, whatever its scope: AMD's are RSA keys, Intel's on P-256, others' on P-384.
        """
        text = pem.encode() if isinstance(pem, str) else pem
        certificates = [Certificate.parse(der) for der in pem_values(text)]
        roots = [certificate for certificate in certificates if certificate.issuer == certificate.subject]
        if not roots:
            raise MalformedEvidence(0, "sandbox root: no self-issued certificate in PEM, at least 1 expected")
        anchors = (TrustAnchor("sandbox", frozenset(scope), root) for root in roots)
        others = [certificate for certificate in certificates if certificate not in roots]
        return TrustStore((*self.anchors, *anchors), (*self.intermediates, *others))


def pinned_certificates(vendor: str) -> list[PinnedCertificate]:
    """The pins of a vendor, as its sources file states them."""
    return [PinnedCertificate.model_validate(pin) for pin in yaml_files.packaged(_ROOTS / vendor / "sources.yaml")]


def path_of(vendor: str, pin: PinnedCertificate) -> Path:
    """The file that a pin is about."""
    return _ROOTS / vendor / pin.file


def _load_pinned(vendor: str, pin: PinnedCertificate) -> Certificate:
    certificate = Certificate.parse(certificates_in(path_of(vendor, pin))[0])
    if certificate.fingerprint != pin.sha256:
        raise MalformedEvidence(
            0, f"roots/{vendor}/{pin.file} has SHA-256 {certificate.fingerprint}, pinned is {pin.sha256}"
        )
    return certificate
