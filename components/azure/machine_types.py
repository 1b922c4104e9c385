"""Whether Azure offers a machine with its TEE and its GPU in a place, and what comes nearest where it does not."""

import catalog
from components.errors import InputError

CLOUD = "azure"
TEES: tuple[catalog.Tee, ...] = ("snp", "tdx")
"""TEEs of whole machines; `snp-child-vm` isolates a container inside a node."""
GPUS = ("none", "h100")


def check_machine_type(component: str, *, size: str, location: str, tee: str, gpu: str = "none") -> catalog.MachineType:
    """The facts of `size`; raises `InputError` in the name of `component` unless it has all that is asked for here.

    Nothing is downgraded: what the location does not have is refused, and the error names the nearest that it has.
    """
    wanted = next((known for known in TEES if known == tee), None)
    if wanted is None:
        raise InputError(component, "tee", f"{tee!r} is not a TEE of whole machines in Azure", " or ".join(TEES))
    if gpu not in GPUS:
        raise InputError(component, "gpu", f"{gpu!r} has no confidential-computing mode in Azure", " or ".join(GPUS))
    facts = catalog.load()
    try:
        machine = facts.machine_type(CLOUD, size)
    except catalog.UnknownFact as error:
        raise InputError(component, "size", str(error.message).split(";")[0], error.nearest) from error
    _check_gpu(component, machine, location=location, tee=wanted, gpu=gpu)
    nearest = facts.nearest_machine_type(machine, region=location, tee=wanted)
    offer = nearest.size if nearest else _elsewhere(machine, location, wanted, gpu)
    if machine.tee != wanted:
        raise InputError(component, "size", f"{size} has {machine.tee or 'no TEE'}, not {tee}", offer)
    if location not in machine.regions:
        raise InputError(component, "size", f"{size} is not offered in {location}", offer)
    return machine


def _check_gpu(component: str, machine: catalog.MachineType, *, location: str, tee: catalog.Tee, gpu: str) -> None:
    has = machine.gpu.name if machine.gpu and machine.gpu.cc else "none"
    if gpu == "none" and has != "none":
        raise InputError(component, "gpu", f"{machine.size} has a confidential {has.upper()}", has)
    if gpu == "none" or (gpu == has and machine.tee == tee and location in machine.regions):
        return
    facts = catalog.load()
    with_tee = sorted({one.tee for one in facts.machine_types(CLOUD, gpu=gpu) if one.tee})
    if tee not in with_tee:
        raise InputError(component, "gpu", f"{gpu.upper()} comes with {', '.join(with_tee)}, not {tee}", with_tee[0])
    here = next(iter(facts.machine_types(CLOUD, region=location, tee=tee, gpu=gpu)), None)
    if here is None:
        problem = f"{location} has no confidential {gpu.upper()}"
        raise InputError(component, "gpu", problem, _elsewhere(machine, location, tee, gpu))
    raise InputError(component, "size", f"{machine.size} has the GPU {has}, not {gpu}", here.size)


def _elsewhere(like: catalog.MachineType, location: str, tee: catalog.Tee, gpu: str) -> str | None:
    """The size with TEE and GPU that is nearest to `like`, in the place nearest to `location` in law that offers it."""
    facts = catalog.load()
    home = facts.region(CLOUD, location).jurisdictions

    def distance(offer: tuple[catalog.MachineType, str]) -> tuple[int, bool, int, bool, str, str]:
        machine, place = offer
        shared = sum(area in home for area in facts.region(CLOUD, place).jurisdictions)
        vcpus, disk = abs(machine.vcpu - like.vcpu), machine.local_disk != like.local_disk
        return -shared, machine.status != "ga", vcpus, disk, machine.size, place

    offers = [
        (machine, place)
        for machine in facts.machine_types(CLOUD, tee=tee, gpu=None if gpu == "none" else gpu)
        for place in machine.regions
    ]
    nearest = min(offers, key=distance, default=None)
    return f"{nearest[0].size} in {nearest[1]}" if nearest else None
