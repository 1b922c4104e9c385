"""The guest's side of the processor: what /dev/sev-guest or /dev/tdx_guest gives a confidential VM."""

import base64
from dataclasses import dataclass
from typing import Any, Protocol

from sandbox.hardware import CertificateChain, LaunchedGuest, LaunchedTd, SnpFirmware, TdxModule


class Device(Protocol):
    """Evidence about this guest and no other: the processor knows who asks."""

    @property
    def tee(self) -> str:
        """The TEE, as the Key Broker Service protocol names it."""

    @property
    def measurement(self) -> bytes:
        """What the hardware measured at launch, 48 bytes."""

    def report(self, report_data: bytes) -> bytes:
        """Signed evidence over `report_data` (64 bytes)."""

    def evidence(self, report: bytes) -> dict[str, Any]:
        """`report` as `primary_evidence`, with what the host adds to it."""

    def certificates(self) -> dict[str, bytes]:
        """The certificates under which evidence verifies, in DER, by the vendor's name for each."""


@dataclass(frozen=True, slots=True)
class SevGuestDevice:
    """An SEV-SNP guest's: a report is an attestation report, 1184 bytes (SNP_GET_EXT_REPORT)."""

    firmware: SnpFirmware
    guest: LaunchedGuest

    @property
    def tee(self) -> str:
        return "snp"

    @property
    def measurement(self) -> bytes:
        return self.guest.measurement

    def report(self, report_data: bytes) -> bytes:
        return self.firmware.report(self.guest, report_data)

    def evidence(self, report: bytes) -> dict[str, Any]:
        return snp_evidence(report, self.firmware.certificates)

    def certificates(self) -> dict[str, bytes]:
        chain = self.firmware.certificates
        return {"vcek": chain.vcek, "ask": chain.ask, "ark": chain.ark}


@dataclass(frozen=True, slots=True)
class TdxGuestDevice:
    """A TD's: a report is a quote, and beside it the TD has the event log of its firmware."""

    module: TdxModule
    td: LaunchedTd

    @property
    def tee(self) -> str:
        return "tdx"

    @property
    def measurement(self) -> bytes:
        return self.td.measurement

    def report(self, report_data: bytes) -> bytes:
        return self.module.quote(self.td, report_data)

    def evidence(self, report: bytes) -> dict[str, Any]:
        return {"quote": _text(report), "cc_eventlog": _text(self.td.event_log)}

    def certificates(self) -> dict[str, bytes]:
        return self.module.certificates


def snp_evidence(report: bytes, chain: CertificateChain) -> dict[str, Any]:
    """A report and its chain as the `primary_evidence` of an `snp` guest: binary members in base64."""
    certificates = (("VCEK", chain.vcek), ("ASK", chain.ask), ("ARK", chain.ark))
    return {
        "attestation_report": _text(report),
        "cert_chain": [{"cert_type": kind, "data": _text(der)} for kind, der in certificates],
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
