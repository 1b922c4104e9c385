"""The broker's use of the verifier: is this evidence genuine, and does it satisfy the policy of this key?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from verifier import aws, azure, nitro, nvidia, snp, tdx
from verifier.appraisal import AppraisalPolicy, AttestationResult, Tier
from verifier.appraisal import aws as aws_appraisal
from verifier.appraisal import azure as azure_appraisal
from verifier.appraisal import collateral as collateral_appraisal
from verifier.appraisal import nitro as nitro_appraisal
from verifier.appraisal import nvidia as nvidia_appraisal
from verifier.appraisal import snp as snp_appraisal
from verifier.appraisal import tdx as tdx_appraisal
from verifier.broker.aws_evidence import AwsNitroEvidence, AwsSnpEvidence
from verifier.broker.azure_evidence import AzSnpEvidence, AzTdxEvidence
from verifier.broker.genuine import Genuine, verify_aws, verify_azure, verify_snp, verify_tdx
from verifier.broker.problem import Kind, Refusal
from verifier.broker.protocol import Evidence
from verifier.broker.snp_evidence import SnpEvidence
from verifier.broker.tdx_evidence import TdxEvidence
from verifier.collateral.live import snapshot
from verifier.collateral.record import CollateralError
from verifier.collateral.source import Reader, Stored, Used
from verifier.config import DEMANDS, ConfigurationError, Resource, VerifierConfig
from verifier.errors import InvalidReferenceValues, MalformedEvidence, UnreadableInput, VerificationFailed
from verifier.reference import (
    AnyReferenceValues,
    NitroReferenceValues,
    ReferenceValues,
    read_any_bundle,
)
from verifier.signer import load_public_key
from verifier.snp import Product
from verifier.tdx import CollateralSource, CollateralStore
from verifier.trust import TrustStore

_KINDS: Final = {"aws-snp-nitrotpm": ("snp", "nitro"), "aws-nitro": ("nitro",)}
"""TEE → kinds of reference values, where that is not one of its own name."""


class Judge:
    """Trust anchors, reference values and policies of one configuration.

    crls: AMD's revocation lists (DER), from the verifier's own collateral. collateral: Intel's; devices: NVIDIA's.
    reader: the store that they come from, which knows their age; None: nobody does.
    """

    def __init__(
        self,
        config: VerifierConfig,
        trust: TrustStore,
        crls: Sequence[bytes] = (),
        collateral: CollateralSource | None = None,
        devices: nvidia.CollateralSource = nvidia.Collateral,
        reader: Reader | None = None,
    ) -> None:
        self._reader = reader
        self._trust = narrowed(trust, config.trust_anchors)
        self._crls = crls
        self._collateral = collateral or CollateralStore(None)
        self._devices = devices
        self._reference_values, self._refused_values = _reference_values(config)
        self._policies = {resource.path: appraisal_policy(resource) for resource in config.resources}

    def policy_id(self, resource: Resource) -> str:
        """Name and digest of the appraisal policy of a resource."""
        return self._policies[resource.path].identifier

    def verify(
        self,
        evidence: Evidence,
        at: datetime,
        collateral: CollateralSource | None = None,
        devices: nvidia.CollateralSource | None = None,
    ) -> Genuine:
        """Genuine, by trusted vendors' keys, at this time? A Refusal names the check that failed.

        collateral, devices: to be used instead of the verifier's own.
        """
        try:
            genuine = self._verify_cpu(evidence, at, collateral or self._collateral)
            if evidence.devices is None:
                return genuine
            judged_with = (devices or self._devices)()
            verified = nvidia.verify_each(evidence.devices.devices, judged_with, self._trust, at)
            return replace(genuine, devices=verified, device_collateral=judged_with)
        except (MalformedEvidence, UnreadableInput) as error:
            raise Refusal(Kind.ATTESTATION, "evidence.malformed", str(error)) from None
        except VerificationFailed as error:
            raise Refusal(Kind.ATTESTATION, error.check, error.reason) from None

    def _verify_cpu(self, evidence: Evidence, at: datetime, collateral: CollateralSource) -> Genuine:
        match evidence.hardware:
            case SnpEvidence() as hardware:
                return verify_snp(hardware, self._trust, at, self._crls)
            case TdxEvidence() as hardware:
                return verify_tdx(hardware, self._trust, at, collateral)
            case AzSnpEvidence() | AzTdxEvidence() as hardware:
                return verify_azure(hardware, self._trust, at, self._crls, collateral)
            case AwsSnpEvidence() | AwsNitroEvidence() as hardware:
                return verify_aws(hardware, self._trust, at, self._crls)

    def appraise(
        self, genuine: Genuine, evidence: Evidence, resource: Resource, at: datetime | None = None
    ) -> AttestationResult:
        """The result under the policy of `resource`, nonce and key being what the evidence must be bound to.

        at: for which time the age of collateral counts; None: of what is archived nobody asks it again.
        """
        result = self._appraise(genuine, evidence, resource)
        limits = self._policies[resource.path].collateral
        if at is None or not limits.maximum_age_days:
            return result
        return collateral_appraisal.appraised(result, self._used(genuine, evidence, at), limits, at, self._trust)

    def _used(self, genuine: Genuine, evidence: Evidence, at: datetime) -> Used:
        """The store's entries that the evidence is judged with, besides the certificates that came with it."""
        if self._reader is None:
            return None
        try:
            store = Stored(snapshot(self._reader), at)
            match genuine.machine:
                case snp.VerifiedReport(report=report):
                    used = tuple(store.crls(report))
                case tdx.VerifiedQuote(quote=quote):
                    used = store.tdx(quote).used or ()
                case nitro.VerifiedDocument():
                    used = ()
            if evidence.devices is not None:
                used += store.devices(evidence.devices.devices, self._trust).used or ()
        except VerificationFailed as error:
            raise Refusal(Kind.ATTESTATION, error.check, error.reason) from None
        except CollateralError as error:
            raise Refusal(Kind.ATTESTATION, "collateral.store", str(error)) from None
        return used

    def _appraise(self, genuine: Genuine, evidence: Evidence, resource: Resource) -> AttestationResult:
        policy = self._policies[resource.path]
        machine = self._appraise_machine(genuine, evidence, policy)
        if evidence.devices is not None:
            devices = nvidia_appraisal.appraise(
                genuine.devices,
                policy,
                nonce=evidence.runtime_data.device_nonce(),
                stated_mode=evidence.devices.stated_mode,
            )
        elif resource.policy.nvidia is not None:
            devices = nvidia_appraisal.missing(policy)
        else:
            return machine
        return AttestationResult.of({**machine.submods, **devices.submods})

    def _appraise_machine(self, genuine: Genuine, evidence: Evidence, policy: AppraisalPolicy) -> AttestationResult:
        runtime, values = evidence.runtime_data, self._reference_values
        digest, report_data = runtime.digest(), runtime.report_data()
        match genuine.verified:
            case azure.VerifiedVm() as vm:
                return azure_appraisal.appraise(vm, policy, nonce=digest, reference_values=values)
            case aws.VerifiedInstance() as instance:
                return aws_appraisal.appraise(
                    instance, policy, nonce=digest, report_data=report_data, reference_values=values
                )
            case nitro.VerifiedDocument() as document:
                return nitro_appraisal.appraise(document, policy, nonce=digest, reference_values=values)
            case snp.VerifiedReport() as report:
                return snp_appraisal.appraise(report, policy, report_data=report_data, reference_values=values)
            case tdx.VerifiedQuote() as quote:
                return tdx_appraisal.appraise(
                    quote, policy, report_data=report_data, reference_values=values, events=genuine.events
                )

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
        usable = _known_on(tee, self._reference_values)
        missing = [image for image in resource.policy.images if image not in usable]
        if not missing:
            return []
        return [f"reference-values: none that a build key signed for image {image} on {tee}" for image in missing] + [
            f"reference-values: {reason}" for reason in self._refused_values
        ]


