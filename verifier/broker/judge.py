"""The broker's use of the verifier: is this evidence genuine, and does it satisfy the policy of this key?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from verifier.appraisal import AppraisalPolicy, AttestationResult, Tier
from verifier.appraisal import snp as snp_appraisal
from verifier.appraisal import tdx as tdx_appraisal
from verifier.broker.genuine import Genuine, verify_snp, verify_tdx
from verifier.broker.problem import Kind, Refusal
from verifier.broker.protocol import Evidence
from verifier.broker.snp_evidence import SnpEvidence
from verifier.config import ConfigurationError, Resource, VerifierConfig
from verifier.errors import InvalidReferenceValues, MalformedEvidence, VerificationFailed
from verifier.reference import ReferenceValues, TdxReferenceValues, read_any_bundle
from verifier.signer import load_public_key
from verifier.snp import Product, VerifiedReport
from verifier.tdx import CollateralSource, CollateralStore
from verifier.trust import TrustStore


class Judge:
    """Trust anchors, reference values and policies of one configuration.

    crls: AMD's revocation lists (DER), from the verifier's own collateral. collateral: Intel's, for TDX.
    """

    def __init__(
        self,
        config: VerifierConfig,
        trust: TrustStore,
        crls: Sequence[bytes] = (),
        collateral: CollateralSource | None = None,
    ) -> None:
        self._trust = narrowed(trust, config.trust_anchors)
        self._crls = tuple(crls)
        self._collateral = collateral or CollateralStore(None)
        self._reference_values, self._refused_values = _reference_values(config)
        self._policies = {resource.path: appraisal_policy(resource) for resource in config.resources}

    def policy_id(self, resource: Resource) -> str:
        """Name and digest of the appraisal policy of a resource."""
        return self._policies[resource.path].identifier

    def verify(self, evidence: Evidence, at: datetime, collateral: CollateralSource | None = None) -> Genuine:
        """Genuine, by a trusted vendor's key, at this time? A Refusal names the check that failed.

        collateral: to be used instead of the verifier's own.
        """
        try:
            if isinstance(evidence.hardware, SnpEvidence):
                return verify_snp(evidence.hardware, self._trust, at, self._crls)
            return verify_tdx(evidence.hardware, self._trust, at, collateral or self._collateral)
        except MalformedEvidence as error:
            raise Refusal(Kind.ATTESTATION, "evidence.malformed", str(error)) from None
        except VerificationFailed as error:
            raise Refusal(Kind.ATTESTATION, error.check, error.reason) from None

    def appraise(self, genuine: Genuine, evidence: Evidence, resource: Resource) -> AttestationResult:
        """The result under the policy of `resource`, REPORT_DATA being what nonce and key demand."""
        policy, expected = self._policies[resource.path], evidence.runtime_data.report_data()
        if isinstance(genuine.verified, VerifiedReport):
            reports = [it for it in self._reference_values if isinstance(it, ReferenceValues)]
            return snp_appraisal.appraise(genuine.verified, policy, report_data=expected, reference_values=reports)
        quotes = [it for it in self._reference_values if isinstance(it, TdxReferenceValues)]
        return tdx_appraisal.appraise(genuine.verified, policy, report_data=expected, reference_values=quotes)

    def objections(self, result: AttestationResult, resource: Resource, tee: str) -> list[str]:
        """Why the result does not open `resource`; empty when it does."""
        found = [
            f"{claim.name}: {claim.reason}" for appraisal in result.submods.values() for claim in appraisal.against()
        ]
        if tee not in resource.policy.tee:
            found.append(f"tee: {tee}, the policy accepts {', '.join(resource.policy.tee)}")
        if not found and result.status is not Tier.AFFIRMING:
            found.append(f"status: {result.status}, affirming is required")
        return found + self._without_values(resource, tee) if found else []

    def _without_values(self, resource: Resource, tee: str) -> list[str]:
        """Which of the policy's images have no usable reference values, and which bundles were not usable."""
        usable = {values.name for values in self._reference_values if values.tee == tee}
        missing = [image for image in resource.policy.images if image not in usable]
        if not missing:
            return []
        return [f"reference-values: none that a build key signed for image {image} on {tee}" for image in missing] + [
            f"reference-values: {reason}" for reason in self._refused_values
        ]


def narrowed(trust: TrustStore, names: Sequence[str]) -> TrustStore:
    """Only the anchors that the configuration names: a sandbox root counts only where it is named (design, D9)."""
    missing = sorted(set(names) - {anchor.name for anchor in trust.anchors})
    if missing:
        raise ConfigurationError(
            f"trust_anchors: {', '.join(missing)} is named, but this verifier was given no such root; "
            "give it the root, or remove the name"
        )
    return TrustStore((anchor for anchor in trust.anchors if anchor.name in names), trust.intermediates)


def appraisal_policy(resource: Resource) -> AppraisalPolicy:
    """A key's release policy as an appraisal policy: what it does not allow is denied."""
    policy = resource.policy
    fields: dict[str, object] = {
        "id": resource.path,
        "images": frozenset(policy.images),
        "vmpl": frozenset(policy.vmpl),
        "allow_debug": policy.debug,
        "allow_migration": policy.migration,
    }
    if policy.minimum_tcb is not None:
        fields["minimum_tcb"] = dict.fromkeys(Product, policy.minimum_tcb)
    if policy.tdx is not None:
        fields["tdx"] = policy.tdx
    return AppraisalPolicy.model_validate(fields)


def _reference_values(config: VerifierConfig) -> tuple[list[ReferenceValues | TdxReferenceValues], list[str]]:
    """The bundles that a build key signed; and for each of the others, why it is not used."""
    keys = [load_public_key(key) for key in config.build_keys]
    usable: list[ReferenceValues | TdxReferenceValues] = []
    refused: list[str] = []
    for index, envelope in enumerate(config.reference_values):
        try:
            usable.append(read_any_bundle(envelope, keys))
        except InvalidReferenceValues as error:
            refused.append(f"bundle {index} is not used: {error}")
    return usable, refused
