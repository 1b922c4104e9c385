"""What Google signs about its confidential VMs: launch endorsements of firmware, and certificates of vTPM keys."""

from verifier.google.attestation_key import VerifiedAttestationKey, verify_attestation_key
from verifier.google.endorsement import LaunchEndorsement, VerifiedEndorsement, check_signature, parse, verify

__all__ = [
    "LaunchEndorsement",
    "VerifiedAttestationKey",
    "VerifiedEndorsement",
    "check_signature",
    "parse",
    "verify",
    "verify_attestation_key",
]
