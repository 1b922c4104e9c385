"""Google Cloud's virtual machines."""

from collections.abc import Iterator

from policies.conditions import Matching, OneOf
from policies.subject import Property, Resource
from policies.terms import Machine, Reference, Setting, Unwanted

_INSTANCE = "gcp:compute:Instance"
_TEMPLATES = frozenset({"gcp:compute:InstanceTemplate", "gcp:compute:RegionInstanceTemplate"})
_NODE_POOL = "gcp:container:NodePool"
_CLUSTER = "gcp:container:Cluster"
_MANAGERS = frozenset({"gcp:compute:InstanceGroupManager", "gcp:compute:RegionInstanceGroupManager"})
_OF_THE_CLOUD = frozenset(
    {
        "gcp:appengine:FlexibleAppVersion",
        "gcp:appengine:StandardAppVersion",
        "gcp:cloudfunctions:Function",
        "gcp:cloudfunctionsv2:Function",
        "gcp:cloudrun:Service",
        "gcp:cloudrunv2:Job",
        "gcp:cloudrunv2:Service",
        "gcp:cloudrunv2:WorkerPool",
        "gcp:colab:Runtime",
        "gcp:colab:RuntimeTemplate",
        "gcp:composer:Environment",
        "gcp:compute:InstanceFromMachineImage",
        "gcp:compute:InstanceFromTemplate",
        "gcp:dataflow:FlexTemplateJob",
        "gcp:dataflow:Job",
        "gcp:datafusion:Instance",
        "gcp:dataproc:Batch",
        "gcp:dataproc:Cluster",
        "gcp:dataproc:WorkflowTemplate",
        "gcp:tpu:V2QueuedResource",
        "gcp:tpu:V2Vm",
        "gcp:vertex:AiDeploymentResourcePool",
        "gcp:vertex:AiPersistentResource",
        "gcp:vertex:AiReasoningEngine",
        "gcp:vmwareengine:PrivateCloud",
        "gcp:workbench:Instance",
        "gcp:workstations:Workstation",
        "gcp:workstations:WorkstationConfig",
    }
)
"""What runs code on machines that Google Cloud chooses, or that nothing here describes."""
_CONFIDENTIAL = ("SEV_SNP", "TDX")
_TEES = {"SEV": "sev", "SEV_SNP": "snp", "TDX": "tdx"}
_OFF = OneOf(("FALSE", False))
_IMAGE = Matching(r"(?:.*/)?images/(?!family/)[^/]+", "an image by its name, never by its family")

_METADATA_DOORS = {
    "ssh-keys": "a login from outside",
    "startup-script": "code that the operator can put into the machine",
    "startup-script-url": "code that the operator can put into the machine",
    "shutdown-script": "code that the operator can put into the machine",
    "shutdown-script-url": "code that the operator can put into the machine",
    "sshKeys": "a login from outside",
}
_INTRUDERS = {
    "gcp:compute:GlobalVmExtensionPolicy": "code that the operator can put into machines",
    "gcp:compute:ZoneVmExtensionPolicy": "code that the operator can put into machines",
    "gcp:osconfig:GuestPolicies": "code that the operator can put into machines",
    "gcp:osconfig:OsPolicyAssignment": "code that the operator can put into machines",
    "gcp:osconfig:PatchDeployment": "code that the operator can put into machines",
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
    if resource.type in _OF_THE_CLOUD:
        return Machine(Setting(Property("type", resource.type), OneOf((_INSTANCE,)), (resource.type,)))
    if resource.type in _MANAGERS:
        return Machine(None, template=Reference(resource.props.at("versions"), "versions"))
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
        disk_key=disk,
        guest_configurations=(resource.props.at("metadata", "user-data"),),
        size=resource.props.at("machineType"),
        image=Setting(image, _IMAGE),
        tees=_TEES,
        accelerators=resource.props.at("guestAccelerators"),
    )


def _nodes(resource: Resource) -> Machine | None:
    """The nodes of a pool, or those that a cluster makes itself; the setting of the cluster counts for its pools."""
    whole = resource.props.at("confidentialNodes", "confidentialInstanceType")
    if resource.type == _NODE_POOL:
        return _pool(resource.props.at("nodeConfig"), whole)
    if resource.type != _CLUSTER:
        return None
    grown = resource.props.at("clusterAutoscaling", "enabled")
    if not whole.stated and (grown.unknown or grown.flag):
        return Machine(Setting(grown, OneOf((False,))))
    inline = [one.at("nodeConfig") for one in resource.props.at("nodePools").items()]
    first = () if inline or _without_nodes(resource) else (resource.props.at("nodeConfig"),)
    pools = [_pool(nodes, whole) for nodes in (*inline, *first)]
    return next((one for one in pools if not one.is_confidential), pools[0] if pools else None)


def _pool(nodes: Property, whole: Property) -> Machine:
    own = nodes.at("confidentialNodes", "confidentialInstanceType")
    kind = whole if whole.stated else own
    shield = nodes.at("shieldedInstanceConfig")
    return Machine(
        confidential=Setting(kind, OneOf(_CONFIDENTIAL), ("SEV",)),
        secure_boot=Setting(shield.at("enableSecureBoot"), OneOf((True,))),
        integrity_monitoring=_monitored(shield),
        disk_key=Reference(nodes.at("bootDiskKmsKey"), "nodeConfig"),
        size=nodes.at("machineType"),
        tees=_TEES,
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
    if resource.type in _INTRUDERS:
        yield Unwanted(Property("type", resource.type), _INTRUDERS[resource.type])
    if resource.type != _INSTANCE and resource.type not in _TEMPLATES:
        return
    metadata = resource.props.at("metadata")
    yield Setting(metadata.at("block-project-ssh-keys"), OneOf(("TRUE", True)), switch=True)
    for key in ("serial-port-enable", "enable-oslogin", "enable-osconfig", "enable-guest-attributes"):
        yield Setting(metadata.at(key), _OFF, unless_stated=True, switch=True)
    for key, what in _METADATA_DOORS.items():
        yield Unwanted(metadata.at(key), what)
    yield Unwanted(resource.props.at("metadataStartupScript"), _METADATA_DOORS["startup-script"])
