"""The machines of a virtual machine scale set: how many, where, and what each is told at boot."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sandbox.clouds.addresses import space_of, text
from sandbox.clouds.azure import addresses, booting
from sandbox.clouds.resource import Request, View
from sandbox.clouds.store import Object

PROFILE = "virtualMachineProfile"
CONFIGURATIONS = f"{PROFILE}.networkProfile.networkInterfaceConfigurations"


@dataclass(frozen=True, slots=True)
class Member:
    """A machine of a scale set; `name` ends its id."""

    id: str
    name: str
    zone: str | None


def as_machine(request: Request) -> Request:
    """The request for a scale set as that for one of its machines."""
    profile = request.inputs[PROFILE] or {}
    size = {"hardwareProfile": {"vmSize": request.inputs["sku.name"]}}
    return replace(request, inputs=View({"location": request.inputs["location"], **profile, **size}))


def take_addresses(request: Request) -> None:
    """An address in the primary interface's subnet for each machine."""
    if request.preview:
        return
    subnet_id = _subnet_id(request)
    request.claims.release(request.id, _space(subnet_id))
    for index in range(_capacity(request.inputs)):
        label = f"{request.id}/virtualMachines/{index}/networkInterfaces/ipConfigurations"
        addresses.allocate(request, subnet_id, None, None, label)


def boot(request: Request, item: Object) -> None:
    """Boot what the set should have and has not, and switch off what it has too much.

    What runs goes on as it was made: a set gets a new model by hand, or its machines are made again.
    """
    hardware, wanted = request.session.hardware, list(_members(item))
    running = set() if request.before is None else {member.id for member in _members(request.before)}
    for machine_id in running - {member.id for member in wanted}:
        hardware.power_off(machine_id)
    subnet_id = _subnet_id(request)
    machine, held = as_machine(request), request.store.claims.held(_space(subnet_id), item.id)
    for member, address in zip(wanted, held, strict=True):
        if member.id in running:
            continue
        hardware.boot(
            booting.machine(
                machine,
                machine_id=member.id,
                name=member.name,
                location=item.outputs["location"],
                zone=member.zone,
                private_ip=text(address),
                subnet_id=subnet_id,
            )
        )


def power_off(request: Request, item: Object) -> None:
    for member in _members(item):
        request.session.hardware.power_off(member.id)


def _members(item: Object) -> Iterator[Member]:
    """As many as the set's capacity, spread over its zones, named `<set>_<number>` as Azure does."""
    zones = item.inputs.get("zones") or [None]
    for index in range(_capacity(View(item.inputs))):
        name = f"{item.name}_{index}"
        yield Member(f"{item.id}/virtualMachines/{name}", name, zones[index % len(zones)])


def _capacity(inputs: View) -> int:
    return int(inputs["sku.capacity"])


def _subnet_id(request: Request) -> str:
    interfaces = request.inputs.items(CONFIGURATIONS)
    primary = next((each for each in interfaces if each["primary"] is True), interfaces[0])
    return primary.items("ipConfigurations")[0].text("subnet.id")


def _space(subnet_id: str) -> str:
    return space_of(subnet_id.rsplit("/subnets/", 1)[0])
