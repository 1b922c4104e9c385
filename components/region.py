"""What a sovereign region is on every cloud: whatever follows from its stack file before anything exists."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from components import guest_configuration, reference_values, release_plan
from components.guest_configuration import HOST, VERIFIER_PORT
from components.release_plan import ImagePlan, image_id
from components.spec import MachineSpec, RegionSpec, VerifierSpec
from components.surroundings import Guest
from components.tags import Tags


def tags_of(stack: str, spec: RegionSpec) -> Tags:
    """What every resource of the region carries."""
    return Tags(jurisdiction=spec.jurisdiction, data_class=spec.data_class, owner=spec.owner, stack=stack)


@dataclass(frozen=True, slots=True)
class Outline:
    """One region's stack file, and where its verifier will be; the parts of every cloud's region take it from here."""

    stack: str
    """Name of the stack; names of resources begin with it."""
    spec: RegionSpec
    directory: Path
    """Directory with the reference values of the images and the build's public keys."""
    host: str
    """DNS name of the verifier, which it has in its guests' configuration too."""
    verifier_url: str
    """Base URL of the verifier."""

    @classmethod
    def in_private_domain(cls, stack: str, spec: RegionSpec, directory: Path) -> Self:
        """The outline of a region whose network has a DNS domain of its own."""
        host = f"{HOST}.{stack}.bailiwick.internal"
        return cls(stack, spec, directory, host, f"http://{host}:{VERIFIER_PORT}")

    @property
    def domain(self) -> str:
        """The region's private DNS domain."""
        return self.host.partition(".")[2]

    @property
    def caches_collateral(self) -> bool:
        """Whether the region keeps the vendors' collateral: where nothing verifies, nothing needs it."""
        return self.spec.collateral_cache and self.spec.verifier is not None

    @property
    def hardware(self) -> list[str]:
        """TEEs and GPUs whose evidence the verifier judges."""
        verifier = self.spec.verifier
        tees = {machine.tee for machine in self.spec.machines} | ({verifier.tee} if verifier else set())
        return sorted(tees | {machine.gpu for machine in self.spec.machines if machine.gpu != "none"})

    def guests(self, machines: Sequence[MachineSpec]) -> list[Guest]:
        """The verifier's replicas and `machines`, as the jurisdiction graph shows them."""
        verifier = self.spec.verifier
        replicas = range(verifier.replicas) if verifier else ()
        return [
            *(Guest(f"{HOST}-{index}", image_id(verifier.image)) for index in replicas if verifier),
            *(Guest(machine.name, image_id(machine.image)) for machine in machines),
        ]

    def endpoints(self, machines: Sequence[MachineSpec], collateral_url: str) -> dict[str, Any]:
        """Where the parts are that every cloud's region has: the inputs of `RegionEndpoints`."""
        spec = self.spec
        return {
            "location": spec.location,
            "domain": self.domain,
            "verifier_url": self.verifier_url,
            "key_service": spec.keys.service,
            "guests": self.guests(machines),
            "clusters": [cluster.name for cluster in spec.clusters],
            "collateral_url": collateral_url if self.caches_collateral else None,
            "hardware": self.hardware,
        }

    def plan(self) -> ImagePlan:
        """Who may get which model's key; raises `ReferenceValuesError`."""
        return release_plan.plan(self.spec, directory=self.directory, verifier_url=self.verifier_url)

    def verifier_settings(self, verifier: VerifierSpec, images: ImagePlan, collateral_url: str) -> dict[str, Any]:
        """The inputs that every cloud's `AttestationVerifier` has: what it runs on, what it runs, whom it believes.

        collateral_url: of the region's collateral cache, where it has one.
        """
        spec = self.spec
        return {
            "replicas": verifier.replicas,
            **_machine(verifier),
            "guest_configuration": guest_configuration.verifier(
                name=self.host,
                region={"cloud": spec.cloud, "location": spec.location, "jurisdiction": spec.jurisdiction},
                trust_anchors=verifier.trust_anchors,
                reference_values=images.of_workloads(),
                build_keys=reference_values.build_keys(self.directory),
                policies=images.models,
                images=images.model_images,
                collateral_url=collateral_url if self.caches_collateral else None,
                collateral_signers=verifier.collateral_signers,
            ),
        }

    def machine_settings(self, machine: MachineSpec, *, account: str, container: str) -> dict[str, Any]:
        """The inputs that every cloud's machines have. account, container: where the model's artefact is kept."""
        return {
            "role": machine.name,
            **_machine(machine),
            "gpu": machine.gpu,
            "guest_configuration": guest_configuration.workload(
                verifier_url=self.verifier_url, model=machine.model, account=account, container=container
            ),
        }


def _machine(entry: MachineSpec | VerifierSpec) -> dict[str, Any]:
    return {
        "size": entry.size,
        "tee": entry.tee,
        "image_name": entry.image.name,
        "image_version": entry.image.version,
    }
