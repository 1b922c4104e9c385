"""How the evidence of devices is bound to the CPU TEE that uses them.

Nothing in NVIDIA's report names the confidential VM: a genuine report of any GPU anywhere could be relayed. Both
directions are therefore bound by what the verifier and the guest put into the evidence:

- CPU → devices: every device is asked with the nonce `device_nonce(verifier nonce, CPU context)`. The CPU context is
  what only this guest has, the public key (DER) of the channel that it will use.
- devices → CPU: the CPU report's REPORT_DATA is `report_data(verifier nonce, channel key, evidence_digest(devices))`,
  so that removing, replacing or reordering a device changes what the CPU signed.

The verifier computes both again from what it received and compares. The guest may make its GPUs ready
(`nvidia-smi conf-compute -srs 1`) only after the verifier has affirmed the whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from verifier.nvidia.evidence import DeviceEvidence


def device_nonce(verifier_nonce: bytes, cpu_context: bytes) -> bytes:
    """The nonce that devices are asked with: 32 bytes, SHA-256 over both parts, each with its length."""
    return _framed("sha256", b"bailiwick/device-nonce/v1", (verifier_nonce, cpu_context))


def evidence_digest(devices: Sequence[DeviceEvidence]) -> bytes:
    """SHA-384 over reports and chains of all devices, in order, each with its length: 48 bytes."""
    parts = [part for device in devices for part in (device.encoded, device.chain)]
    return _framed("sha384", b"bailiwick/device-evidence/v1", parts)


def report_data(verifier_nonce: bytes, channel_key: bytes, devices: bytes) -> bytes:
    """What the CPU report must hold, SHA-512, 64 bytes. channel_key: DER; devices: their `evidence_digest`."""
    return _framed("sha512", b"bailiwick/report-data/v1", (verifier_nonce, channel_key, devices))


def _framed(hash_name: str, domain: bytes, parts: Iterable[bytes]) -> bytes:
    """Hash of a domain and of parts that cannot run into each other."""
    digest = hashlib.new(hash_name)
    for part in (domain, *parts):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
