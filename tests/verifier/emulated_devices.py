"""A guest with emulated GPUs at the emulated site, and what the site needs to judge them."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.guest.device import additional_evidence
from sandbox.hardware import Gpu, NvidiaPki, publish_device_collateral
from tests.verifier.emulated_site import Guest, Site


@dataclass(frozen=True)
class GpuGuest(Guest):
    """A guest on SEV-SNP with GPUs, whose evidence goes along.

    asked_with: what the GPUs are asked with instead of the protocol's nonce. changes: of each device's entry.
    """

    gpus: tuple[Gpu, ...] = ()
    asked_with: bytes | None = None
    changes: dict[str, Any] = field(default_factory=dict)

    def device_nonce(self, nonce: str) -> bytes:
        """The binding of the protocol, computed here from its definition."""
        bound = json.dumps({"nonce": nonce, "tee-pubkey": self.tee_pubkey}, sort_keys=True, separators=(",", ":"))
        return hashlib.sha384(bound.encode()).digest()[:32]

    def additional(self, nonce: str) -> str:
        """What the GPUs say."""
        text = additional_evidence(self.gpus, self.asked_with or self.device_nonce(nonce))
        content = json.loads(text)
        for entry in content["nvidia"]["device_evidence_list"]:
            entry |= self.changes
        return json.dumps(content)

    def bound_to(self, nonce: str, additional: str) -> bytes:
        """REPORT_DATA over nonce, key and what the GPUs say."""
        bound = {"additional-evidence": additional, "nonce": nonce, "tee-pubkey": self.tee_pubkey}
        text = json.dumps(bound, sort_keys=True, separators=(",", ":"))
        return hashlib.sha384(text.encode()).digest() + bytes(16)

    def message(self, nonce: str, **changes: Any) -> dict[str, Any]:
        additional = self.additional(nonce)
        primary = self.evidence(nonce, self.bound_to(nonce, additional))
        return {
            "runtime-data": {"nonce": nonce, "tee-pubkey": self.tee_pubkey},
            "tee-evidence": {"primary_evidence": primary, "additional_evidence": additional},
        } | changes


def demand_gpu(site: Site, **demands: Any) -> None:
    """Let the site's key go to guests with a GPU alone, and give its verifier what NVIDIA's stand-in publishes."""
    site.change_policy(nvidia=demands)
    publish_device_collateral(site.pki.nvidia, site.device_collateral)


def gpu(pki: NvidiaPki, site: Site, host: str = "host-a") -> Gpu:
    """A GPU that the responder knows."""
    made = Gpu(pki, host)
    publish_device_collateral(site.pki.nvidia, site.device_collateral)
    return made
