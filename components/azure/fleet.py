"""The machines of a specification, as an Azure region makes them."""

import catalog
from components.spec import MachineSpec, RegionSpec


def single_machines(spec: RegionSpec) -> list[MachineSpec]:
    """The machines of the specification, one by one: a `count` is numbered and spread over the zones."""
    zones = catalog.load().region(spec.cloud, spec.location).zone_names or ()
    found = []
    for machine in spec.machines:
        if machine.count == 1:
            found.append(machine)
            continue
        for index in range(machine.count):
            zone = machine.zone or (zones[index % len(zones)] if zones else None)
            found.append(machine.model_copy(update={"name": f"{machine.name}-{index}", "zone": zone, "count": 1}))
    return found
