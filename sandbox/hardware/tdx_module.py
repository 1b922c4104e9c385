"""The emulated TDX module and quoting enclave: they launch TDs and sign their quotes.

Quotes are genuine in format: version 4, ECDSA P-256, Intel "TDX DCAP Quoting Library API", appendix A.3. They are
written here field by field in the order of its tables, on purpose without the verifier's own layout, so that a wrong
offset on either side shows.
"""

import hashlib
import secrets
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sandbox.hardware.event_log import Measured, encode
from sandbox.hardware.intel_collateral import MODULE_SIGNER, QE_ATTRIBUTES, QE_PRODUCT, QE_SIGNER, QE_SVN
from sandbox.hardware.intel_pki import IntelPki, sign_raw
from sandbox.hardware.platform import Platform

REPORT_DATA_BYTES: Final = 64

SEPT_VE_DISABLE: Final = 1 << 28
DEBUG: Final = 1
"""Bits of TDATTRIBUTES."""

_MR_SEAM: Final = hashlib.sha384(b"bailiwick sandbox TDX module").digest()
_XFAM: Final = 0x602E7
_REGISTERS: Final = 4

_HEADER: Final = struct.Struct(
    "<HHI4x16s20s"  # VERSION, ATTESTATION KEY TYPE, TEE TYPE, reserved, QE VENDOR ID, USER DATA
)
_VENDOR: Final = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
_REPORT: Final = struct.Struct(
    "<16s48s48sQ"  # 000 TEE_TCB_SVN, 010 MRSEAM, 040 MRSIGNERSEAM, 070 SEAMATTRIBUTES
    "QQ48s48s48s48s"  # 078 TDATTRIBUTES, 080 XFAM, 088 MRTD, 0B8 MRCONFIGID, 0E8 MROWNER, 118 MROWNERCONFIG
    "48s48s48s48s64s"  # 148 RTMR0-3, 208 REPORTDATA
)
_MAC_STRUCT: Final = struct.Struct(
    "4s12x16s48s48s64s32x32s"  # REPORTTYPE, CPUSVN, TEE_TCB_INFO_HASH, TEE_INFO_HASH, REPORTDATA, MAC
)
_TCB_INFO: Final = struct.Struct("<8s16s48s48sQ111x")  # VALID, TEE_TCB_SVN, MRSEAM, MRSIGNERSEAM, ATTRIBUTES
_TCB_INFO_AREA: Final = 256
_TD_INFO: Final = struct.Struct("<QQ48s48s48s48s48s48s48s48s112x")  # as the registers of a quote
_QE_REPORT: Final = struct.Struct(
    "<16sI28x16s32s32x32s"  # CPUSVN, MISCSELECT, ATTRIBUTES, MRENCLAVE, MRSIGNER
    "96xHH60x64s"  # ISVPRODID, ISVSVN, REPORTDATA
)
_CERTIFICATION: Final = struct.Struct("<HI")
_PCK_CHAIN: Final = 5
_QE_REPORT_DATA: Final = 6


@dataclass(frozen=True, slots=True)
class LaunchedTd:
    """A running TD as the TDX module knows it: registers of 48 bytes each.

    mr_config_id: what the host bound to the launch. attributes: TDATTRIBUTES. event_log: what its firmware left in
    its memory about RTMRs.
    """

    measurement: bytes
    rtmrs: tuple[bytes, bytes, bytes, bytes]
    mr_config_id: bytes
    attributes: int
    event_log: bytes


