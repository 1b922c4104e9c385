"""Release policies for AWS KMS: statements of a key policy.

KMS releases plaintext to whoever a key policy allows, and can ask that the request carries an attestation document of
NitroTPM or of a Nitro Enclave (docs.aws.amazon.com/kms/latest/developerguide/conditions-attestation.html). It reads no
SEV-SNP report and no TDX quote. So the policy names one caller that may decrypt: the region's verifier, whose broker
holds the conditions that KMS cannot state. Where that caller itself runs on Nitro attestation, its measurements are
conditions too. The values are hexadecimal, and KMS compares them without letter case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components.release.policy import Compiled, ReleasePolicy, ReleasePolicyError, unexpressed

RELEASE_ACTIONS = ("kms:Decrypt",)
FORBIDDEN_ACTIONS = ("kms:Decrypt", "kms:ReEncryptFrom", "kms:CreateGrant")
"""What yields plaintext, or the right to it."""
_HEX = frozenset("0123456789abcdef")
_PREFIX = "kms:RecipientAttestation:"
_NO_COMMAND_LINE = f"{_PREFIX}NitroTPMPCR12"
"""The one register whose zeros say something: that no command line came from outside."""
_DIGEST_LENGTH = 96
"""Hexadecimal digits of a PCR: SHA-384."""

_INEXPRESSIBLE = {
    **dict.fromkeys(
        (
            "tees",
            "launch_measurements",
            "launch_signers",
            "image_digests",
            "image_signers",
            "minimum_tcb",
            "minimum_tcb_by_product",
            "vmpl",
            "allow_debug",
            "allow_migration",
            "confidential_gpu",
            "vtpm",
            "hardware",
        ),
        "KMS reads no evidence of this hardware; the verifier's broker holds it",
    ),
    "authorities": "KMS believes its own attestation only; the one caller it allows is the verifier",
    "max_token_seconds": "KMS sees no result token; the broker checks its age",
    "data_class": "a key policy knows callers and keys; the gateway and the policies hold it",
}


@dataclass(frozen=True, slots=True)
class NitroMeasurements:
    """What a caller on Nitro must measure, each a SHA-384 in hexadecimal."""

    image_sha384: str | None = None
    """An enclave's image file."""
    pcrs: Mapping[int, str] = field(default_factory=dict)
    """An enclave's platform configuration registers, by number."""
    nitro_tpm_pcrs: Mapping[int, str] = field(default_factory=dict)
    """Registers of the NitroTPM of an instance with an attestable image, by number: 4 and 12, or 7 with Secure Boot
    (EC2 user guide, "NitroTPM Attestation Document contents"). 12 is zeros, as AWS's own tool states it, where no
    command line is passed to the image."""

    def conditions(self) -> dict[str, str]:
        """The condition keys with their values; raises `ReleasePolicyError` for what is no SHA-384."""
        found = {f"{_PREFIX}PCR{number}": value for number, value in sorted(self.pcrs.items())}
        found |= {f"{_PREFIX}NitroTPMPCR{number}": value for number, value in sorted(self.nitro_tpm_pcrs.items())}
        if self.image_sha384 is not None:
            found[f"{_PREFIX}ImageSha384"] = self.image_sha384
        for key, value in found.items():
            zeros = not value.strip("0") and key != _NO_COMMAND_LINE
            if len(value) != _DIGEST_LENGTH or not set(value.lower()) <= _HEX or zeros:
                raise ReleasePolicyError(f"release policy: {key}: must be a SHA-384 in hexadecimal, and not all zeros")
        if found.keys() == {_NO_COMMAND_LINE}:
            raise ReleasePolicyError(f"release policy: {_NO_COMMAND_LINE}: names no image by itself; add NitroTPMPCR4")
        return found


@dataclass(frozen=True, slots=True)
class Caller:
    """Who may have KMS decrypt: a role, from inside one VPC, and measured where it runs on Nitro."""

    role_arn: Any
    """ARN of the role; may be an Output."""
    vpc_id: Any
    """VPC from whose private endpoint it must ask; may be an Output."""
    measurements: NitroMeasurements | None = None
    """Measurements of the caller itself. None where KMS cannot attest it: an SEV-SNP machine."""


def compile_policy(policy: ReleasePolicy, caller: Caller) -> Compiled:
    """The policy as key policy statements; raises `ReleasePolicyError` for what it could only widen."""
    policy.require_local_authorities()
    attested = caller.measurements.conditions() if caller.measurements else {}
    if caller.measurements is not None and not attested:
        raise ReleasePolicyError("release policy: measurements: are empty, so that any Nitro caller would do")
    conditions: dict[str, Any] = {"StringEquals": {"aws:SourceVpc": caller.vpc_id}}
    if attested:
        conditions["StringEqualsIgnoreCase"] = attested
    statements = [
        {
            "Sid": "ReleaseToVerifier",
            "Effect": "Allow",
            "Principal": {"AWS": caller.role_arn},
            "Action": list(RELEASE_ACTIONS),
            "Resource": "*",
            "Condition": conditions,
        },
        {
            "Sid": "ReleaseToNobodyElse",
            "Effect": "Deny",
            "Principal": "*",
            "Action": list(FORBIDDEN_ACTIONS),
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalArn": caller.role_arn}},
        },
    ]
    return Compiled("aws", {"Version": "2012-10-17", "Statement": statements}, unexpressed(policy, _INEXPRESSIBLE))
