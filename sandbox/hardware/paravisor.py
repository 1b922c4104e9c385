"""The emulated paravisor of an Azure-like host: what the CPU measures there, with firmware and a vTPM above it.

The guest's own boot is not in the CPU's measurement. The paravisor's firmware measures it into the vTPM, and the CPU's
report vouches for the vTPM: its REPORT_DATA is the hash of the runtime claims, which name the attestation key. Both are
in the HCL report (Microsoft, "Azure confidential VM guest attestation"; little-endian), written here field by field.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sandbox.hardware import uefi
from sandbox.hardware.event_log import Measured, encode_for_tpm
from sandbox.hardware.pcrs import PcrBank
from sandbox.hardware.vtpm import Vtpm

PARAVISOR: Final = ("azure-paravisor", "1.0.0")
"""Name and version, as reference values state them."""
PARAVISOR_MEASUREMENT: Final = hashlib.sha384(b"bailiwick sandbox paravisor 1.0.0").digest()
"""What the CPU measures, 48 bytes: MEASUREMENT, or MRTD of a TD."""
PARAVISOR_SIGNER: Final = hashlib.sha384(b"bailiwick sandbox paravisor signer").digest()
"""ID_KEY_DIGEST of its launches on SEV-SNP, 48 bytes: the same for every version of the paravisor."""

SNP_REPORT, TD_REPORT = 2, 4
"""Report types of an HCL report."""

_CRTM_VERSION: Final = 0x8
"""TCG event type EV_S_CRTM_VERSION."""
_INIT_DATA_PCR: Final = 8
"""Where guests extend the hash of what they were told at boot (Confidential Containers, attester `az_snp_vtpm`)."""

_AREA_BYTES: Final = 1184
_HEADER: Final = struct.Struct("<4sIIII12x")  # signature, version, size, request type, status
_RUNTIME: Final = struct.Struct("<5I")  # size, version, report type, hash type, length of the claims
_SHA256: Final = 1
_ATTESTATION_REQUEST: Final = 2
_REPORT_DATA_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class Setup:
    """How a machine is set up. vm_id: UUID in capitals. init_data: what the guest is told at boot."""

    vm_id: str
    secure_boot: bool
    init_data: bytes


@dataclass(frozen=True, slots=True)
class Booted:
    """A guest that runs under a paravisor.

    report_data: what the CPU's report of the boot is over, 64 bytes. hcl_report: that report with the runtime claims.
    event_log: of the vTPM's firmware.
    """

    vtpm: Vtpm
    report_data: bytes
    hcl_report: bytes
    event_log: bytes


def boot(events: Iterable[Measured], setup: Setup, kind: int, report: Callable[[bytes], bytes]) -> Booted:
    """Start a guest whose boot measures `events` into PCRs.

    kind: SNP_REPORT or TD_REPORT; report: gives the CPU's report over 64 bytes.
    """
    vtpm, measured = Vtpm(), (*_firmware_events(secure_boot=setup.secure_boot), *events)
    for event in measured:
        vtpm.extend(event.register, event.pcr_digest)
    vtpm.extend(_INIT_DATA_PCR, hashlib.sha256(setup.init_data).digest())
    claims = json.dumps(_claims(vtpm, setup), separators=(",", ":")).encode()
    report_data = hashlib.sha256(claims).digest().ljust(_REPORT_DATA_BYTES, b"\0")
    return Booted(vtpm, report_data, _hcl_report(report(report_data), kind, claims), encode_for_tpm(measured))


def firmware_pcr(register: int) -> bytes:
    """A PCR of the firmware as it hands over, if it measured nothing else into it: 32 bytes."""
    bank = PcrBank("sha256")
    for event in _firmware_events(secure_boot=True):
        bank.extend(event.register, event.pcr_digest)
    return bank.values[register]


def _firmware_events(*, secure_boot: bool) -> list[Measured]:
    """What the paravisor's UEFI measures before it hands over: itself, and what any does."""
    version = Measured(0, _CRTM_VERSION, " ".join(PARAVISOR).encode("utf-16-le"))
    return [version, *uefi.handoff(secure_boot=secure_boot)]


def _claims(vtpm: Vtpm, setup: Setup) -> dict[str, Any]:
    numbers = vtpm.attestation_key.public_numbers()
    return {
        "keys": [
            {
                "kid": "HCLAkPub",
                "key_ops": ["sign"],
                "kty": "RSA",
                "e": _base64url(numbers.e),
                "n": _base64url(numbers.n),
            }
        ],
        "vm-configuration": {
            "console-enabled": True,
            "secure-boot": setup.secure_boot,
            "tpm-enabled": True,
            "tpm-persisted": True,
            "vmUniqueId": setup.vm_id,
        },
        "user-data": "00" * _REPORT_DATA_BYTES,
    }


def _hcl_report(hardware: bytes, kind: int, claims: bytes) -> bytes:
    runtime = _RUNTIME.pack(_RUNTIME.size + len(claims), 1, kind, _SHA256, len(claims)) + claims
    size = _HEADER.size + _AREA_BYTES + len(runtime)
    return _HEADER.pack(b"HCLA", 2, size, _ATTESTATION_REQUEST, 0) + hardware.ljust(_AREA_BYTES, b"\0") + runtime


def _base64url(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
