"""Compute Engine's machines: instances, templates, managed groups and disks."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.clouds import addresses
from sandbox.clouds.gcp import addressing, ids, images, keys, machine_quota, machine_rules, references, service_agents
from sandbox.clouds.gcp.errors import FieldError
from sandbox.clouds.gcp.networks import network_of
from sandbox.clouds.gcp.places import MachineType, machine_type, region_of, zones
from sandbox.clouds.gcp.references import CRYPTO_KEY
from sandbox.clouds.gcp.rules import between, fingerprint, number, one_of, rfc1035_name
from sandbox.clouds.hardware import Machine
from sandbox.clouds.resource import Compute, Reference, Request, ResourceType, Undetermined, View, constant
from sandbox.clouds.store import Object
from sandbox.values import UNKNOWN, Value

GUEST_METADATA = "user-data"
"""The metadata entry that tells a guest what it is for."""

_SHARED_CHECKS = (
    machine_rules.offered,
    machine_rules.confidential,
    machine_rules.scheduling,
    machine_rules.image,
    machine_rules.interfaces,
    machine_rules.metadata,
    machine_rules.service_account,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A machine of a managed group."""

    id: str
    zone: str


def members(manager: Object) -> list[Member]:
    """The machines of a managed group: as many as its target size, spread over its zones, with names that stay."""
    project, region = manager.id.split("/")[1], manager.id.split("/")[3]
    places = [ids.short(zone) for zone in manager.inputs.get("distributionPolicyZones") or zones(region)]
    base = manager.inputs["baseInstanceName"]
    found = []
    for index in range(int(manager.inputs.get("targetSize") or 0)):
        suffix = hashlib.sha256(f"{manager.id}#{index}".encode()).hexdigest()[:4]
        zone = places[index % len(places)]
        found.append(Member(f"projects/{project}/zones/{zone}/instances/{base}-{suffix}", zone))
    return found


def _boot(request: Request, machine_id: str, zone: str, inputs: View, address: str, network: str) -> None:
    shielded = View(inputs["shieldedInstanceConfig"] or {})
    told = (inputs["metadata"] or {}).get(GUEST_METADATA)
    value = images.image_of(inputs)
    reference = images.reference_of(value, request) if value else ""
    size = ids.short(inputs.text("machineType"))
    known = machine_type(size)
    request.session.hardware.boot(
        Machine(
            id=machine_id,
            name=ids.short(machine_id),
            location=region_of(zone),
            zone=zone,
            size=size,
            tee=machine_rules.tee_of(inputs),
            image_reference=images.gallery_reference(reference, request) or reference,
            custom_data=None if told is None else str(told).encode(),
            private_ip=address,
            network_id=network,
            secure_boot=shielded["enableSecureBoot"] is True,
            vtpm=shielded["enableVtpm"] is not False,
            gpu=known.gpu if known else None,
        )
    )


def _boot_instance(request: Request, item: Object) -> None:
    """Switch a new instance on, or one that had to stop for its change on again."""
    if request.before is not None:
        if not (request.changed("machineType") or request.changed("minCpuPlatform")):
            return
        request.session.hardware.power_off(item.id)
    interface = item.outputs["networkInterfaces"][0]
    network = str(interface["network"]).removeprefix(ids.self_link(""))
    _boot(request, item.id, item.id.split("/")[3], request.inputs, str(interface["networkIp"]), network)


def _boot_group(request: Request, item: Object) -> None:
    """Boot what a managed group should have and has not, and switch off what it has too much."""
    hardware, wanted = request.session.hardware, members(item)
    template = references.find(request, ids.TEMPLATE, request.inputs.items("versions")[0].text("instanceTemplate"))
    running: set[str] = set()
    if request.before is not None:
        running = {member.id for member in members(request.before)}
        if request.changed("versions") and request.inputs["updatePolicy.type"] == "PROACTIVE":
            for machine_id in running:
                hardware.power_off(machine_id)
            running = set()
        for machine_id in running - {member.id for member in wanted}:
            hardware.power_off(machine_id)
    inputs = View(template.inputs)
    network = _template_network(request, inputs)
    taken = request.store.claims.held(addresses.space_of(network), item.id)
    for member, key in zip(wanted, taken, strict=True):
        if member.id not in running:
            _boot(request, member.id, member.zone, inputs, addresses.text(key), network)


def _power_off_group(request: Request, item: Object) -> None:
    for member in members(item):
        request.session.hardware.power_off(member.id)


def _template_network(request: Request, template: View) -> str:
    return network_of(request, template.items("networkInterfaces")[0]) or ""


def _power_off(request: Request, item: Object) -> None:
    machine_rules.protected(item)
    request.session.hardware.power_off(item.id)


