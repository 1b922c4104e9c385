"""An Azure of our own: a paravisor on a fake AMD chip, with a fake TPM, whose every part a test can set."""

import hashlib
import json
import struct
from dataclasses import dataclass, field, replace
from typing import Any

from tests.verifier import fake_amd
from tests.verifier.tpm.fake_tpm import Tpm, rsa_key
from verifier import jwk, tpm
from verifier.azure import AzureEvidence, VerifiedVm, VtpmEvidence, parse, verify
from verifier.tpm import event_log

VM_ID = "26F8BC30-774E-4290-8E7A-535F3B672AEE"


def default_claims() -> dict[str, Any]:
    """What the paravisor of a well-configured VM says."""
    return {
        "keys": [{"kid": "HCLAkPub", "key_ops": ["sign"]} | jwk.from_public_key(rsa_key().public_key())],
        "vm-configuration": {
            "console-enabled": False,
            "secure-boot": True,
            "tpm-enabled": True,
            "vmUniqueId": VM_ID,
        },
        "user-data": "00" * 64,
    }


@dataclass(frozen=True)
class Vm:
    """One VM's evidence. A test replaces the part it is about.

    text: the JSON as it is; None: of the claims. changes: name → number of the header or of the runtime data.
    """

    claims: dict[str, Any] = field(default_factory=default_claims)
    text: bytes | None = None
    hash_name: str = "sha256"
    changes: dict[str, int] = field(default_factory=dict)
    tpm: Tpm = field(default_factory=Tpm)
    log: bytes | None = None
    hardware: fake_amd.World = field(default_factory=fake_amd.milan)

    def with_claims(self, **claims: Any) -> "Vm":
        """The same VM whose paravisor says something else; None: leaves it out."""
        kept = {name: value for name, value in (self.claims | claims).items() if value is not None}
        return replace(self, claims=kept)

    def with_configuration(self, **members: Any) -> "Vm":
        """The same VM with other members of vm-configuration, `_` for `-`."""
        changed = {name.replace("_", "-"): value for name, value in members.items()}
        return self.with_claims(**{"vm-configuration": self.claims["vm-configuration"] | changed})

    def json(self) -> bytes:
        """The runtime claims."""
        return json.dumps(self.claims).encode() if self.text is None else self.text

    def report(self, report_data: bytes | None = None) -> bytes:
        """The HCL report; report_data: as given instead of the hash."""
        text = self.json()
        digest = hashlib.new(self.hash_name, text).digest().ljust(64, b"\0")
        hardware = self.hardware.with_fields(report_data=report_data or digest).report()
        numbers = {
            "version": 2,
            "size": 1236 + len(text),
            "request": 2,
            "status": 0,
            "runtime_size": 20 + len(text),
            "runtime_version": 1,
            "kind": 2,
            "hash": {"sha256": 1, "sha384": 2, "sha512": 3}[self.hash_name],
            "length": len(text),
        } | self.changes
        values = list(numbers.values())
        header = b"HCLA" + struct.pack("<4I", *values[:4]) + bytes(12)
        return (header + hardware + struct.pack("<5I", *values[4:]) + text).ljust(2600, b"\0")

    def evidence(self, report_data: bytes | None = None) -> AzureEvidence:
        """The parsed evidence."""
        log = None if self.log is None else event_log.parse(self.log)
        signature = tpm.parse_signature(self.tpm.signature())
        vtpm = VtpmEvidence(tpm.parse(self.tpm.quote()), signature, self.tpm.pcrs, log)
        return AzureEvidence(parse(self.report(report_data)), vtpm=vtpm)

    def verified(self, evidence: AzureEvidence | None = None) -> VerifiedVm:
        """The evidence, verified under the fake AMD's root."""
        hardware = self.hardware
        return verify(evidence or self.evidence(), hardware.endorsements(), hardware.trust(), hardware.at)
