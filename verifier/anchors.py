"""A self-check of what is trusted: every pinned certificate that ships, with its fingerprint computed again.

`TrustStore.production` refuses to load a certificate that differs from its pin; this says which one, and shows where
each pin comes from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from verifier import trust
from verifier.errors import MalformedEvidence, UnreadableInput
from verifier.pki import Certificate
from verifier.pki.files import certificates_in
from verifier.trust import PinnedCertificate


@dataclass(frozen=True, slots=True)
class Pinned:
    """A pin and the file it is about. fingerprint: SHA-256 of the file's certificate; None: there is none in it."""

    vendor: str
    pin: PinnedCertificate
    fingerprint: str | None
    certificate: Certificate | None

    @property
    def holds(self) -> bool:
        """Whether the file is the pinned certificate."""
        return self.fingerprint == self.pin.sha256

    @property
    def problem(self) -> str:
        """Why it does not hold, in one line; empty when it does."""
        if self.holds:
            return ""
        found = f"has SHA-256 {self.fingerprint}" if self.fingerprint else "holds no certificate that can be read"
        return f"roots/{self.vendor}/{self.pin.file} {found}, pinned is {self.pin.sha256}"

    def state(self, at: datetime) -> str:
        """`valid`, `expired`, `not yet valid` or `differs`."""
        if not self.holds or self.certificate is None:
            return "differs"
        if at < self.certificate.not_before:
            return "not yet valid"
        return "valid" if at <= self.certificate.not_after else "expired"

    def as_json(self, at: datetime) -> dict[str, Any]:
        """The pin as JSON members."""
        certificate = self.certificate
        return {
            "vendor": self.vendor,
            "role": self.pin.role,
            "scope": self.pin.product,
            "subject": certificate.common_name if certificate else None,
            "sha256": self.fingerprint,
            "pinned_sha256": self.pin.sha256,
            "not_before": certificate.not_before.isoformat() if certificate else None,
            "not_after": certificate.not_after.isoformat() if certificate else None,
            "source": self.pin.source,
            "checked": self.pin.checked,
            "date": self.pin.date.isoformat(),
            "state": self.state(at),
        }


def pinned() -> Iterator[Pinned]:
    """Every certificate that ships with the verifier, vendor by vendor."""
    for vendor in trust.VENDORS:
        for pin in trust.pinned_certificates(vendor):
            yield _checked(vendor, pin)


def _checked(vendor: str, pin: PinnedCertificate) -> Pinned:
    try:
        encoded = certificates_in(trust.path_of(vendor, pin))
        certificate = Certificate.parse(encoded[0])
    except (MalformedEvidence, UnreadableInput):
        return Pinned(vendor, pin, None, None)
    if len(encoded) != 1:
        return Pinned(vendor, pin, None, None)
    return Pinned(vendor, pin, hashlib.sha256(encoded[0]).hexdigest(), certificate)
