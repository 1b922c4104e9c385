"""Instances of AWS on SEV-SNP that have NitroTPM: the processor's report and the Nitro document, verified as one."""

from verifier.aws.evidence import DOCUMENT, AwsEvidence, from_directory
from verifier.aws.verification import VerifiedInstance, report_digest, verify

__all__ = ["DOCUMENT", "AwsEvidence", "VerifiedInstance", "from_directory", "report_digest", "verify"]
