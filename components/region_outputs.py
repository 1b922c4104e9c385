"""What a sovereign region exports, under the same names on every cloud that has machine groups and clusters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components import graph
from components.guest_configuration import model_key_name
from components.release_plan import image_id
from components.spec import RegionSpec


@dataclass(frozen=True, slots=True)
class Exported:
    """A resource as the exports name it: its id in the cloud, and its name there."""

    id: pulumi.Input[str]
    name: pulumi.Input[str]

    def record(self) -> dict[str, Any]:
        """As exported."""
        return {"id": self.id, "name": self.name}


def region_outputs(
    spec: RegionSpec,
    dependencies: Sequence[graph.Dependency],
    *,
    account: Mapping[str, Any],
    verifier_url: str,
    vault_uri: str,
    model_key_ids: Mapping[str, pulumi.Output[str]],
    machines: Mapping[str, Exported],
    clusters: Mapping[str, Mapping[str, Any]],
    verifier_machines: Sequence[Exported],
    model_store: Mapping[str, Any],
    audit_account: pulumi.Input[str],
) -> dict[str, Any]:
    """The exports of a region. account: under the cloud's own word for it. machines: by name in the stack file."""
    return {
        "jurisdiction": spec.jurisdiction,
        "location": spec.location,
        "emulated": spec.emulated,
        **account,
        "verifierUrl": verifier_url,
        "vaultUri": vault_uri,
        "keys": {
            machine.model: {"name": model_key_name(machine.model), "id": model_key_ids[machine.model]}
            for machine in spec.machines
        },
        "machines": {
            machine.name: {
                **machines[machine.name].record(),
                "image": image_id(machine.image),
                "model": machine.model,
                "count": machine.count,
            }
            for machine in spec.machines
        },
        "clusters": dict(clusters),
        "verifierMachines": [machine.record() for machine in verifier_machines],
        "modelStore": dict(model_store),
        "auditStore": {"account": audit_account, "retentionDays": spec.audit.retention_days},
        **graph.outputs(dependencies, spec.jurisdiction),
    }
