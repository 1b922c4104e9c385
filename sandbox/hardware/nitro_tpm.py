"""The emulated NitroTPM of an EC2 instance: PCRs of the SHA-384 bank, and attestation documents over them.

On EC2 the processor measures AWS's firmware, the same for every image, and NitroTPM what that boots. A document is a
COSE_Sign1 over a CBOR map (Amazon EC2 user guide, "NitroTPM Attestation Document contents" and "Validate a NitroTPM
Attestation Document"), signed by the Nitro System; whatever the guest gave it is in `nonce`, `user_data` and
`public_key`.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sandbox.hardware import uefi
from sandbox.hardware.event_log import Measured
from sandbox.hardware.identity import sign_p384
from sandbox.hardware.nitro_pki import NitroPki
from sandbox.hardware.pcrs import PcrBank
from verifier import cbor

EC2_FIRMWARE: Final = ("ec2-uefi", "1.0.0")
"""Name and version, as reference values state them."""
EC2_FIRMWARE_MEASUREMENT: Final = hashlib.sha384(b"bailiwick sandbox ec2 firmware 1.0.0").digest()
"""What the processor measures, 48 bytes. The real one depends on the number of vCPUs too."""
STATED_PCRS: Final = (*range(17), 23)
"""Those in a document (EC2 user guide, "NitroTPM Attestation Document contents")."""

_ES384: Final = {1: -35}
"""Protected header of the COSE_Sign1 (RFC 9053, 2.1)."""


def measured_boot(events: Iterable[Measured], *, secure_boot: bool) -> dict[int, bytes]:
    """The PCRs that a document states after AWS's firmware has booted an image that measures `events`, 48 bytes each.

    AWS keeps PCR 0 and 1 constant over its own updates, so that the firmware's code is in neither.
    """
    bank = PcrBank("sha384")
    for event in (*uefi.handoff(secure_boot=secure_boot), *events):
        bank.extend(event.register, event.digest)
    return {index: bank.values[index] for index in STATED_PCRS}


@dataclass(frozen=True, slots=True)
class NitroTpm:
    """The NitroTPM of one running instance. pcrs: see `measured_boot`."""

    pki: NitroPki
    region: str
    instance_id: str
    pcrs: Mapping[int, bytes]

    def document(self, *, nonce: bytes, user_data: bytes, public_key: bytes) -> bytes:
        """An attestation document as of now. public_key: SubjectPublicKeyInfo, DER."""
        leaf, *authorities = self.pki.signer(self.region, self.instance_id)
        payload = cbor.encode(
            {
                "module_id": self.instance_id,
                "timestamp": time.time_ns() // 1_000_000,
                "digest": "SHA384",
                "nitrotpm_pcrs": self.pcrs,
                "certificate": leaf.der,
                "cabundle": [each.der for each in reversed(authorities)],
                "public_key": public_key,
                "user_data": user_data,
                "nonce": nonce,
            }
        )
        protected = cbor.encode(_ES384)
        signed = cbor.encode(["Signature1", protected, b"", payload])  # RFC 9052, 4.4
        return cbor.encode([protected, {}, payload, sign_p384(leaf, signed)])
