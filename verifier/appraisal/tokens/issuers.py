"""What each issuer's tokens state, as claims of our trust vector. No member is believed that is not named here.

Sources: Microsoft, "Azure Attestation claim sets"; Google Cloud, "Confidential Space attestation token claims"; Intel,
"Intel Trust Authority attestation tokens"; NVIDIA, "Attestation claims" (version 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from verifier.appraisal.policy import AppraisalPolicy
from verifier.appraisal.result import Claim
from verifier.appraisal.tokens.stated import debug, judged, measurement, member
from verifier.appraisal.vector import Component
from verifier.tdx.status import TcbStatus

Claims = Mapping[str, Any]

_AZURE_TEES: Final = ("sevsnpvm", "tdxvm")
_AZURE_SNP: Final = "x-ms-sevsnpvm-"
_GOOGLE_HARDWARE: Final = ("GCP_INTEL_TDX",)
"""GCP_AMD_SEV and GCP_AMD_SEV_ES have no integrity of memory, GCP_SHIELDED_VM no encryption."""
_CHAIN: Final = "-cert-chain"


def azure(claims: Claims, policy: AppraisalPolicy) -> Iterator[Claim]:
    """Microsoft Azure Attestation: of a guest, whose isolation is a part of its own, or of the TEE alone."""
    tee = claims["x-ms-isolation-tee"] if isinstance(claims.get("x-ms-isolation-tee"), Mapping) else claims
    kind = tee.get("x-ms-attestation-type")
    yield judged(
        Component.HARDWARE, "tee", kind, holds=kind in _AZURE_TEES, demanded=f"one of {', '.join(_AZURE_TEES)}"
    )
    status = tee.get("x-ms-compliance-status")
    good = status == "azure-compliant-cvm"
    yield judged(Component.HARDWARE, "compliance", status, holds=good, demanded="azure-compliant-cvm")
    secure_boot = claims.get("secureboot", member(tee, "x-ms-runtime", "vm-configuration", "secure-boot"))
    wanted = secure_boot is True or not policy.azure.require_secure_boot
    yield judged(Component.CONFIGURATION, "secure-boot", secure_boot, holds=wanted, demanded="Secure Boot on")
    if kind == "tdxvm":
        stated = tee.get("dbgstat")
        yield debug(stated, off=stated in {"disabled", "disabled-since-boot"}, policy=policy)
        yield measurement(tee.get("tdx_mrtd"), policy)
        return
    stated = tee.get(f"{_AZURE_SNP}is-debuggable")
    yield debug(stated, off=stated is False, policy=policy)
    migration = tee.get(f"{_AZURE_SNP}migration-allowed")
    allowed = migration is False or policy.allow_migration
    yield judged(Component.CONFIGURATION, "migration", migration, holds=allowed, demanded="migration off")
    vmpl = tee.get(f"{_AZURE_SNP}vmpl")
    listed = ", ".join(map(str, sorted(policy.vmpl)))
    holds = isinstance(vmpl, int) and not isinstance(vmpl, bool) and vmpl in policy.vmpl
    yield judged(Component.CONFIGURATION, "vmpl", vmpl, holds=holds, demanded=f"VMPL {listed}")
    yield measurement(tee.get(f"{_AZURE_SNP}launchmeasurement"), policy)


def confidential_space(claims: Claims, policy: AppraisalPolicy) -> Iterator[Claim]:
    """Google Confidential Space."""
    hardware = claims.get("hwmodel")
    good = hardware in _GOOGLE_HARDWARE
    yield judged(Component.HARDWARE, "tee", hardware, holds=good, demanded=", ".join(_GOOGLE_HARDWARE))
    stated = claims.get("dbgstat")
    yield debug(stated, off=stated == "disabled-since-boot", policy=policy)
    secure_boot = claims.get("secboot")
    yield judged(
        Component.CONFIGURATION, "secure-boot", secure_boot, holds=secure_boot is True, demanded="Secure Boot on"
    )
    software = claims.get("swname")
    good = software == "CONFIDENTIAL_SPACE"
    yield judged(Component.EXECUTABLES, "software", software, holds=good, demanded="CONFIDENTIAL_SPACE")
    support = member(claims, "submods", "confidential_space", "support_attributes")
    good = isinstance(support, list) and "STABLE" in support
    yield judged(Component.EXECUTABLES, "support", support, holds=good, demanded="STABLE")
    yield measurement(member(claims, "submods", "container", "image_digest"), policy)


def intel(claims: Claims, policy: AppraisalPolicy) -> Iterator[Claim]:
    """Intel Trust Authority: version 2 has the TD's claims in a part of their own, version 1 at the top.

    Policies of the attester's choice are named only if it asked for some.
    """
    td = claims["tdx"] if isinstance(claims.get("tdx"), Mapping) else claims
    kind = td.get("attester_type")
    yield judged(Component.HARDWARE, "tee", kind, holds=kind == "TDX", demanded="TDX")
    status = td.get("attester_tcb_status")
    accepted = {str(it.value) for it in policy.tdx.statuses if it is TcbStatus.UP_TO_DATE}
    advisories = td.get("attester_advisory_ids")
    if isinstance(advisories, list) and advisories and set(map(str, advisories)) <= policy.tdx.advisories:
        accepted = {str(it.value) for it in policy.tdx.statuses}
    yield judged(
        Component.HARDWARE, "tcb-status", status, holds=status in accepted, demanded=" or ".join(sorted(accepted))
    )
    stated = td.get("tdx_is_debuggable")
    yield debug(stated, off=stated is False, policy=policy)
    unmatched = claims.get("policy_ids_unmatched", td.get("policy_ids_unmatched"))
    if unmatched is not None:
        demanded = "no policy that did not match"
        yield judged(Component.CONFIGURATION, "policies", unmatched, holds=unmatched == [], demanded=demanded)
    yield measurement(td.get("tdx_mrtd"), policy)


def nvidia(claims: Claims, policy: AppraisalPolicy) -> Iterator[Claim]:
    """One device of an NVIDIA bundle. The executables are firmware and driver, which NVIDIA measured itself."""
    status = claims.get("measres")
    yield judged(Component.EXECUTABLES, "measurements", status, holds=status == "success", demanded="success")
    stated = claims.get("dbgstat")
    yield debug(stated, off=stated == "disabled", policy=policy)
    secure_boot = claims.get("secboot")
    yield judged(
        Component.CONFIGURATION, "secure-boot", secure_boot, holds=secure_boot is True, demanded="secure boot on"
    )
    checks = {name: value for name, value in claims.items() if isinstance(value, bool) and name != "secboot"}
    failed = sorted(name for name, value in checks.items() if not value)
    text = ", ".join(failed) or f"{len(checks)} checks"
    good = bool(checks) and not failed
    yield judged(Component.HARDWARE, "checks", text, holds=good, demanded="every check of NVIDIA's holds")
    chains = {name: value for name, value in claims.items() if name.endswith(_CHAIN)}
    wrong = sorted(
        name
        for name, chain in chains.items()
        if (member(chain, "x-nvidia-cert-status"), member(chain, "x-nvidia-cert-ocsp-status")) != ("valid", "good")
    )
    text = ", ".join(wrong) or f"{len(chains)} chains"
    good = bool(chains) and not wrong
    yield judged(
        Component.INSTANCE_IDENTITY, "chains", text, holds=good, demanded="every chain is valid, and its OCSP good"
    )