def _known_on(tee: str, values: Sequence[AnyReferenceValues]) -> set[str]:
    """The images that have all the reference values which a TEE needs: on Azure those with PCRs for the hardware in the
    name, on AWS those with NitroTPM's, in the same bundle or one of its own."""
    kinds = _KINDS.get(tee, (tee,))
    named = ({it.name for it in values if kind in _serves(it)} for kind in kinds)
    return set.intersection(*named)


def _serves(values: AnyReferenceValues) -> tuple[str, ...]:
    if isinstance(values, NitroReferenceValues):
        return (values.tee,)
    behind_paravisor = (f"az-{values.tee}-vtpm",) if values.vtpm is not None else ()
    on_ec2 = ("nitro",) if isinstance(values, ReferenceValues) and values.nitrotpm is not None else ()
    return (values.tee, *behind_paravisor, *on_ec2)


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
        "revocation": policy.revocation,
    }
    if policy.minimum_tcb is not None:
        fields["minimum_tcb"] = dict.fromkeys(Product, policy.minimum_tcb)
    fields |= {name: part for name in DEMANDS if (part := getattr(policy, name)) is not None}
    return AppraisalPolicy.model_validate(fields)


def _reference_values(config: VerifierConfig) -> tuple[list[AnyReferenceValues], list[str]]:
    """The bundles that a build key signed; and for each of the others, why it is not used."""
    keys = [load_public_key(key) for key in config.build_keys]
    usable: list[AnyReferenceValues] = []
    refused: list[str] = []
    for index, envelope in enumerate(config.reference_values):
        try:
            usable.append(read_any_bundle(envelope, keys))
        except InvalidReferenceValues as error:
            refused.append(f"bundle {index} is not used: {error}")
    return usable, refused
