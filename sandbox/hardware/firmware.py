"""The emulated secure processor: launches guests and signs their attestation reports.

Reports are genuine in format: version 3, 1184 bytes, AMD 56860 "SEV Secure Nested Paging Firmware ABI
Specification", table ATTESTATION_REPORT. They are written here field by field in the order of that table, on
purpose without the verifier's own layout, so that a wrong offset on either side shows.
"""

import secrets
import struct
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from sandbox.hardware.chip import CPUID, Chip
from sandbox.hardware.pki import SandboxPki

REPORT_BYTES: Final = 1184
REPORT_DATA_BYTES: Final = 64

_SIGNED_BYTES: Final = 0x2A0
_SIGNATURE_COMPONENT_BYTES: Final = 72
_ECDSA_P384_SHA384: Final = 1
_PLATFORM_INFO: Final = 0b100101
"""PLATFORM_INFO: SMT (bit 0), ECC (bit 2), ALIAS_CHECK_COMPLETE (bit 5)."""
_SIGNED_BY_VCEK: Final = 0
_SIGNED_BY_VLEK: Final = 1
_NO_CHIP: Final = bytes(64)
"""CHIP_ID of the reports of AWS, whose hosts sign with a VLEK."""
_UNSIGNED: Final = bytes(48)
"""ID_KEY_DIGEST of a launch that nobody signed."""
_FIRMWARE_BUILD: Final = (24, 55, 1)
"""Build, minor, major of the SNP firmware."""

_BODY: Final = struct.Struct(
    "<IIQ"  # 000 VERSION, 004 GUEST_SVN, 008 POLICY
    "16s16s"  # 010 FAMILY_ID, 020 IMAGE_ID
    "II8s"  # 030 VMPL, 034 SIGNATURE_ALGO, 038 CURRENT_TCB
    "QI4x"  # 040 PLATFORM_INFO, 048 AUTHOR_KEY_EN | MASK_CHIP_KEY | SIGNING_KEY
    "64s48s32s"  # 050 REPORT_DATA, 090 MEASUREMENT, 0C0 HOST_DATA
    "48s48s32s32s"  # 0E0 ID_KEY_DIGEST, 110 AUTHOR_KEY_DIGEST, 140 REPORT_ID, 160 REPORT_ID_MA
    "8s3B21x"  # 180 REPORTED_TCB, 188 CPUID family, model, stepping
    "64s8s"  # 1A0 CHIP_ID, 1E0 COMMITTED_TCB
    "3Bx3Bx8s"  # 1E8 CURRENT build, minor, major; 1EC COMMITTED the same; 1F0 LAUNCH_TCB
)


@dataclass(frozen=True, slots=True)
class LaunchPolicy:
    """What a guest's owner asks of the firmware (AMD 56860, GUEST_POLICY).

    abi: the lowest firmware ABI on which the guest may run, major and minor.
    """

    abi: tuple[int, int]
    smt: bool
    migrate_ma: bool
    debug: bool
    single_socket: bool

    def bits(self) -> int:
        """POLICY as 64 bits; bit 17 is reserved and always one."""
        major, minor = self.abi
        return (
            minor
            | major << 8
            | self.smt << 16
            | 1 << 17
            | self.migrate_ma << 18
            | self.debug << 19
            | self.single_socket << 20
        )


@dataclass(frozen=True, slots=True)
class LaunchedGuest:
    """A running guest as its firmware knows it.

    measurement: launch digest, 48 bytes. host_data: what the host bound to the launch, 32 bytes.
    report_id: 32 random bytes that stay the same while the guest runs. id_key_digest: who signed the launch, 48 bytes.
    """

    measurement: bytes
    policy: LaunchPolicy
    host_data: bytes
    report_id: bytes
    vmpl: int = 0
    id_key_digest: bytes = _UNSIGNED


