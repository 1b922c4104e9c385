"""Release policies for Azure Key Vault and Managed HSM: the secure key release grammar, version 1.0.0.

A document lists authorities; each has one `allOf` of conditions on the claims of the token that this authority signed
(learn.microsoft.com/azure/key-vault/keys/policy-grammar). The claims are those of a confidential VM's platform token
(learn.microsoft.com/azure/attestation/attestation-token-examples): at its top level the token says which TEE it is
about and whether Azure finds it compliant, and `x-ms-sevsnpvm-*` carries fields of the SEV-SNP report. The token that a
guest asks for through its vTPM nests the same claims under `x-ms-isolation-tee` and does not satisfy this document.
"""

import base64
import json
from typing import Any

from components.release.policy import Compiled, Inexpressible, ReleasePolicy, ReleasePolicyError, Tee

VERSION = "1.0.0"
CONTENT_TYPE = "application/json; charset=utf-8"

_TCB_CLAIMS = (
    ("bootloader", "x-ms-sevsnpvm-bootloader-svn"),
    ("tee", "x-ms-sevsnpvm-tee-svn"),
    ("snp", "x-ms-sevsnpvm-snpfw-svn"),
    ("microcode", "x-ms-sevsnpvm-microcode-svn"),
)

_ALWAYS_INEXPRESSIBLE = (
    Inexpressible("max_token_seconds", "the grammar has no time; Key Vault checks the token's own expiry"),
    Inexpressible("data_class", "the grammar knows claims of the token only; the gateway and the policies hold it"),
)


def compile_policy(policy: ReleasePolicy) -> Compiled:
    """The policy as a secure key release document; raises `ReleasePolicyError` for what it could only widen."""
    policy.require_local_authorities()
    if Tee.SNP not in policy.tees:
        raise ReleasePolicyError(
            "release policy: tees: Azure secure key release is compiled for SEV-SNP only; nearest supported: snp"
        )
    if insecure := [authority.uri for authority in policy.authorities if not authority.uri.startswith("https://")]:
        raise ReleasePolicyError(f"release policy: authority {insecure[0]}: Azure believes https authorities only")
    unexpressed = [
        Inexpressible("tees", f"{tee} is not compiled for Azure: such a guest gets no key from this document")
        for tee in policy.tees
        if tee is not Tee.SNP
    ]
    conditions = _snp_conditions(policy)
    document = {
        "version": VERSION,
        "anyOf": [{"authority": authority.uri, "allOf": conditions} for authority in policy.authorities],
    }
    return Compiled("azure", document, (*unexpressed, *_ALWAYS_INEXPRESSIBLE))


def encode(compiled: Compiled) -> str:
    """The document as `releasePolicy.data` takes it: canonical JSON in base64url without padding (RFC 4648, 5)."""
    text = json.dumps(compiled.document, sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _snp_conditions(policy: ReleasePolicy) -> list[dict[str, Any]]:
    conditions = [
        _equals("x-ms-attestation-type", "sevsnpvm"),
        _equals("x-ms-compliance-status", "azure-compliant-cvm"),
        _one_of("x-ms-sevsnpvm-launchmeasurement", policy.launch_measurements),
        _one_of("x-ms-sevsnpvm-vmpl", policy.vmpl),
    ]
    if not policy.allow_debug:
        conditions.append(_equals("x-ms-sevsnpvm-is-debuggable", False))
    if not policy.allow_migration:
        conditions.append(_equals("x-ms-sevsnpvm-migration-allowed", False))
    conditions += [
        {"claim": claim, "greaterOrEquals": getattr(policy.minimum_tcb, part)} for part, claim in _TCB_CLAIMS
    ]
    return conditions


def _equals(claim: str, value: str | int | bool) -> dict[str, Any]:
    return {"claim": claim, "equals": value}


def _one_of(claim: str, values: tuple[str, ...] | tuple[int, ...]) -> dict[str, Any]:
    """One condition that any of the values satisfies: the grammar has sets only as a nested `anyOf`."""
    alternatives = [_equals(claim, value) for value in values]
    return alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
