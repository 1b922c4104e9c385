"""A region of one verifier and its guests, without a cloud above it: names lead where a test says."""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox.clouds.hardware import Machine
from sandbox.region import GuestOutcome, Region, images

STACK = "test"
NAME = f"verifier.{STACK}.bailiwick.internal"
KEK = "model-llm"
RESOURCE = "default/model-key/llm"
NETWORK = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net"
MACHINES = "/subscriptions/0/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines"
GALLERY = "/subscriptions/0/resourceGroups/bailiwick-images/providers/Microsoft.Compute/galleries/bailiwick/images"
POLICY = {
    "tee": ["snp"],
    "images": ["inference-guest-1.0.0"],
    "debug": False,
    "migration": False,
    "vmpl": [0],
    "minimum_tcb": {"bootloader": 4, "tee": 0, "snp": 22, "microcode": 213},
    "max_token_seconds": 300,
}


def verifier_config(**changes: Any) -> dict[str, Any]:
    """customData of a verifier that releases one model's key to inference-guest-1.0.0."""
    envelopes = sorted(images.REFERENCE_VALUES.glob("*.json"))
    return {
        "version": 1,
        "role": "verifier",
        "port": 8443,
        "name": NAME,
        "region": {"cloud": "azure", "location": "germanywestcentral", "jurisdiction": "DE"},
        "trust_anchors": ["amd", "sandbox"],
        "reference_values": [json.loads(path.read_text()) for path in envelopes],
        "build_keys": [(images.REFERENCE_VALUES / images.BUILD_KEY).read_text()],
        **key_for(),
    } | changes


def key_for(**policy: Any) -> dict[str, Any]:
    """The setting of a verifier that releases the model's key to guests as `POLICY` has them, but for `policy`."""
    return {"resources": [{"path": RESOURCE, "kek": KEK, "policy": POLICY | policy}]}


def workload_config(**changes: Any) -> dict[str, Any]:
    """customData of a guest that serves the model."""
    return {
        "version": 1,
        "role": "workload",
        "verifier": f"http://{NAME}:8443",
        "resource": RESOURCE,
        "artefact": {"account": "modelstest", "container": "models", "blob": "llm.enc"},
    } | changes


def machine(name: str, image: str, config: Any, **changes: Any) -> Machine:
    """A confidential VM with `config` as customData."""
    image_name, _, version = image.rpartition("-")
    return replace(
        Machine(
            id=f"{MACHINES}/{name}",
            name=name,
            location="germanywestcentral",
            zone="1",
            size="Standard_DC4as_v5",
            tee="snp",
            image_reference=f"{GALLERY}/{image_name}/versions/{version}",
            custom_data=config if isinstance(config, bytes) else json.dumps(config).encode(),
            private_ip="10.20.1.4",
            network_id=NETWORK,
            secure_boot=True,
            vtpm=True,
        ),
        **changes,
    )


def verifier(name: str = "verifier-0", **changes: Any) -> Machine:
    """A verifier machine."""
    return machine(name, "verifier-1.0.0", verifier_config(**changes))


def guest(name: str = "inference", image: str = "inference-guest-1.0.0", **changes: Any) -> Machine:
    """A workload machine."""
    return machine(name, image, workload_config(), **changes)


@dataclass
class Scenario:
    """A region and the machines behind its verifier's name."""

    data_dir: Path
    hardware_dir: Path
    patience: float = 2.0
    backends: list[str] = field(default_factory=lambda: [f"{MACHINES}/verifier-0"])
    warnings: list[str] = field(default_factory=list)
    way_to_storage: bool = True

    def resolve(self, host: str, from_network_id: str) -> list[str]:
        """The verifiers, for the one name and network that there are."""
        return self.backends if (host, from_network_id) == (NAME, NETWORK) else []

    def object_url(self, location: str) -> str:
        return f"https://{{account}}.{location}.objects.example/{{container}}/{{blob}}"

    def object_obstacle(self, host: str, from_network_id: str) -> str | None:
        return None if self.way_to_storage else f"{from_network_id} has no private endpoint for {host}"

    def open(self) -> Region:
        """The region, as a new process would open it."""
        region = Region(self.data_dir, STACK, self.hardware_dir, patience=self.patience, warn=self.warnings.append)
        region.attach(self)
        return region

    def outcome_of(self, machine: Machine, **policy: Any) -> GuestOutcome:
        """What becomes of `machine` as the one guest of a region, whose key is as in `key_for`."""
        region = self.open()
        try:
            region.create_key("vault", KEK, {})
            region.boot(verifier(**key_for(**policy)))
            region.boot(machine)
            (outcome,) = region.settle(30)
        finally:
            region.close()
        return outcome