def _interfaces(request: Request) -> Value:
    """The network interfaces as Google shows them: with network, addresses and names."""
    before = [] if request.before is None else request.before.outputs.get("networkInterfaces") or []
    return [
        _interface(request, index, interface, before[index] if index < len(before) else {})
        for index, interface in enumerate(request.inputs.items("networkInterfaces"))
    ]


def _interface(request: Request, index: int, interface: View, before: dict[str, Value]) -> dict[str, Value]:
    shown = dict(interface.properties) | {"name": f"nic{index}", "stackType": interface["stackType"] or "IPV4_ONLY"}
    field = f"networkInterfaces[{index}].networkIP"
    if interface["subnetwork"] is not None:
        subnet = references.find(request, ids.SUBNETWORK, interface.text("subnetwork"))
        shown |= {"subnetwork": ids.self_link(subnet.id), "network": subnet.outputs["network"]}
        shown["subnetworkProject"] = request.session.account.id
        try:
            fixed = interface["networkIp"]
            shown["networkIp"] = addressing.allocate(request, subnet, fixed, before.get("networkIp"), field)
        except Undetermined:
            shown["networkIp"] = UNKNOWN
    else:
        network = references.find(request, ids.NETWORK, interface.text("network"))
        shown |= {"network": ids.self_link(network.id), "networkIp": before.get("networkIp") or "10.128.0.2"}
    if interface["accessConfigs"] is not None:
        known = before.get("accessConfigs") or []
        shown["accessConfigs"] = [
            {"networkTier": "PREMIUM", "natIp": known[place]["natIp"] if place < len(known) else _public(request)}
            | {key: value for key, value in config.properties.items() if value is not None}
            for place, config in enumerate(interface.items("accessConfigs"))
        ]
    return shown


def _public(request: Request) -> Value:
    return UNKNOWN if request.preview else addressing.public_address()


def _group_template(request: Request) -> None:
    """The machines that the group would make can be made in its zones; each gets an address."""
    versions = request.inputs.items("versions")
    template = references.find(request, ids.TEMPLATE, versions[0].text("instanceTemplate"))
    inputs, region = View(template.inputs), request.id.split("/")[3]
    for value in request.inputs["distributionPolicyZones"] or ():
        if value is not UNKNOWN and ids.short(str(value)) not in zones(region):
            raise FieldError("distributionPolicy.zones", value, f"The zone is not in region '{region}'.")
    kind, wanted = machine_rules.confidential_type(inputs), _machine_type(inputs)
    for zone in [ids.short(str(each)) for each in request.inputs["distributionPolicyZones"] or zones(region)]:
        if kind is not None and wanted is not None:
            machine_rules.require_tee(wanted, kind, zone)
    for disk in inputs.items("disks"):
        if disk["diskEncryptionKey.kmsKeySelfLink"]:
            key = ids.plain(disk.text("diskEncryptionKey.kmsKeySelfLink"), request.session.account)
            service_agents.require_use(request, key, service_agents.COMPUTE)
    interface = inputs.items("networkInterfaces")[0]
    subnet = references.find(request, ids.SUBNETWORK, interface.text("subnetwork"))
    if references.location_of(subnet.id) != region:
        raise FieldError("versions[0].instanceTemplate", template.name, f"Its subnetwork is not in region '{region}'.")
    if request.preview:
        return
    request.claims.release(request.id, addresses.space_of(addressing.network_id(subnet)))
    for _ in range(int(request.inputs["targetSize"] or 0)):
        addressing.allocate(request, subnet, None, None, "networkInterfaces[0].networkIP")


def _machine_type(inputs: View) -> MachineType | None:
    return machine_type(ids.short(inputs.text("machineType")))


def _disk_confidential(request: Request) -> None:
    key = request.inputs.text("diskEncryptionKey.kmsKeySelfLink")
    kind = ids.short(request.inputs.text("type") or "pd-standard")
    machine_rules.confidential_disk(request.inputs, "disk", kind, key)


_INSTANCE_FIXED = (
    "name", "project", "zone", "bootDisk", "attachedDisks", "confidentialInstanceConfig", "networkInterfaces",
    "hostname", "guestAccelerators", "metadataStartupScript", "scheduling.preemptible", "scheduling.provisioningModel",
    "scheduling.maxRunDuration", "keyRevocationActionType", "reservationAffinity", "scratchDisks", "description",
    "canIpForward", "networkPerformanceConfig", "params", "instanceEncryptionKey",
)  # fmt: skip


