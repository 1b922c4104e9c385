"""The guest's side of the hardware: what a confidential VM gets from its processor, its vTPM and its GPUs."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sandbox.hardware import (
    PARAVISOR_MEASUREMENT,
    Booted,
    CertificateChain,
    Gpu,
    LaunchedGuest,
    LaunchedTd,
    NitroTpm,
    SnpFirmware,
    TdxModule,
)

_DIGEST_BYTES: Final = 48
"""Of the 64 bytes of REPORT_DATA, those that are not padding: what a vTPM is asked to quote."""
_REPORT_DATA: Final = slice(0x50, 0x90)
"""Where they are in an SNP report."""
_EVIDENCE_VERSION: Final = 1


class Device(Protocol):
    """Evidence about this guest and no other: the hardware knows who asks."""

    @property
    def tee(self) -> str:
        """The TEE, as the Key Broker Service protocol names it."""

    @property
    def measurement(self) -> bytes:
        """What the processor measured at launch, 48 bytes."""

    def report(self, report_data: bytes) -> bytes:
        """Signed evidence over `report_data` (64 bytes)."""

    def evidence(self, report: bytes, public_key: bytes) -> dict[str, Any]:
        """`report` as `primary_evidence`, with what the host adds to it.

        public_key: the guest's (SubjectPublicKeyInfo, DER), for evidence that has a place for it.
        """

    def certificates(self) -> dict[str, bytes]:
        """The certificates under which evidence verifies, in DER, by the vendor's name for each."""

    def additional_evidence(self, nonce: bytes) -> str:
        """What the guest's GPUs say when asked with `nonce` (32 bytes), as `additional_evidence`; empty without any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Guest:
    """What guests of every kind have."""

    gpus: tuple[Gpu, ...] = ()

    def additional_evidence(self, nonce: bytes) -> str:
        return additional_evidence(self.gpus, nonce)


@dataclass(frozen=True, slots=True)
class SevGuestDevice(_Guest):
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

    def evidence(self, report: bytes, public_key: bytes) -> dict[str, Any]:  # noqa: ARG002
        return snp_evidence(report, self.firmware.certificates)

    def certificates(self) -> dict[str, bytes]:
        return _snp_certificates(self.firmware)


@dataclass(frozen=True, slots=True)
class NitroTpmDevice(SevGuestDevice):
    """An EC2 guest's with NitroTPM: the same report, and beside it a document that names it.

    The document's nonce is what the report is bound to, without the padding; its user_data is the report's SHA-384.
    """

    tpm: NitroTpm

    @property
    def tee(self) -> str:
        return "aws-snp-nitrotpm"

    def evidence(self, report: bytes, public_key: bytes) -> dict[str, Any]:
        document = self.tpm.document(
            nonce=report[_REPORT_DATA][:_DIGEST_BYTES],
            user_data=hashlib.sha384(report).digest(),
            public_key=public_key,
        )
        return snp_evidence(report, self.firmware.certificates) | {"nitro_document": _text(document)}


@dataclass(frozen=True, slots=True)
class TdxGuestDevice(_Guest):
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

    def evidence(self, report: bytes, public_key: bytes) -> dict[str, Any]:  # noqa: ARG002
        return {"quote": _text(report), "cc_eventlog": _text(self.td.event_log)}

    def certificates(self) -> dict[str, bytes]:
        return self.module.certificates


@dataclass(frozen=True, slots=True)
class _VtpmDevice(_Guest):
    """A guest's under a paravisor: a report is the vTPM's quote, and the paravisor's beside it."""

    booted: Booted

    @property
    def measurement(self) -> bytes:
        return PARAVISOR_MEASUREMENT

    def report(self, report_data: bytes) -> bytes:
        return self.booted.vtpm.quote(report_data[:_DIGEST_BYTES])


@dataclass(frozen=True, slots=True)
class SevVtpmDevice(_VtpmDevice):
    """Under a paravisor on SEV-SNP."""

    firmware: SnpFirmware

    @property
    def tee(self) -> str:
        return "az-snp-vtpm"

    def evidence(self, report: bytes, public_key: bytes) -> dict[str, Any]:  # noqa: ARG002
        return vtpm_evidence(report, self.booted) | {"vcek": _urlsafe(self.firmware.certificates.leaf)}

    def certificates(self) -> dict[str, bytes]:
        return _snp_certificates(self.firmware)


@dataclass(frozen=True, slots=True)
class TdxVtpmDevice(_VtpmDevice):
    """The same on TDX, where the host's metadata service makes a quote of the paravisor's TDREPORT."""

    module: TdxModule
    td_quote: bytes

    @property
    def tee(self) -> str:
        return "az-tdx-vtpm"

    def evidence(self, report: bytes, public_key: bytes) -> dict[str, Any]:  # noqa: ARG002
        return vtpm_evidence(report, self.booted) | {"td_quote": _urlsafe(self.td_quote)}

    def certificates(self) -> dict[str, bytes]:
        return self.module.certificates


def snp_evidence(report: bytes, chain: CertificateChain) -> dict[str, Any]:
    """A report and its chain as the `primary_evidence` of an `snp` guest: binary members in base64."""
    return {
        "attestation_report": _text(report),
        "cert_chain": [{"cert_type": kind, "data": _text(der)} for kind, der in chain.named().items()],
    }


def vtpm_evidence(quote: bytes, booted: Booted) -> dict[str, Any]:
    """What `az-snp-vtpm` and `az-tdx-vtpm` guests both send as `primary_evidence`, and the log of their firmware."""
    return {
        "version": _EVIDENCE_VERSION,
        "tpm_quote": {
            "message": quote.hex(),
            "signature": booted.vtpm.signature(quote).hex(),
            "pcrs": [value.hex() for value in booted.vtpm.pcrs],
        },
        "hcl_report": _urlsafe(booted.hcl_report),
        "cc_eventlog": _text(booted.event_log),
    }


def additional_evidence(gpus: Sequence[Gpu], nonce: bytes) -> str:
    """As the guest components of Confidential Containers write it (attester `nvidia`), and NVML's word on modes."""
    if not gpus:
        return ""
    devices = [
        {
            "arch": "HOPPER",
            "uuid": gpu.uuid,
            "evidence": _text(gpu.report(nonce)),
            "certificate": _text(gpu.chain),
            "cc_mode": gpu.mode.value,
        }
        for gpu in gpus
    ]
    return json.dumps({"nvidia": {"device_evidence_list": devices}})


def _snp_certificates(firmware: SnpFirmware) -> dict[str, bytes]:
    return {name.lower(): der for name, der in firmware.certificates.named().items()}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _urlsafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii")
