"""Release policies for Azure Key Vault and Managed HSM: the secure key release grammar, version 1.0.0.

A document lists authorities; each has one `allOf` of conditions on the claims of the token that this authority signed
(learn.microsoft.com/azure/key-vault/keys/policy-grammar). The claims are those of a confidential VM's platform token
(learn.microsoft.com/azure/attestation/attestation-token-examples): at its top level the token says which TEE it is
about and whether Azure finds it compliant; `x-ms-sevsnpvm-*` carries fields of the SEV-SNP report, `tdx_*` and
`attester_tcb_status` those of the TDX quote (.../trust-domain-extensions-eat-profile). The token that a guest asks for
through its vTPM nests the same claims under `x-ms-isolation-tee` and does not satisfy this document.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from components.release.policy import Compiled, ReleasePolicy, ReleasePolicyError, Tee, unexpressed

VERSION = "1.0.0"
CONTENT_TYPE = "application/json; charset=utf-8"

_TCB_CLAIMS = (
    ("bootloader", "x-ms-sevsnpvm-bootloader-svn"),
    ("tee", "x-ms-sevsnpvm-tee-svn"),
    ("snp", "x-ms-sevsnpvm-snpfw-svn"),
    ("microcode", "x-ms-sevsnpvm-microcode-svn"),
)

_NOT_OF_IMAGES = "the token has no claim of containers; the measured guest judges what it starts"
_INEXPRESSIBLE = {
    "image_digests": _NOT_OF_IMAGES,
    "image_signers": _NOT_OF_IMAGES,
    "minimum_tcb_by_product": "the token does not name the product: the highest floor of every part holds for all",
    "confidential_gpu": "the token has no claim of a GPU; the verifier's broker holds it",
    "vtpm": "the platform's token speaks of the CPU alone; the verifier's broker holds it",
    "hardware": "the token has no claim of the processor; the verifier's broker holds it",
    "max_token_seconds": "the grammar has no time; Key Vault checks the token's own expiry",
    "data_class": "the grammar knows claims of the token only; the gateway and the policies hold it",
}
_INEXPRESSIBLE_FOR_TDX = {
    "launch_signers": "a TD has no signer of its launch",
    "vmpl": "a TD has no privilege levels that its token names",
    "allow_migration": "the token has no claim of its own for it; Azure migrates no confidential VM",
}


def compile_policy(policy: ReleasePolicy) -> Compiled:
    """The policy as a secure key release document; raises `ReleasePolicyError` for what it could only widen.

    Azure's tokens name a workload by its launch only, so that a policy without one cannot be compiled. Each authority
    may vouch for each TEE, by conditions of its own. A launch measurement of the one TEE is listed for the other as
    well, where no hardware reports it.
    """
    policy.require_local_authorities()
    if insecure := [authority.uri for authority in policy.authorities if not authority.uri.startswith("https://")]:
        raise ReleasePolicyError(f"release policy: authority {insecure[0]}: Azure believes https authorities only")
    if Tee.TDX in policy.tees and not policy.launch_measurements:
        raise ReleasePolicyError("release policy: launch_measurements: name a trust domain; its token has no signer")
    if not policy.launch_measurements and not policy.launch_signers:
        raise ReleasePolicyError("release policy: launch_measurements: Azure's tokens name launches only")
    document = {
        "version": VERSION,
        "anyOf": [
            {"authority": authority.uri, "allOf": _CONDITIONS[tee](policy)}
            for authority in policy.authorities
            for tee in policy.tees
        ],
    }
    reasons = {**(_INEXPRESSIBLE_FOR_TDX if Tee.TDX in policy.tees else {}), **_INEXPRESSIBLE}
    return Compiled("azure", document, unexpressed(policy, reasons))


def encode(compiled: Compiled) -> str:
    """The document as `releasePolicy.data` takes it: canonical JSON in base64url without padding (RFC 4648, 5)."""
    text = json.dumps(compiled.document, sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _snp_conditions(policy: ReleasePolicy) -> list[dict[str, Any]]:
    conditions = [
        _equals("x-ms-attestation-type", "sevsnpvm"),
        _equals("x-ms-compliance-status", "azure-compliant-cvm"),
        *_optional("x-ms-sevsnpvm-launchmeasurement", policy.launch_measurements),
        *_optional("x-ms-sevsnpvm-idkeydigest", policy.launch_signers),
        _one_of("x-ms-sevsnpvm-vmpl", policy.vmpl),
    ]
    if not policy.allow_debug:
        conditions.append(_equals("x-ms-sevsnpvm-is-debuggable", False))
    if not policy.allow_migration:
        conditions.append(_equals("x-ms-sevsnpvm-migration-allowed", False))
    floor = policy.strictest_tcb()
    return conditions + [{"claim": claim, "greaterOrEquals": getattr(floor, part)} for part, claim in _TCB_CLAIMS]


def _tdx_conditions(policy: ReleasePolicy) -> list[dict[str, Any]]:
    """Conditions on a TD. Its platform's firmware has no floor in the policy: Intel says which is up to date."""
    conditions = [
        _equals("x-ms-attestation-type", "tdxvm"),
        _equals("x-ms-compliance-status", "azure-compliant-cvm"),
        _one_of("tdx_mrtd", policy.launch_measurements),
        _equals("attester_tcb_status", "UpToDate"),
    ]
    if not policy.allow_debug:
        conditions.append(_equals("tdx_td_attributes_debug", False))
    return conditions


_CONDITIONS: Mapping[Tee, Callable[[ReleasePolicy], list[dict[str, Any]]]] = {
    Tee.SNP: _snp_conditions,
    Tee.TDX: _tdx_conditions,
}


def _equals(claim: str, value: str | int | bool) -> dict[str, Any]:
    return {"claim": claim, "equals": value}


def _optional(claim: str, values: tuple[str, ...]) -> list[dict[str, Any]]:
    return [_one_of(claim, values)] if values else []


def _one_of(claim: str, values: tuple[str, ...] | tuple[int, ...]) -> dict[str, Any]:
    """One condition that any of the values satisfies: the grammar has sets only as a nested `anyOf`."""
    alternatives = [_equals(claim, value) for value in values]
    return alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