@dataclass(frozen=True, slots=True)
class CertificateChain:
    """The endorsements of one chip's reports, in DER; a guest gets them from its host (extended request).

    leaf: of the chip's own key, a VCEK, under the ASK; where `is_cloud_key`, of the cloud's, a VLEK, under the ASVK.
    """

    leaf: bytes
    intermediate: bytes
    ark: bytes
    is_cloud_key: bool = False

    def named(self) -> dict[str, bytes]:
        """The certificates by AMD's names for them."""
        leaf, intermediate = ("VLEK", "ASVK") if self.is_cloud_key else ("VCEK", "ASK")
        return {leaf: self.leaf, intermediate: self.intermediate, "ARK": self.ark}


class SnpFirmware:
    """The secure processor of one chip.

    cloud: whom AMD issued a key to that the firmware signs with in place of the chip's own (SNP_VLEK_LOAD), as the
    certificate names it. Such reports do not say which chip it is.
    """

    def __init__(self, pki: SandboxPki, chip: Chip, cloud: str | None = None) -> None:
        self._pki = pki
        self._chip = chip
        self._has_cloud_key = cloud is not None
        self._key = pki.vcek(chip) if cloud is None else pki.vlek(cloud, chip.tcb)

    @property
    def certificates(self) -> CertificateChain:
        """The chain under which this chip's reports verify."""
        intermediate = self._pki.asvk if self._has_cloud_key else self._pki.ask
        return CertificateChain(self._key.der, intermediate.der, self._pki.ark.der, self._has_cloud_key)

    def launch(
        self,
        measurement: bytes,
        policy: LaunchPolicy,
        host_data: bytes = bytes(32),
        vmpl: int = 0,
        id_key_digest: bytes = _UNSIGNED,
    ) -> LaunchedGuest:
        """Start a guest whose pages measured to `measurement`, as the holder of the ID key had signed it."""
        return LaunchedGuest(measurement, policy, host_data, secrets.token_bytes(32), vmpl, id_key_digest)

    def report(self, guest: LaunchedGuest, report_data: bytes) -> bytes:
        """The signed attestation report of `guest`, 1184 bytes, over its 64 bytes of `report_data`."""
        if len(report_data) != REPORT_DATA_BYTES:
            raise ValueError(f"REPORT_DATA is {REPORT_DATA_BYTES} bytes, not {len(report_data)}")
        body = self._body(guest, report_data).ljust(_SIGNED_BYTES, b"\0")
        return (body + self._signature(body)).ljust(REPORT_BYTES, b"\0")

    def _body(self, guest: LaunchedGuest, report_data: bytes) -> bytes:
        tcb = self._chip.tcb.encode()
        return _BODY.pack(
            *(3, 0, guest.policy.bits()),
            *(bytes(16), bytes(16)),
            *(guest.vmpl, _ECDSA_P384_SHA384, tcb),
            *(_PLATFORM_INFO, (_SIGNED_BY_VLEK if self._has_cloud_key else _SIGNED_BY_VCEK) << 2),
            *(report_data, guest.measurement, guest.host_data),
            *(guest.id_key_digest, bytes(48), guest.report_id, b"\xff" * 32),
            *(tcb, *CPUID),
            *(_NO_CHIP if self._has_cloud_key else self._chip.chip_id, tcb),
            *(*_FIRMWARE_BUILD, *_FIRMWARE_BUILD, tcb),
        )

    def _signature(self, body: bytes) -> bytes:
        """R and S, each 72 bytes little-endian (AMD 56860, "Signature formats", ECDSA P-384 with SHA-384)."""
        if not isinstance(self._key.key, ec.EllipticCurvePrivateKey):
            raise TypeError("a VCEK or VLEK is an EC key")
        der = self._key.key.sign(body, ec.ECDSA(hashes.SHA384()))
        return b"".join(number.to_bytes(_SIGNATURE_COMPONENT_BYTES, "little") for number in decode_dss_signature(der))
