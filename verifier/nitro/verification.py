"""Is a document genuine: did AWS's Nitro System sign it?

Source: AWS, Nitro Enclaves user guide, "Verifying the root of trust" (semantic and cryptographic validation). The
signer is the operator of the cloud, not the vendor of the processor. AWS publishes no revocation list for the chain,
whose members below the regional one live for hours or days. Whether a genuine document is acceptable,
`verifier.appraisal` answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from verifier.errors import VerificationFailed
from verifier.nitro.document import NitroDocument
from verifier.pki.chain import Chain, verified_chain
from verifier.signer import ES384
from verifier.trust import TrustStore

SCOPE: Final = "nitro"
"""Scope of the anchors that may vouch for the Nitro System."""


@dataclass(frozen=True, slots=True)
class VerifiedDocument:
    """A genuine document. chain: its signer's. at: the time for which that holds."""

    document: NitroDocument
    chain: Chain
    at: datetime

    def annotations(self) -> dict[str, str | int]:
        """The document's."""
        return self.document.annotations()


def verify(document: NitroDocument, trust: TrustStore, at: datetime) -> VerifiedDocument:
    """Check `document` at the time `at`; VerificationFailed names the first check that does not hold.

    at: aware; there is no default. MalformedEvidence when a certificate does not parse.
    """
    if document.message.algorithm != ES384.cose:
        raise VerificationFailed(
            "cose.algorithm", f"algorithm {document.message.algorithm!r:.40}, ES384 ({ES384.cose}) expected"
        )
    authorities = len(document.chain) - 2
    roles = ("leaf", *(f"intermediate{number}" for number in range(authorities, 0, -1)), "root")
    chain = verified_chain(document.chain, roles, SCOPE, trust, "chain")
    leaf = chain.members[0]
    if not leaf.certificate.signs_data:
        raise VerificationFailed("chain.leaf.usage", f"{leaf.certificate.common_name} may not sign data")
    chain.require_valid(at)
    if not document.message.is_signed_by(leaf.key):
        raise VerificationFailed("cose.signature", "the document is not signed by the key of its certificate")
    if not leaf.certificate.not_before <= document.timestamp <= leaf.certificate.not_after:
        raise VerificationFailed(
            "timestamp", f"{document.timestamp.isoformat()} is outside the validity of the document's certificate"
        )
    return VerifiedDocument(document, chain, at)