class TdxModule:
    """The TDX module of one platform, with the quoting enclave beside it."""

    def __init__(self, pki: IntelPki, platform: Platform) -> None:
        self._pki = pki
        self._platform = platform
        self._pck = pki.pck(platform)
        self._attestation_key = ec.generate_private_key(ec.SECP256R1())
        self._qe_data = secrets.token_bytes(32)

    @property
    def certificates(self) -> dict[str, bytes]:
        """The chain under which this platform's quotes verify, in DER: PCK, its CA, the root."""
        pki = self._pki
        return {"pck": self._pck.der, "platform_ca": pki.platform_ca.der, "root": pki.root.der}

    def launch(
        self,
        mr_td: bytes,
        events: Iterable[Measured],
        mr_config_id: bytes = bytes(48),
        attributes: int = SEPT_VE_DISABLE,
    ) -> LaunchedTd:
        """Start a TD whose initial pages measured to `mr_td`, and let its firmware measure what it boots."""
        registers, found = [bytes(48)] * _REGISTERS, tuple(events)
        for event in found:
            registers[event.register] = hashlib.sha384(registers[event.register] + event.digest).digest()
        rtmr0, rtmr1, rtmr2, rtmr3 = registers
        return LaunchedTd(mr_td, (rtmr0, rtmr1, rtmr2, rtmr3), mr_config_id, attributes, encode(found))

    def report(self, td: LaunchedTd, report_data: bytes) -> bytes:
        """The TDREPORT of `td` (Intel, "TDX Module ABI Specification", 3.7), 1024 bytes: it proves something on this
        machine alone, whose module can check its MAC."""
        tcb = _TCB_INFO.pack(bytes([1, 1]), self._platform.tcb.tee_tcb_svn, _MR_SEAM, MODULE_SIGNER, 0)
        info = _TD_INFO.pack(*(td.attributes, _XFAM, td.measurement, td.mr_config_id, bytes(48), bytes(48), *td.rtmrs))
        digests = (hashlib.sha384(part).digest() for part in (tcb, info))
        mac_struct = _MAC_STRUCT.pack(
            b"\x81", self._platform.tcb.components, *digests, report_data, secrets.token_bytes(32)
        )
        return mac_struct + tcb.ljust(_TCB_INFO_AREA, b"\0") + info

    def quote(self, td: LaunchedTd, report_data: bytes) -> bytes:
        """The signed quote of `td` over its 64 bytes of `report_data`."""
        if len(report_data) != REPORT_DATA_BYTES:
            raise ValueError(f"REPORTDATA is {REPORT_DATA_BYTES} bytes, not {len(report_data)}")
        signed = _HEADER.pack(4, 2, 0x81, _VENDOR, bytes(20)) + self._report(td, report_data)
        certification = self._certification()
        data = (
            sign_raw(self._attestation_key, signed)
            + self._attestation_point()
            + _CERTIFICATION.pack(_QE_REPORT_DATA, len(certification))
            + certification
        )
        return signed + struct.pack("<I", len(data)) + data

    def _report(self, td: LaunchedTd, report_data: bytes) -> bytes:
        return _REPORT.pack(
            *(self._platform.tcb.tee_tcb_svn, _MR_SEAM, MODULE_SIGNER, 0),
            *(td.attributes, _XFAM, td.measurement, td.mr_config_id, bytes(48), bytes(48)),
            *(*td.rtmrs, report_data),
        )

    def _certification(self) -> bytes:
        """The QE's report on its attestation key, signed by the PCK, and the PCK's chain (A.3.10, A.3.11)."""
        binding = hashlib.sha256(self._attestation_point() + self._qe_data).digest()
        report = _QE_REPORT.pack(
            *(self._platform.tcb.components, 0, QE_ATTRIBUTES, hashlib.sha256(QE_SIGNER).digest(), QE_SIGNER),
            *(QE_PRODUCT, QE_SVN, binding.ljust(REPORT_DATA_BYTES, b"\0")),
        )
        chain = self._pck.pem + self._pki.platform_ca.pem + self._pki.root.pem
        return (
            report
            + sign_raw(self._pck, report)
            + struct.pack("<H", len(self._qe_data))
            + self._qe_data
            + _CERTIFICATION.pack(_PCK_CHAIN, len(chain))
            + chain
        )

    def _attestation_point(self) -> bytes:
        """x ‖ y of the attestation key."""
        public = self._attestation_key.public_key()
        return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
