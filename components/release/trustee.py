"""What Trustee hands to its resource policy, by release (confidential-containers/trustee).

Newer ones hand over a trust context: what the attestation service found, with the issuer and the claims of the EAR
token (`kbs/sample_policies/default.rego`, 3a8186e6), with every field of an SEV-SNP report below `snp.evidence`
(`attestation-service/docs/tcb_claims.md`, 238497d4). Releases up to v0.21 hand over the token's claims as they are,
with some fields flat below `snp` (`deps/verifier/src/snp/mod.rs`, v0.21.0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.release.policy import MinimumTcb

_PARTS = tuple(MinimumTcb.model_fields)


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a resource policy finds what it asks for."""

    names: Sequence[str]
    """Rules that name the places."""
    claims: str
    """The token's claims."""
    issuer: str
    affirmed: Sequence[str]
    """Conditions that the attestation service found nothing against the guest."""
    snp: Mapping[str, str]
    """Fields of SEV-SNP evidence, below the annotated evidence; a field that is not here is not stated."""
    cannot_express: Mapping[str, str]
    """Fields of a release policy that this release has no words for."""


AZURE_SNP: Mapping[str, str] = {
    "measurement": "measurement",
    "debug": "policy_debug_allowed",
    "migration": "policy_migrate_ma",
    **{part: f"reported_tcb_{part}" for part in _PARTS},
}
"""Fields of the evidence of Azure's SEV-SNP guests, below `az-snp-vtpm`: texts in every release."""
TRUST_CONTEXT = Shape(
    names=("summary := input.trust_context.attestation_summary",),
    claims="summary.claims",
    issuer="summary.issuer",
    affirmed=("summary.verification_result == true",),
    snp={
        "generation": "snp.generation",
        **{name: f"snp.evidence.{name}" for name in ("measurement", "id_key_digest", "vmpl", "chip_id")},
        "debug": "snp.evidence.policy.debug_allowed",
        "migration": "snp.evidence.policy.migrate_ma_allowed",
        **{part: f"snp.evidence.reported_tcb.{part}" for part in _PARTS},
    },
    cannot_express={},
)
TOKEN = Shape(
    names=(),
    claims="input",
    issuer="input.iss",
    affirmed=(),
    snp={
        **{name: f"snp.{name}" for name in ("measurement", "chip_id")},
        "debug": "snp.policy_debug_allowed",
        "migration": "snp.policy_migrate_ma",
        **{part: f"snp.reported_tcb_{part}" for part in _PARTS},
    },
    cannot_express={
        "launch_signers": "Trustee's claims up to v0.21 name no signer of a launch",
        "minimum_tcb_by_product": "Trustee's claims up to v0.21 name no product: the highest floor holds for all",
        "vmpl": "Trustee up to v0.21 does not state it; it takes reports of VMPL 0 alone",
    },
)
