"""What a sovereign region exports, under the same names on every cloud."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pulumi

import catalog
from components import graph
from components.guest_configuration import model_key_name
from components.release_plan import image_id
from components.spec import MachineSpec, RegionSpec


@dataclass(frozen=True, slots=True)
class Exported:
    """A resource as the exports name it: its id in the cloud, and its name there."""

    id: pulumi.Input[str]
    name: pulumi.Input[str]

    def record(self) -> dict[str, Any]:
        """As exported."""
        return {"id": self.id, "name": self.name}


class Cluster(Protocol):
    """What every cloud's `ConfidentialCluster` says of itself."""

    id: pulumi.Output[str]
    cluster_name: str
    endpoint: pulumi.Output[str]


def region_outputs(
    spec: RegionSpec,
    dependencies: Sequence[graph.Dependency],
    *,
    own: Mapping[str, Any],
    verifier_url: str,
    verifier_machines: Sequence[Exported],
    vault_uri: str,
    model_key_ids: Mapping[str, pulumi.Input[str]],
    machines: Sequence[tuple[MachineSpec, Exported]],
    clusters: Mapping[str, Cluster],
    model_store: Mapping[str, Any],
    audit_store: Mapping[str, Any],
) -> dict[str, Any]:
    """The exports of a region. own: what this cloud has besides, such as the account under the cloud's word for it."""
    return {
        "jurisdiction": spec.jurisdiction,
        "location": spec.location,
        "operator": catalog.load().region(spec.cloud, spec.location).operator,
        "emulated": spec.emulated,
        **own,
        **({"verifierUrl": verifier_url} if spec.verifier else {"lacks": list(spec.lacks)}),
        "verifierMachines": [machine.record() for machine in verifier_machines],
        "vaultUri": vault_uri,
        "keys": {
            machine.model: {"name": model_key_name(machine.model), "id": model_key_ids[machine.model]}
            for machine in spec.machines
        },
        "machines": {
            machine.name: {
                **exported.record(),
                "image": image_id(machine.image),
                "model": machine.model,
                "count": machine.count,
            }
            for machine, exported in machines
        },
        "clusters": {
            name: {"id": cluster.id, "name": cluster.cluster_name, "endpoint": cluster.endpoint}
            for name, cluster in clusters.items()
        },
        "modelStore": dict(model_store),
        "auditStore": {**audit_store, "retentionDays": spec.audit.retention_days},
        **graph.outputs(dependencies, spec.jurisdiction),
    }
