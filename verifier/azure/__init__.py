"""Azure confidential VMs: the paravisor's HCL report and the vTPM's quote, parsed and verified as one."""

from verifier.azure.claims import RuntimeClaims, VmConfiguration
from verifier.azure.evidence import AzureEvidence, VtpmEvidence, from_directory, with_event_log
from verifier.azure.hcl import HclReport, HostedReport, is_report, parse
from verifier.azure.verification import VerifiedVm, check_binding, required_quote, verify

__all__ = [
    "AzureEvidence",
    "HclReport",
    "HostedReport",
    "RuntimeClaims",
    "VerifiedVm",
    "VmConfiguration",
    "VtpmEvidence",
    "check_binding",
    "from_directory",
    "is_report",
    "parse",
    "required_quote",
    "verify",
    "with_event_log",
]
