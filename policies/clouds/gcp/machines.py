"""Google Cloud's virtual machines."""

from collections.abc import Iterator

from policies.conditions import Matching, OneOf
from policies.subject import Property, Resource
from policies.terms import Machine, Reference, Setting, Unwanted

_INSTANCE = "gcp:compute:Instance"
_TEMPLATES = frozenset({"gcp:compute:InstanceTemplate", "gcp:compute:RegionInstanceTemplate"})
_NODE_POOL = "gcp:container:NodePool"
_CLUSTER = "gcp:container:Cluster"
_CONFIDENTIAL = ("SEV_SNP", "TDX")
_OFF = OneOf(("FALSE", False))
_IMAGE = Matching(r"(?:.*/)?images/(?!family/)[^/]+", "an image by its name, never by its family")

_METADATA_DOORS = {
    "ssh-keys": "a login from outside",
    "startup-script": "code that the operator can put into the machine",
    "startup-script-url": "code that the operator can put into the machine",
    "shutdown-script": "code that the operator can put into the machine",
}


def image_of(resource: Resource) -> Property | None:
    """The image that `resource` boots, if it is a machine or a template of machines."""
    if resource.type == _INSTANCE:
        return resource.props.at("bootDisk", "initializeParams", "image")
    return _boot_disk(resource).at("sourceImage") if resource.type in _TEMPLATES else None


def _boot_disk(template: Resource) -> Property:
    disks = template.props.at("disks").items()
    return disks[0] if disks else template.props.at("disks")


def machine(resource: Resource) -> Machine | None:
    """`resource` as a machine, as the template of machines, or as the nodes of a pool."""
    image = image_of(resource)
    if image is None:
        return _nodes(resource)
    disk = (
        Reference(resource.props.at("bootDisk", "kmsKeySelfLink"), "bootDisk")
        if resource.type == _INSTANCE
        else Reference(_boot_disk(resource).at("diskEncryptionKey", "kmsKeySelfLink"), "disks")
    )
    kind = resource.props.at("confidentialInstanceConfig", "confidentialInstanceType")
    shield = resource.props.at("shieldedInstanceConfig")
    return Machine(
        confidential=Setting(kind, OneOf(_CONFIDENTIAL), ("SEV",)),
        secure_boot=Setting(shield.at("enableSecureBoot"), OneOf((True,))),
        virtual_tpm=Setting(shield.at("enableVtpm"), OneOf((True,))),
        integrity_monitoring=_monitored(shield),
        disk_binding=None,
        disk_key=disk,
        guest_configurations=(resource.props.at("metadata", "user-data"),),
        size=resource.props.at("machineType"),
        image=Setting(image, _IMAGE),
        accelerators=resource.props.at("guestAccelerators"),
    )


def _nodes(resource: Resource) -> Machine | None:
    """The nodes of a pool, or those that a cluster makes itself; the setting of the cluster counts for its pools."""
    if resource.type == _NODE_POOL or (resource.type == _CLUSTER and not _without_nodes(resource)):
        nodes = resource.props.at("nodeConfig")
    else:
        return None
    confidential = nodes.at("confidentialNodes", "confidentialInstanceType")
    whole = resource.props.at("confidentialNodes", "confidentialInstanceType")
    shield = nodes.at("shieldedInstanceConfig")
    return Machine(
        confidential=Setting(whole if whole.stated else confidential, OneOf(_CONFIDENTIAL), ("SEV",)),
        secure_boot=Setting(shield.at("enableSecureBoot"), OneOf((True,))),
        virtual_tpm=None,
        integrity_monitoring=_monitored(shield),
        disk_binding=None,
        disk_key=Reference(nodes.at("bootDiskKmsKey"), "nodeConfig"),
        guest_configurations=(),
        size=nodes.at("machineType"),
        image=None,
        accelerators=nodes.at("guestAccelerators"),
    )


def _monitored(shield: Property) -> Setting:
    return Setting(shield.at("enableIntegrityMonitoring"), OneOf((True,)), unless_stated=True)


def _without_nodes(cluster: Resource) -> bool:
    """Whether the first pool, which Google makes with each cluster, is removed at once."""
    removed = cluster.props.at("removeDefaultNodePool")
    return not removed.unknown and removed.flag is True


def migration(resource: Resource) -> Iterator[Setting]:
    """What keeps a running machine on its host, and other machines out of it."""
    if resource.type == _INSTANCE or resource.type in _TEMPLATES:
        stays = resource.props.at("scheduling", "onHostMaintenance")
        yield Setting(stays, OneOf(("TERMINATE",)), ("MIGRATE",))
        nested = resource.props.at("advancedMachineFeatures", "enableNestedVirtualization")
        yield Setting(nested, OneOf((False,)), unless_stated=True)
    elif resource.type == _NODE_POOL:
        nested = resource.props.at("nodeConfig", "advancedMachineFeatures", "enableNestedVirtualization")
        yield Setting(nested, OneOf((False,)), unless_stated=True)


def side_doors(resource: Resource) -> Iterator[Setting | Unwanted]:
    """What lets somebody into a machine beside its measured boot."""
    if resource.type != _INSTANCE and resource.type not in _TEMPLATES:
        return
    metadata = resource.props.at("metadata")
    yield Setting(metadata.at("block-project-ssh-keys"), OneOf(("TRUE", True)), switch=True)
    for key in ("serial-port-enable", "enable-oslogin", "enable-guest-attributes"):
        yield Setting(metadata.at(key), _OFF, unless_stated=True, switch=True)
    for key, what in _METADATA_DOORS.items():
        yield Unwanted(metadata.at(key), what)
    yield Unwanted(resource.props.at("metadataStartupScript"), _METADATA_DOORS["startup-script"])