def _template(pulumi_type: str, kind: str, more: Mapping[str, Compute]) -> ResourceType:
    """A template never changes: every change makes another one."""
    return ResourceType(
        pulumi_type=pulumi_type,
        kind=kind,
        identify=ids.compute(kind),
        name_property="name",
        replace_on=_TEMPLATE_FIXED,
        references=(
            Reference("networkInterfaces[].network", (ids.NETWORK,)),
            Reference("networkInterfaces[].subnetwork", (ids.SUBNETWORK,), same_location=True),
            Reference("disks[].diskEncryptionKey.kmsKeySelfLink", (CRYPTO_KEY,)),
        ),
        checks=(rfc1035_name, *_SHARED_CHECKS),
        outputs={
            "numericId": number("numericId", text=True),
            "metadataFingerprint": fingerprint("metadataFingerprint"),
            "tagsFingerprint": fingerprint("tagsFingerprint"),
            **more,
        },
        in_use=references.in_use,
    )


_TEMPLATE_FIXED = (
    "name", "namePrefix", "project", "region", "disks", "machineType", "confidentialInstanceConfig", "metadata",
    "networkInterfaces", "scheduling", "serviceAccount", "shieldedInstanceConfig", "minCpuPlatform", "labels", "tags",
    "guestAccelerators", "description", "keyRevocationActionType", "canIpForward",
)  # fmt: skip

TYPES = (
    ResourceType(
        pulumi_type="gcp:compute/instance:Instance",
        kind=ids.INSTANCE,
        identify=ids.compute(ids.INSTANCE),
        name_property="name",
        replace_on=_INSTANCE_FIXED,
        references=(
            Reference("networkInterfaces[].network", (ids.NETWORK,)),
            Reference("networkInterfaces[].subnetwork", (ids.SUBNETWORK,), same_location=True),
            Reference("bootDisk.kmsKeySelfLink", (CRYPTO_KEY,)),
            Reference("bootDisk.source", (ids.DISK,)),
            Reference("attachedDisks[].source", (ids.DISK,)),
            Reference("attachedDisks[].kmsKeySelfLink", (CRYPTO_KEY,)),
        ),
        checks=(
            rfc1035_name,
            *_SHARED_CHECKS,
            machine_rules.boot_disk,
            machine_rules.stopping,
            machine_quota.within,
            one_of("keyRevocationActionType", "NONE", "STOP"),
            keys.usable("bootDisk.kmsKeySelfLink", service_agents.COMPUTE),
        ),
        outputs={
            "instanceId": number("instanceId", text=True),
            "networkInterfaces": _interfaces,
            "cpuPlatform": lambda request: request.inputs["minCpuPlatform"] or "Unknown CPU Platform",
            "currentStatus": constant("RUNNING"),
            "metadataFingerprint": fingerprint("metadataFingerprint"),
            "tagsFingerprint": fingerprint("tagsFingerprint"),
        },
        in_use=references.in_use,
        started=_boot_instance,
        stopped=_power_off,
    ),
    _template(
        "gcp:compute/instanceTemplate:InstanceTemplate",
        ids.TEMPLATE,
        {"selfLinkUnique": lambda request: ids.self_link(request.id)},
    ),
    _template("gcp:compute/regionInstanceTemplate:RegionInstanceTemplate", ids.REGION_TEMPLATE, {}),
    ResourceType(
        pulumi_type="gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager",
        kind=ids.GROUP_MANAGER,
        identify=ids.compute(ids.GROUP_MANAGER),
        name_property="name",
        replace_on=("name", "project", "region", "baseInstanceName", "distributionPolicyZones", "description"),
        references=(
            Reference("versions[].instanceTemplate", (ids.TEMPLATE, ids.REGION_TEMPLATE)),
            Reference("autoHealingPolicies.healthCheck", (ids.HEALTH_CHECK,)),
        ),
        checks=(rfc1035_name, between("targetSize", 0, 2_000), _group_template, machine_quota.within),
        outputs={
            "instanceGroupManagerId": number("instanceGroupManagerId", text=False),
            "instanceGroup": lambda request: ids.self_link(
                request.id.replace("/instanceGroupManagers/", "/instanceGroups/")
            ),
            "distributionPolicyZones": lambda request: (
                request.inputs["distributionPolicyZones"] or list(zones(request.id.split("/")[3]))
            ),
            "statuses": constant([{"isStable": True}]),
        },
        in_use=references.in_use,
        started=_boot_group,
        stopped=_power_off_group,
    ),
    ResourceType(
        pulumi_type="gcp:compute/disk:Disk",
        kind=ids.DISK,
        identify=ids.compute(ids.DISK),
        name_property="name",
        replace_on=("name", "project", "zone", "type", "image", "snapshot", "diskEncryptionKey",
                    "enableConfidentialCompute", "description"),
        references=(Reference("diskEncryptionKey.kmsKeySelfLink", (CRYPTO_KEY,)),),
        checks=(
            rfc1035_name,
            between("size", 1, 65_536),
            _disk_confidential,
            keys.usable("diskEncryptionKey.kmsKeySelfLink", service_agents.COMPUTE),
        ),
        outputs={"diskId": number("diskId", text=True), "users": constant([])},
        in_use=references.in_use,
    ),
)  # fmt: skip
