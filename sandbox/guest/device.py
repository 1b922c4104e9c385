"""The guest's side of the secure processor: what /dev/sev-guest gives a confidential VM."""

import base64
from dataclasses import dataclass
from typing import Any

from sandbox.hardware import CertificateChain, LaunchedGuest, SnpFirmware


@dataclass(frozen=True, slots=True)
class SevGuestDevice:
    """Reports about this guest and no other: the firmware knows who asks."""

    firmware: SnpFirmware
    guest: LaunchedGuest

    def report(self, report_data: bytes) -> bytes:
        """A signed report over `report_data` (64 bytes): SNP_GET_REPORT, 1184 bytes."""
        return self.firmware.report(self.guest, report_data)

    def certificates(self) -> CertificateChain:
        """The certificates that the host hands out with a report: SNP_GET_EXT_REPORT."""
        return self.firmware.certificates


def evidence(report: bytes, chain: CertificateChain) -> dict[str, Any]:
    """A report and its chain as the `primary_evidence` of an `snp` guest: binary members in base64."""
    certificates = (("VCEK", chain.vcek), ("ASK", chain.ask), ("ARK", chain.ark))
    return {
        "attestation_report": base64.b64encode(report).decode("ascii"),
        "cert_chain": [
            {"cert_type": kind, "data": base64.b64encode(der).decode("ascii")} for kind, der in certificates
        ],
    }
